//! Two peers meet in a room, talk, and part.

mod hub;

use grtc_peer::{Event, PairState, Payload, Via};
use hub::{Hub, id, text, until};

#[tokio::test(flavor = "multi_thread")]
async fn both_open_a_channel_and_each_message_arrives_once_and_in_order() {
    let hub = Hub::default();
    let ((a, mut a_events), (b, mut b_events)) = hub.pair().await;

    for number in 0..500 {
        drop(a.queue(&id("b"), format!("message {number}")).await.unwrap());
    }
    for number in 0..500 {
        assert_eq!(text(&mut b_events).await, format!("message {number}"));
    }
    assert_eq!(b.send_all("héllo 👩").await.unwrap().sent, 1);
    let message = until(&mut a_events, |event| matches!(event, Event::Message { .. }).then(|| event.clone())).await;
    let expected = Event::Message { from: id("b"), payload: Payload::from("héllo 👩"), via: Via::P2p };
    assert_eq!(message, expected);

    b.send(&id("a"), bytes::Bytes::from_static(&[0, 159, 1])).await.unwrap();
    let bytes = until(&mut a_events, |event| match event {
        Event::Message { payload: Payload::Binary(bytes), .. } => Some(bytes.clone()),
        _ => None,
    });
    assert_eq!(bytes.await, [0, 159, 1][..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_leaving_arrives() {
    let hub = Hub::default();
    let ((a, mut a_events), (b, mut b_events)) = hub.pair().await;
    for number in 0..100 {
        drop(b.queue(&id("a"), format!("{number} {}", "x".repeat(10_000))).await.unwrap());
    }
    b.flush(&id("a")).await.unwrap();
    b.leave().await;
    assert_eq!(b_events.next().await.map(|_| ()).and(None::<()>), None);
    for number in 0..100 {
        assert!(text(&mut a_events).await.starts_with(&format!("{number} ")));
    }
    drop(a);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_leaves_is_told_of_and_its_channel_closes() {
    let hub = Hub::default();
    let ((a, mut a_events), (b, _b_events)) = hub.pair().await;
    b.leave().await;
    until(&mut a_events, |event| matches!(event, Event::PeerLeft { .. }).then_some(())).await;
    until(&mut a_events, |event| matches!(event, Event::Disconnected { .. }).then_some(())).await;
    assert!(a.connected().is_empty());
    assert!(a.send(&id("b"), "x").await.is_err());
    assert_eq!(hub.members(), ["a"]);
    a.leave().await;
    assert!(hub.members().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_names_the_pair_in_use() {
    let hub = Hub::default();
    let ((a, _a_events), (_b, _b_events)) = hub.pair().await;
    let status = a.status().await;
    assert_eq!(status.len(), 1);
    assert_eq!((status[0].peer_id.as_str(), status[0].present), ("b", true));
    assert_eq!(status[0].state, PairState::Open);
    assert_eq!(status[0].pair.as_ref().map(|pair| pair.protocol.as_str()), Some("udp"));
    assert!(status[0].timings.unwrap().total > 0.0);
}
