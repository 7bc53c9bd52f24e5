//! Floods that HTTP/2 makes cheap for who sends them: others are served meanwhile, and memory stays.

use std::time::Duration;

use anyhow::Context;
use grtc_testkit::{Authority, ServerProcess};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, split},
    time::{Instant, timeout},
};

use crate::tls_is_spoken::server;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// GET, and POST, https, `/`, and `:authority: localhost` (RFC 7541 appendix A).
const GET: &[u8] = b"\x82\x87\x84\x41\x09localhost";
const POST: &[u8] = b"\x83\x87\x84\x41\x09localhost";
/// What a flood may cost.
const MEMORY: u64 = 50 * 1024 * 1024;
const AT_MOST: Duration = Duration::from_secs(30);

/// A frame (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Sends these bytes over and over, as many times as they are taken, while somebody else asks for something. Gives how many times
/// they were.
async fn flood(
    server: &ServerProcess,
    authority: &Authority,
    first: Vec<u8>,
    times: u32,
    next: impl Fn(u32) -> Vec<u8>,
) -> anyhow::Result<u32> {
    for _ in 0..3 {
        authority.get(server.address(), "/health").await?;
    }
    let before = server.resident_bytes()?;
    let (mut reader, mut writer) = split(authority.connect(server.address(), &["h2"]).await?);
    let reading = tokio::spawn(async move {
        let mut read = vec![0; 64 * 1024];
        while reader.read(&mut read).await.is_ok_and(|length| length > 0) {}
    });
    writer.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &first].concat()).await?;
    let sending = async {
        for n in 0..times {
            if writer.write_all(&next(n)).await.is_err() {
                return n;
            }
        }
        let _ = writer.flush().await;
        times
    };
    let healthy = async {
        let mut slowest = Duration::ZERO;
        loop {
            let since = Instant::now();
            let answer = authority.get(server.address(), "/api/items/").await;
            assert!(answer.is_ok_and(|answer| answer.status == 200), "somebody else was not answered");
            slowest = slowest.max(since.elapsed());
            assert!(slowest < Duration::from_secs(5), "somebody else waited for {slowest:?}");
        }
    };
    let sent = tokio::select! {
        sent = timeout(AT_MOST, sending) => sent.unwrap_or(times),
        () = healthy => 0,
    };
    let grown = server.resident_bytes()?.saturating_sub(before);
    eprintln!("taken {sent} times; memory grew by {} KiB", grown / 1024);
    assert!(grown < MEMORY, "{grown} bytes");
    drop(writer);
    timeout(Duration::from_secs(40), reading).await.context("the connection did not end")??;
    assert_eq!(authority.get(server.address(), "/health").await?.status, 200);
    Ok(sent)
}

#[tokio::test]
async fn streams_that_are_reset_at_once() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let next = |n: u32| {
        let stream = n * 2 + 1;
        [frame(HEADERS, END_HEADERS | END_STREAM, stream, GET), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    };
    flood(&server, &authority, Vec::new(), 20_000, next).await?;
    server.stop().await
}

#[tokio::test]
async fn headers_without_an_end() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    // A header that is not indexed, of 16 KB, again and again.
    let header = [&b"\x00\x01x\x7f\x81\x7e"[..], &[b'y'; 16_000 + 128]].concat();
    let next = |_| frame(CONTINUATION, 0, 1, &header[..16_000]);
    let taken = flood(&server, &authority, frame(HEADERS, END_STREAM, 1, GET), 10_000, next).await?;
    assert!(taken < 10_000, "it went on");
    server.stop().await
}

#[tokio::test]
async fn bodies_of_nothing() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let next = |_| frame(DATA, 0, 1, &[]).repeat(10);
    flood(&server, &authority, frame(HEADERS, END_HEADERS, 1, POST), 20_000, next).await?;
    server.stop().await
}

#[tokio::test]
async fn questions_without_an_end() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let next =
        |n: u32| [frame(PING, 0, 0, &u64::from(n).to_be_bytes()), frame(SETTINGS, 0, 0, &[])].concat().repeat(10);
    flood(&server, &authority, Vec::new(), 10_000, next).await?;
    server.stop().await
}

/// They take as long as those of HTTP/1.1 may at most, and a moment for the goodbye.
#[tokio::test]
async fn headers_that_do_not_end_are_not_waited_for() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let (mut reader, mut writer) = split(authority.connect(server.address(), &["h2"]).await?);
    let begun = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, END_STREAM, 1, &GET[..1])].concat();
    writer.write_all(&begun).await?;
    let (since, mut read) = (Instant::now(), Vec::new());
    // However it ends.
    let _ = timeout(Duration::from_secs(40), reader.read_to_end(&mut read)).await.context("it is still open")?;
    let took = since.elapsed().as_secs();
    assert!((9..25).contains(&took), "{took} s");
    server.stop().await
}
