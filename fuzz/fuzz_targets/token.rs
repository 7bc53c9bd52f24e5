//! A server with a key, in memory, and a token that somebody shows it. It takes none that it has not signed, and of those none
//! whose claims another reader finds to be wrong.
//!
//! The first byte says what the rest is: a token; the claims of one that is signed; or its header, a line feed and its claims.
#![no_main]

use std::{future::pending, net::SocketAddr, sync::LazyLock, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use grtc_server::{AuthConfig, Config, limits::Values};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use ring::hmac;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    time::timeout,
};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT"}"#;
/// Far more than an answer takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the server's clock may differ by, and a second for the time in between.
const LEEWAY: i64 = 6;

static SERVER: LazyLock<(Runtime, SocketAddr)> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let key = std::env::temp_dir().join(format!("grtc-fuzz-key-{}", std::process::id()));
    std::fs::write(&key, SECRET).expect("a file for the key");
    // Seeds are to be good for long.
    let auth_max_lifetime = Duration::from_secs(200 * 366 * 24 * 60 * 60);
    let auth = AuthConfig { auth_secret_file: Some(key.clone()), auth_max_lifetime, ..AuthConfig::default() };
    let database_url = "sqlite::memory:".to_owned();
    let config = Config { database_url, auth, limits: Values::none(), ..Config::default() };
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(async {
        let ended = grtc_server::run(listener, config, pending()).await;
        panic!("the server ended: {ended:?}");
    });
    // It has read the key once it answers.
    assert_eq!(runtime.block_on(status(address, "none")), 401);
    let _ = std::fs::remove_file(key);
    (runtime, address)
});

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let (token, claims) = match first % 3 {
        0 => (String::from_utf8_lossy(rest).into_owned(), None),
        1 => (signed(HEADER, rest), Some(rest)),
        _ => {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let (header, claims) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
            (signed(header, claims), Some(claims))
        }
    };
    // Another header would begin there.
    if token.contains(['\r', '\n', '\0']) {
        return;
    }
    let (runtime, address) = &*SERVER;
    match runtime.block_on(status(*address, &token)) {
        200 => assert!(claims.is_some_and(reads_items), "let in: {token}"),
        400 | 401 | 403 | 431 => {}
        other => panic!("answered with {other}: {token}"),
    }
});

fn signed(header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Whether by these claims somebody may read items now.
fn reads_items(claims: &[u8]) -> bool {
    let Ok(claims) = serde_json::from_slice::<Value>(claims) else { return false };
    let now = Timestamp::now().as_second();
    let is_for_grtc = match &claims["aud"] {
        Value::Array(audiences) => audiences.contains(&Value::from("grtc")),
        audience => audience == "grtc",
    };
    let lives = claims["exp"].as_i64().is_some_and(|until| until > now - LEEWAY);
    let has_begun = ["nbf", "iat"].iter().all(|claim| claims[claim].as_i64().is_none_or(|from| from <= now + LEEWAY));
    is_for_grtc && lives && has_begun && (claims["grtc"]["items"] == "read" || claims["grtc"]["items"] == "write")
}

/// What the server answers to who shows this token.
async fn status(server: SocketAddr, token: &str) -> u16 {
    let exchange = async {
        let mut socket = TcpStream::connect(server).await.expect("the server takes connections");
        let request = format!(
            "GET /api/items/ HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        let mut answer = Vec::new();
        // One that is refused before its end is answered, too.
        let _ = socket.write_all(request.as_bytes()).await;
        let _ = socket.read_to_end(&mut answer).await;
        let status = answer.get(9..12).and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
        status.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(&answer)))
    };
    timeout(PATIENCE, exchange).await.expect("the server answers no more")
}
