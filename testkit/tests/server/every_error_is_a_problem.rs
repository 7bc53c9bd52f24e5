//! Errors over HTTP: `application/problem+json` (RFC 9457) with a sentence and a stable word, never more.

use grtc_testkit::{Answer, TestServer};
use hyper::{Method, Request};
use serde_json::json;

/// Checks that this is a problem, and gives its `code`.
fn code(answer: &Answer) -> anyhow::Result<String> {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 16));
    let problem = answer.json()?;
    assert_eq!(problem["status"], answer.status);
    for field in ["type", "title", "detail", "code"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {problem}");
    }
    Ok(problem["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn each_has_its_status_and_its_word() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    for (method, path, status, word) in [
        (Method::GET, "/nowhere", 404, "not_found"),
        (Method::GET, "/api/items/1", 404, "not_found"),
        (Method::GET, "/api/items/99999999999999999999", 404, "not_found"),
        (Method::GET, "/api/items/-1", 404, "not_found"),
        (Method::GET, "/api/items/x", 422, "validation_failed"),
        (Method::GET, "/api/items/1.0", 422, "validation_failed"),
        (Method::GET, "/api/jobs/7", 404, "not_found"),
        (Method::GET, "/static/none.js", 404, "not_found"),
        (Method::DELETE, "/api/items/", 405, "method_not_allowed"),
        (Method::PATCH, "/api/items/1", 405, "method_not_allowed"),
        (Method::GET, "/api/items/bulk", 405, "method_not_allowed"),
        (Method::GET, "/api/items/1/process", 405, "method_not_allowed"),
        (Method::POST, "/api/jobs", 405, "method_not_allowed"),
        (Method::POST, "/api/items/events", 405, "method_not_allowed"),
        (Method::POST, "/rooms", 405, "method_not_allowed"),
        (Method::PUT, "/health", 405, "method_not_allowed"),
        (Method::POST, "/", 405, "method_not_allowed"),
        (Method::POST, "/openapi.json", 405, "method_not_allowed"),
        (Method::TRACE, "/health", 405, "method_not_allowed"),
        (Method::GET, "/ws/room1", 426, "upgrade_required"),
        (Method::GET, "/rooms/%00/peers", 400, "bad_name"),
    ] {
        let answer = http.send(method.clone(), path, &[], None).await?;
        assert_eq!((answer.status, code(&answer)?.as_str()), (status, word), "{method} {path}");
        assert!(status != 405 || method == Method::TRACE || answer.header("allow").is_some(), "{method} {path}");
    }
    server.stop().await
}

#[tokio::test]
async fn parameters_out_of_range_are_named() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for (query, name) in [
        ("skip=-1", "skip"),
        ("skip=9223372036854775808", "skip"),
        ("skip=18446744073709551616", "skip"),
        ("skip=1e9", "skip"),
        ("skip=", "skip"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=NaN", "limit"),
        ("limit=+5", "limit"),
        ("status=gone", "status"),
        ("sort=title", "sort"),
        ("q=%00", "q"),
    ] {
        let answer = server.http().get(&format!("/api/items/?{query}")).await?;
        assert_eq!((answer.status, code(&answer)?.as_str()), (422, "validation_failed"), "{query}");
        assert_eq!(answer.json()?["errors"][0]["loc"], json!(["query", name]), "{query}");
    }
    let long = server.http().get(&format!("/api/items/?q={}", "x".repeat(201))).await?;
    assert_eq!(long.status, 422);
    let all = server.http().get("/api/items/?skip=x&limit=y&sort=z").await?.json()?;
    assert_eq!(all["errors"].as_array().map(Vec::len), Some(3), "all at once: {all}");
    server.stop().await
}

#[tokio::test]
async fn a_body_that_can_not_be_taken() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let http = server.http();
    let deep = "[".repeat(100_000);
    let wide = format!("{{\"title\":\"t\",\"x\":[{}1]}}", "1,".repeat(30_000));
    for (kind, body, status) in [
        ("application/json", "", 400),
        ("application/json", "{", 400),
        ("application/json", "title=t", 400),
        ("application/json", "{\"title\":\"t\"} x", 400),
        ("application/json", "{\"title\":\"a\",\"title\":\"b\"}", 400),
        ("application/json", &deep, 400),
        ("application/json", "{\"title\":\"\\ud800\"}", 422),
        ("application/json", "[]", 422),
        ("application/json", &wide, 201),
        ("application/json; charset=utf-8", "{\"title\":\"t\"}", 201),
        ("Application/JSON", "{\"title\":\"t\"}", 201),
        ("text/plain", "{\"title\":\"t\"}", 415),
        ("application/x-www-form-urlencoded", "title=t", 415),
        ("", "{\"title\":\"t\"}", 415),
    ] {
        let request = Request::post("/api/items/").header("content-type", kind).body(body.to_owned().into())?;
        let answer = http.send_raw(request).await?;
        assert_eq!(answer.status, status, "{kind} {body:.40}: {}", answer.text());
        assert!(status == 201 || !code(&answer)?.is_empty());
    }
    let zipped = [("content-encoding", "gzip")];
    let answer = http.send(Method::POST, "/api/items/", &zipped, Some(&json!({"title": "t"}))).await?;
    assert_eq!((answer.status, code(&answer)?.as_str()), (415, "unsupported_media_type"));
    server.stop().await
}

#[tokio::test]
async fn the_place_of_each_fault_is_told() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let answer = server.http().post("/api/items/", &json!({"title": 1, "description": [], "status": "x"})).await?;
    let problem = answer.json()?;
    let places: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| &error["loc"]).collect();
    assert_eq!(places, [&json!(["body", "title"]), &json!(["body", "description"]), &json!(["body", "status"])]);
    for word in ["title", "description", "status"] {
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(word)), "{problem}");
    }
    server.stop().await
}

/// What is wrong and what to do about it, where the reader's own words would not say it.
#[tokio::test]
async fn a_body_that_another_program_mangled_is_named() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let item = "{\"title\":\"t\"}";
    let utf16: Vec<u8> = item.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (path, body, status, said) in [
        ("/api/items/", [b"\xef\xbb\xbf", item.as_bytes()].concat(), 400, "byte order mark"),
        ("/api/items/bulk", b"\xef\xbb\xbf[]".to_vec(), 400, "byte order mark"),
        ("/api/items/", [b"\xff\xfe".to_vec(), utf16.clone()].concat(), 400, "UTF-8"),
        ("/api/items/", utf16, 400, "UTF-8"),
        ("/api/items/", b"\x1f\x8b\x08\0".to_vec(), 400, "compressed"),
        ("/api/items/", Vec::new(), 400, "empty"),
        ("/api/items/", br#"{"title":"a\ud83d"}"#.to_vec(), 422, "surrogate"),
        ("/api/items/", br#"{"title":"t","description":"\udc00"}"#.to_vec(), 422, "surrogate"),
        ("/api/items/bulk", br#"[{"title":"\ude00\ud83d"}]"#.to_vec(), 422, "surrogate"),
    ] {
        let request = Request::post(path).header("content-type", "application/json").body(body.into())?;
        let answer = server.http().send_raw(request).await?;
        let detail = answer.json()?["detail"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == status && detail.contains(said), "{said}: {}", answer.text());
    }
    for path in ["/api/items/9223372036854775808", "/api/jobs/99999999999999999999999"] {
        let answer = server.http().get(path).await?;
        let detail = answer.json()?["detail"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == 404 && detail.contains("9223372036854775807"), "{path}: {detail}");
    }
    // An id that no item can have is one of no item, which is skipped.
    let answer = server.http().patch("/api/items/bulk/status?new_status=active", &json!([u64::MAX])).await?;
    assert_eq!(answer.json()?["updated_count"], 0);
    server.stop().await
}
