//! A server with a key of each kind, and a token that somebody shows it. It takes none that was not signed by one of them, by that
//! key's own algorithm, and of those none whose claims another reader finds to be wrong.
//!
//! The first byte says what the rest is: a token; the claims of one that is signed; or its header, a line feed and its claims. It
//! says by whom it is signed, too.
#![no_main]

use std::{future::pending, net::SocketAddr, sync::LazyLock, time::Duration};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use grtc_server::{AuthConfig, Config, limits::Values};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    time::timeout,
};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
/// What comes before a public key of Ed25519 (RFC 8410) and of P-256 (RFC 5480).
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const P256: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
/// Claims that are good, far into the future.
const CLAIMS: &[u8] = br#"{"aud":"grtc","exp":4102444800,"grtc":{"items":"read"}}"#;
/// The algorithms of the server's keys, as signers are numbered. The next one signs with a secret that anybody knows: the server's own
/// public key.
const ALGORITHMS: [&str; 3] = ["HS256", "EdDSA", "ES256"];
/// Far more than an answer takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the server's clock may differ by, and a second for the time in between.
const LEEWAY: i64 = 6;

/// Who signs.
struct Signers {
    ed25519: Ed25519KeyPair,
    p256: EcdsaKeyPair,
}

static SIGNERS: LazyLock<Signers> = LazyLock::new(|| {
    let random = SystemRandom::new();
    let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    Signers {
        ed25519: Ed25519KeyPair::from_seed_unchecked(SECRET).expect("a key"),
        p256: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p256.as_ref(), &random).expect("a key"),
    }
});

static SERVER: LazyLock<(Runtime, SocketAddr)> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let keys = [SECRET.to_vec(), ed25519_pem(), pem(P256, SIGNERS.p256.public_key().as_ref())];
    let files = [0, 1, 2].map(|n| std::env::temp_dir().join(format!("grtc-fuzz-key-{}-{n}", std::process::id())));
    for (file, key) in files.iter().zip(keys) {
        std::fs::write(file, key).expect("a file for the key");
    }
    let [secret, ed25519, p256] = files.clone();
    let auth = AuthConfig {
        auth_secret_file: Some(secret),
        auth_public_key: vec![ed25519, p256],
        // Seeds are to be good for long.
        auth_max_lifetime: Duration::from_secs(200 * 366 * 24 * 60 * 60),
        ..AuthConfig::default()
    };
    let database_url = "sqlite::memory:".to_owned();
    let config = Config { database_url, auth, limits: Values::none(), ..Config::default() };
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(async {
        let ended = grtc_server::run(listener, config, pending()).await;
        panic!("the server ended: {ended:?}");
    });
    // It has read the keys once it answers.
    assert_eq!(runtime.block_on(status(address, "none")), 401);
    for (signer, expected) in [(0, 200), (1, 200), (2, 200), (3, 401)] {
        let token = signed(&usual_header(signer), CLAIMS, signer);
        assert_eq!(runtime.block_on(status(address, &token)), expected, "{token}");
    }
    for file in files {
        let _ = std::fs::remove_file(file);
    }
    (runtime, address)
});

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let signer = usize::from(first / 3 % 4);
    let usual = usual_header(signer);
    let (token, parts) = match first % 3 {
        0 => (String::from_utf8_lossy(rest).into_owned(), None),
        1 => (signed(&usual, rest, signer), Some((&*usual, rest))),
        _ => {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let (header, claims) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
            (signed(header, claims, signer), Some((header, claims)))
        }
    };
    // Another header would begin there.
    if token.contains(['\r', '\n', '\0']) {
        return;
    }
    let (runtime, address) = &*SERVER;
    match runtime.block_on(status(*address, &token)) {
        200 => {
            let is_good = |(header, claims)| is_by(header, signer) && reads_items(claims);
            assert!(parts.is_some_and(is_good), "let in: {token}");
        }
        400 | 401 | 403 | 431 => {}
        other => panic!("answered with {other}: {token}"),
    }
});

fn pem(before: &[u8], key: &[u8]) -> Vec<u8> {
    let base64 = STANDARD.encode([before, key].concat());
    let lines: Vec<_> = base64.as_bytes().chunks(64).collect();
    [b"-----BEGIN PUBLIC KEY-----\n", &*lines.join(&b'\n'), b"\n-----END PUBLIC KEY-----\n"].concat()
}

fn ed25519_pem() -> Vec<u8> {
    pem(ED25519, SIGNERS.ed25519.public_key().as_ref())
}

fn signed(header: &[u8], claims: &[u8], signer: usize) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let by_secret =
        |secret: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes()).as_ref().to_vec();
    let signature = match signer {
        0 => by_secret(SECRET),
        1 => SIGNERS.ed25519.sign(message.as_bytes()).as_ref().to_vec(),
        2 => SIGNERS.p256.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature").as_ref().to_vec(),
        _ => by_secret(&ed25519_pem()),
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn usual_header(signer: usize) -> Vec<u8> {
    format!(r#"{{"alg":"{}","typ":"JWT"}}"#, ALGORITHMS.get(signer).unwrap_or(&"HS256")).into_bytes()
}

/// Whether a token of this signer may have this header.
fn is_by(header: &[u8], signer: usize) -> bool {
    let named = serde_json::from_slice::<Value>(header).unwrap_or_default();
    ALGORITHMS.get(signer).is_some_and(|algorithm| named["alg"] == *algorithm)
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
