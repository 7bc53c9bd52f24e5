//! `process`: queued on disk at once, done in the background, looked up as a job.

use grtc_testkit::{Events, TestServer};
use hyper::Method;
use serde_json::json;

#[tokio::test]
async fn a_job_ends_with_the_digest_of_the_text() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    http.post("/api/items/", &json!({"title": "héllo wörld", "description": "two\u{a0}more"})).await?;
    let mut events = Events::open(server.address(), None).await?;
    let queued = http.send(Method::POST, "/api/items/1/process", &[], None).await?;
    assert_eq!((queued.status, queued.header("location")), (202, Some("/api/jobs/1")));
    let queued = queued.json()?;
    assert_eq!((&queued["item_id"], &queued["job_id"]), (&json!(1), &json!(1)));
    assert!(queued["message"].is_string());

    let processed = events.expect("processed").await?;
    let job = http.get("/api/jobs/1").await?.json()?;
    assert_eq!((&job["state"], &job["attempts"], &job["error"]), (&json!("done"), &json!(1), &json!(null)));
    // As `printf 'héllo wörld\ntwo\u00a0more' | sha256sum` has it.
    let sha256 = "771a69d402c0484aafa634cfe199625fd67cbc06329cb7c1183bdcb5fcea840f";
    assert_eq!(job["result"], json!({"words": 4, "characters": 20, "sha256": sha256}));
    assert_eq!((&processed.data["id"], &processed.data["job"]), (&json!(1), &job));
    server.stop().await
}

#[tokio::test]
async fn a_body_is_not_needed_but_has_to_be_json() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    http.post("/api/items/", &json!({"title": "t"})).await?;
    let path = "/api/items/1/process";
    let json = Some(json!({}));
    assert_eq!(http.send(Method::POST, path, &[], json.as_ref()).await?.status, 202);
    let plain = [("content-type", "text/plain")];
    assert_eq!(http.send(Method::POST, path, &plain, json.as_ref()).await?.status, 415);
    let request = hyper::Request::post(path).header("content-type", "application/json");
    assert_eq!(http.send_raw(request.body("{".into())?).await?.status, 400);
    server.stop().await
}

#[tokio::test]
async fn what_is_not_there_is_not_processed() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    assert_eq!(http.send(Method::POST, "/api/items/1/process", &[], None).await?.status, 404);
    for (path, status) in
        [("/api/jobs/1", 404), ("/api/jobs/x", 422), ("/api/jobs?item_id=x", 422), ("/api/jobs/1/more", 404)]
    {
        assert_eq!(http.get(path).await?.status, status, "{path}");
    }
    server.stop().await
}
