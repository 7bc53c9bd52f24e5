//! What a session does when something changes around it.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_change_around_ends_the_wait_and_begins_the_backoff_anew() {
    let (mut session, server, script) = session((0..8).map(|_| Err(unreachable())));
    server.ends(unreachable()).await;
    words(&mut session, 8).await;
    let begin = Instant::now();
    session.changed();
    let Change::Reconnecting { attempt: 1, delay, .. } = session.next().await else { panic!("not anew") };
    assert!(begin.elapsed().is_zero() && delay <= BACKOFF_FIRST);
    assert_eq!(script.asked.lock().unwrap().len(), 8);

    // But not what the server asked for.
    let (mut session, server, script) = self::session([]);
    let begin = Instant::now();
    server.ends(LinkError::Closed { code: 1012, message: "retry in 3000 ms".to_owned() }).await;
    words(&mut session, 1).await;
    session.changed();
    assert_eq!(words(&mut session, 1).await, ["text"]);
    assert_eq!(script.asked.lock().unwrap()[0].0 - begin, Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_change_around_begins_an_opening_anew() {
    /// The first link hangs.
    struct Hangs(Mutex<u32>);
    #[async_trait::async_trait]
    impl SignalLink for Hangs {
        async fn open(&self, _: &Join) -> Result<LinkEnds, LinkError> {
            let tries = {
                let mut tries = self.0.lock().unwrap();
                *tries += 1;
                *tries
            };
            if tries == 1 {
                std::future::pending::<()>().await;
            }
            let (ends, server) = link();
            server.to_peer.try_send(Incoming::Text(ROOM_STATE.to_owned())).unwrap();
            tokio::spawn(async move { server.to_peer.closed().await });
            Ok(ends)
        }
    }
    let (ends, server) = link();
    let link = Arc::new(Hangs(Mutex::new(0)));
    let mut session = Session::new(link, "me".parse().unwrap(), ends, None, fastrand::Rng::with_seed(7));
    server.ends(unreachable()).await;
    assert_eq!(words(&mut session, 1).await, ["reconnecting 1"]);
    assert!(timeout(LINK_OPEN, session.next()).await.is_err(), "it hangs");
    let begin = Instant::now();
    session.changed();
    assert_eq!(words(&mut session, 1).await, ["text"]);
    assert!(begin.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_doubted_is_asked_for_a_sign_of_life() {
    let (mut session, mut server, _) = session([]);
    let asked = async |session: &mut Session, server: &mut Server| {
        tokio::select! {
            change = session.next() => panic!("{}", word(&change)),
            asked = server.from_peer.recv() => asked,
        }
    };
    session.doubt();
    assert_eq!(asked(&mut session, &mut server).await, Some(Outgoing::Probe(DOUBT_PONG)));
    session.doubt();
    session.changed();
    assert_eq!(asked(&mut session, &mut server).await, Some(Outgoing::Probe(CHANGED_PONG)));
    assert!(timeout(LINK_OPEN, session.next()).await.is_err(), "nothing comes of it by itself");
}
