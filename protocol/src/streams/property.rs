//! Two sessions over connections that are cut at any time, each with the loss of the end of what was under way: whatever
//! their programs do, everything arrives once and in order, nothing is said to be had that is not, and in the end nothing
//! is left.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::{Frames, Output, Read, STREAM_WINDOW, Session, StreamId, WAITING_BYTES, WRITE_BYTES};

#[derive(Clone, Debug)]
enum Step {
    Open(usize),
    Write(usize, usize, usize),
    Read(usize, usize, usize),
    Finish(usize, usize),
    Reset(usize, usize),
    Stop(usize, usize),
    /// So many messages of this side set out.
    Send(usize, usize),
    /// So many of them arrive.
    Carry(usize, usize),
    /// So many messages of each side still arrive, then there is a new connection.
    Cut(usize, usize),
    /// There is none for now.
    Down,
}

fn step() -> impl Strategy<Value = Step> {
    let (side, which) = (0..2_usize, 0..6_usize);
    prop_oneof![
        2 => side.clone().prop_map(Step::Open),
        8 => (side.clone(), which.clone(), prop_oneof![0..100_usize, 0..100_000_usize]).prop_map(|(s, w, n)| Step::Write(s, w, n)),
        8 => (side.clone(), which.clone(), 1..100_000_usize).prop_map(|(s, w, n)| Step::Read(s, w, n)),
        2 => (side.clone(), which.clone()).prop_map(|(s, w)| Step::Finish(s, w)),
        1 => (side.clone(), which.clone()).prop_map(|(s, w)| Step::Reset(s, w)),
        1 => (side.clone(), which).prop_map(|(s, w)| Step::Stop(s, w)),
        6 => (side.clone(), 1..9_usize).prop_map(|(s, n)| Step::Send(s, n)),
        8 => (side, 1..9_usize).prop_map(|(s, n)| Step::Carry(s, n)),
        2 => (0..5_usize, 0..5_usize).prop_map(|(a, b)| Step::Cut(a, b)),
        1 => Just(Step::Down),
    ]
}

/// What a program knows of a stream.
#[derive(Debug, Default)]
struct View {
    written: u64,
    /// It writes no more, and whether all that it wrote has to arrive.
    ended: Option<bool>,
    finished: bool,
    acknowledged: u64,
    read: u64,
    /// It reads no more, and whether it has come to the end.
    over: Option<bool>,
}

struct Side {
    session: Session,
    views: BTreeMap<u64, View>,
    under_way: VecDeque<Vec<u8>>,
}

struct World {
    sides: [Side; 2],
    now: u64,
}

fn view(views: &mut BTreeMap<u64, View>, stream: StreamId) -> &mut View {
    views.get_mut(&stream.0).unwrap()
}

/// The byte at this position of what a side writes to a stream.
fn byte(side: usize, stream: StreamId, position: u64) -> u8 {
    let opener = if stream.is_own() { side } else { 1 - side };
    ((position.wrapping_mul(0x9e37_79b9) >> 7) + stream.number() * 31 + (opener * 2 + side) as u64 * 101) as u8
}

impl World {
    fn new() -> Self {
        let side = |id| Side { session: Session::new([id; 8]), views: BTreeMap::new(), under_way: VecDeque::new() };
        let mut world = Self { sides: [side(1), side(2)], now: 0 };
        world.connect();
        world
    }

    fn connect(&mut self) {
        for side in &mut self.sides {
            side.under_way.clear();
            side.session.connected();
        }
    }

    fn nth(&self, side: usize, which: usize) -> Option<StreamId> {
        self.sides[side].views.keys().nth(which).map(|id| StreamId(*id))
    }

    fn take(&mut self, step: &Step) {
        self.now += 7;
        match *step {
            Step::Open(side) => {
                if self.sides[side].views.len() < 6 {
                    let id = self.sides[side].session.open("test").unwrap();
                    self.sides[side].views.insert(id.0, View::default());
                }
            }
            Step::Write(side, which, count) => self.write(side, which, count),
            Step::Read(side, which, most) => {
                if let Some(stream) = self.nth(side, which) {
                    self.read(side, stream, most);
                }
            }
            Step::Finish(side, which) => self.end(side, which, true, |session, stream| session.finish(stream)),
            Step::Reset(side, which) => self.end(side, which, false, |session, stream| session.reset(stream, 9, "no")),
            Step::Stop(side, which) => {
                if let Some(stream) = self.nth(side, which) {
                    self.sides[side].session.stop(stream, 9, "enough");
                    self.sides[side].views.get_mut(&stream.0).unwrap().over.get_or_insert(false);
                }
            }
            Step::Send(side, count) => self.send(side, count),
            Step::Carry(side, count) => self.carry(side, count),
            Step::Cut(first, second) => {
                self.carry(0, first);
                self.carry(1, second);
                self.connect();
            }
            Step::Down => {
                for side in &mut self.sides {
                    side.under_way.clear();
                    side.session.disconnected();
                }
            }
        }
    }

    fn end(&mut self, side: usize, which: usize, all: bool, end: impl Fn(&mut Session, StreamId)) {
        if let Some(stream) = self.nth(side, which) {
            end(&mut self.sides[side].session, stream);
            let view = self.sides[side].views.get_mut(&stream.0).unwrap();
            // A reset takes back a finish that is not through.
            let through = view.finished || view.ended == Some(false);
            view.ended = if through { view.ended } else { Some(all && view.ended != Some(false)) };
        }
    }

    fn write(&mut self, side: usize, which: usize, count: usize) {
        let Some(stream) = self.nth(side, which) else { return };
        let Side { session, views, .. } = &mut self.sides[side];
        let view = views.get_mut(&stream.0).unwrap();
        let bytes: Vec<u8> = (0..count as u64).map(|at| byte(side, stream, view.written + at)).collect();
        if let Ok(end) = session.write(self.now, stream, &bytes) {
            assert!(view.ended.is_none());
            view.written += count as u64;
            assert_eq!(end, view.written);
        }
        assert!(session.held().waiting <= WAITING_BYTES + 12 * (STREAM_WINDOW + WRITE_BYTES as u64));
    }

    fn read(&mut self, side: usize, stream: StreamId, most: usize) -> bool {
        let Side { session, views, .. } = &mut self.sides[side];
        let view = views.get_mut(&stream.0).unwrap();
        match session.read(self.now, stream, most) {
            None => return false,
            Some(Read::Bytes(bytes)) => {
                assert!(view.over.is_none() && bytes.len() <= most && !bytes.is_empty());
                for (at, got) in (view.read..).zip(&bytes) {
                    assert_eq!(*got, byte(1 - side, stream.seen_from_there(), at), "{stream:?} at {at}");
                }
                view.read += bytes.len() as u64;
            }
            Some(Read::End) => {
                assert_eq!(view.over.replace(true), None);
                let there = &self.sides[1 - side].views[&stream.seen_from_there().0];
                assert_eq!(self.sides[side].views[&stream.0].read, there.written);
            }
        }
        true
    }

    fn send(&mut self, from: usize, count: usize) {
        let Side { session, under_way, .. } = &mut self.sides[from];
        under_way.extend(std::iter::from_fn(|| session.poll_transmit()).take(count));
    }

    /// Lets messages of a side arrive.
    fn carry(&mut self, from: usize, count: usize) {
        for _ in 0..count {
            self.send(from, 1);
            let Some(message) = self.sides[from].under_way.pop_front() else { break };
            assert!(Frames::of(&message).unwrap().all(|frame| frame.is_ok()));
            self.sides[1 - from].session.receive(&message);
            self.told(1 - from);
        }
    }

    fn told(&mut self, side: usize) {
        while let Some(output) = self.sides[side].session.poll_output() {
            let [first, second] = &mut self.sides;
            let (here, there) = if side == 0 { (first, second) } else { (second, first) };
            let views = &mut here.views;
            match output {
                Output::Opened { stream, .. } => {
                    assert!(views.insert(stream.0, View::default()).is_none());
                }
                Output::Acknowledged { stream, position } => {
                    assert!(position > view(views, stream).acknowledged);
                    assert!(position <= there.views[&stream.seen_from_there().0].read);
                    view(views, stream).acknowledged = position;
                }
                Output::Finished { stream } => {
                    assert_eq!(there.views[&stream.seen_from_there().0].over, Some(true));
                    assert!(!std::mem::replace(&mut view(views, stream).finished, true));
                }
                Output::Reset { stream, .. } => assert_eq!(view(views, stream).over.replace(false), None),
                Output::Stopped { stream, .. } => view(views, stream).ended = Some(false),
                Output::Readable { .. } | Output::Writable { .. } | Output::Linked { restarted: false } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Everybody ends what is open and reads what comes, over a connection that holds.
    fn come_to_an_end(&mut self) {
        self.connect();
        for _ in 0..1_000 {
            let mut moved = false;
            for side in 0..2 {
                let before = self.sides[side].session.held();
                for which in 0..self.sides[side].views.len() {
                    self.end(side, which, true, |session, stream| session.finish(stream));
                    let stream = self.nth(side, which).unwrap();
                    while self.read(side, stream, 50_000) {}
                }
                self.carry(side, 50);
                moved |= self.sides[side].session.held() != before;
            }
            if !moved && self.sides.iter().all(|side| side.session.held().streams == 0) {
                break;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn everything_arrives_once_and_in_order(steps in prop::collection::vec(step(), 0..200)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        world.come_to_an_end();
        for side in 0..2 {
            let held = world.sides[side].session.held();
            prop_assert_eq!((held.streams, held.waiting, held.unread), (0, 0, 0));
            for (id, view) in &world.sides[side].views {
                let there = &world.sides[1 - side].views[&StreamId(*id).seen_from_there().0];
                if view.ended == Some(true) && there.over != Some(false) {
                    prop_assert!(view.finished);
                    prop_assert_eq!(view.written, there.read);
                    prop_assert_eq!(view.written, view.acknowledged);
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let mut session = Session::new([1; 8]);
        session.connected();
        for message in &messages {
            session.receive(message);
            session.receive_datagram(message);
        }
        while session.poll_transmit().is_some() || session.poll_output().is_some() {}
    }
}
