//! Backpressure: what a program does not read is not sent, and nothing is lost.

mod hub;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use grtc_peer::{Event, Payload};
use hub::{Hub, connected, id, until};

const MESSAGES: usize = 2_000;
const LENGTH: usize = 16 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_waits_and_everything_arrives_in_order() {
    let hub = Hub::default();
    let (a, mut a_events) = hub.join("a").await;
    let (_b, mut b_events) = hub.join("b").await;
    connected(&mut a_events, "b").await;
    connected(&mut b_events, "a").await;

    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let sending = tokio::spawn(async move {
        for number in 0..MESSAGES {
            let mut bytes = vec![0; LENGTH];
            bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
            a.send(&id("b"), Bytes::from(bytes)).await.unwrap();
            counter.fetch_add(1, Ordering::Relaxed);
        }
        a.flush(&id("b")).await.unwrap();
        a
    });
    // Nobody reads: the sender comes to a stand.
    let mut before = usize::MAX;
    while before != sent.load(Ordering::Relaxed) {
        before = sent.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let buffered = before * LENGTH;
    assert!(before < MESSAGES, "{buffered} bytes went somewhere");
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
        a.send(&id("b"), Bytes::from(vec![7; LENGTH])).await.unwrap();
    }
    a.flush(&id("b")).await.unwrap();
    b.leave().await;
}
