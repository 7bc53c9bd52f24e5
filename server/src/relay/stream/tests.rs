//! Streams in memory, in virtual time.

use std::net::Ipv4Addr;

use tokio::{
    io::{AsyncReadExt, DuplexStream},
    task::JoinHandle,
    time::Instant,
};

use super::*;
use crate::{
    metrics::Metrics,
    relay::{
        channel_data,
        credentials::{self, REALM, Secret},
        socket::Socket,
        stun::{Class, Message, Writer, attribute, method},
        table::{Settings, Table},
    },
};

const SECRET: &[u8] = b"secret";

async fn exchange() -> Arc<Exchange> {
    let settings = Settings {
        secret: Secret::new(SECRET),
        relayed: (Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST.to_ipv6_mapped()),
        allocations: 100,
        allocations_per_user: 100,
        rate: None,
        first: 0,
    };
    let socket = Socket::open(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    Exchange::new(Table::new(settings), socket, 100, Arc::new(Metrics::new()))
}

/// A client by stream.
struct Client {
    stream: DuplexStream,
    serving: JoinHandle<()>,
    nonce: String,
    bytes: Vec<u8>,
}

impl Client {
    fn new(exchange: &Arc<Exchange>) -> Self {
        let (stream, theirs) = tokio::io::duplex(4 * 1024);
        let serving = tokio::spawn(serve(exchange.clone(), theirs, SocketAddr::from(([192, 0, 2, 7], 7)), false));
        Self { stream, serving, nonce: String::new(), bytes: Vec::new() }
    }

    async fn next(&mut self) -> Vec<u8> {
        loop {
            if let Some(length) = frames::first(&self.bytes).unwrap() {
                return self.bytes.drain(..length).collect();
            }
            assert!(self.stream.read_buf(&mut self.bytes).await.unwrap() > 0, "it has ended");
        }
    }

    async fn ask(&mut self, request: Vec<u8>) -> Vec<u8> {
        self.stream.write_all(&request).await.unwrap();
        self.next().await
    }

    /// Asks with credentials.
    async fn request(&mut self, number: u16, kind: u16, value: &[u8]) -> Vec<u8> {
        let issued = Secret::new(SECRET).issue("r", "a", 9_999_999_999);
        let key = credentials::key(&issued.username, &issued.credential);
        let writer = Writer::new(Class::Request, number, [7; 12])
            .attribute(attribute::USERNAME, issued.username.as_bytes())
            .attribute(attribute::REALM, REALM.as_bytes())
            .attribute(attribute::NONCE, self.nonce.as_bytes())
            .attribute(kind, value);
        self.ask(writer.integrity(&key).fingerprint().finish()).await
    }

    /// Has an allocation, and gives its address.
    async fn allocate(&mut self) -> SocketAddr {
        let challenge = self.request(method::ALLOCATE, attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]).await;
        self.nonce = Message::parse(&challenge).unwrap().text(attribute::NONCE).unwrap().to_owned();
        let answer = self.request(method::ALLOCATE, attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]).await;
        Message::parse(&answer).unwrap().addresses(attribute::XOR_RELAYED_ADDRESS).next().flatten().unwrap()
    }

    async fn bind(&mut self, peer: SocketAddr) {
        let issued = Secret::new(SECRET).issue("r", "a", 9_999_999_999);
        let key = credentials::key(&issued.username, &issued.credential);
        let writer = Writer::new(Class::Request, method::CHANNEL_BIND, [7; 12])
            .attribute(attribute::USERNAME, issued.username.as_bytes())
            .attribute(attribute::REALM, REALM.as_bytes())
            .attribute(attribute::NONCE, self.nonce.as_bytes())
            .attribute(attribute::CHANNEL_NUMBER, &[0x40, 0, 0, 0])
            .address(attribute::XOR_PEER_ADDRESS, peer);
        let answer = self.ask(writer.integrity(&key).finish()).await;
        assert_eq!(Message::parse(&answer).unwrap().class(), Class::Success);
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_get_in_is_not_waited_for() {
    let exchange = exchange().await;
    let binding = Writer::new(Class::Request, method::BINDING, [7; 12]).finish();
    for dribble in [&b""[..], &binding] {
        let (mut client, since) = (Client::new(&exchange), Instant::now());
        for byte in dribble.iter().cycle().take(dribble.len() * 10) {
            if client.stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        client.serving.await.unwrap();
        assert_eq!(since.elapsed().as_secs(), LOGIN.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_asks_without_getting_in_is_let_go() {
    let exchange = exchange().await;
    let (mut client, since) = (Client::new(&exchange), Instant::now());
    let binding = Writer::new(Class::Request, method::BINDING, [7; 12]).finish();
    let mut answers = 0;
    while client.stream.write_all(&binding).await.is_ok() {
        let mut answer = [0; 40];
        if client.stream.read_exact(&mut answer).await.is_err() {
            break;
        }
        answers += 1;
    }
    assert_eq!((answers, since.elapsed()), (STRANGERS + 1, Duration::ZERO));
    client.serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_ends_it_after_what_came_before() {
    let exchange = exchange().await;
    let mut client = Client::new(&exchange);
    let binding = Writer::new(Class::Request, method::BINDING, [7; 12]).finish();
    client.stream.write_all(&[&binding[..], b"GET / HTTP/1.1\r\n"].concat()).await.unwrap();
    let mut answer = Vec::new();
    client.stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(Message::parse(&answer).unwrap().class(), Class::Success);
}

#[tokio::test(start_paused = true)]
async fn an_allocation_and_its_stream_end_together() {
    let exchange = exchange().await;
    let (mut kept, mut gone, since) = (Client::new(&exchange), Client::new(&exchange), Instant::now());
    kept.allocate().await;
    gone.allocate().await;
    drop(gone.stream);
    gone.serving.await.unwrap();
    // What is over is not seen by this clock: it is the client that ends it.
    assert!(timeout(Duration::from_secs(500), &mut kept.serving).await.is_err());
    let answer = kept.request(method::REFRESH, attribute::LIFETIME, &[0; 4]).await;
    assert_eq!(Message::parse(&answer).unwrap().class(), Class::Success);
    kept.serving.await.unwrap();
    assert!((500..=560).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_holds_up_nobody_and_loses_data() {
    let exchange = exchange().await;
    let [mut a, mut b] = [(); 2].map(|()| Client::new(&exchange));
    let (of_a, of_b) = (a.allocate().await, b.allocate().await);
    a.bind(of_b).await;
    b.bind(of_a).await;
    for number in 0..1_000_u16 {
        let data = [&number.to_be_bytes()[..], &[0; 1_021]].concat();
        let mut frame = channel_data::frame(0x4000, &data).unwrap();
        frame.push(0);
        a.stream.write_all(&frame).await.unwrap();
    }
    let answer = a.request(method::REFRESH, attribute::LIFETIME, &600_u32.to_be_bytes()).await;
    assert_eq!(Message::parse(&answer).unwrap().class(), Class::Success);
    let mut come = Vec::new();
    while let Ok(frame) = timeout(Duration::from_secs(1), b.next()).await {
        let (_, data) = channel_data::parse(&frame).unwrap();
        come.push(u16::from_be_bytes([data[0], data[1]]));
    }
    assert!(come.is_sorted() && (200..1_000).contains(&come.len()), "{}", come.len());
    drop(a.stream);
    a.serving.await.unwrap();
    assert!(!b.serving.is_finished());
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_takes_no_answers_is_let_go() {
    let exchange = exchange().await;
    let mut client = Client::new(&exchange);
    client.allocate().await;
    let binding = Writer::new(Class::Request, method::BINDING, [7; 12]).finish();
    let asking = async { while client.stream.write_all(&binding).await.is_ok() {} };
    timeout(2 * GOODBYE, asking).await.unwrap();
    client.serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_relay_is_theirs() {
    let exchange = exchange().await;
    let (mut client, stop) = (Client::new(&exchange), tokio_util::sync::CancellationToken::new());
    client.allocate().await;
    stop.cancel();
    let since = Instant::now();
    crate::relay::udp::run(&exchange, &stop).await;
    client.serving.await.unwrap();
    assert!(since.elapsed() <= crate::limits::RELAY_DRAIN + GOODBYE, "{:?}", since.elapsed());
}
