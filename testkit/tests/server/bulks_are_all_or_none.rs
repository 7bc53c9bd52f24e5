//! Many items in one request: all of them or none, in the order sent.

use grtc_testkit::TestServer;
use serde_json::{Value, json};

#[tokio::test]
async fn a_bulk_is_made_in_the_order_sent() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let items: Vec<_> = (0..1_000).map(|n| json!({"title": n.to_string()})).collect();
    let made = server.http().post("/api/items/bulk", &json!(items)).await?;
    assert_eq!(made.status, 201);
    for (n, item) in made.json()?.as_array().unwrap().iter().enumerate() {
        assert_eq!((&item["id"], &item["title"]), (&json!(n + 1), &json!(n.to_string())));
    }
    assert_eq!(server.http().get("/api/items/?limit=1000").await?.json()?, made.json()?);
    server.stop().await
}

#[tokio::test]
async fn one_bad_item_leaves_all_out() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let mut items: Vec<_> = (0..10).map(|n| json!({"title": n.to_string()})).collect();
    items[7] = json!({"title": ""});
    let refused = http.post("/api/items/bulk", &json!(items)).await?;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.json()?["errors"][0]["loc"], json!(["body", 7, "title"]));
    assert_eq!(http.get("/api/items/").await?.header("x-total-count"), Some("0"));
    server.stop().await
}

#[tokio::test]
async fn a_bulk_has_one_to_a_thousand_entries() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let many: Vec<_> = (0..1_001).map(|_| json!({"title": "t"})).collect();
    let ids: Vec<_> = (0..1_001).collect();
    for (body, status) in [(json!([]), 400), (json!(many), 400), (json!({"title": "t"}), 422), (Value::Null, 422)] {
        assert_eq!(http.post("/api/items/bulk", &body).await?.status, status);
    }
    for (body, status) in
        [(json!([]), 400), (json!(ids), 400), (json!({}), 422), (json!([1.5]), 422), (json!(["1"]), 422)]
    {
        assert_eq!(http.patch("/api/items/bulk/status?new_status=active", &body).await?.status, status, "{body}");
    }
    for query in ["", "?new_status=", "?new_status=gone", "?new_status=Active"] {
        assert_eq!(http.patch(&format!("/api/items/bulk/status{query}"), &json!([1])).await?.status, 422, "{query}");
    }
    server.stop().await
}

#[tokio::test]
async fn a_status_for_many_counts_each_item_that_has_it_now() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    http.post("/api/items/bulk", &json!([{"title": "a"}, {"title": "b", "status": "pending"}, {"title": "c"}])).await?;
    let ids = json!([1, 2, 2, 99, -1, 0, 9_223_372_036_854_775_807_i64]);
    let answer = http.patch("/api/items/bulk/status?new_status=pending", &ids).await?;
    assert_eq!((answer.status, answer.json()?), (200, json!({"updated_count": 2, "status": "pending"})));
    let items = http.get("/api/items/").await?.json()?;
    let seen: Vec<_> = items.as_array().unwrap().iter().map(|item| (&item["status"], &item["version"])).collect();
    let (active, pending, one, two) = (json!("active"), json!("pending"), json!(1), json!(2));
    assert_eq!(seen, [(&pending, &two), (&pending, &one), (&active, &one)], "b had the status already");
    server.stop().await
}
