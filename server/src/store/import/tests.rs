//! What is exported, imported and exported again is the same.

use proptest::prelude::*;
use serde_json::{Value, json, value::RawValue};

use super::*;
use crate::{
    metrics::Commits,
    store::{
        Page, Store, export,
        model::{Condition, NewItem, Status},
    },
    transfer::{Header, RevocationRecord, Writer},
};

fn url(folder: &tempfile::TempDir, name: &str) -> String {
    format!("sqlite://{}?mode=rwc", folder.path().join(name).display())
}

async fn exported(url: &str) -> Vec<u8> {
    export(url, Vec::new(), |_| {}).await.unwrap().0
}

async fn imported(url: &str, file: &[u8]) -> anyhow::Result<Counts> {
    import(url, file, |_| {}).await
}

/// All but the line that says when.
fn lines(file: &[u8]) -> Vec<Value> {
    let mut lines: Vec<Value> =
        std::str::from_utf8(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines[0]["header"]["exported_at"] = Value::Null;
    lines
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![0..2_000_000_000_000_000_i64, Just(253_402_207_200_000_000)]
}

prop_compose! {
    fn items()(rows in prop::collection::vec(("\\PC{1,20}|.{1,200}", prop::option::of("(?s).{0,300}"), 0..3_usize, time(), time(), 1..=crate::transfer::MAX_ID, 1..1_000_000_i64), 0..20)) -> Vec<ItemRecord> {
        let mut id = 0;
        rows.into_iter().map(|(title, description, status, created_at, updated_at, version, step)| {
            id += step;
            let status = [Status::Active, Status::Inactive, Status::Pending][status];
            ItemRecord { id, title, description, status, created_at, updated_at, version }
        }).collect()
    }
}

prop_compose! {
    fn jobs()(rows in prop::collection::vec((1..1_000_i64, 0..3_usize, 0..9_i64, time(), prop::option::of("\\PC{0,9}"), prop::option::of(".{0,50}"), time()), 0..9)) -> Vec<JobRecord> {
        rows.into_iter().zip(1..).map(|((item_id, state, attempts, run_at, result, error, created_at), id)| {
            let state = [JobState::Queued, JobState::Done, JobState::Failed][state];
            let result = result.map(|text| RawValue::from_string(json!({ "text": text }).to_string()).unwrap());
            JobRecord { id, item_id, state, attempts, run_at, result, error, created_at, updated_at: run_at }
        }).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn a_file_comes_back_as_it_was(items in items(), jobs in jobs(), name in "[a-z]{1,9}", beyond in 1_000..2_000_i64) {
        let highest = items.last().map_or(0, |item| item.id) + beyond;
        let mut writer = Writer::begin(Vec::new(), &Header::new(1, highest, beyond)).unwrap();
        items.iter().try_for_each(|item| writer.item(item)).unwrap();
        jobs.iter().try_for_each(|job| writer.job(job)).unwrap();
        for kind in ["jti", "sub"] {
            writer.revocation(&RevocationRecord { kind: kind.to_owned(), name: name.clone(), at: 7 }).unwrap();
        }
        let (file, counts) = writer.end().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let again = runtime.block_on(async {
            let url = url(&folder, "grtc.db");
            assert_eq!(imported(&url, &file).await.unwrap(), counts);
            exported(&url).await
        });
        prop_assert_eq!(lines(&again), lines(&file));
    }
}

fn new(title: &str, status: Status) -> NewItem {
    NewItem { title: title.to_owned(), description: None, status }
}

#[tokio::test]
async fn a_store_goes_on_from_what_was_imported() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (url(&folder, "first.db"), url(&folder, "second.db"));
    let (store, writer) = Store::open(&first, Commits::default()).await.unwrap();
    let titles = ["Straße", "two", "three"].map(|title| new(title, Status::Pending));
    store.create(titles.to_vec(), None).await.unwrap();
    for id in [1, 2] {
        store.process(id, None).await.unwrap();
    }
    assert_eq!(store.claim(1).await.unwrap().jobs.len(), 1, "one of them is running");
    store.delete(3, Condition::always()).await.unwrap();
    writer.finish().await;
    let file = exported(&first).await;
    assert_eq!(lines(&file).iter().filter(|line| line["job"]["state"] == "running").count(), 1);
    imported(&second, &file).await.unwrap();

    let (store, writer) = Store::open(&second, Commits::default()).await.unwrap();
    let page = Page { skip: 0, limit: 9, after: None, status: Some(Status::Pending), descending: false, text: None };
    assert_eq!(store.items(&page).await.unwrap().1, 2);
    let search = Page { text: Some("STRASSE".to_owned()), ..page };
    assert_eq!(store.items(&search).await.unwrap().1, 1);
    assert_eq!(store.job_counts().await.unwrap(), [2, 0, 0, 0]);
    assert_eq!(store.claim(9).await.unwrap().jobs.len(), 2);
    store.create(vec![new("four", Status::Active)], None).await.unwrap();
    assert_eq!(store.item(4).await.unwrap().title, "four", "3 was used");
    assert_eq!(store.items(&Page { status: None, text: Some("our".to_owned()), ..search }).await.unwrap().1, 1);
    writer.finish().await;
    let refused = imported(&second, &file).await.unwrap_err().to_string();
    assert!(refused.contains("an id is never used again"), "{refused}");
}

#[tokio::test]
async fn what_is_wrong_at_the_end_leaves_nothing_of_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (url(&folder, "first.db"), url(&folder, "second.db"));
    let (store, writer) = Store::open(&first, Commits::default()).await.unwrap();
    for _ in 0..3 {
        store.create(vec![new("t", Status::Active); 400], None).await.unwrap();
    }
    writer.finish().await;
    let file = exported(&first).await;
    let before = exported(&{
        imported(&second, &lines_of(&file, &[0]).concat()).await.unwrap_err();
        imported(&second, &file[..file.len() - 30]).await.unwrap_err();
        second.clone()
    })
    .await;
    assert_eq!(lines(&before).len(), 2, "a header and an end");
    assert_eq!(imported(&second, &file).await.unwrap().items, 1_200);
    assert_eq!(lines(&exported(&second).await), lines(&file));
}

fn lines_of<'a>(file: &'a [u8], which: &[usize]) -> Vec<&'a [u8]> {
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    which.iter().map(|index| lines[*index]).collect()
}
