//! The keys are another one's, who gives them out over https: the server follows when they change, does not ask too often, and goes on with
//! those that it has while there are no others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use grtc_testkit::{Authority, Launch, Receiver, ServerProcess};
use hyper::Method;
use parking_lot::Mutex;
use rcgen::{KeyPair, PKCS_ED25519, SigningKey as _};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::interval};

use crate::tokens::bearer;

/// The server looks for an unknown key once in so long.
const EVERY: Duration = Duration::from_secs(10);
/// Within which it has to have done so.
const SOON: Duration = Duration::from_secs(30);

/// A key of the issuer's, under its name.
struct Key {
    name: &'static str,
    pair: KeyPair,
}

impl Key {
    fn new(name: &'static str) -> anyhow::Result<Self> {
        Ok(Self { name, pair: KeyPair::generate_for(&PKCS_ED25519)? })
    }

    fn public(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.name, "x": URL_SAFE_NO_PAD.encode(self.pair.public_key_raw())})
    }

    /// A token that says it is by the key of this name.
    fn token(&self, name: &str) -> anyhow::Result<String> {
        let now = jiff::Timestamp::now().as_second();
        let header = json!({"alg": "EdDSA", "kid": name});
        let claims = json!({"sub": "ann", "aud": "grtc", "exp": now + 600, "grtc": {"items": "read"}});
        let message = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = self.pair.sign(message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Gives out a set of keys to whoever asks.
struct Issuer {
    url: String,
    /// None: it has a fault.
    set: Arc<Mutex<Option<Vec<Value>>>>,
    asked: Arc<AtomicUsize>,
    answering: JoinHandle<()>,
}

impl Issuer {
    async fn start(authority: &Authority, first: &Key) -> anyhow::Result<Self> {
        let mut receiver = Receiver::start_securely(authority).await?;
        let url = format!("https://localhost:{}/keys", receiver.address().port());
        let (set, asked) = (Arc::new(Mutex::new(Some(vec![first.public()]))), Arc::new(AtomicUsize::new(0)));
        let (given, count) = (set.clone(), asked.clone());
        let answering = tokio::spawn(async move {
            loop {
                // It is asked seldom.
                let Ok(received) = receiver.next().await else { continue };
                count.fetch_add(1, SeqCst);
                let answer = given.lock().clone().map(|keys| json!({"keys": keys}).to_string());
                let status = if answer.is_some() { 200 } else { 503 };
                // Who does not wait for it has had enough.
                let _ = received.answer_with(status, &[("connection", "close")], answer.unwrap_or_default());
            }
        });
        Ok(Self { url, set, asked, answering })
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    fn gives(&self, keys: &[&Key]) {
        *self.set.lock() = Some(keys.iter().map(|key| key.public()).collect());
    }

    fn has_a_fault(&self) {
        *self.set.lock() = None;
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

async fn status(server: &ServerProcess, token: &str) -> anyhow::Result<u16> {
    let header = bearer(token);
    Ok(server.http().send(Method::GET, "/api/items/", &[("authorization", &header)], None).await?.status)
}

/// Shows a token of a key nobody knows, again and again, until the issuer has been asked so often.
async fn asked_by_strangers(server: &ServerProcess, issuer: &Issuer, times: usize) -> anyhow::Result<()> {
    let (stranger, since) = (Key::new("stranger")?, Instant::now());
    let mut ticks = interval(Duration::from_millis(50));
    for n in 0.. {
        ticks.tick().await;
        assert_eq!(status(server, &stranger.token(&format!("stranger-{n}"))?).await?, 401);
        if issuer.asked() >= times {
            break;
        }
        assert!(since.elapsed() < SOON, "asked {} times", issuer.asked());
    }
    Ok(())
}

#[tokio::test]
async fn a_new_key_is_asked_for_and_an_old_one_is_none() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let (one, two) = (Key::new("one")?, Key::new("two")?);
    let issuer = Issuer::start(&authority, &one).await?;
    let ca = authority.ca().display().to_string();
    let environment = [("SSL_CERT_FILE", ca.as_str()), ("SSL_CERT_DIR", "/nonexistent")];
    let arguments = ["--auth-jwks", &issuer.url];
    let launch = Launch { arguments: &arguments, environment: &environment, ..Launch::default() };
    let (begun, server) = (Instant::now(), ServerProcess::launch(&launch).await?);
    assert_eq!((status(&server, &one.token("one")?).await?, issuer.asked()), (200, 1));
    assert_eq!(status(&server, &two.token("one")?).await?, 401, "the name is not the key");

    // It has a fault when it is asked for a key that is not there: the one that is known goes on.
    issuer.has_a_fault();
    asked_by_strangers(&server, &issuer, 2).await?;
    server.line(&["the keys of --auth-jwks stay as they were"]).await?;
    assert_eq!(status(&server, &one.token("one")?).await?, 200);

    issuer.gives(&[&two]);
    asked_by_strangers(&server, &issuer, 3).await?;
    assert_eq!(status(&server, &two.token("two")?).await?, 200);
    assert_eq!(status(&server, &one.token("one")?).await?, 401, "it is not in the set any more");
    assert_eq!(status(&server, &one.token("two")?).await?, 401);
    assert!(begun.elapsed() >= 2 * EVERY, "asked twice more within {:?}", begun.elapsed());
    assert_eq!(issuer.asked(), 3);
    server.stop().await
}
