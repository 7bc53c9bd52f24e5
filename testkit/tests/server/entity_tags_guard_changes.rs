//! `ETag`, `If-Match` and `If-None-Match`: nobody overwrites what they have not seen, nobody loads what they have.

use grtc_testkit::{Http, TestServer};
use hyper::Method;
use serde_json::json;

async fn status(http: Http, method: Method, header: (&str, &str)) -> anyhow::Result<u16> {
    let body = (method == Method::PUT).then(|| json!({"title": "u"}));
    Ok(http.send(method, "/api/items/1", &[header], body.as_ref()).await?.status)
}

#[tokio::test]
async fn a_change_of_another_version_is_refused() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    http.post("/api/items/", &json!({"title": "t"})).await?;
    for tag in ["\"2\"", "\"1", "1", "W/\"1\"", "\"x\"", ""] {
        assert_eq!(status(http, Method::PUT, ("if-match", tag)).await?, 412, "{tag}");
        assert_eq!(status(http, Method::DELETE, ("if-match", tag)).await?, 412, "{tag}");
    }
    let refused = http.send(Method::PUT, "/api/items/1", &[("if-match", "\"9\"")], Some(&json!({}))).await?;
    assert_eq!((refused.header("etag"), &refused.json()?["code"]), (Some("\"1\""), &json!("precondition_failed")));
    assert_eq!(status(http, Method::PUT, ("if-match", "\"7\", \"1\"")).await?, 200);
    assert_eq!(status(http, Method::PUT, ("if-match", "*")).await?, 200);
    assert_eq!(status(http, Method::DELETE, ("if-match", "\"1\"")).await?, 412, "that was long ago");
    assert_eq!(status(http, Method::DELETE, ("if-match", "\"3\"")).await?, 204);
    server.stop().await
}

#[tokio::test]
async fn a_tag_that_is_no_text_guards_as_well() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    http.post("/api/items/", &json!({"title": "t"})).await?;
    let request = hyper::Request::delete("/api/items/1")
        .header("if-match", hyper::header::HeaderValue::from_bytes(b"\"\xe9\"")?)
        .body(bytes::Bytes::new())?;
    assert_eq!(http.send_raw(request).await?.status, 412);
    server.stop().await
}

#[tokio::test]
async fn who_has_the_item_does_not_load_it_again() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    http.post("/api/items/", &json!({"title": "t"})).await?;
    // Compared weakly (RFC 9110 section 13.1.2): a proxy that compresses makes tags weak.
    for (tag, expected) in
        [("\"1\"", 304), ("\"5\",\"1\"", 304), ("*", 304), ("W/\"1\"", 304), ("\"2\"", 200), ("1", 200)]
    {
        let answer = http.send(Method::GET, "/api/items/1", &[("if-none-match", tag)], None).await?;
        assert_eq!((answer.status, answer.header("etag")), (expected, Some("\"1\"")), "{tag}");
        assert_eq!(answer.body.is_empty(), expected == 304);
    }
    server.stop().await
}

#[tokio::test]
async fn of_many_changes_of_one_version_one_is_done() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    http.post("/api/items/", &json!({"title": "t"})).await?;
    let racing: Vec<_> = (0..20).map(|_| tokio::spawn(status(http, Method::PUT, ("if-match", "\"1\"")))).collect();
    let mut statuses = Vec::new();
    for one in racing {
        statuses.push(one.await??);
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[412; 19][..]));
    assert_eq!(http.get("/api/items/1").await?.json()?["version"], 2);
    server.stop().await
}
