//! The life of one item over HTTP.

use grtc_testkit::TestServer;
use hyper::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn an_item_from_its_making_to_its_end() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let made = http.post("/api/items/", &json!({"title": "t", "description": "d", "status": "pending"})).await?;
    assert_eq!((made.status, made.header("location")), (201, Some("/api/items/1")));
    assert_eq!(made.header("content-type"), Some("application/json"));
    assert_eq!(made.header("etag"), Some("\"1\""));
    let item = made.json()?;
    assert_eq!(
        item,
        json!({
            "id": 1, "title": "t", "description": "d", "status": "pending", "version": 1,
            "created_at": item["created_at"], "updated_at": item["created_at"],
        })
    );
    let created = item["created_at"].as_str().unwrap();
    assert!(created.ends_with('Z') && created.contains('T'), "{created}");

    let read = http.get("/api/items/1").await?;
    assert_eq!((read.status, read.header("etag"), read.json()?), (200, Some("\"1\""), item.clone()));

    let changed = http.put("/api/items/1", &json!({"title": "u"})).await?;
    assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2\"")));
    let now = changed.json()?;
    assert_eq!((&now["title"], &now["description"], &now["status"]), (&json!("u"), &json!("d"), &json!("pending")));
    assert_eq!((&now["version"], &now["created_at"]), (&json!(2), &item["created_at"]));
    assert!(now["updated_at"].as_str() >= item["updated_at"].as_str());

    let gone = http.delete("/api/items/1").await?;
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(http.send(method, "/api/items/1", &[], None).await?.status, 404);
    }
    assert_eq!(http.put("/api/items/1", &json!({"title": "v"})).await?.status, 404);
    server.stop().await
}

#[tokio::test]
async fn a_change_touches_the_fields_that_are_there_and_no_others() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let item = http.post("/api/items/", &json!({"title": "t", "description": "d"})).await?.json()?;
    assert_eq!((&item["status"], &item["version"]), (&json!("active"), &json!(1)));

    assert_eq!(http.put("/api/items/1", &json!({})).await?.json()?, item, "nothing to change");
    let cleared = http.put("/api/items/1", &json!({"description": null})).await?.json()?;
    assert_eq!((&cleared["description"], &cleared["title"]), (&Value::Null, &json!("t")));
    assert_eq!(http.put("/api/items/1", &json!({"title": null})).await?.status, 422);
    assert_eq!(http.get("/api/items/1").await?.json()?, cleared);
    let bare = http.post("/api/items/", &json!({"title": "bare", "later": {"x": [1]}})).await?.json()?;
    assert_eq!((&bare["description"], bare.get("later")), (&Value::Null, None));
    server.stop().await
}

#[tokio::test]
async fn any_text_comes_back_as_it_went_in() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    for text in [
        " ",
        "'; DROP TABLE items; --",
        "\" OR 1=1 --",
        "%_\\",
        "a\0b",
        "\u{202e}gnp.exe",
        "\r\nX-Forged: 1",
        "<img src=x onerror=alert(1)>",
        "e\u{301} is not é",
        "👩‍👩‍👧‍👦\u{fffe}",
        "\u{7f}\u{1b}[31m",
    ] {
        let made = http.post("/api/items/", &json!({"title": text, "description": text})).await?;
        assert_eq!(made.status, 201, "{text:?}");
        let id = made.json()?["id"].to_string();
        let read = http.get(&format!("/api/items/{id}")).await?.json()?;
        assert_eq!((&read["title"], &read["description"]), (&json!(text), &json!(text)));
    }
    assert_eq!(http.get("/api/items/").await?.json()?.as_array().unwrap().len(), 11);
    server.stop().await
}

#[tokio::test]
async fn texts_are_as_long_as_the_contract_has_it() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let item =
        |title: usize, description: usize| json!({"title": "é".repeat(title), "description": "é".repeat(description)});
    for (title, description, status) in [(1, 0, 201), (200, 10_000, 201), (0, 0, 422), (201, 0, 422), (1, 10_001, 422)]
    {
        assert_eq!(http.post("/api/items/", &item(title, description)).await?.status, status, "{title} {description}");
    }
    server.stop().await
}
