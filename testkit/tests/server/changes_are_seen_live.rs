//! `GET /api/items/events`: every change once, in order, and nothing missed over a break.

use grtc_testkit::{Events, Launch, ServerProcess, TestServer};
use hyper::Method;
use serde_json::json;

#[tokio::test]
async fn every_change_is_told_in_order() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let mut events = Events::open(server.address(), None).await?;
    let made = http.post("/api/items/", &json!({"title": "t"})).await?.json()?;
    let changed = http.put("/api/items/1", &json!({"title": "u"})).await?.json()?;
    http.put("/api/items/1", &json!({})).await?;
    http.patch("/api/items/bulk/status?new_status=active", &json!([1])).await?;
    http.patch("/api/items/bulk/status?new_status=pending", &json!([1])).await?;
    http.send(Method::POST, "/api/items/1/process", &[], None).await?;
    assert_eq!(events.expect("created").await?.data, made);
    assert_eq!(events.expect("updated").await?.data, changed);
    assert_eq!(events.expect("updated").await?.data["status"], "pending", "what changed nothing is no event");
    assert_eq!(events.expect("processed").await?.data["version"], 3);
    http.delete("/api/items/1").await?;
    assert_eq!(events.expect("deleted").await?.data, json!({"id": 1}));
    server.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_break_is_made_up_for() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let mut events = Events::open(server.address(), None).await?;
    http.post("/api/items/", &json!({"title": "1"})).await?;
    let seen = events.expect("created").await?;
    drop(events);
    http.post("/api/items/bulk", &json!([{"title": "2"}, {"title": "3"}])).await?;
    let mut events = Events::open(server.address(), Some(&seen.id)).await?;
    http.post("/api/items/", &json!({"title": "4"})).await?;
    for id in 2..=4 {
        assert_eq!(events.expect("created").await?.data["id"], id);
    }
    server.stop().await
}

#[tokio::test]
async fn who_was_away_too_long_loads_anew() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let mut events = Events::open(server.address(), None).await?;
    http.post("/api/items/", &json!({"title": "t"})).await?;
    let seen = events.expect("created").await?;
    let thousand: Vec<_> = (0..1_000).map(|_| json!({"title": "t"})).collect();
    http.post("/api/items/bulk", &json!(thousand)).await?;
    let mut within = Events::open(server.address(), Some(&seen.id)).await?;
    for id in 2..=1_001 {
        assert_eq!(within.expect("created").await?.data["id"], id);
    }
    http.delete("/api/items/1").await?;
    let mut late = Events::open(server.address(), Some(&seen.id)).await?;
    late.expect("reset").await?;
    http.delete("/api/items/2").await?;
    assert_eq!(late.expect("deleted").await?.data, json!({"id": 2}), "one reset, then what comes");
    for unknown in ["0", "0-1", "x-y", "-1"] {
        Events::open(server.address(), Some(unknown)).await?.expect("reset").await?;
    }
    server.stop().await
}

#[tokio::test]
async fn a_restart_is_told() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let mut events = Events::open(server.address(), None).await?;
    server.http().post("/api/items/", &json!({"title": "t"})).await?;
    let seen = events.expect("created").await?;
    let server = ServerProcess::again(server.kill().await?).await?;
    let mut events = Events::open(server.address(), Some(&seen.id)).await?;
    let reset = events.expect("reset").await?;
    server.http().delete("/api/items/1").await?;
    events.expect("deleted").await?;
    drop(events);
    // The reset's own id is a place to go on from.
    Events::open(server.address(), Some(&reset.id)).await?.expect("deleted").await?;
    server.stop().await
}

#[tokio::test]
async fn many_writers_make_one_order_for_all_readers() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let (mut one, mut other) =
        (Events::open(server.address(), None).await?, Events::open(server.address(), None).await?);
    let writers: Vec<_> = (0..20)
        .map(|n| tokio::spawn(async move { http.post("/api/items/", &json!({"title": n.to_string()})).await }))
        .collect();
    for writer in writers {
        assert_eq!(writer.await??.status, 201);
    }
    for id in 1..=20 {
        let event = one.expect("created").await?;
        assert_eq!((&event.data["id"], &event), (&json!(id), &other.next().await?));
    }
    server.stop().await
}
