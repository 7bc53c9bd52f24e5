//! `--webhook-url`: each job is delivered, signed, until somebody takes it, and nothing of it is lost.

use grtc_testkit::{Events, Launch, Received, Receiver, ServerProcess};
use hyper::Method;
use serde_json::{Value, json};

use crate::{
    common::job_in,
    hook::{Hook, process},
};

/// A receiver, and a server that delivers to it and has one item.
async fn delivering() -> anyhow::Result<(Receiver, Hook, ServerProcess)> {
    let receiver = Receiver::start().await?;
    let hook = Hook::new(&format!("http://{}/hook?token=canary-query", receiver.address()))?;
    let server = hook.server().await?;
    assert_eq!(server.http().post("/api/items/", &json!({"title": "first"})).await?.status, 201);
    Ok((receiver, hook, server))
}

/// What tells one delivery from another: its id, and how often it was tried.
fn what(received: &Received) -> anyhow::Result<(String, Value)> {
    Ok((received.header("x-grtc-delivery").unwrap_or_default().to_owned(), received.json()?["attempt"].clone()))
}

#[tokio::test]
async fn a_job_is_done_when_it_was_taken() -> anyhow::Result<()> {
    let (mut receiver, _hook, server) = delivering().await?;
    let mut events = Events::open(server.address(), None).await?;
    process(server.http(), 1).await?;
    let delivery = receiver.next().await?;
    assert_eq!(delivery.path, "/hook?token=canary-query");
    assert_eq!(what(&delivery)?, ("1".to_owned(), json!(1)));
    let body = delivery.json()?;
    let item = server.http().get("/api/items/1").await?.json()?;
    assert_eq!((&body["event"], &body["job_id"], &body["item"]), (&json!("processed"), &json!(1), &item));
    assert_eq!(server.http().get("/api/jobs/1").await?.json()?["state"], "running");
    delivery.answer(204, &[])?;
    let processed = events.expect("processed").await?;
    let job = server.http().get("/api/jobs/1").await?.json()?;
    assert_eq!((&job["state"], &job["result"], &processed.data["job"]), (&json!("done"), &body["result"], &job));
    assert!(!receiver.has_more());
    server.stop().await
}

/// With the real waits in between: seven to fifteen seconds.
#[tokio::test]
async fn what_nobody_takes_is_tried_five_times_and_once_more_when_asked() -> anyhow::Result<()> {
    let (mut receiver, _hook, server) = delivering().await?;
    let http = server.http();
    process(http, 1).await?;
    for (attempt, status, told) in [
        (1, 500, ""),
        (2, 302, "answered with 500 Internal Server Error instead of a 2xx"),
        (3, 0, "answered with 302 Found: a redirect is not followed"),
        (4, 404, "ended without an answer"),
        (5, 503, "answered with 404 Not Found"),
    ] {
        let delivery = receiver.next().await?;
        assert_eq!(what(&delivery)?, ("1".to_owned(), json!(attempt)));
        let job = http.get("/api/jobs/1").await?.json()?;
        assert_eq!((&job["state"], &job["attempts"]), (&json!("running"), &json!(attempt)));
        assert!(job["error"].as_str().unwrap_or_default().contains(told), "{job}");
        match status {
            0 => drop(delivery),
            status => delivery.answer(status, &[("location", &format!("http://{}/elsewhere", receiver.address()))])?,
        }
    }
    let failed = job_in(http, 1, "failed").await?;
    assert_eq!(failed["error"], "the webhook answered with 503 Service Unavailable instead of a 2xx");
    assert_eq!((&failed["attempts"], &failed["result"]), (&json!(5), &json!(null)));

    let again = http.send(Method::POST, "/api/jobs/1/retry", &[], None).await?;
    assert_eq!((again.status, again.header("location")), (202, Some("/api/jobs/1")));
    let again = again.json()?;
    assert_eq!((&again["state"], &again["attempts"], &again["error"]), (&json!("queued"), &json!(0), &json!(null)));
    let delivery = receiver.next().await?;
    assert_eq!((delivery.path.as_str(), what(&delivery)?), ("/hook?token=canary-query", ("1".to_owned(), json!(1))));
    delivery.answer(200, &[])?;
    job_in(http, 1, "done").await?;
    let refused = http.send(Method::POST, "/api/jobs/1/retry", &[], None).await?;
    assert_eq!((refused.status, &refused.json()?["code"]), (409, &json!("job_not_failed")));
    assert!(!receiver.has_more());
    server.stop().await
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_delivery_loses_nothing() -> anyhow::Result<()> {
    let (mut receiver, hook, server) = delivering().await?;
    process(server.http(), 1).await?;
    let first = receiver.next().await?;
    let server = hook.again(server.kill().await?).await?;
    let second = receiver.next().await?;
    assert_eq!((what(&first)?, what(&second)?), (("1".to_owned(), json!(1)), ("1".to_owned(), json!(2))));
    assert_eq!(first.json()?["item"], second.json()?["item"]);
    second.answer(204, &[])?;
    job_in(server.http(), 1, "done").await?;
    server.stop().await
}

#[tokio::test]
async fn a_stop_waits_for_a_delivery_but_not_for_ever() -> anyhow::Result<()> {
    let mut receiver = Receiver::start().await?;
    let hook = Hook::new(&format!("http://{}/", receiver.address()))?;
    let (database, options) = (hook.folder.path().join("grtc.db"), hook.options());
    let launch = Launch { arguments: &options, database: Some(&database), ..Launch::default() };
    let mut server = ServerProcess::launch(&launch).await?;
    server.http().post("/api/items/", &json!({"title": "first"})).await?;
    process(server.http(), 1).await?;
    process(server.http(), 1).await?;
    let (one, other) = (receiver.next().await?, receiver.next().await?);
    let (taken, held) = if what(&one)?.0 == "1" { (one, other) } else { (other, one) };
    server.terminate()?;
    while server.http().get("/health/ready").await.is_ok_and(|answer| answer.status == 200) {}
    taken.answer(204, &[])?;
    assert_eq!(server.ended().await?, Some(0), "{}", server.log());
    assert!(server.log().contains("are taken up again at the next start"), "{}", server.log());
    drop(held);
    let server = ServerProcess::launch(&launch).await?;
    let again = receiver.next().await?;
    assert_eq!(what(&again)?, ("2".to_owned(), json!(2)), "and not the one that was taken");
    again.answer(204, &[])?;
    job_in(server.http(), 2, "done").await?;
    assert_eq!(server.http().get("/api/jobs/1").await?.json()?["attempts"], 1);
    server.stop().await
}

#[tokio::test]
async fn an_item_that_is_deleted_meanwhile_is_not_delivered_again() -> anyhow::Result<()> {
    let (mut receiver, _hook, server) = delivering().await?;
    process(server.http(), 1).await?;
    let delivery = receiver.next().await?;
    assert_eq!(server.http().delete("/api/items/1").await?.status, 204);
    delivery.answer(500, &[])?;
    let failed = job_in(server.http(), 1, "failed").await?;
    assert_eq!((&failed["error"], &failed["attempts"]), (&json!("item 1 was deleted"), &json!(2)));
    assert!(!receiver.has_more());
    server.stop().await
}

#[tokio::test]
async fn sixteen_at_a_time_and_one_that_is_not_answered_holds_up_no_other() -> anyhow::Result<()> {
    let (mut receiver, _hook, server) = delivering().await?;
    for _ in 0..18 {
        process(server.http(), 1).await?;
    }
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(receiver.next().await?);
    }
    let count = async |state: &str| {
        let jobs = server.http().get(&format!("/api/jobs?state={state}")).await?.json()?;
        anyhow::Ok(jobs.as_array().map_or(0, Vec::len))
    };
    assert_eq!((count("running").await?, count("queued").await?), (16, 2));
    assert!(!receiver.has_more());
    for _ in 0..2 {
        held.pop().unwrap().answer(204, &[])?;
        held.push(receiver.next().await?);
    }
    assert_eq!(count("queued").await?, 0);
    for delivery in held {
        delivery.answer(204, &[])?;
    }
    for job in 1..=18 {
        job_in(server.http(), job, "done").await?;
    }
    server.stop().await
}
