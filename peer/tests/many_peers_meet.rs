//! Rooms of several peers: everybody is connected with everybody, in one connection each.

mod hub;

use grtc_peer::{Event, Events, Peer};
use hub::{Hub, connected, id, text, until};

async fn all_connected(events: &mut Events, peers: usize) {
    let mut open = 0;
    until(events, |event| {
        open += usize::from(matches!(event, Event::Connected { .. }));
        (open == peers).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_peers_open_all_channels_and_hear_each_other() {
    let hub = Hub::default();
    let names: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    let mut peers: Vec<(Peer, Events)> = Vec::new();
    for name in &names {
        peers.push(hub.join(name).await);
    }
    for (_, events) in &mut peers {
        all_connected(events, 7).await;
    }
    for (peer, _) in &peers {
        assert_eq!(peer.send_all(format!("from {}", peer.id())).await.unwrap().sent, 7);
    }
    for (peer, events) in &mut peers {
        let mut heard = Vec::new();
        for _ in 0..7 {
            heard.push(text(events).await);
        }
        heard.sort();
        let others: Vec<String> =
            names.iter().filter(|n| *n != peer.id().as_str()).map(|n| format!("from {n}")).collect();
        assert_eq!(heard, others);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn crossing_offers_end_in_one_connection() {
    for _ in 0..5 {
        let hub = Hub::default();
        hub.expect(&["a", "b"]);
        let ((a, mut a_events), (b, mut b_events)) = tokio::join!(hub.join("a"), hub.join("b"));
        connected(&mut a_events, "b").await;
        connected(&mut b_events, "a").await;
        assert_eq!((a.status().await.len(), b.status().await.len()), (1, 1));
        a.send(&id("b"), "over the one").await.unwrap();
        b.send(&id("a"), "over the same").await.unwrap();
        assert_eq!(text(&mut b_events).await, "over the one");
        assert_eq!(text(&mut a_events).await, "over the same");
        assert!((0..5).all(|_| a.connected() == [id("b")]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_is_lost_is_said_again() {
    for lost in ["offer", "answer"] {
        let hub = Hub::default();
        let (_a, mut a_events) = hub.join("a").await;
        hub.lose(Some(lost));
        let (_b, mut b_events) = hub.join("b").await;
        hub.one_was_lost().await;
        hub.lose(None);
        connected(&mut a_events, "b").await;
        connected(&mut b_events, "a").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_alone_make_no_connection_and_no_harm() {
    let hub = Hub::default();
    let (_a, mut a_events) = hub.join("a").await;
    hub.lose(Some("ice_candidate"));
    // One side's candidates are enough: the other is found by its checks. Without any there is no way, until they come.
    let (_b, mut b_events) = hub.join("b").await;
    hub.one_was_lost().await;
    hub.lose(None);
    connected(&mut a_events, "b").await;
    connected(&mut b_events, "a").await;
}
