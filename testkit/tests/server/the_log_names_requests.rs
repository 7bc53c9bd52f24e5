//! What an operator finds in the log: why somebody was refused, and which request it was.

use std::time::Duration;

use grtc_testkit::{Launch, Raw, ServerProcess, raw::RawAnswer};
use hyper::Method;
use serde_json::{Value, json};

use crate::tokens::{Keys, bearer, join};

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/// The answer to a `GET` with these header lines, and the connection that it came on.
async fn get(server: &ServerProcess, path: &str, lines: &str) -> anyhow::Result<(RawAnswer, Raw)> {
    let mut raw = Raw::connect(server.address()).await?;
    raw.send(format!("GET {path} HTTP/1.1\r\n{lines}\r\n\r\n")).await?;
    Ok((raw.answer().await?, raw))
}

/// The line that has all of this in it, as JSON.
async fn line(server: &ServerProcess, words: &[&str]) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&server.line(words).await?)?)
}

#[tokio::test]
async fn a_refusal_says_what_was_compared_and_which_request_it_was() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    for (lines, words) in [
        ("Host: proxy.example:81", &["proxy.example:81", "loopback"][..]),
        ("Host: localhost:81\r\nOrigin: http://app.example", &["localhost:81", "http://app.example", "--allow-origin"]),
    ] {
        let (answer, _) = get(&server, "/rooms", lines).await?;
        assert_eq!(answer.status, 403);
        let id = answer.header("x-request-id").unwrap_or_default();
        assert!(!id.is_empty());
        assert_eq!(line(&server, &[words, &[id]].concat()).await?["level"], "WARN");
    }
    for _ in 0..100 {
        get(&server, "/rooms", "Host: proxy.example").await?;
    }
    let lines = server.log().lines().filter(|line| line.contains("WARN")).count();
    assert!(lines < 50, "{lines} lines for 102 refusals");
    server.stop().await
}

#[tokio::test]
async fn the_end_of_a_websocket_names_the_request_that_began_it() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let _a = server.join("room1", "a").await?;
    let (answer, mut raw) = get(&server, "/ws/room1?peer_id=a", &format!("Host: localhost\r\n{UPGRADE}")).await?;
    assert_eq!(answer.status, 101);
    let code = raw.close_code(Duration::from_secs(10)).await?;
    let id = answer.header("x-request-id").unwrap_or_default();
    assert!(!id.is_empty(), "{answer:?}");
    let line = line(&server, &["close.code", id]).await?;
    assert_eq!(line["close.code"], code);
    server.stop().await
}

#[tokio::test]
async fn who_asks_for_nothing_has_the_usual_log() -> anyhow::Result<()> {
    for said in ["", " ", "info=no=filter"] {
        let server = ServerProcess::launch(&Launch { environment: &[("RUST_LOG", said)], ..Launch::default() }).await?;
        assert_eq!(line(&server, &["listening"]).await?["level"], "INFO", "{said:?}");
        get(&server, "/rooms", "Host: proxy.example").await?;
        assert_eq!(line(&server, &["proxy.example"]).await?["level"], "WARN", "{said:?}");
        server.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_somebody_with_a_token_did_is_found_by_its_sub() -> anyhow::Result<()> {
    let keys = Keys::new().await?;
    for level in ["info", "debug"] {
        let server = keys.server(&[("RUST_LOG", level)]).await?;
        let token = keys.token(&["--sub", "ann \n{}", "--room", "*", "--items", "read"]).await?;
        assert_eq!(join(&server, "r", "a", &token).await?.leave().await?.code, Some(1000));
        let ended = line(&server, &["a client has left"]).await?;
        assert_eq!((&ended["level"], &ended["close.code"]), (&json!("INFO"), &json!(1000)), "{ended}");
        assert_eq!(ended["span"]["user.id"], "ann \n{}", "{ended}");
        assert!(ended["duration_s"].is_f64() && ended["span"]["request.id"].is_string(), "{ended}");
        let headers = [("authorization", bearer(&token))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = server.http().send(Method::GET, "/api/items/", &headers, None).await?;
        assert_eq!(answer.status, 200);
        if level == "debug" {
            let id = answer.header("x-request-id").unwrap_or_default();
            let request = line(&server, &["http.status", id]).await?;
            assert_eq!(request["span"]["user.id"], "ann \n{}");
            assert!(request["duration_us"].is_u64(), "{request}");
        }
        server.stop().await?;
    }
    Ok(())
}
