//! SIGTERM, whatever is going on: the database is closed, which leaves one file with everything in it, and the process
//! takes as long as the work under way.

use std::time::{Duration, Instant};

use anyhow::Context;
use grtc_testkit::{Events, Launch, Raw, ServerProcess};
use serde_json::json;

/// More than an idle server needs; it was two seconds while the database waited for all who held on to it.
const QUICK: Duration = Duration::from_millis(1_500);

async fn stopped(mut server: ServerProcess, within: Duration) -> anyhow::Result<ServerProcess> {
    let since = Instant::now();
    server.terminate()?;
    assert_eq!(server.ended().await?, Some(0), "{}", server.log());
    assert!(since.elapsed() < within, "{:?}\n{}", since.elapsed(), server.log());
    assert!(!server.log().contains("was not closed"), "{}", server.log());
    let files = std::fs::read_dir(server.database().parent().context("the database is in no folder")?)?;
    let mut names: Vec<_> = files.map(|file| file.map(|file| file.file_name())).collect::<Result<_, _>>()?;
    names.retain(|name| name != "server.log");
    assert_eq!(names, ["grtc.db"], "{}", server.log());
    Ok(server)
}

/// The file alone, somewhere else, has everything.
async fn has_items(server: ServerProcess, count: usize) -> anyhow::Result<()> {
    let copy = tempfile::TempDir::new()?;
    std::fs::copy(server.database(), copy.path().join("grtc.db"))?;
    drop(server);
    let server = ServerProcess::again(copy).await?;
    let list = server.http().get("/api/items/?limit=1").await?;
    assert_eq!(list.headers["x-total-count"], count.to_string());
    server.stop().await
}

#[tokio::test]
async fn when_nothing_is_going_on() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    server.http().post("/api/items/", &json!({"title": "t"})).await?;
    has_items(stopped(server, QUICK).await?, 1).await
}

#[tokio::test]
async fn while_streams_sockets_and_connections_are_open() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(Events::open(server.address(), None).await?);
    }
    let mut idle = Vec::new();
    for _ in 0..4 {
        let mut connection = Raw::connect(server.address()).await?;
        connection.send("GET /api/items/ HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        assert_eq!(connection.answer().await?.status, 200);
        idle.push(connection);
    }
    // One that has asked for nothing yet, and a socket that does not answer the close.
    idle.push(Raw::connect(server.address()).await?);
    let socket = server.join("room1", "a").await?;
    stopped(server, QUICK + Duration::from_secs(2)).await?;
    drop((streams, idle, socket));
    Ok(())
}

#[tokio::test]
async fn while_it_writes_and_its_search_index_catches_up() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let items: Vec<_> = (0..1_000).map(|n| json!({"title": format!("item {n} with a title to be found")})).collect();
    let items = serde_json::Value::from(items);
    let http = server.http();
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let items = items.clone();
            tokio::spawn(async move {
                let mut made = 0;
                while let Ok(answer) = http.post("/api/items/bulk", &items).await {
                    if answer.status != 201 {
                        break;
                    }
                    made += 1_000;
                }
                made
            })
        })
        .collect();
    let mut events = Events::open(server.address(), None).await?;
    // Something was written: a `created`, or a `reset` where it was more than a reader is told.
    events.next().await?;
    // A reader that does not read is waited for as every answer under way is.
    let reader = tokio::spawn(async move { while events.next().await.is_ok() {} });
    let server = stopped(server, Duration::from_secs(5)).await?;
    let mut count = 0;
    for writer in writers {
        count += writer.await?;
    }
    reader.await?;
    has_items(server, count).await
}
