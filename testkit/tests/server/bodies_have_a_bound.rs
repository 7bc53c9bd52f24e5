//! Clients that send much and don't end it: what is held of all of them together has a bound, and the others are served.

use anyhow::Context;
use futures_util::{StreamExt, stream::FuturesUnordered};
use grtc_testkit::{Raw, TestServer};
use serde_json::json;

const LENGTH: usize = 1 << 20;

#[tokio::test]
async fn bodies_that_do_not_end_have_a_bound_in_sum() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let head = format!(
        "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {LENGTH}\r\n\r\n"
    );
    let body = format!(r#"{{"title": "t", "description": "{}"#, "x".repeat(LENGTH - 100));
    let mut clients = Vec::new();
    for _ in 0..100 {
        let mut raw = Raw::connect(server.address()).await?;
        raw.send(&head).await?;
        raw.send(&body).await?;
        clients.push(raw);
    }
    // 64 MiB are held at most.
    let mut answers: FuturesUnordered<_> = clients.iter_mut().map(Raw::answer).collect();
    for _ in 0..36 {
        let refused = answers.next().await.context("nobody is refused")??;
        assert_eq!((refused.status, &refused.json()?["code"]), (503, &json!("overloaded")));
        assert!(refused.header("retry-after").is_some(), "{refused:?}");
    }
    drop(answers);
    assert_eq!(server.http().post("/api/items/", &json!({"title": "short"})).await?.status, 201);
    assert_eq!(server.http().get("/api/items/").await?.status, 200);
    // Once they are gone there is room again.
    drop(clients);
    let long = json!({"title": "long", "description": " ".repeat(10_000), "unknown": "x".repeat(LENGTH - 20_000)});
    while server.http().post("/api/items/", &long).await?.status == 503 {}
    server.stop().await
}
