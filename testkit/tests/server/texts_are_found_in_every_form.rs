//! Searching compares texts by Unicode's caseless matching, the same for what is stored and what is asked, however short
//! it is and whether the index has it already; titles keep the bytes that were sent.

use std::time::Duration;

use grtc_testkit::{Http, Launch, ServerProcess};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

async fn found(http: &Http, text: &str) -> anyhow::Result<Vec<String>> {
    let list = http.get(&format!("/api/items/?q={}", utf8_percent_encode(text, NON_ALPHANUMERIC))).await?;
    assert_eq!(list.status, 200, "{list:?}");
    let items = list.json()?;
    let titles = items.as_array().into_iter().flatten().filter_map(|item| item["title"].as_str().map(str::to_owned));
    assert_eq!(list.headers["x-total-count"], items.as_array().map_or(0, Vec::len).to_string());
    Ok(titles.collect())
}

/// Titles, each with texts that have to find it and texts that must not.
const TITLES: [(&str, &[&str], &[&str]); 8] = [
    ("Cafe\u{301} Noir", &["café", "CAFÉ", "cafe\u{301}", "É", "e\u{301}"], &["cafe n", "è"]),
    ("Ångström", &["A\u{30a}NGSTRO\u{308}M", "ångström", "Å", "\u{212b}"], &["angstrom"]),
    ("Straße", &["STRASSE", "strasse", "ß", "SS", "straẞe"], &["strase"]),
    ("MISSISSIPPI", &["mißißippi", "ss", "PP"], &[]),
    ("ὈΔΥΣΣΕΎΣ", &["ὀδυσσεύς", "σς", "Ο\u{313}δυσ"], &["οδυσ"]),
    ("ﬁne １２３", &["FINE 123", "fi", "12"], &[]),
    ("한국어", &["\u{1112}\u{1161}\u{11ab}국어", "한"], &["하국"]),
    ("Ꭰꭱ ДЪ ქართული", &["ꭰᎡ", "дъ", "ᲥᲐᲠᲗᲣᲚᲘ"], &["дь"]),
];

async fn is_so(http: &Http) -> anyhow::Result<()> {
    for (title, finds, not) in TITLES {
        for text in finds {
            assert!(found(http, text).await?.iter().any(|found| found == title), "{text:?} does not find {title:?}");
        }
        for text in not {
            assert!(!found(http, text).await?.iter().any(|found| found == title), "{text:?} finds {title:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn at_once_and_once_they_are_in_the_index() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let http = server.http();
    for (title, ..) in &TITLES {
        assert_eq!(http.post("/api/items/", &json!({"title": title})).await?.json()?["title"], *title);
    }
    is_so(&http).await?;
    // Nothing is written for a while: the index has caught up.
    tokio::time::sleep(Duration::from_millis(600)).await;
    is_so(&http).await?;
    // What has changed is found as it is now, and not as it was.
    let id = http.post("/api/items/", &json!({"title": "before"})).await?.json()?["id"].clone();
    tokio::time::sleep(Duration::from_millis(600)).await;
    http.put(&format!("/api/items/{id}"), &json!({"title": "after"})).await?;
    assert_eq!((found(&http, "AFTER").await?.len(), found(&http, "before").await?.len()), (1, 0));
    server.stop().await
}
