//! Two machines over a link that loses, delays, reorders and duplicates, with connections that may never open: in the
//! end both are connected with one another, or both have given up.

use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;

use super::{Action, ConnectionNumber, Input, Message, Negotiator, State};

/// How bad the world is until it heals.
#[derive(Clone, Debug, Default)]
struct Weather {
    seed: u64,
    /// Of 100 frames, how many are lost, and how many come twice.
    loss: u8,
    twice: u8,
    /// The longest delay of a frame. Frames overtake one another when it is not 0.
    jitter_ms: u64,
    /// Of 100 connections, how many never open, and how many break once they are open.
    wedged: u8,
    broken: u8,
    /// When all of this ends.
    heals_at: u64,
    both_initiate: bool,
    /// How often in the first minute a side is told to try again or to give up.
    told: u8,
    /// The second side names no attempts, like a client of before.
    old_client: bool,
}

#[derive(Default)]
struct Connection {
    closed: bool,
    busy: bool,
    partner: Option<ConnectionNumber>,
}

struct Side {
    machine: Negotiator,
    connections: HashMap<ConnectionNumber, Connection>,
    opened: Option<ConnectionNumber>,
}

struct World {
    weather: Weather,
    rng: fastrand::Rng,
    now: u64,
    order: u64,
    sides: [Side; 2],
    queue: BTreeMap<(u64, u64), (usize, Input)>,
    joined: HashSet<(ConnectionNumber, ConnectionNumber)>,
}

impl World {
    fn new(weather: Weather) -> Self {
        let side = |initiator, polite, seed: &str| Side {
            machine: Negotiator::new(initiator, polite, seed.to_owned()),
            connections: HashMap::new(),
            opened: None,
        };
        let sides = [side(true, false, "a"), side(weather.both_initiate, true, "b")];
        let rng = fastrand::Rng::with_seed(weather.seed);
        Self { weather, rng, now: 0, order: 0, sides, queue: BTreeMap::new(), joined: HashSet::new() }
    }

    fn bad(&mut self, of_100: u8) -> bool {
        self.now < self.weather.heals_at && self.rng.u8(0..100) < of_100
    }

    fn later(&mut self, delay: u64, side: usize, input: Input) {
        self.order += 1;
        self.queue.insert((self.now + delay, self.order), (side, input));
    }

    /// Runs until nothing is left to happen.
    fn run(&mut self) {
        self.feed(0, Input::Start);
        self.feed(1, Input::Start);
        for _ in 0..self.weather.told {
            let (delay, side, give_up) = (self.rng.u64(0..60_000), self.rng.usize(0..2), self.rng.bool());
            let give_up = give_up.then(|| Input::GiveUp { reason: "told".to_owned() });
            self.later(delay, side, give_up.unwrap_or(Input::TryAgain));
        }
        for _ in 0..20_000 {
            let next = self.queue.first_key_value().map(|((at, _), _)| *at);
            let tick = (0..2).filter_map(|i| self.sides[i].machine.poll_timeout().map(|at| (at, i))).min();
            match (next, tick) {
                (None, None) => return,
                (next, Some((at, side))) if next.is_none_or(|next| at < next) => {
                    self.now = self.now.max(at);
                    self.feed(side, Input::Tick);
                }
                _ => {
                    let ((at, _), (side, input)) = self.queue.pop_first().unwrap();
                    self.now = self.now.max(at);
                    self.feed(side, input);
                }
            }
        }
        panic!("it never ends: {:?}", self.weather);
    }

    fn feed(&mut self, side: usize, input: Input) {
        match &input {
            Input::OfferCreated { connection, .. }
            | Input::AnswerCreated { connection, .. }
            | Input::AnswerApplied { connection } => {
                self.sides[side].connections.get_mut(connection).unwrap().busy = false;
            }
            Input::ChannelOpen { connection } if self.sides[side].connections[connection].closed => return,
            Input::ChannelOpen { connection } => self.sides[side].opened = Some(*connection),
            _ => {}
        }
        self.sides[side].machine.handle(self.now, input);
        while let Some(action) = self.sides[side].machine.poll_action() {
            self.act(side, action);
        }
        let machine = &self.sides[side].machine;
        let waits = matches!(machine.state(), Some(State::Connecting | State::Disconnected));
        assert_eq!(waits, machine.poll_timeout().is_some(), "a pair that waits has a timer, others have none");
    }

    fn act(&mut self, side: usize, action: Action) {
        match action {
            Action::Open { connection, .. } => {
                let before = self.sides[side].connections.insert(connection, Connection::default());
                assert!(before.is_none(), "a number is used once");
                let candidate = Input::LocalCandidate { connection, candidate: None };
                self.later(1, side, candidate);
            }
            Action::CreateOffer { connection } => {
                self.operation(side, connection);
                self.later(2, side, Input::OfferCreated { connection, sdp: connection.to_string() });
            }
            Action::AcceptOffer { connection, sdp } => {
                self.operation(side, connection);
                let partner = sdp.parse().unwrap();
                self.sides[side].connections.get_mut(&connection).unwrap().partner = Some(partner);
                self.later(3, side, Input::AnswerCreated { connection, sdp: format!("{partner} {connection}") });
            }
            Action::ApplyAnswer { connection, sdp } => {
                self.operation(side, connection);
                self.later(1, side, Input::AnswerApplied { connection });
                let (offered, answered) = sdp.split_once(' ').unwrap();
                if offered.parse() == Ok(connection) {
                    self.join(side, connection, answered.parse().unwrap());
                }
            }
            Action::AddCandidate { connection, .. } => self.live(side, connection),
            Action::Send(message) => self.send(side, message),
            Action::Close { connection } => self.close(side, connection),
            Action::State(State::Connected) | Action::Error { .. } | Action::Refused { .. } => {}
            Action::State(_) => self.sides[side].opened = None,
        }
    }

    fn live(&self, side: usize, connection: ConnectionNumber) {
        assert!(!self.sides[side].connections[&connection].closed, "nothing is asked of a closed connection");
    }

    fn operation(&mut self, side: usize, connection: ConnectionNumber) {
        self.live(side, connection);
        let connection = self.sides[side].connections.get_mut(&connection).unwrap();
        assert!(!std::mem::replace(&mut connection.busy, true), "one operation at a time");
    }

    /// The offerer has the answer: the two connections find one another, or not.
    fn join(&mut self, side: usize, ours: ConnectionNumber, theirs: ConnectionNumber) {
        self.sides[side].connections.get_mut(&ours).unwrap().partner = Some(theirs);
        let alive = self.sides[1 - side].connections.get(&theirs).is_some_and(|other| !other.closed);
        if !alive || self.bad(self.weather.wedged) {
            return;
        }
        self.joined.insert(if side == 0 { (ours, theirs) } else { (theirs, ours) });
        for (side, connection) in [(side, ours), (1 - side, theirs)] {
            let delay = self.rng.u64(5..50);
            self.later(delay, side, Input::ChannelOpen { connection });
            if self.bad(self.weather.broken) {
                let reason = "broken".to_owned();
                self.later(delay + 500, side, Input::ConnectionLost { connection, reason });
            }
        }
    }

    fn close(&mut self, side: usize, connection: ConnectionNumber) {
        self.live(side, connection);
        let ours = self.sides[side].connections.get_mut(&connection).unwrap();
        ours.closed = true;
        if let Some(partner) = ours.partner {
            let delay = if self.rng.bool() { 1 } else { 5_000 };
            self.later(delay, 1 - side, Input::ConnectionLost { connection: partner, reason: "closed".to_owned() });
        }
    }

    fn send(&mut self, side: usize, message: Message) {
        if self.bad(self.weather.loss) {
            return;
        }
        let named = |attempt: Option<String>| attempt.filter(|_| !self.weather.old_client);
        let input = match message {
            Message::Offer { sdp, attempt } => Input::RemoteOffer { sdp, attempt: named(attempt) },
            Message::Answer { sdp, attempt } => Input::RemoteAnswer { sdp, attempt: named(attempt) },
            Message::Candidate { candidate, attempt } => {
                assert!(candidate.sdp_mid.is_some() || candidate.sdp_m_line_index.is_some(), "it names its stream");
                Input::RemoteCandidate { candidate: Some(candidate), attempt: named(attempt) }
            }
            Message::Refusal { message, attempt } => Input::RemoteRefusal { message, attempt: named(attempt) },
        };
        for _ in 0..=usize::from(self.bad(self.weather.twice)) {
            let delay = 5 + if self.now < self.weather.heals_at { self.rng.u64(0..=self.weather.jitter_ms) } else { 0 };
            self.later(delay, 1 - side, input.clone());
        }
    }

    fn check(&self) {
        let states = [0, 1].map(|i| self.sides[i].machine.state().unwrap());
        match (states, self.sides[0].opened, self.sides[1].opened) {
            ([State::Connected, State::Connected], Some(a), Some(b)) => {
                assert!(self.joined.contains(&(a, b)), "both are connected, but not with one another");
            }
            ([State::Failed, State::Failed], ..) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn weather() -> impl Strategy<Value = Weather> {
    let jitter = prop_oneof![Just(0), 1_u64..100, 1_000_u64..5_000];
    let heals = prop_oneof![Just(0), 0_u64..60_000, Just(u64::MAX)];
    let of_100 = (0_u8..=100, 0_u8..50, 0_u8..=100, 0_u8..50);
    (any::<u64>(), of_100, jitter, heals, any::<bool>()).prop_map(
        |(seed, of_100, jitter_ms, heals_at, both_initiate)| {
            let (loss, twice, wedged, broken) = of_100;
            Weather { seed, loss, twice, jitter_ms, wedged, broken, heals_at, both_initiate, ..Weather::default() }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_connect_with_one_another_or_both_give_up(weather in weather()) {
        let mut world = World::new(weather);
        world.run();
        world.check();
    }

    #[test]
    fn the_same_when_they_are_told_to_try_again_and_to_give_up(mut weather in weather(), told in 1_u8..20) {
        weather.told = told;
        let mut world = World::new(weather);
        world.run();
        world.check();
    }

    #[test]
    fn in_fair_weather_both_connect(seed in any::<u64>(), both_initiate in any::<bool>(), old_client in any::<bool>()) {
        let mut world = World::new(Weather { seed, both_initiate, old_client, ..Weather::default() });
        world.run();
        world.check();
        prop_assert_eq!(world.sides[0].machine.state(), Some(State::Connected));
        prop_assert!(world.now < 1_000 + 5_000, "without a retry");
    }

    #[test]
    fn a_link_that_heals_connects_a_pair_that_has_not_given_up(mut weather in weather()) {
        // The responder gives up last, 32 s after the start.
        weather.heals_at = 8_000;
        let mut world = World::new(weather);
        world.run();
        world.check();
        prop_assert_eq!(world.sides[0].machine.state(), Some(State::Connected));
    }

    #[test]
    fn a_dead_link_ends_in_two_failures(mut weather in weather()) {
        (weather.loss, weather.heals_at) = (100, u64::MAX);
        let mut world = World::new(weather);
        world.run();
        world.check();
        prop_assert_eq!(world.sides[0].machine.state(), Some(State::Failed));
        prop_assert!(world.now <= 40_000, "each side says so in time");
    }

    #[test]
    fn connections_that_never_open_end_in_two_failures(mut weather in weather()) {
        (weather.loss, weather.jitter_ms, weather.wedged, weather.heals_at) = (0, 0, 100, u64::MAX);
        let mut world = World::new(weather);
        world.run();
        world.check();
        prop_assert_eq!(world.sides[0].machine.state(), Some(State::Failed));
        prop_assert!(world.now <= 90_000, "neither starts over for ever");
    }
}
