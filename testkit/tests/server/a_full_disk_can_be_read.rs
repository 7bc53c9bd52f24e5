//! A disk of 3 MB that is full: reading, searching, deleting and starting go on; it is said that nothing can be written,
//! and that ends by itself. As root, since a disk is mounted for it.

use std::{path::PathBuf, time::Duration};

use grtc_testkit::{Http, Launch, ServerProcess};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::common::Disk;

impl Disk {
    fn database(&self) -> PathBuf {
        self.folder().join("grtc.db")
    }

    fn filler(&self) -> PathBuf {
        self.folder().join("filler")
    }

    /// Somebody else takes all that is left.
    fn fill(&self) -> anyhow::Result<()> {
        use std::io::Write as _;
        let mut file = std::fs::File::options().create(true).append(true).open(self.filler())?;
        for size in [65_536, 4_096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        Ok(())
    }

    fn free(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }
}

async fn start(disk: &Disk) -> anyhow::Result<ServerProcess> {
    ServerProcess::launch(&Launch { database: Some(&disk.database()), ..Launch::default() }).await
}

fn item(n: usize) -> Value {
    json!({"title": format!("Straße {n}"), "description": "x".repeat(2_000)})
}

async fn found(http: &Http, text: &str) -> anyhow::Result<usize> {
    let list = http.get(&format!("/api/items/?q={text}&limit=1")).await?;
    assert_eq!(list.status, 200, "{list:?}");
    Ok(list.headers["x-total-count"].to_str()?.parse()?)
}

/// What has to hold while nothing more can be written.
async fn is_full(http: &Http, items: usize) -> anyhow::Result<()> {
    let ready = http.get("/health/ready").await?;
    assert_eq!((ready.status, &ready.json()?["status"]), (503, &json!("disk_full")));
    assert!(ready.headers.contains_key("retry-after"));
    let refused = http.post("/api/items/", &item(0)).await?;
    assert_eq!((refused.status, &refused.json()?["code"]), (503, &json!("disk_full")), "{refused:?}");
    assert_eq!(http.get("/health").await?.status, 200);
    assert_eq!(found(http, "STRASSE").await?, items);
    assert_eq!(http.get("/api/items/1").await?.status, 200);
    Ok(())
}

async fn ready_again(http: &Http) -> anyhow::Result<()> {
    timeout(Duration::from_secs(10), async {
        while http.get("/health/ready").await?.status != 200 {
            sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    })
    .await?
}

#[tokio::test]
async fn that_somebody_else_has_filled() -> anyhow::Result<()> {
    let disk = Disk::new()?;
    let server = start(&disk).await?;
    let http = server.http();
    for n in 1..=20 {
        assert_eq!(http.post("/api/items/", &item(n)).await?.status, 201);
    }
    disk.fill()?;
    is_full(&http, 20).await?;
    for n in 2..=11 {
        let deleted = http.delete(&format!("/api/items/{n}")).await?;
        assert_eq!(deleted.status, 204, "{n}: {deleted:?} {}", server.log());
    }
    assert_eq!(found(&http, "strasse").await?, 10);
    disk.free()?;
    ready_again(&http).await?;
    assert_eq!(http.post("/api/items/", &item(21)).await?.status, 201);
    server.stop().await
}

#[tokio::test]
async fn that_its_own_items_have_filled() -> anyhow::Result<()> {
    let disk = Disk::new()?;
    let server = start(&disk).await?;
    let http = server.http();
    let mut items = 0;
    loop {
        let answer = http.post("/api/items/", &item(items)).await?;
        if answer.status != 201 {
            assert_eq!((answer.status, &answer.json()?["code"]), (503, &json!("disk_full")), "{answer:?}");
            break;
        }
        items += 1;
    }
    assert!(items > 50, "{items}");
    is_full(&http, items).await?;
    for n in 2..items {
        let deleted = http.delete(&format!("/api/items/{n}")).await?;
        assert_eq!(deleted.status, 204, "{n} of {items}: {deleted:?} {}", server.log());
    }
    // The room of what was deleted is taken anew.
    ready_again(&http).await?;
    assert_eq!(http.post("/api/items/", &item(0)).await?.status, 201);
    server.stop().await
}

#[tokio::test]
async fn at_the_start() -> anyhow::Result<()> {
    for killed in [false, true] {
        let disk = Disk::new()?;
        let server = start(&disk).await?;
        for n in 1..=20 {
            assert_eq!(server.http().post("/api/items/", &item(n)).await?.status, 201);
        }
        if killed {
            server.kill().await?;
        } else {
            server.stop().await?;
        }
        disk.fill()?;
        let server = start(&disk).await?;
        is_full(&server.http(), 20).await?;
        disk.free()?;
        ready_again(&server.http()).await?;
        assert_eq!(server.http().post("/api/items/", &item(21)).await?.status, 201);
        server.stop().await?;
        let server = start(&disk).await?;
        assert_eq!(found(&server.http(), "strasse").await?, 21);
        server.stop().await?;
    }
    Ok(())
}
