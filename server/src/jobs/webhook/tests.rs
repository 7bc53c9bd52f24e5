//! What is sent, and what is made of each kind of answer, by real sockets.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::*;
use crate::store::model::{JobState, Status};

const SECRET: &[u8] = b"canary-secret-canary-secret-canary";

fn webhook(address: SocketAddr) -> Webhook {
    let url = format!("http://ann:canary-password@{address}/canary-path?token=canary-query").parse().unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    Webhook::new(Target { url, key }, Arc::new(Metrics::new())).unwrap()
}

async fn deliver(webhook: &Webhook) -> Result<(), String> {
    let (id, created_at, updated_at) = (7, 1, 2);
    let (title, description, status) = ("t".to_owned(), Some("\u{e9}".to_owned()), Status::Active);
    let item = Item { id: 3, title, description, status, created_at, updated_at, version: 4 };
    let (state, attempts, result, error) = (JobState::Running, 2, None, None);
    let job = Job { id, item_id: 3, state, attempts, result, error, created_at, updated_at };
    webhook.deliver(&job, &item, &RawValue::from_string(r#"{"words":1}"#.to_owned()).unwrap()).await
}

/// Reads a request: its head and its body.
async fn request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "it ended: {}", String::from_utf8_lossy(&bytes));
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let length: usize =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let body = bytes.split_off(end + 4);
        if body.len() == length {
            return (head, body);
        }
        bytes.extend(body);
    }
}

/// A receiver that takes one request, answers it with these bytes and ends the connection.
async fn receiver(answer: impl Into<Vec<u8>>) -> (SocketAddr, JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, answer) = (listener.local_addr().unwrap(), answer.into());
    let received = tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        let request = request(&mut stream).await;
        stream.write_all(&answer).await.unwrap();
        request
    });
    (address, received)
}

/// RFC 4231 section 4.3, and what receivers are told.
#[test]
fn a_signature_is_the_hmac_of_the_body() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
    let signature = signature(&key, b"what do ya want for nothing?");
    assert_eq!(signature, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert!(include_str!("../../../../docs/PROTOCOL.md").contains(&format!("has\n  `{signature}`")));
}

#[tokio::test]
async fn what_is_sent_is_whole_and_signed() {
    let (address, received) = receiver("HTTP/1.1 204 No Content\r\n\r\n").await;
    deliver(&webhook(address)).await.unwrap();
    let (head, body) = received.await.unwrap();
    assert!(head.starts_with("post /canary-path?token=canary-query http/1.1\r\n"), "{head}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    for line in [
        "content-type: application/json".to_owned(),
        "x-grtc-delivery: 7".to_owned(),
        format!("x-grtc-signature: {}", signature(&key, &body)),
        format!("user-agent: grtc-server/{}", env!("CARGO_PKG_VERSION")),
        // printf ann:canary-password | base64
        "authorization: basic YW5uOmNhbmFyeS1wYXNzd29yZA==".to_lowercase(),
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in\n{head}");
    }
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    let sent_at = body.as_object_mut().unwrap().remove("sent_at").unwrap();
    assert!(sent_at.as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let time = |micros: &str| format!("1970-01-01T00:00:00.00000{micros}Z");
    assert_eq!(
        body,
        json!({
            "event": "processed", "job_id": 7, "attempt": 2, "result": {"words": 1},
            "item": {
                "id": 3, "title": "t", "description": "\u{e9}", "status": "active", "created_at": time("1"),
                "updated_at": time("2"), "version": 4,
            },
        })
    );
}

#[tokio::test]
async fn whatever_is_not_a_2xx_is_said_and_counted() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = elsewhere.local_addr().unwrap();
    for (answer, count, words) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(), Delivered::Taken, ""),
        ("HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n".to_owned(), Delivered::Taken, ""),
        ("HTTP/1.1 500 No\r\n\r\n".to_owned(), Delivered::Refused, "500 Internal Server Error instead of a 2xx"),
        ("HTTP/1.1 404 No\r\n\r\n".to_owned(), Delivered::Refused, "404 Not Found"),
        (
            format!("HTTP/1.1 302 Found\r\nLocation: http://{there}/\r\n\r\n"),
            Delivered::Refused,
            "302 Found: a redirect is not followed",
        ),
        (format!("HTTP/1.1 308 No\r\nLocation: http://{there}/\r\n\r\n"), Delivered::Refused, "308 Permanent Redirect"),
        ("HTTP/1.1 2".to_owned(), Delivered::NoAnswer, "ended without an answer"),
        (String::new(), Delivered::NoAnswer, "ended without an answer"),
        ("220 mail.example.org ESMTP\r\n".to_owned(), Delivered::NoAnswer, "ended without an answer"),
    ] {
        let (address, received) = receiver(answer.clone()).await;
        let webhook = webhook(address);
        let error = deliver(&webhook).await.err().unwrap_or_default();
        assert_eq!(error.is_empty(), words.is_empty(), "{answer:?}: {error}");
        assert!(error.contains(words) && !error.contains("canary"), "{answer:?}: {error}");
        assert_eq!(webhook.metrics.webhook_deliveries.get(count), 1, "{answer:?}");
        received.await.unwrap();
    }
    let nobody = elsewhere.accept();
    tokio::select! {
        biased;
        _ = nobody => panic!("the redirect was followed"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_said_to_be_unreachable() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let webhook = webhook(address);
    let error = deliver(&webhook).await.unwrap_err();
    assert!(error.starts_with("the webhook can't be reached: ") && error.contains("refused"), "{error}");
    assert!(!error.contains("canary"), "{error}");
    assert_eq!(webhook.metrics.webhook_deliveries.get(Delivered::NoAnswer), 1);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_waited_for_10_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let webhook = webhook(listener.local_addr().unwrap());
    let delivering = tokio::spawn(async move { (deliver(&webhook).await, webhook) });
    let mut stream = listener.accept().await.unwrap().0;
    request(&mut stream).await;
    // Half of a head is no answer.
    stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
    tokio::time::pause();
    let since = tokio::time::Instant::now();
    let (delivered, webhook) = delivering.await.unwrap();
    assert_eq!(delivered, Err("the webhook did not answer within 10 s".to_owned()));
    assert!(since.elapsed() < DELIVERY_TIMEOUT * 2 && since.elapsed() > DELIVERY_TIMEOUT / 2, "{:?}", since.elapsed());
    assert_eq!(webhook.metrics.webhook_deliveries.get(Delivered::TimedOut), 1);
}

/// What the receiver gets rid of is what the sockets hold, and not the whole.
#[tokio::test]
async fn an_answer_without_an_end_is_not_read() {
    const SOCKETS: usize = 32 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let webhook = webhook(listener.local_addr().unwrap());
    let sending = tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n").await.unwrap();
        let (piece, mut sent) = (vec![b'x'; 64 * 1024], 0);
        while stream.write_all(&piece).await.is_ok() {
            sent += piece.len();
            assert!(sent < SOCKETS, "{sent} bytes were read");
        }
    });
    deliver(&webhook).await.unwrap();
    sending.await.unwrap();
}
