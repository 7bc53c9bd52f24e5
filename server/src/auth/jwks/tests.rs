//! Which keys of a set are used, and when it is asked for anew.

use std::sync::Mutex;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// A server of a set of keys.
struct Server {
    source: JwksSource,
    /// What it answers with, and how often it was asked.
    state: Arc<Mutex<(String, usize)>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = format!("http://{}/keys", listener.local_addr().unwrap()).parse().unwrap();
        let state = Arc::new(Mutex::new((set("one"), 0)));
        let answers = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
                let answer = {
                    let mut state = answers.lock().unwrap();
                    state.1 += 1;
                    state.0.clone()
                };
                // Who has read enough goes.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { source, state, task }
    }

    fn answers(&self, with: String) {
        self.state.lock().unwrap().0 = with;
    }

    fn asked(&self) -> usize {
        self.state.lock().unwrap().1
    }
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A set with a key of this name.
fn set(name: &str) -> String {
    let key = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "kid": name, "x": X});
    answer("200 OK", &serde_json::json!({"keys": [key]}).to_string())
}

fn names(jwks: &Jwks) -> Vec<String> {
    jwks.keys().iter().filter_map(|key| key.id.as_deref().map(str::to_owned)).collect()
}

/// Lets time go by, but for what waits for a socket.
async fn later(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_every_ten_seconds_however_many_ask() {
    let server = Server::start().await;
    let jwks = Jwks::open(server.source.clone()).await.unwrap();
    assert_eq!((names(&jwks), server.asked()), (vec!["one".to_owned()], 1));
    server.answers(set("two"));
    let flood = || async { futures_util::future::join_all((0..100).map(|_| jwks.look_again())).await };
    flood().await;
    assert_eq!((names(&jwks), server.asked()), (vec!["one".to_owned()], 1));
    later(FOR_UNKNOWN).await;
    flood().await;
    assert_eq!((names(&jwks), server.asked()), (vec!["two".to_owned()], 2), "what is not in it any more is no key");
}

#[tokio::test]
async fn the_keys_stay_while_there_are_no_others() {
    let server = Server::start().await;
    let jwks = Jwks::open(server.source.clone()).await.unwrap();
    let large = answer("200 OK", &" ".repeat(BYTES + 1));
    let elsewhere = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", server.source);
    let cut = set("two").replace("content-length: ", "content-length: 9");
    for (round, bad) in
        [answer("500 Oh", ""), answer("200 OK", "{}"), large, elsewhere, cut, "no HTTP\r\n\r\n".to_owned()]
            .into_iter()
            .enumerate()
    {
        server.answers(bad);
        later(FOR_UNKNOWN).await;
        jwks.look_again().await;
        assert_eq!((names(&jwks), server.asked()), (vec!["one".to_owned()], round + 2));
    }
    server.task.abort();
    later(FOR_UNKNOWN).await;
    jwks.look_again().await;
    assert_eq!(names(&jwks), ["one"]);
}

#[tokio::test]
async fn the_set_is_read_anew_every_five_minutes() {
    let server = Server::start().await;
    let jwks = Arc::new(Jwks::open(server.source.clone()).await.unwrap());
    let stop = CancellationToken::new();
    let keeping = tokio::spawn({
        let (jwks, stop) = (jwks.clone(), stop.clone());
        async move { jwks.keep(stop).await }
    });
    tokio::task::yield_now().await;
    server.answers(set("two"));
    later(EVERY).await;
    while names(&jwks) != ["two"] {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.asked(), 2);
    stop.cancel();
    keeping.await.unwrap();
}

#[test]
fn keys_that_are_not_for_this_are_left_out() {
    let set = serde_json::json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": X},
        {"kty": "OKP", "crv": "Ed25519", "kid": "two", "x": X, "use": "enc"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "three", "x": X, "alg": "HS256"},
        {"kty": "OKP", "crv": "X25519", "x": X},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": 7},
        "none",
    ]});
    let (keys, left_out) = parse(set.to_string().as_bytes()).unwrap();
    assert_eq!((keys.len(), left_out, keys[0].id.as_deref()), (1, 7, Some("one")));
    for none in ["", "[]", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#] {
        assert!(parse(none.as_bytes()).is_err(), "{none}");
    }
}

#[test]
fn a_set_is_fetched_by_https() {
    for (text, fits) in [
        ("keys.json", true),
        ("https://id.example.org/keys", true),
        ("http://127.0.0.1:9/keys", true),
        ("http://id.example.org/keys", false),
        ("ftp://id.example.org/keys", false),
    ] {
        assert_eq!(text.parse::<JwksSource>().is_ok(), fits, "{text}");
    }
}
