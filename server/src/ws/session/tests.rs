//! A session on a stream in memory, in virtual time: what comes due does so without waiting.

mod ends;
mod resume;
mod turns;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use grtc_protocol::limits::{
    CLOSE_GRACE, HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, KEPT_BYTES, MESSAGE_ASSEMBLY, RESUME_GRACE, THROTTLE_LIMIT,
    WRITE_STALL,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    task::JoinHandle,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use super::*;
use crate::{
    hub::{caps::Caps, pool::Pool, room::Asks},
    request_id::RequestIds,
    ws::upgrade,
};

/// Bytes on their way to a client that does not read.
const PIPE: usize = 4 * 1024;

struct Rooms(Context);

struct Client {
    socket: WebSocketStream<DuplexStream>,
    session: JoinHandle<()>,
}

impl Rooms {
    fn new(message_rate: u32) -> Self {
        let ice = crate::ice::IceServers::new(&[], None, None).unwrap();
        let registry = Registry::new(ice, RESUME_GRACE, Pool::new(KEPT_BYTES), Caps::none());
        let mut limits = Values::none();
        limits[Limit::MessageRate] = message_rate;
        Self(Context { registry, auth: None, limits, metrics: Arc::new(Metrics::new()), echo: false })
    }

    /// The client's end of a connection whose session runs.
    fn connect(&self, peer: &str) -> (DuplexStream, JoinHandle<()>) {
        self.connect_asking(peer, Asks::default())
    }

    fn connect_asking(&self, peer: &str, asks: Asks) -> (DuplexStream, JoinHandle<()>) {
        let (client, server) = tokio::io::duplex(PIPE);
        let request = RequestIds::new().next();
        let join =
            Box::new(Join { room: "r".parse().unwrap(), peer: peer.parse().unwrap(), asks, request, bearer: None });
        let context = self.0.clone();
        let session = tokio::spawn(async move {
            run(upgrade::socket(server, Vec::new()).await, join, std::time::Instant::now(), context).await;
        });
        (client, session)
    }

    async fn join(&self, peer: &str) -> Client {
        let (stream, session) = self.connect(peer);
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        let mut client = Client { socket, session };
        client.expect("room_state").await;
        client
    }
}

impl Client {
    async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        self.socket.next().await.unwrap().unwrap()
    }

    /// The next frame of this type; those before it are passed over.
    async fn expect(&mut self, kind: &str) -> Value {
        loop {
            if let Message::Text(text) = self.next().await {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == kind {
                    return frame;
                }
            }
        }
    }

    async fn closed(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.next().await {
                return frame.unwrap().code.into();
            }
        }
    }

    /// Reads on, so that pings are answered, until somebody has left.
    async fn left(&mut self) -> (Value, Value) {
        let left = self.expect("peer_left").await;
        (left["peer_id"].clone(), left["reason"].clone())
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_pings_is_closed_with_4408() {
    let rooms = Rooms::new(0);
    let mut watcher = rooms.join("watcher").await;
    let (stream, _session) = rooms.connect("silent");
    let since = Instant::now();
    assert_eq!(watcher.left().await, (json!("silent"), json!("lost")));
    assert_eq!(since.elapsed().as_secs(), (HEARTBEAT_INTERVAL + HEARTBEAT_TIMEOUT).as_secs());
    let mut silent = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    assert!(matches!(silent.next().await, Some(Ok(Message::Text(_)))));
    assert!(matches!(silent.next().await, Some(Ok(Message::Ping(_)))));
    let Some(Ok(Message::Close(Some(frame)))) = silent.next().await else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 4408);
    watcher.send(json!({"type": "ping"})).await;
    watcher.expect("pong").await;
}

#[tokio::test(start_paused = true)]
async fn who_answers_pings_may_be_silent() {
    let rooms = Rooms::new(0);
    let mut a = rooms.join("a").await;
    for _ in 0..10 {
        assert!(matches!(a.next().await, Message::Ping(_)));
    }
    a.send(json!({"type": "ping"})).await;
    a.expect("pong").await;
}

#[tokio::test(start_paused = true)]
async fn who_is_ahead_of_its_rate_is_read_slowly_and_loses_nothing() {
    let rooms = Rooms::new(200);
    let a = rooms.join("a").await;
    let since = Instant::now();
    let (mut write, mut read) = a.socket.split();
    // 25 at once are free.
    let sending = async {
        for n in 0..650 {
            write.send(Message::text(json!({"type": "ping", "id": n.to_string()}).to_string())).await.unwrap();
        }
    };
    let receiving = async {
        let (mut acks, mut limited) = (0, 0);
        while acks < 650 {
            let frame: Value = serde_json::from_str(read.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
            if frame["type"] == "ack" {
                assert_eq!(frame["ref"], acks.to_string());
                acks += 1;
            }
            limited += usize::from(frame["code"] == "rate_limited");
        }
        limited
    };
    let ((), limited) = tokio::join!(sending, receiving);
    assert_eq!((since.elapsed().as_secs(), limited), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_flood_that_does_not_stop_is_closed_with_4029() {
    let rooms = Rooms::new(100);
    let mut watcher = rooms.join("watcher").await;
    let mut flood = rooms.join("flood").await;
    let since = Instant::now();
    let flooding =
        async { while flood.socket.send(Message::text(r#"{"type":"broadcast","data":1}"#)).await.is_ok() {} };
    let left = async {
        loop {
            let frame: Value = serde_json::from_str(watcher.next().await.to_text().unwrap()).unwrap();
            if frame["type"] == "peer_left" {
                break frame["reason"].clone();
            }
        }
    };
    let reason = tokio::select! {
        reason = left => reason,
        () = flooding => panic!("the flood ended by itself"),
    };
    assert_eq!(reason, "lost");
    assert!(since.elapsed() > THROTTLE_LIMIT && since.elapsed() < THROTTLE_LIMIT + Duration::from_secs(5));
    assert_eq!(flood.closed().await, 4029);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_closed_with_4008() {
    let rooms = Rooms::new(0);
    let mut watcher = rooms.join("watcher").await;
    let (_stream, session) = rooms.connect("stuck");
    watcher.expect("peer_joined").await;
    // More than the pipe takes, less than an outbox.
    watcher.send(json!({"type": "broadcast", "data": "x".repeat(2 * PIPE)})).await;
    let since = Instant::now();
    assert_eq!(watcher.left().await, (json!("stuck"), json!("slow")));
    assert_eq!(since.elapsed().as_secs(), WRITE_STALL.as_secs());
    session.await.unwrap();
    assert_eq!(
        since.elapsed().as_secs(),
        (WRITE_STALL + CLOSE_GRACE).as_secs(),
        "the goodbye is not waited for longer"
    );
}

#[tokio::test(start_paused = true)]
async fn who_takes_too_little_is_closed_with_4008_at_once() {
    let rooms = Rooms::new(0);
    let mut watcher = rooms.join("watcher").await;
    let (_stream, _session) = rooms.connect("stuck");
    watcher.expect("peer_joined").await;
    let since = Instant::now();
    let text = json!({"type": "broadcast", "data": "x".repeat(60_000)}).to_string();
    let (mut write, mut read) = watcher.socket.split();
    let sending = async {
        for _ in 0..40 {
            write.send(Message::text(text.clone())).await.unwrap();
        }
    };
    let left = async {
        let frame: Value = serde_json::from_str(read.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        (frame["type"].clone(), frame["reason"].clone())
    };
    let ((), left) = tokio::join!(sending, left);
    assert_eq!(left, (json!("peer_left"), json!("slow")));
    assert!(since.elapsed() < WRITE_STALL);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_never_whole_is_closed_with_1008() {
    let rooms = Rooms::new(0);
    let (mut stream, _session) = rooms.connect("a");
    let since = Instant::now();
    // The beginning of a text, and then some of it every second.
    stream.write_all(b"\x01\x81\0\0\0\0{").await.unwrap();
    let (mut read, mut write) = tokio::io::split(stream);
    let dribbling = tokio::spawn(async move {
        while write.write_all(b"\0\x81\0\0\0\0 ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut bytes = Vec::new();
    read.read_to_end(&mut bytes).await.unwrap();
    let close = bytes.iter().position(|byte| *byte == 0x88).unwrap();
    assert_eq!(bytes[close + 2..][..2], 1008_u16.to_be_bytes());
    assert_eq!(since.elapsed().as_secs(), MESSAGE_ASSEMBLY.as_secs());
    dribbling.abort();
}

#[tokio::test(start_paused = true)]
async fn who_says_so_has_left() {
    let rooms = Rooms::new(0);
    let mut watcher = rooms.join("watcher").await;
    let mut a = rooms.join("a").await;
    a.send(json!({"type": "leave"})).await;
    assert_eq!(a.closed().await, 1000);
    assert_eq!(watcher.left().await, (json!("a"), json!("left")));
    drop(a.socket);
    a.session.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whose_broadcasts_reach_too_many_is_read_slowly_and_is_not_closed() {
    let mut rooms = Rooms::new(0);
    // 100 at once and 50 a second after that, of which each broadcast takes two.
    rooms.0.limits[Limit::DeliveryRate] = 50;
    let (mut one, mut other) = (rooms.join("one").await, rooms.join("other").await);
    let mut loud = rooms.join("loud").await;
    let since = Instant::now();
    let sending = async {
        for n in 0..1_000 {
            loud.send(json!({"type": "broadcast", "data": n})).await;
        }
        loud.send(json!({"type": "ping"})).await;
        let mut limited = 0;
        loop {
            let Message::Text(text) = loud.next().await else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            limited += usize::from(frame["code"] == "rate_limited");
            if frame["type"] == "pong" {
                return limited;
            }
        }
    };
    let hearing = async {
        for n in 0..1_000 {
            assert_eq!(one.expect("broadcast_message").await["data"], n);
            assert_eq!(other.expect("broadcast_message").await["data"], n);
        }
    };
    let (limited, ()) = tokio::join!(sending, hearing);
    let took = since.elapsed().as_secs();
    assert!((36..=42).contains(&took), "{took} s for 1,900 deliveries at 50 a second");
    assert_eq!(limited, 1);
    assert_eq!(rooms.0.metrics.limited.get(Limit::DeliveryRate), 1);
}
