//! What each member sees of a room whose members come, are lost, come back and flood each other: the whole truth in its
//! order, once, or it is told that something is missing.

use std::{collections::VecDeque, time::Duration};

use grtc_protocol::limits::RESUME_FRAMES;

use super::*;

/// A client, and what it should have seen.
#[derive(Default)]
struct Client {
    token: String,
    /// It has a connection.
    there: bool,
    /// Its place is kept since then, and who had joined by then was told.
    away: Option<(Timestamp, usize)>,
    /// All that it was sent since it began, as the room's rules have it.
    truth: Vec<String>,
    /// What it has got of that, before its last `room_state` and after it.
    seen: Vec<String>,
    counted: usize,
    joined: usize,
}

#[derive(Clone, Debug)]
enum Step {
    Join(usize),
    /// The connection breaks.
    Lose(usize),
    /// It comes back, whether the room has noticed its loss or not; so many frames were lost on the way.
    Back(usize, usize),
    Leave(usize),
    Broadcast(usize, usize),
    Direct(usize, usize),
    /// Seconds.
    Pass(u64),
}

struct World {
    script: Script,
    pool: Pool,
    /// The pool has room for all.
    ample: bool,
    clients: Vec<Client>,
    order: VecDeque<usize>,
    joins: usize,
    sent: usize,
}

fn brief(frame: &Value) -> String {
    let who = frame["peer_id"].as_str().or(frame["from_peer_id"].as_str()).unwrap();
    format!("{} {who} {}{}", frame["type"].as_str().unwrap(), frame["data"], frame["reason"])
}

impl World {
    fn new(pool: usize) -> Self {
        let (pool, ample) = (Pool::new(pool), pool >= KEPT_BYTES);
        let clients = (0..5).map(|_| Client::default()).collect();
        let script = Script::keeping(pool.clone());
        Self { script, pool, ample, clients, order: VecDeque::new(), joins: 0, sent: 0 }
    }

    /// What the room tells everybody that has a place, but `from`.
    fn tell(&mut self, from: usize, what: &str, wanted: impl Fn(&Client) -> bool) {
        for n in self.order.iter().filter(|n| **n != from) {
            if wanted(&self.clients[*n]) {
                self.clients[*n].truth.push(what.to_owned());
            }
        }
    }

    /// Everybody reads what has come.
    fn read(&mut self) {
        for n in self.order.clone() {
            let frames = self.script.got(&n.to_string());
            let client = &mut self.clients[n];
            if client.there {
                client.counted += frames.len();
                client.seen.extend(frames.iter().map(brief));
                assert_eq!(client.seen, client.truth, "what {n} has seen");
            }
        }
    }

    fn gone(&mut self, n: usize, reason: &str) {
        self.order.retain(|other| *other != n);
        let token = std::mem::take(&mut self.clients[n].token);
        self.clients[n] = Client { token, ..Client::default() };
        self.tell(n, &format!("peer_left {n} null\"{reason}\""), |_| true);
    }

    fn began(&mut self, n: usize) {
        let token = self.script.token(&n.to_string());
        self.joins += 1;
        self.clients[n] = Client { token, there: true, joined: self.joins, ..Client::default() };
        self.script.told[&n.to_string()].0.borrow_mut().remove(0);
        self.tell(n, &format!("peer_joined {n} nullnull"), |_| true);
        self.order.push_back(n);
    }

    fn back(&mut self, n: usize, lost: usize) {
        let name = n.to_string();
        let client = &self.clients[n];
        if client.token.is_empty() {
            return;
        }
        let lost = lost.min(client.counted);
        let received = client.counted - lost;
        let (token, missed) = (client.token.clone(), client.truth.len() - (client.seen.len() - lost));
        self.script.come_back(&name, &token, received as u64).unwrap();
        let state = self.script.told[&name].0.borrow()[0].clone();
        let late = !self.order.contains(&n);
        let (recovered, could) = (state["recovered"] == true, !late && missed <= RESUME_FRAMES);
        assert!(recovered == could || !recovered && !self.ample, "{missed} missed: {state}");
        if state["recovered"] == false {
            if !late {
                self.gone(n, "expired");
            }
            return self.began(n);
        }
        let client = &mut self.clients[n];
        client.seen.truncate(client.seen.len() - lost);
        (client.counted, client.there, client.token) = (0, true, self.script.token(&name));
        let away = client.away.take();
        self.script.told[&name].0.borrow_mut().remove(0);
        self.script.room.confirm(&self.script.places[&name].clone());
        if let Some((_, told)) = away {
            self.tell(n, &format!("peer_back {n} nullnull"), |other| other.joined <= told);
        }
    }

    fn broadcast(&mut self, n: usize) {
        self.sent += 1;
        self.script.broadcast(&n.to_string(), &json!(self.sent));
        self.tell(n, &format!("broadcast_message {n} {}null", self.sent), |_| true);
    }

    fn pass(&mut self, seconds: u64) {
        self.script.pass(Duration::from_secs(seconds));
        for n in self.order.clone() {
            let late = |(since, _)| self.script.now.duration_since(since) >= RESUME_GRACE.try_into().unwrap();
            if self.clients[n].away.is_some_and(late) {
                self.gone(n, "lost");
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Join(n) if !self.order.contains(&n) => {
                self.script.ask_resume(&n.to_string());
                self.began(n);
            }
            Step::Lose(n) if self.clients[n].there => {
                self.script.lose(&n.to_string());
                (self.clients[n].there, self.clients[n].away) = (false, Some((self.script.now, self.joins)));
                self.tell(n, &format!("peer_away {n} nullnull"), |_| true);
            }
            Step::Back(n, lost) => self.back(n, lost),
            Step::Leave(n) if self.clients[n].there => {
                self.script.leave(&n.to_string(), LeaveReason::Left);
                self.gone(n, "left");
            }
            Step::Broadcast(n, times) if self.clients[n].there => (0..times).for_each(|_| self.broadcast(n)),
            Step::Direct(n, to) if self.clients[n].there => {
                self.sent += 1;
                let message = json!({"type": "message", "target_peer_id": to.to_string(), "data": self.sent});
                assert_eq!(self.script.send(&n.to_string(), &message).is_ok(), self.order.contains(&to));
                if self.order.contains(&to) {
                    self.clients[to].truth.push(format!("direct_message {n} {}null", self.sent));
                }
            }
            Step::Pass(seconds) => self.pass(seconds),
            _ => {}
        }
        self.read();
        let order: Vec<String> = self.order.iter().map(ToString::to_string).collect();
        assert_eq!(self.script.room.peers().iter().map(ToString::to_string).collect::<Vec<_>>(), order);
        assert_eq!(self.script.room.away(), self.order.iter().filter(|n| !self.clients[**n].there).count());
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let who = || 0..5_usize;
    prop_oneof![
        4 => who().prop_map(Step::Join),
        3 => who().prop_map(Step::Lose),
        4 => (who(), 0..4_usize).prop_map(|(n, lost)| Step::Back(n, lost)),
        1 => who().prop_map(Step::Leave),
        4 => (who(), 1..4_usize).prop_map(|(n, times)| Step::Broadcast(n, times)),
        1 => (who(), RESUME_FRAMES - 5..RESUME_FRAMES + 5).prop_map(|(n, times)| Step::Broadcast(n, times)),
        2 => (who(), who()).prop_map(|(n, to)| Step::Direct(n, to)),
        2 => (0..100_u64).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everybody_sees_the_truth_or_is_told_that_it_does_not(steps in prop::collection::vec(steps(), 0..60)) {
        let mut world = World::new(KEPT_BYTES);
        steps.iter().for_each(|step| world.step(step));
    }

    /// A list of what is kept, and one frame, may go beyond what the pool has: they are counted, and no more is kept.
    #[test]
    fn so_it_is_where_hardly_anything_can_be_kept(steps in prop::collection::vec(steps(), 0..60), pool in 0..200_000_usize) {
        let mut world = World::new(pool);
        for step in &steps {
            world.step(step);
            prop_assert!(world.pool.taken() <= pool + 6 * (RESUME_FRAMES + 24) * size_of::<usize>() + 1_000);
        }
        let pool = world.pool.clone();
        drop(world);
        prop_assert_eq!(pool.taken(), 0);
    }
}
