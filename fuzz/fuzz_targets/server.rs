//! A whole server in memory. Whatever one client sends, the server answers the next one.
//!
//! The first byte says what the rest is: bytes of a connection; bytes after a WebSocket upgrade; one text frame for
//! each line; what a proxy says of its client in `Forwarded`, or in `X-Forwarded-For`; or what it says before anything else, in a PROXY header.
#![no_main]

use std::{future::pending, net::SocketAddr, sync::LazyLock, time::Duration};

use grtc_server::{Config, limits::Values};
use libfuzzer_sys::fuzz_target;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    time::timeout,
};

const UPGRADE: &[u8] = b"GET /ws/r/p HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// Far more than an answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a proxy begins its own connections with.
const OWN: &[u8] = b"PROXY UNKNOWN\r\n";

static SERVER: LazyLock<(Runtime, SocketAddr)> = LazyLock::new(|| start(false));
/// One whose proxies begin with a PROXY header.
static BEHIND: LazyLock<(Runtime, SocketAddr)> = LazyLock::new(|| start(true));

fn start(proxy_protocol: bool) -> (Runtime, SocketAddr) {
    let runtime = Runtime::new().expect("a runtime");
    let trusted_proxy = vec!["127.0.0.0/8".parse().expect("a network")];
    let database_url = "sqlite::memory:".to_owned();
    let config = Config { database_url, trusted_proxy, proxy_protocol, limits: Values::none(), ..Config::default() };
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(async {
        let ended = grtc_server::run(listener, config, pending()).await;
        panic!("the server ended: {ended:?}");
    });
    (runtime, address)
}

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let (is_proxy, first) = (first % 6 == 5, first % 6);
    let sent = match first {
        0 | 5 => rest.to_vec(),
        1 => [UPGRADE, rest].concat(),
        3 => [&b"GET /rooms HTTP/1.1\r\nhost: localhost\r\nforwarded: "[..], rest, b"\r\n\r\n"].concat(),
        4 => [&b"GET /rooms HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: "[..], rest, b"\r\n\r\n"].concat(),
        _ => [UPGRADE.to_vec(), rest.split(|byte| *byte == b'\n').flat_map(text_frame).collect()].concat(),
    };
    let (runtime, address) = if is_proxy { &*BEHIND } else { &*SERVER };
    runtime.block_on(async {
        timeout(PATIENCE, exchange(*address, &sent, true)).await.expect("the server holds on to an ended connection");
        let own = if is_proxy { OWN } else { b"" };
        let health = [own, b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"].concat();
        let answer = timeout(PATIENCE, exchange(*address, &health, false)).await.expect("the server answers no more");
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    });
});

/// What comes back until the server closes, which may be at any time, or because this side ends what it sends.
async fn exchange(address: SocketAddr, sent: &[u8], end: bool) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).await.expect("the server takes connections");
    let (mut reader, mut writer) = socket.split();
    let mut answer = Vec::new();
    let write = async {
        let _ = writer.write_all(sent).await;
        if end {
            let _ = writer.shutdown().await;
        }
    };
    let (_, _) = tokio::join!(write, reader.read_to_end(&mut answer));
    answer
}

/// A masked text frame, under a mask of zeros.
fn text_frame(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let text = &text[..usize::from(length)];
    [&[0x81, 0xfe][..], &length.to_be_bytes(), &[0; 4], text].concat()
}
