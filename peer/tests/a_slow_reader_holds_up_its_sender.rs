//! Backpressure: what a program does not read is not sent, and nothing is lost.

#![allow(clippy::unwrap_used, reason = "what a test starts has to work")]

mod hub;

use std::time::Duration;

use bytes::Bytes;
use grtc_peer::{Event, Payload};
use hub::{Hub, connected, id, until};
use tokio::{sync::watch, time::timeout};

const MESSAGES: usize = 2_000;
const LENGTH: usize = 16 * 1024;
/// Who sends nothing for so long waits.
const STANDSTILL: Duration = Duration::from_millis(300);
/// Messages that a program has and has not read.
const IN_THE_QUEUE: usize = 200;
/// Longer than everything that a goodbye waits for: what was not kept by then is lost.
const GOODBYE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_waits_and_everything_arrives_in_order() {
    let hub = Hub::default();
    let ((a, _a_events), (_b, mut b_events)) = hub.pair().await;

    let (counter, mut sent) = watch::channel(0);
    let sending = tokio::spawn(async move {
        for number in 0..MESSAGES {
            let mut bytes = vec![0; LENGTH];
            bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
            drop(a.queue(&id("b"), Bytes::from(bytes)).await.unwrap());
            counter.send_replace(number + 1);
        }
        a.flush(&id("b")).await.unwrap();
        a
    });
    // Nobody reads: the sender comes to a stand.
    while matches!(timeout(STANDSTILL, sent.changed()).await, Ok(Ok(()))) {}
    let before = *sent.borrow();
    assert!(before < MESSAGES, "{} bytes went somewhere", before * LENGTH);
    for number in 0..MESSAGES {
        let got = until(&mut b_events, |event| match event {
            Event::Message { payload: Payload::Binary(bytes), .. } => Some(bytes.clone()),
            _ => None,
        });
        let got = got.await;
        assert_eq!((got.len(), &got[..8]), (LENGTH, &(number as u64).to_be_bytes()[..]));
    }
    sending.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_drops_its_events_holds_up_nobody() {
    let hub = Hub::default();
    let (a, mut a_events) = hub.join("a").await;
    let (b, b_events) = hub.join("b").await;
    drop(b_events);
    connected(&mut a_events, "b").await;
    for _ in 0..MESSAGES {
        drop(a.queue(&id("b"), Bytes::from(vec![7; LENGTH])).await.unwrap());
    }
    a.flush(&id("b")).await.unwrap();
    b.leave().await;
}

/// Sends so many messages of a kilobyte, of which all but the last ones are read while they come; the sender leaves when
/// the other program has all, and the rest is read after that.
async fn read_afterwards(messages: usize) {
    let hub = Hub::default();
    let ((a, _a_events), (b, mut b_events)) = hub.pair().await;
    let sending = tokio::spawn(async move {
        for number in 0..messages {
            drop(a.queue(&id("b"), format!("{number:01000}")).await.unwrap());
        }
        a.flush(&id("b")).await.unwrap();
        a.leave().await;
    });
    let early = messages - IN_THE_QUEUE;
    for number in 0..early {
        assert_eq!(hub::text(&mut b_events).await.parse(), Ok(number));
    }
    sending.await.unwrap();
    while !b.connected().is_empty() {
        b.status().await;
    }
    tokio::time::sleep(GOODBYE).await;
    for number in early..messages {
        let text = timeout(Duration::from_secs(5), hub::text(&mut b_events)).await;
        assert_eq!(text.map(|text| text.parse()), Ok(Ok(number)), "was lost");
    }
    b.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_is_read_after_its_sender_has_left() {
    read_afterwards(1_800).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_is_more_than_a_peer_holds() {
    read_afterwards(8_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_does_not_wait_for_its_own_reader() {
    let hub = Hub::default();
    let ((a, _a_events), (b, _b_events)) = hub.pair().await;
    for _ in 0..300 {
        drop(a.queue(&id("b"), "x".repeat(1_000)).await.unwrap());
    }
    a.leave().await;
    timeout(Duration::from_secs(5), b.leave()).await.unwrap();
}
