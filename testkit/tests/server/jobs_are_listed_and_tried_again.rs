//! `/api/jobs`: what became of the background work, and another try for what has failed.

use grtc_load::process::empty_directory;
use grtc_testkit::{Answer, Http, Launch, Received, Receiver, ServerProcess, TestServer};
use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::job_in;

async fn post(http: Http, path: &str, headers: &[(&str, &str)]) -> anyhow::Result<Answer> {
    http.send(Method::POST, path, headers, None).await
}

/// The ids of the jobs that a query finds.
async fn ids(http: Http, query: &str) -> anyhow::Result<Vec<i64>> {
    let jobs = http.get(&format!("/api/jobs{query}")).await?.json()?;
    let jobs = jobs.as_array().ok_or_else(|| anyhow::anyhow!("{query}: {jobs}"))?;
    Ok(jobs.iter().filter_map(|job| job["id"].as_i64()).collect())
}

/// A server with three items and six jobs for them: 1 failed, since its item is gone, 2 and 4 done, and 3, 5 and 6 running, since
/// whom they are delivered to has not answered: it does when it is dropped, and nobody is there any more.
async fn jobs_in_all_states(directory: &TempDir) -> anyhow::Result<(ServerProcess, Vec<Received>)> {
    let (mut receiver, mut held) = (Receiver::start().await?, Vec::new());
    let secret = directory.path().join("secret").display().to_string();
    std::fs::write(&secret, "s".repeat(32))?;
    let url = format!("http://{}/", receiver.address());
    let arguments = ["--webhook-url", url.as_str(), "--webhook-secret-file", &secret];
    let server = ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await?;
    let http = server.http();
    http.post("/api/items/bulk", &json!([{"title": "a"}, {"title": "b"}, {"title": "c"}])).await?;
    for (job, item) in [1, 2, 2, 3, 2, 3].into_iter().enumerate() {
        assert_eq!(post(http, &format!("/api/items/{item}/process"), &[]).await?.status, 202);
        let delivery = receiver.next().await?;
        match job + 1 {
            1 => {
                assert_eq!(http.delete("/api/items/1").await?.status, 204);
                delivery.answer(500, &[])?;
                job_in(http, 1, "failed").await?;
            }
            number @ (2 | 4) => {
                delivery.answer(204, &[])?;
                job_in(http, u32::try_from(number)?, "done").await?;
            }
            _ => held.push(delivery),
        }
    }
    Ok((server, held))
}

#[tokio::test]
async fn the_newest_stand_first_and_filters_meet() -> anyhow::Result<()> {
    let directory = empty_directory()?;
    let (server, held) = jobs_in_all_states(&directory).await?;
    let http = server.http();
    for (query, expected) in [
        ("", &[6, 5, 4, 3, 2, 1][..]),
        ("?item_id=2", &[5, 3, 2]),
        ("?item_id=1", &[1]),
        ("?item_id=9", &[]),
        ("?item_id=-1", &[]),
        ("?state=running", &[6, 5, 3]),
        ("?state=done", &[4, 2]),
        ("?state=failed", &[1]),
        ("?state=queued", &[]),
        ("?state=done&item_id=2", &[2]),
        ("?state=failed&item_id=2", &[]),
        ("?limit=2", &[6, 5]),
        ("?limit=2&before=5", &[4, 3]),
        ("?before=1", &[]),
        ("?before=99", &[6, 5, 4, 3, 2, 1]),
        ("?before=6&state=running&limit=1", &[5]),
        ("?limit=1000&unknown=1", &[6, 5, 4, 3, 2, 1]),
    ] {
        assert_eq!(ids(http, query).await?, expected, "{query}");
    }
    let failed = http.get("/api/jobs/?state=failed").await?.json()?;
    assert_eq!(failed[0], http.get("/api/jobs/1").await?.json()?);
    let fields: Vec<_> = failed[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["attempts", "created_at", "error", "id", "item_id", "result", "state", "updated_at"]);
    drop(held);
    server.stop().await
}

#[tokio::test]
async fn a_hundred_unless_it_is_said_how_many() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    http.post("/api/items/", &json!({"title": "t"})).await?;
    for _ in 0..101 {
        assert_eq!(post(http, "/api/items/1/process", &[]).await?.status, 202);
    }
    let found = ids(http, "").await?;
    assert_eq!((found.len(), found[0], found[99]), (100, 101, 2));
    assert_eq!(ids(http, "?limit=1000").await?.len(), 101);
    assert_eq!(ids(http, "?before=2").await?, [1]);
    server.stop().await
}

#[tokio::test]
async fn what_a_query_can_not_be_is_said_at_its_place() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for (query, place, words) in [
        ("state=finished", "state", "queued, running, done or failed"),
        ("state=Failed", "state", "queued, running, done or failed"),
        ("state=", "state", "queued, running, done or failed"),
        ("limit=0", "limit", "from 1 to 1000"),
        ("limit=1001", "limit", "from 1 to 1000"),
        ("limit=x", "limit", "from 1 to 1000"),
        ("before=x", "before", "an integer"),
        ("item_id=x", "item_id", "an integer"),
    ] {
        let refused = server.http().get(&format!("/api/jobs?{query}")).await?;
        assert_eq!(refused.status, 422, "{query}");
        let problem = refused.json()?;
        assert_eq!(problem["errors"][0]["loc"], json!(["query", place]), "{query}");
        assert!(problem["errors"][0]["msg"].as_str().unwrap_or_default().contains(words), "{problem}");
    }
    let all = server.http().get("/api/jobs?state=x&limit=0&before=y").await?.json()?;
    assert_eq!(all["errors"].as_array().map(Vec::len), Some(3));
    server.stop().await
}

#[tokio::test]
async fn only_what_has_failed_is_tried_again() -> anyhow::Result<()> {
    let directory = empty_directory()?;
    let (server, held) = jobs_in_all_states(&directory).await?;
    let http = server.http();
    for (path, status, code) in [
        ("/api/jobs/2/retry", 409, "job_not_failed"),
        ("/api/jobs/3/retry", 409, "job_not_failed"),
        ("/api/jobs/7/retry", 404, "not_found"),
        ("/api/jobs/x/retry", 422, "validation_failed"),
        ("/api/jobs/1/retry/more", 404, "not_found"),
    ] {
        let refused = post(http, path, &[]).await?;
        assert_eq!((refused.status, &refused.json()?["code"]), (status, &json!(code)), "{path}");
    }
    let refused = post(http, "/api/jobs/2/retry", &[]).await?.json()?;
    assert_eq!(refused["detail"], "job 2 is done: only one that has failed can be tried again");
    let read = http.get("/api/jobs/1/retry").await?;
    assert_eq!((read.status, read.header("allow")), (405, Some("POST")));
    let text = [("content-type", "text/plain")];
    assert_eq!(http.send(Method::POST, "/api/jobs/1/retry", &text, Some(&json!({}))).await?.status, 415);
    assert_eq!(job_in(http, 1, "failed").await?["attempts"], 2, "nothing was tried");

    for path in ["/api/jobs/1/retry", "/api/jobs/1/retry/"] {
        let again = post(http, path, &[]).await?;
        assert_eq!((again.status, again.header("location")), (202, Some("/api/jobs/1")));
        // The item is still gone.
        let failed = job_in(http, 1, "failed").await?;
        assert_eq!((&failed["attempts"], &failed["error"]), (&json!(1), &json!("item 1 was deleted")));
    }
    drop(held);
    server.stop().await
}

#[tokio::test]
async fn under_one_key_it_is_tried_again_once() -> anyhow::Result<()> {
    let directory = empty_directory()?;
    let (server, held) = jobs_in_all_states(&directory).await?;
    let http = server.http();
    let key = [("idempotency-key", "k")];
    assert_eq!(post(http, "/api/jobs/2/retry", &key).await?.status, 409, "a refusal leaves the key free");
    let first = post(http, "/api/jobs/1/retry", &key).await?;
    assert_eq!((first.status, &first.json()?["state"]), (202, &json!("queued")));
    let failed = job_in(http, 1, "failed").await?;
    let again = post(http, "/api/jobs/1/retry", &key).await?;
    assert_eq!((again.status, again.header("location")), (202, Some("/api/jobs/1")));
    assert_eq!(again.body, first.body);
    let unchanged: Value = http.get("/api/jobs/1").await?.json()?;
    assert_eq!(unchanged, failed, "nothing was tried");
    assert_eq!(post(http, "/api/jobs/2/retry", &key).await?.status, 422, "another request");
    drop(held);
    server.stop().await
}
