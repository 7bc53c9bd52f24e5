//! `Idempotency-Key`: a request that is sent again is answered again, and done once.

use grtc_testkit::{Answer, Http, Raw, ServerProcess, TestServer};
use hyper::Method;
use serde_json::{Value, json};

async fn post(http: Http, path: &str, key: &str, body: &Value) -> anyhow::Result<Answer> {
    http.send(Method::POST, path, &[("idempotency-key", key)], Some(body)).await
}

#[tokio::test]
async fn the_first_answer_comes_again() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let item = json!({"title": "t"});
    let first = post(http, "/api/items/", "k1", &item).await?;
    http.put("/api/items/1", &json!({"title": "changed since"})).await?;
    for path in ["/api/items/", "/api/items"] {
        let again = post(http, path, "k1", &item).await?;
        assert_eq!((again.status, &again.body), (201, &first.body));
        assert_eq!((again.header("etag"), again.header("location")), (first.header("etag"), first.header("location")));
    }
    assert_eq!(post(http, "/api/items/", "k2", &item).await?.json()?["id"], 2, "another key is another request");
    let bulk = json!([{"title": "a"}, {"title": "b"}]);
    let first = post(http, "/api/items/bulk", "k3", &bulk).await?;
    assert_eq!((first.status, &post(http, "/api/items/bulk/", "k3", &bulk).await?.body), (201, &first.body));
    let job = http.send(Method::POST, "/api/items/1/process", &[("idempotency-key", "k4")], None).await?;
    let again = http.send(Method::POST, "/api/items/1/process", &[("idempotency-key", "k4")], None).await?;
    assert_eq!((job.status, again.status, job.json()?), (202, 202, again.json()?));
    assert_eq!(http.get("/api/jobs?item_id=1").await?.json()?.as_array().unwrap().len(), 1);
    assert_eq!(http.get("/api/items/").await?.header("x-total-count"), Some("4"));
    server.stop().await
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    post(http, "/api/items/", "k", &json!({"title": "t"})).await?;
    let other = post(http, "/api/items/", "k", &json!({"title": "u"})).await?;
    assert_eq!((other.status, &other.json()?["code"]), (422, &json!("idempotency_key_reused")));
    assert_eq!(post(http, "/api/items/bulk", "k", &json!([{"title": "t"}])).await?.status, 422);
    assert_eq!(post(http, "/api/items/1/process", "k", &json!({})).await?.status, 422);
    assert_eq!(http.get("/api/items/").await?.header("x-total-count"), Some("1"));
    server.stop().await
}

#[tokio::test]
async fn a_request_that_was_refused_leaves_its_key_free() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    assert_eq!(post(http, "/api/items/", "k", &json!({"title": ""})).await?.status, 422);
    assert_eq!(post(http, "/api/items/7/process", "k", &json!({})).await?.status, 404);
    assert_eq!(post(http, "/api/items/", "k", &json!({"title": "t"})).await?.status, 201);
    for key in ["", "\u{e9}", &"x".repeat(256)] {
        assert_eq!(post(http, "/api/items/", key, &json!({"title": "t"})).await?.status, 400, "{key}");
    }
    assert_eq!(post(http, "/api/items/", &"x".repeat(255), &json!({"title": "t"})).await?.status, 201);
    server.stop().await
}

#[tokio::test]
async fn while_the_first_is_under_way_the_second_is_told_so() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let (body, key) = (json!({"title": "t"}).to_string(), "k");
    let mut first = Raw::connect(server.address()).await?;
    first
        .send(format!(
            "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n\
             Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ))
        .await?;
    // The server asks for the body once it has taken the request in hand.
    assert_eq!(first.answer().await?.status, 100);
    let second = post(http, "/api/items/", key, &json!({"title": "t"})).await?;
    assert_eq!((second.status, second.header("retry-after")), (409, Some("1")));
    first.send(&body).await?;
    let first = first.answer().await?;
    assert_eq!(first.status, 201);
    let third = post(http, "/api/items/", key, &json!({"title": "t"})).await?;
    assert_eq!((third.status, third.body.as_ref()), (201, &first.body[..]));
    server.stop().await
}

#[tokio::test]
async fn of_many_at_once_one_is_done() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let racing: Vec<_> = (0..30)
        .map(|_| tokio::spawn(async move { post(http, "/api/items/", "k", &json!({"title": "t"})).await }))
        .collect();
    for one in racing {
        let answer = one.await??;
        assert!(matches!(answer.status, 201 | 409), "{answer:?}");
    }
    assert_eq!(http.get("/api/items/").await?.header("x-total-count"), Some("1"));
    server.stop().await
}

#[tokio::test]
async fn a_key_outlives_the_process() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&grtc_testkit::Launch::default()).await?;
    let first = post(server.http(), "/api/items/", "k", &json!({"title": "t"})).await?;
    let server = ServerProcess::again(server.kill().await?).await?;
    let again = post(server.http(), "/api/items/", "k", &json!({"title": "t"})).await?;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(server.http().get("/api/items/").await?.header("x-total-count"), Some("1"));
    server.stop().await
}
