//! `GET /api/items/`: pages, statuses, order, search, and how many there are.

use grtc_testkit::{Http, TestServer};
use serde_json::{Value, json};

/// The ids of a list, and its `X-Total-Count`.
async fn list(http: Http, query: &str) -> anyhow::Result<(Vec<i64>, String)> {
    let answer = http.get(&format!("/api/items/?{query}")).await?;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let ids = answer.json()?.as_array().into_iter().flatten().filter_map(|item| item["id"].as_i64()).collect();
    Ok((ids, answer.header("x-total-count").unwrap_or_default().to_owned()))
}

async fn fill(http: Http, items: &[Value]) -> anyhow::Result<()> {
    assert_eq!(http.post("/api/items/bulk", &json!(items)).await?.status, 201);
    Ok(())
}

#[tokio::test]
async fn pages_come_by_id_with_the_number_of_all() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    assert_eq!(list(http, "").await?, (vec![], "0".into()));
    let statuses = ["active", "inactive", "pending"];
    let items: Vec<_> = (0..120).map(|n| json!({"title": format!("item {n}"), "status": statuses[n % 3]})).collect();
    fill(http, &items).await?;
    assert_eq!(list(http, "").await?, ((1..=100).collect(), "120".into()));
    assert_eq!(list(http, "skip=118&limit=1000").await?, (vec![119, 120], "120".into()));
    assert_eq!(list(http, "sort=-id&limit=3").await?, (vec![120, 119, 118], "120".into()));
    assert_eq!(list(http, "sort=id&limit=1").await?, (vec![1], "120".into()));
    assert_eq!(list(http, "status=pending&limit=2&skip=1").await?, (vec![6, 9], "40".into()));
    assert_eq!(list(http, "status=pending&sort=-id&limit=1").await?, (vec![120], "40".into()));
    assert_eq!(list(http, "skip=9223372036854775807").await?, (vec![], "120".into()));
    server.stop().await
}

#[tokio::test]
async fn the_count_follows_every_kind_of_change() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    fill(http, &[json!({"title": "find me"}), json!({"title": "find me"}), json!({"title": "other"})]).await?;
    let counts = async || {
        let mut counts = Vec::new();
        for query in ["", "status=active", "status=pending", "q=find", "q=find&status=active"] {
            counts.push(list(http, query).await?.1);
        }
        anyhow::Ok(counts.join(" "))
    };
    assert_eq!(counts().await?, "3 3 0 2 2");
    http.put("/api/items/1", &json!({"status": "pending"})).await?;
    assert_eq!(counts().await?, "3 2 1 2 1");
    http.put("/api/items/3", &json!({"description": "now they find me"})).await?;
    assert_eq!(counts().await?, "3 2 1 3 2");
    http.patch("/api/items/bulk/status?new_status=pending", &json!([2, 3])).await?;
    assert_eq!(counts().await?, "3 0 3 3 0");
    http.delete("/api/items/2").await?;
    assert_eq!(counts().await?, "2 0 2 2 0");
    server.stop().await
}

#[tokio::test]
async fn a_text_is_found_inside_of_titles_and_descriptions() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    fill(
        http,
        &[
            json!({"title": "Crème brûlée"}),
            json!({"title": "x", "description": "say \"CRÈME\" and 100% sure_thing"}),
            json!({"title": "ÉTÉ"}),
            json!({"title": "日本語の題"}),
            json!({"title": "été", "status": "pending"}),
        ],
    )
    .await?;
    for (query, ids) in [
        ("q=crème", vec![1, 2]),
        ("q=br%C3%BBl", vec![1]),
        ("q=%22cr", vec![2]),
        ("q=100%25", vec![2]),
        ("q=0%25", vec![2]),
        ("q=sure_", vec![2]),
        ("q=e_t", vec![2]),
        ("q=*", vec![]),
        ("q=a*b", vec![]),
        ("q=x+OR+y", vec![]),
        ("q=title:x", vec![]),
        ("q=ÉTÉ", vec![3, 5]),
        ("q=été", vec![3, 5]),
        ("q=Ét", vec![3, 5]),
        ("q=é", vec![1, 3, 5]),
        ("q=日本", vec![4]),
        ("q=本語の", vec![4]),
        ("q=X", vec![2]),
        ("q=et%C3%A9", vec![]),
        ("q=é&status=pending", vec![5]),
        ("q=é&sort=-id", vec![5, 3, 1]),
        ("q=é&sort=-id&limit=1&skip=1", vec![3]),
        ("q=", vec![1, 2, 3, 4, 5]),
    ] {
        // A request's target is ASCII.
        let ascii: String = percent_encoding::utf8_percent_encode(query, percent_encoding::CONTROLS).collect();
        let (found, total) = list(http, &ascii).await?;
        assert_eq!(found, ids, "{query}");
        if !query.contains("limit") {
            assert_eq!(total, ids.len().to_string(), "{query}");
        }
    }
    server.stop().await
}

#[tokio::test]
async fn a_search_sees_what_was_changed_just_before() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    for round in 1..=30 {
        let title = format!("needle{round:02}");
        http.post("/api/items/", &json!({"title": title})).await?;
        assert_eq!(list(http, &format!("q={title}")).await?, (vec![round], "1".into()));
        http.put(&format!("/api/items/{round}"), &json!({"title": "hay"})).await?;
        assert_eq!(list(http, &format!("q={title}")).await?, (vec![], "0".into()));
    }
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_beside_deletions_keeps_no_wrong_count() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    fill(http, &(0..300).map(|_| json!({"title": "needle"})).collect::<Vec<_>>()).await?;
    let searching = tokio::spawn(async move {
        for _ in 0..300 {
            list(http, "q=needle&limit=1").await?;
        }
        anyhow::Ok(())
    });
    for id in 1..=250 {
        assert_eq!(http.delete(&format!("/api/items/{id}")).await?.status, 204);
        if id % 50 == 0 {
            let left = 300 - id;
            assert_eq!(list(http, "q=needle&limit=1").await?.1, left.to_string());
        }
    }
    searching.await??;
    server.stop().await
}
