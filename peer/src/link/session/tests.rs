//! A session over links that are made up, in virtual time.

mod changes;
mod model;
mod resume;

use std::{collections::VecDeque, sync::Mutex};

use tokio::sync::mpsc;

use super::*;
use crate::{
    limits::{BACKOFF_FIRST, BACKOFF_LAST, RETRY_HINT_LAST, UNANSWERED},
    report::LocalCause,
};

const ROOM_STATE: &str = r#"{"type":"room_state","peers":[],"your_peer_id":"me"}"#;

type Opened = Result<(), LinkError>;

/// Links that come about or not, as it was written down; all of them do after that.
#[derive(Default)]
struct Script {
    opens: Mutex<VecDeque<Opened>>,
    asked: Mutex<Vec<(Instant, Join)>>,
    servers: Mutex<Vec<Server>>,
}

/// The server's end of a link.
struct Server {
    to_peer: mpsc::Sender<Incoming>,
    from_peer: mpsc::Receiver<Outgoing>,
}

#[async_trait::async_trait]
impl SignalLink for Script {
    async fn open(&self, join: &Join) -> Result<LinkEnds, LinkError> {
        self.asked.lock().unwrap().push((Instant::now(), join.clone()));
        let opened = self.opens.lock().unwrap().pop_front();
        opened.unwrap_or(Ok(()))?;
        let (ends, server) = link();
        server.to_peer.try_send(Incoming::Text(ROOM_STATE.to_owned())).unwrap();
        self.servers.lock().unwrap().push(server);
        Ok(ends)
    }
}

fn link() -> (LinkEnds, Server) {
    let (outgoing, from_peer) = mpsc::channel(4);
    let (to_peer, incoming) = mpsc::channel(4);
    (LinkEnds { outgoing, incoming }, Server { to_peer, from_peer })
}

fn closed(code: u16) -> LinkError {
    LinkError::Closed { code, message: String::new() }
}

fn unreachable() -> LinkError {
    LinkError::Unreachable(String::new())
}

/// A session whose link is open, its server, and what follows.
fn session(opens: impl IntoIterator<Item = Opened>) -> (Session, Server, Arc<Script>) {
    let script = Arc::new(Script { opens: Mutex::new(opens.into_iter().collect()), ..Script::default() });
    let (ends, server) = link();
    let session = Session::new(
        Arc::clone(&script) as Arc<dyn SignalLink>,
        "me".parse().unwrap(),
        ends,
        None,
        fastrand::Rng::with_seed(7),
    );
    (session, server, script)
}

impl Server {
    async fn ends(self, error: LinkError) {
        self.to_peer.send(Incoming::End(error)).await.unwrap();
    }
}

/// The word for a change, and with which code it ended.
fn word(change: &Change) -> String {
    match change {
        Change::Text(_) => "text".to_owned(),
        Change::Reconnecting { attempt, .. } => format!("reconnecting {attempt}"),
        Change::Ended(error) => format!("ended {}", error.code()),
    }
}

async fn words(session: &mut Session, count: usize) -> Vec<String> {
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(word(&session.next().await));
    }
    words
}

#[tokio::test(start_paused = true)]
async fn comes_back_after_the_codes_that_say_so_and_not_after_the_others() {
    for code in [1001, 1005, 1006, 1011, 1012, 1013, 4008, 4029, 4408] {
        let (mut session, server, script) = session([]);
        server.ends(closed(code)).await;
        assert_eq!(words(&mut session, 2).await, ["reconnecting 1", "text"], "{code}");
        let asked = script.asked.lock().unwrap();
        let join = &asked[0].1;
        assert!(join.id.as_ref().is_some_and(|id| id.as_str() == "me") && join.back.is_none(), "{join:?}");
    }
    for code in [1000, 1002, 1007, 1008, 1009, 4001, 4003, 4400, 4401, 4403, 4423] {
        let (mut session, server, script) = session([]);
        server.ends(closed(code)).await;
        assert!(words(&mut session, 1).await[0].starts_with("ended "), "{code}");
        assert!(timeout(BACKOFF_LAST * 10, session.next()).await.is_err(), "nothing follows {code}");
        assert!(script.asked.lock().unwrap().is_empty(), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_longer_each_time_and_anew_after_a_link() {
    let (mut session, server, script) = session((0..8).map(|_| Err(unreachable())));
    server.ends(unreachable()).await;
    let mut ceiling = BACKOFF_FIRST;
    for attempt in 1..=9_u32 {
        let begin = Instant::now();
        let Change::Reconnecting { attempt: told, delay, .. } = session.next().await else { panic!("{attempt}") };
        assert_eq!(told, attempt);
        assert!(delay <= ceiling, "{delay:?} of {ceiling:?}");
        ceiling = (ceiling * 2).min(BACKOFF_LAST);
        let asked = script.asked.lock().unwrap().len();
        assert_eq!(asked + 1, attempt as usize, "no try without a wait, at {begin:?}");
    }
    assert_eq!(words(&mut session, 1).await, ["text"]);
    let server = script.servers.lock().unwrap().pop().unwrap();
    server.ends(unreachable()).await;
    let Change::Reconnecting { attempt: 1, delay, .. } = session.next().await else { panic!("not anew") };
    assert!(delay <= BACKOFF_FIRST);
}

#[tokio::test(start_paused = true)]
async fn its_own_ghost_is_waited_out_and_a_stranger_under_its_name_is_not() {
    let (mut own, server, _) = session([Err(closed(4409)), Err(closed(4409))]);
    server.ends(unreachable()).await;
    assert_eq!(words(&mut own, 4).await, ["reconnecting 1", "reconnecting 2", "reconnecting 3", "text"]);

    let (mut stranger, server, _) = session((0..1_000).map(|_| Err(closed(4409))));
    let begin = Instant::now();
    server.ends(unreachable()).await;
    let end = loop {
        match stranger.next().await {
            Change::Reconnecting { .. } => {}
            change => break word(&change),
        }
    };
    assert_eq!(end, "ended peer_id_taken");
    assert!(begin.elapsed() >= NAME_TAKEN_GRACE && begin.elapsed() <= NAME_TAKEN_GRACE + BACKOFF_LAST);
}

fn refused(status: u16) -> LinkError {
    LinkError::Refused { status, code: "word".to_owned(), message: String::new(), retry_after: None }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_it_and_a_server_that_is_starting_does_not() {
    let (mut session, server, _) =
        session([Err(refused(503)), Err(LinkError::Local(LocalCause::OutOfFiles)), Err(refused(403))]);
    server.ends(unreachable()).await;
    let words = words(&mut session, 4).await;
    assert_eq!(words, ["reconnecting 1", "reconnecting 2", "reconnecting 3", "ended word"]);
}

/// The wait that follows this error, and the time of the next try.
async fn waits(error: LinkError) -> (Duration, Duration) {
    let (mut session, server, script) = session([]);
    let begin = Instant::now();
    server.ends(error).await;
    let Change::Reconnecting { attempt: 1, delay, .. } = session.next().await else { panic!("it ended") };
    assert_eq!(words(&mut session, 1).await, ["text"]);
    let asked = script.asked.lock().unwrap()[0].0;
    (delay, asked - begin)
}

#[tokio::test(start_paused = true)]
async fn the_server_says_how_long_to_wait_at_least() {
    let hint = Duration::from_secs(7);
    let overloaded =
        |retry_after| LinkError::Refused { status: 503, code: String::new(), message: String::new(), retry_after };
    let restarts = LinkError::Closed { code: 1012, message: "retry in 7000 ms".to_owned() };
    for error in [overloaded(Some(hint)), restarts] {
        let (delay, waited) = waits(error).await;
        assert!(delay >= hint && delay <= hint + BACKOFF_FIRST && waited >= delay, "{delay:?}");
    }
    assert!(waits(overloaded(Some(Duration::MAX))).await.0 <= RETRY_HINT_LAST + BACKOFF_FIRST);
    assert!(waits(overloaded(None)).await.0 <= BACKOFF_FIRST);
    assert_eq!(waits(closed(4408)).await.0, Duration::ZERO, "the server lives");
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_without_a_link_is_dropped() {
    let (mut session, server, script) = session([]);
    server.ends(unreachable()).await;
    assert_eq!(words(&mut session, 1).await, ["reconnecting 1"]);
    session.send("lost".to_owned());
    assert_eq!(words(&mut session, 1).await, ["text"]);
    session.send("kept".to_owned());
    let mut server = script.servers.lock().unwrap().pop().unwrap();
    tokio::select! {
        change = session.next() => panic!("{}", word(&change)),
        text = server.from_peer.recv() => assert_eq!(text, Some(Outgoing::Text("kept".to_owned()))),
    }
    let leaving = tokio::spawn(session.leave());
    assert_eq!(server.from_peer.recv().await, Some(Outgoing::Leave));
    drop(server);
    leaving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    struct Silent;
    #[async_trait::async_trait]
    impl SignalLink for Silent {
        async fn open(&self, _: &Join) -> Result<LinkEnds, LinkError> {
            let (ends, server) = link();
            tokio::spawn(async move { server.to_peer.closed().await });
            Ok(ends)
        }
    }
    let begin = Instant::now();
    let error = first_frame(&Silent, &Join::default()).await.err();
    assert_eq!(
        (error.map(|error| error.code().to_owned()).as_deref(), begin.elapsed()),
        (Some("unreachable"), LINK_OPEN)
    );
}
