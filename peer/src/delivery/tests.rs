//! Two ends and what lies between them, which breaks.

use std::time::Duration;

use grtc_protocol::PeerId;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use super::*;

/// A connection that takes messages as long as its other end is there.
#[derive(Clone)]
struct Wire(mpsc::Sender<Vec<u8>>);

impl Carrier for Wire {
    async fn ready(&self) -> Result<(), Refusal> {
        self.0.reserve().await.map(drop).map_err(|_| Refusal::Closed)
    }

    async fn carry(&self, frames: Vec<u8>) -> Result<(), Refusal> {
        self.0.send(frames).await.map_err(|_| Refusal::Closed)
    }
}

pub(crate) struct End {
    pub(crate) delivery: Arc<Delivery>,
    events: mpsc::Receiver<Event>,
}

impl End {
    pub(crate) fn new(peer: &str, seed: u64) -> Self {
        let (inbox, events) = mpsc::channel(4);
        let peer: PeerId = peer.parse().unwrap();
        let delivery = Delivery::new(peer, inbox, &mut fastrand::Rng::with_seed(seed));
        delivery.told().send_replace(true);
        tokio::spawn(Arc::clone(&delivery).hand_over(CancellationToken::new()));
        Self { delivery, events }
    }

    pub(crate) async fn next(&mut self) -> String {
        match timeout(Duration::from_secs(300), self.events.recv()).await.unwrap().unwrap() {
            Event::Message { payload, .. } => payload.as_text().unwrap().to_owned(),
            event => panic!("{event:?}"),
        }
    }
}

/// A connection between two ends, until it is dropped with all that is under way.
pub(crate) fn connect(a: &Arc<Delivery>, b: &Arc<Delivery>) -> JoinSet<()> {
    let (a_link, b_link) = (a.connected(), b.connected());
    let mut tasks = JoinSet::new();
    one_way(&mut tasks, (a, a_link), (b, b_link));
    one_way(&mut tasks, (b, b_link), (a, a_link));
    tasks
}

fn one_way(tasks: &mut JoinSet<()>, from: (&Arc<Delivery>, u64), to: (&Arc<Delivery>, u64)) {
    let (sender, mut receiver) = mpsc::channel(3);
    tasks.spawn(Arc::clone(from.0).transmit(from.1, Wire(sender)));
    let (to, link) = (Arc::clone(to.0), to.1);
    tasks.spawn(async move {
        while let Some(frames) = receiver.recv().await {
            to.receive(link, &frames);
        }
    });
}

fn text(number: usize) -> Payload {
    format!("{number}:{}", "x".repeat(number * 37 % 30_000)).into()
}

#[tokio::test(start_paused = true)]
async fn each_message_arrives_once_over_connections_that_break() {
    let (a, mut b) = (End::new("b", 1), End::new("a", 2));
    let mut rng = fastrand::Rng::with_seed(7);
    let sending = {
        let delivery = Arc::clone(&a.delivery);
        tokio::spawn(async move {
            let mut underway = Vec::new();
            for number in 0..300 {
                underway.push(delivery.queue(&text(number)).await.unwrap());
            }
            for message in underway {
                assert!(message.delivered().await);
            }
        })
    };
    let breaking = {
        let (a, b) = (Arc::clone(&a.delivery), Arc::clone(&b.delivery));
        tokio::spawn(async move {
            loop {
                let connection = connect(&a, &b);
                for _ in 0..rng.u32(..400) {
                    tokio::task::yield_now().await;
                }
                drop(connection);
                // Either side may be the first to notice, or notice with the next connection alone.
                if rng.bool() {
                    a.disconnected(rng.u64(..50));
                }
            }
        })
    };
    for number in 0..300 {
        assert_eq!(Payload::from(b.next().await), text(number));
    }
    timeout(Duration::from_secs(300), sending).await.unwrap().unwrap();
    breaking.abort();
    assert!(b.events.try_recv().is_err(), "and nothing comes twice");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_holds_its_writer() {
    let (a, mut b) = (End::new("b", 1), End::new("a", 2));
    let _connection = connect(&a.delivery, &b.delivery);
    let long: Payload = "y".repeat(60_000).into();
    let mut sent = 0;
    while timeout(Duration::from_secs(5), a.delivery.queue(&long)).await.is_ok() {
        sent += 1;
        assert!(sent < 100, "the writer is not held");
    }
    for _ in 0..sent {
        assert_eq!(Payload::from(b.next().await), long);
    }
    // The one that was given up was not written.
    a.delivery.queue(&"last".into()).await.unwrap();
    assert_eq!(b.next().await, "last");
}

#[tokio::test(start_paused = true)]
async fn a_program_that_was_restarted_gets_nothing_of_the_old_one() {
    let (a, b) = (End::new("b", 1), End::new("a", 2));
    let connection = connect(&a.delivery, &b.delivery);
    a.delivery.queue(&"first".into()).await.unwrap().delivered().await;
    drop(connection);
    let lost = a.delivery.queue(&"second".into()).await.unwrap();
    let mut anew = End::new("a", 3);
    let _connection = connect(&a.delivery, &anew.delivery);
    assert!(!timeout(Duration::from_secs(5), lost.delivered()).await.unwrap());
    assert!(a.delivery.queue(&"third".into()).await.unwrap().delivered().await);
    assert_eq!(anew.next().await, "third");
}

#[tokio::test(start_paused = true)]
async fn what_has_come_when_a_pair_ends_is_still_handed_over() {
    let (a, mut b) = (End::new("b", 1), End::new("a", 2));
    let connection = connect(&a.delivery, &b.delivery);
    let mut underway = Vec::new();
    for number in 0..6 {
        underway.push(a.delivery.queue(&text(number)).await.unwrap());
    }
    // Four stand in the program's queue.
    assert!(underway.remove(3).delivered().await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    b.delivery.close(true);
    drop(connection);
    b.delivery.disconnected(1);
    for number in 0..6 {
        assert_eq!(Payload::from(b.next().await), text(number));
    }
    let left = underway.remove(0);
    a.delivery.close(true);
    assert!(left.delivered().await, "who has it has it");
    assert!(a.delivery.queue(&"more".into()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn who_breaks_a_rule_is_met_anew() {
    let (a, b) = (End::new("b", 1), End::new("a", 2));
    let connection = connect(&a.delivery, &b.delivery);
    assert!(a.delivery.queue(&"first".into()).await.unwrap().delivered().await);
    assert_eq!(a.delivery.receive(1, b"no frame"), Some(News::Ended));
    drop(connection);
    let second = a.delivery.queue(&"second".into()).await.unwrap();
    let _connection = connect(&a.delivery, &b.delivery);
    assert!(second.delivered().await);
}
