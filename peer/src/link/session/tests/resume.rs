//! A session and a server that keeps its place, with losses at every point.

use serde_json::Value;
use tokio::time::sleep;

use super::{
    model::{Model, Room},
    *,
};

/// What the peer has heard in this stay.
#[derive(Default)]
struct Heard {
    /// What it has sent, in all stays.
    sent: Vec<u64>,
    numbers: Vec<u64>,
    recovered: u32,
    begun_anew: u32,
}

impl Heard {
    fn note(&mut self, change: &Change) {
        let text = match change {
            Change::Text(text) => text,
            Change::Reconnecting { .. } => return,
            Change::Ended(error) => panic!("{error}"),
        };
        let frame: Value = serde_json::from_str(text).unwrap();
        match (frame["type"].as_str().unwrap(), frame["recovered"].as_bool()) {
            ("broadcast_message", _) => self.numbers.push(frame["n"].as_u64().unwrap()),
            ("room_state", Some(true)) => self.recovered += 1,
            ("room_state", _) => (self.numbers, self.begun_anew) = (Vec::new(), self.begun_anew + 1),
            // To a message that was sent before the link was lost.
            ("ack", _) => {}
            (kind, _) => panic!("{kind}"),
        }
    }

    /// Until nothing happens any more.
    async fn all(&mut self, session: &mut Session) {
        while let Ok(change) = timeout(Duration::from_secs(100), session.next()).await {
            self.note(&change);
        }
    }
}

fn send(session: &mut Session, n: u64) {
    session.send(format!(r#"{{"n":{n}}}"#));
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_while_the_link_is_down_is_sent_when_it_is_back() {
    let (model, mut heard) = (Model::default(), Heard::default());
    let mut session = model.session(1);
    send(&mut session, 1);
    model.room(|room| (room.says(1), room.cut(), room.says(2)));
    heard.all(&mut session).await;
    assert_eq!((heard.numbers, heard.recovered), (vec![1, 2], 1));
    assert_eq!(model.room(|room| room.delivered.clone()), [1]);
    assert_eq!(session.outbox.len(), 0, "all is acknowledged");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_knows_nobody_any_more_gets_nothing_of_what_was() {
    let (model, mut heard) = (Model::default(), Heard::default());
    let mut session = model.session(1);
    model.room(|room| (room.tokens.clear(), room.cut()));
    send(&mut session, 1);
    heard.all(&mut session).await;
    send(&mut session, 2);
    heard.all(&mut session).await;
    assert_eq!((heard.begun_anew, heard.recovered), (1, 0));
    assert_eq!(model.room(|room| room.delivered.clone()), [2]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_costs_nothing() {
    let (model, mut heard) = (Model::default(), Heard::default());
    let mut session = model.session(1);
    for n in 1..=3 {
        model.room(|room| (room.says(n), room.loses_answer = true, room.cut()));
        send(&mut session, n);
    }
    heard.all(&mut session).await;
    assert_eq!((heard.numbers, heard.recovered), (vec![1, 2, 3], 1));
    assert_eq!(model.room(|room| room.delivered.clone()), [1, 2, 3]);
}

/// Something happens: on either side, or in between.
async fn happens(model: &Model, session: &mut Session, heard: &mut Heard, n: u64, rng: &mut fastrand::Rng) {
    match rng.u32(..40) {
        0..12 => {
            send(session, n);
            heard.sent.push(n);
        }
        12..22 => model.room(|room| room.says(n)),
        22..32 => {
            let wait = Duration::from_millis(rng.u64(..60));
            while let Ok(change) = timeout(wait, session.next()).await {
                heard.note(&change);
            }
        }
        32 => model.room(|room| room.link.iter_mut().for_each(|wire| wire.deaf = true)),
        33 => model.room(|room| room.link.iter_mut().for_each(|wire| wire.mute = true)),
        34 => model.room(Room::cut),
        35 => model.room(|room| room.failures = 2),
        36 => model.room(|room| room.loses_answer = true),
        // Frames wait meanwhile.
        37 => (sleep(Duration::from_millis(rng.u64(..40))).await, session.changed()).1,
        38 => session.doubt(),
        _ if rng.u32(..8) == 0 => model.room(|room| (room.tokens.clear(), room.cut(), ()).2),
        _ => {}
    }
}

/// Whatever is lost at whatever moment: both sides get all of it, once and in order, or the peer is told that it begins anew.
#[tokio::test(start_paused = true)]
async fn nothing_is_lost_doubled_or_out_of_order() {
    let mut seen = (0, 0);
    for seed in 0..500 {
        let (model, mut heard) = (Model::default(), Heard::default());
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut session = model.session(seed);
        for n in 0..120 {
            happens(&model, &mut session, &mut heard, n, &mut rng).await;
        }
        model.room(|room| (room.failures, room.loses_answer) = (0, false));
        session.changed();
        heard.all(&mut session).await;
        send(&mut session, 1_000);
        heard.sent.push(1_000);
        model.room(|room| room.says(1_000));
        heard.all(&mut session).await;
        model.room(|room| {
            assert_eq!(heard.numbers, room.said, "seed {seed}");
            assert_eq!(room.delivered.last(), Some(&1_000), "seed {seed}");
            assert!(heard.sent.ends_with(&room.delivered), "seed {seed}: {:?} of {:?}", room.delivered, heard.sent);
        });
        assert_eq!(session.outbox.len(), 0, "seed {seed}");
        seen = (seen.0 + heard.recovered, seen.1 + heard.begun_anew);
    }
    assert!(seen.0 > 300 && seen.1 > 100, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_link_on_which_nothing_is_answered_for_is_replaced() {
    let (model, mut heard) = (Model::default(), Heard::default());
    let mut session = model.session(1);
    model.room(|room| room.link.iter_mut().for_each(|wire| wire.deaf = true));
    send(&mut session, 1);
    let begin = Instant::now();
    while heard.recovered == 0 {
        // What comes from the others meanwhile does not say that it was heard.
        model.room(|room| room.says(7));
        let next = Instant::now() + Duration::from_millis(100);
        while let Ok(change) = timeout_at(next, session.next()).await {
            heard.note(&change);
        }
    }
    let most = UNANSWERED + DOUBT_PONG + BACKOFF_FIRST + Duration::from_millis(200);
    assert!(begin.elapsed() > UNANSWERED && begin.elapsed() < most, "{:?}", begin.elapsed());
    heard.all(&mut session).await;
    assert_eq!(model.room(|room| room.delivered.clone()), [1]);
    assert_eq!(heard.numbers, model.room(|room| room.said.clone()));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_only_slow_keeps_its_clients() {
    let (model, mut heard) = (Model::default(), Heard::default());
    let mut session = model.session(1);
    model.room(|room| room.slow = UNANSWERED + DOUBT_PONG + Duration::from_secs(1));
    let begin = Instant::now();
    for n in 0..400 {
        send(&mut session, n);
        while let Ok(change) = timeout(Duration::from_secs(1), session.next()).await {
            heard.note(&change);
        }
    }
    assert!(begin.elapsed() > Duration::from_secs(300));
    let links = model.room(|room| room.given);
    assert!((2..=4).contains(&links), "{links} links");
    model.room(|room| room.slow = Duration::ZERO);
    heard.all(&mut session).await;
    assert!(model.room(|room| room.delivered.clone()).is_sorted());
    assert_eq!(model.room(|room| room.delivered.len()), 400);
}
