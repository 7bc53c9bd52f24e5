//! The link to the server breaks: open channels go on, and the peer comes back under its name.

mod hub;

use grtc_peer::{Event, LinkError};
use hub::{Hub, connected, id, text, until};

async fn reconnecting(events: &mut grtc_peer::Events) {
    until(events, |event| matches!(event, Event::Reconnecting { attempt: 1, .. }).then_some(())).await;
}

/// Reads events until this peer is back in the room. Nothing may have happened to its channels.
async fn back(events: &mut grtc_peer::Events) {
    until(events, |event| match event {
        Event::Joined { .. } => Some(()),
        Event::Connecting { .. } | Event::Disconnected { .. } => panic!("the channel was touched: {event:?}"),
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channel_outlives_the_link_on_both_sides() {
    let hub = Hub::default();
    let ((a, mut a_events), (b, mut b_events)) = hub.pair().await;

    // Its name is still taken for a while, then the server has noticed.
    let taken = || LinkError::Closed { code: 4409, message: "taken".to_owned() };
    hub.refuse(vec![taken(), taken(), LinkError::Unreachable("down".to_owned())]);
    hub.cut("a");
    reconnecting(&mut a_events).await;
    a.send(&id("b"), "while the link is down").await.unwrap();
    assert_eq!(text(&mut b_events).await, "while the link is down");
    b.send(&id("a"), "I hear you").await.unwrap();
    assert_eq!(text(&mut a_events).await, "I hear you");

    back(&mut a_events).await;
    a.send(&id("b"), "back").await.unwrap();
    let told = until(&mut b_events, |event| match event {
        Event::Message { payload, .. } => payload.as_text().map(str::to_owned),
        Event::Connecting { .. } | Event::Disconnected { .. } => panic!("the channel was touched: {event:?}"),
        _ => None,
    });
    assert_eq!(told.await, "back");
    assert_eq!(hub.members(), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_loses_no_channel() {
    let hub = Hub::default();
    let ((a, mut a_events), (_b, mut b_events)) = hub.pair().await;
    hub.restart();
    back(&mut a_events).await;
    back(&mut b_events).await;
    a.send(&id("b"), "still here").await.unwrap();
    assert_eq!(text(&mut b_events).await, "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn newcomers_while_the_link_was_down_are_met_after_the_return() {
    let hub = Hub::default();
    let (_a, mut a_events) = hub.join("a").await;
    hub.refuse(vec![LinkError::Unreachable("down".to_owned())]);
    hub.cut("a");
    reconnecting(&mut a_events).await;
    until(&mut a_events, |event| matches!(event, Event::Reconnecting { attempt: 2, .. }).then_some(())).await;
    let (_b, mut b_events) = hub.join("b").await;
    connected(&mut a_events, "b").await;
    connected(&mut b_events, "a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_sent_away_ends() {
    for (code, word) in [(4003, "kicked"), (4001, "replaced"), (4401, "not_authenticated")] {
        let hub = Hub::default();
        let (a, mut a_events) = hub.join("a").await;
        let (_b, mut b_events) = hub.join("b").await;
        connected(&mut a_events, "b").await;
        connected(&mut b_events, "a").await;
        hub.close("a", code);
        let said = until(&mut a_events, |event| match event {
            Event::Ended { code, .. } => Some(code.clone()),
            _ => None,
        });
        assert_eq!(said.await, word);
        assert_eq!(a_events.next().await, None);
        assert!(a.connected().is_empty());
        until(&mut b_events, |event| matches!(event, Event::Disconnected { .. }).then_some(())).await;
    }
}
