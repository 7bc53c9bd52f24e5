//! An item's id is its own for ever: a link to a deleted item never leads to another one.

use grtc_testkit::{Launch, Raw, ServerProcess};
use serde_json::json;

use crate::common::Lock;

#[tokio::test]
async fn not_after_the_last_was_deleted_nor_after_a_restart() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let http = server.http();
    http.post("/api/items/bulk", &json!([{"title": "1"}, {"title": "2"}])).await?;
    http.delete("/api/items/2").await?;
    let server = ServerProcess::again(server.kill().await?).await?;
    let http = server.http();
    assert_eq!(http.post("/api/items/", &json!({"title": "3"})).await?.json()?["id"], 3);
    for id in [1, 3] {
        http.delete(&format!("/api/items/{id}")).await?;
    }
    assert_eq!(http.post("/api/items/", &json!({"title": "4"})).await?.json()?["id"], 4);
    server.stop().await
}

/// Sends the head of a request that makes an item, and waits until the server has taken it in hand and asks for the body.
async fn begin(server: &ServerProcess) -> anyhow::Result<Raw> {
    let mut request = Raw::connect(server.address()).await?;
    let head = "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Expect: 100-continue\r\nContent-Length: 13\r\n\r\n";
    request.send(head).await?;
    assert_eq!(request.answer().await?.status, 100);
    Ok(request)
}

/// What waits is written in one transaction: an item may be made and deleted within one.
#[tokio::test]
async fn not_when_it_is_deleted_in_the_moment_it_is_made() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let http = server.http();
    let mut requests = [begin(&server).await?, begin(&server).await?];
    let lock = Lock::on(&server.database()).await?;
    // The first write waits for the lock, what follows waits for the first.
    for request in &mut requests {
        request.send("{\"title\":\"t\"}").await?;
        assert_eq!(http.get("/api/items/").await?.status, 200, "reads go on");
    }
    let deletions: Vec<_> = (0..5).map(|_| tokio::spawn(async move { http.delete("/api/items/2").await })).collect();
    assert_eq!(http.get("/api/items/").await?.status, 200);
    lock.release().await?;
    for (id, request) in (1..).zip(&mut requests) {
        assert_eq!(request.answer().await?.json()?["id"], id);
    }
    let mut deleted = 0;
    for deletion in deletions {
        deleted += usize::from(deletion.await??.status == 204);
    }
    assert_eq!(deleted, 1);
    assert_eq!(http.post("/api/items/", &json!({"title": "third"})).await?.json()?["id"], 3);
    server.stop().await
}
