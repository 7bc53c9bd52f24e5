//! HTTP on a stream in memory, in virtual time: what comes due does so without waiting, however busy the machine is.

use std::future::pending;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, split},
    time::{Instant, sleep},
};

use super::*;
use crate::{
    base_path::BasePath,
    client_address::Proxies,
    gate::{Gate, Needs},
    limits::{BODY_TIMEOUT, HEADER_TIMEOUT, Values, limiter::Limiter},
    metrics::Metrics,
    route::{self, Route, fixed, table},
    write_deadline::ANSWER_STALL,
};

/// Bytes on their way to a client that does not read.
const PIPE: usize = 4 * 1024;
/// Far more than that.
const LONG: usize = 1 << 20;

/// A server that reads a JSON body at `/read`, and answers with much at `/long`.
fn server() -> Arc<Server> {
    behind(Doorkeeper::none(8))
}

/// The same, for whom this one lets in.
fn behind(door: Doorkeeper) -> Arc<Server> {
    let read = Route::new(
        "/read",
        |_, _| Needs::Entry,
        fixed(warp::path!("read")),
        &(),
        async |(), (), mut request: route::Request| request.json().await.map(|body| Response::new(body.into())),
    );
    let long = Route::new(
        "/long",
        |_, _| Needs::Entry,
        fixed(warp::path!("long")),
        &(),
        async |(), (), _| Ok(Response::new("x".repeat(LONG).into())),
    );
    let stop = CancellationToken::new();
    let gate = Gate::new(Vec::new(), false, stop.clone());
    let routes = table(gate, Limiter::none(), BasePath::default(), vec![read, long]);
    Server::new(routes, door, Budget::new(), None, None, None, stop)
}

/// A client's end of a connection that is served.
fn connect(server: &Arc<Server>) -> (ReadHalf<DuplexStream>, WriteHalf<DuplexStream>) {
    let (client, wire) = tokio::io::duplex(PIPE);
    server.start(Wire::Memory(wire), Remote::loopback(), Takes::Http);
    split(client)
}

/// All that comes until the server ends the connection, while this is sent twice a second for as long as it is taken.
async fn answer(server: &Arc<Server>, head: &str, then: &str) -> (String, Duration) {
    let (since, (mut reader, mut writer)) = (Instant::now(), connect(server));
    let dribbling = async {
        let mut next = head;
        while writer.write_all(next.as_bytes()).await.is_ok() {
            next = then;
            sleep(Duration::from_millis(500)).await;
        }
    };
    let mut said = String::new();
    tokio::select! {
        ended = reader.read_to_string(&mut said) => ended.unwrap(),
        never = async { dribbling.await; pending().await } => never,
    };
    (said, since.elapsed())
}

#[tokio::test(start_paused = true)]
async fn headers_that_dribble_in_are_not_waited_for() {
    for (head, then) in [("GET /read HTTP/1.1\r\n", "X: y\r\n"), ("GET", ""), ("", "")] {
        let (said, took) = answer(&server(), head, then).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
        assert_eq!(took.as_secs(), HEADER_TIMEOUT.as_secs(), "{head}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_does_not_say_whose_connection_it_is_is_not_waited_for() {
    let proxies = Proxies::new(vec!["127.0.0.0/8".parse().unwrap()], true);
    let server = behind(Doorkeeper::new(&Values::none(), proxies, Limiter::none(), Arc::new(Metrics::new())));
    for (head, then) in [("", ""), ("PROXY TCP4 1", ""), ("PROXY UNKNOWN ", "x")] {
        let (said, took) = answer(&server, head, then).await;
        assert_eq!((&*said, took.as_secs()), ("", HEADER_TIMEOUT.as_secs()), "{head}");
    }
    let (said, _) =
        answer(&server, "PROXY UNKNOWN\r\nGET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "").await;
    assert!(said.starts_with("HTTP/1.1 404"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_dribbles_in_is_not_waited_for() {
    let head =
        "POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    let (said, took) = answer(&server(), head, "1").await;
    assert!(said.starts_with("HTTP/1.1 408") && said.contains(r#""code":"body_timeout""#), "{said}");
    // It is the end of the connection too, however much more dribbles in.
    assert_eq!(took.as_secs(), BODY_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_in_time_is_read() {
    let head = "POST /read HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n";
    let (said, took) = answer(&server(), head, "1").await;
    assert!(said.starts_with("HTTP/1.1 200") && said.ends_with(&"1".repeat(38)), "{said}");
    assert_eq!(took.as_secs(), 19);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_of_an_answer_is_let_go() {
    let (server, since) = (server(), Instant::now());
    let (mut reader, mut writer) = connect(&server);
    writer.write_all(b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    server.drained().await;
    assert_eq!(since.elapsed().as_secs(), ANSWER_STALL.as_secs());
    let mut said = Vec::new();
    // What is on its way comes, and then the end of it.
    assert_eq!(reader.read_to_end(&mut said).await.unwrap(), PIPE);
    assert!(said.starts_with(b"HTTP/1.1 200"));
}
