//! A copy of the database while its server writes: what was acknowledged before is in it, it is one file and nobody else's,
//! and where there is no room for it, nothing is.

use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio, time::Duration};

use grtc_testkit::{Http, Launch, ServerProcess, command::run_to_end};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{process::Command, sync::mpsc, time::sleep};

use crate::common::{Disk, integrity, names, traceable, url};

/// Writes until told to stop, and tells of each item that was acknowledged.
async fn write(http: Http, acknowledged: mpsc::Sender<Value>) {
    for n in 0.. {
        let item = json!({"title": format!("item {n}"), "description": "x".repeat(500)});
        let Ok(answer) = http.post("/api/items/", &item).await else { return };
        assert_eq!(answer.status, 201);
        let Ok(item) = answer.json() else { return };
        if acknowledged.send(item).await.is_err() {
            return;
        }
    }
}

async fn backup(database: &Path, copy: &Path) -> anyhow::Result<grtc_testkit::command::Finished> {
    let copy = copy.display().to_string();
    run_to_end(&["backup", "--database-url", &url(database), &copy], &[]).await
}

#[tokio::test]
async fn under_eight_writers() -> anyhow::Result<()> {
    let server = ServerProcess::launch(&Launch::default()).await?;
    let folder = TempDir::new()?;
    let (sender, mut acknowledged) = mpsc::channel(64);
    let writers: Vec<_> = (0..8).map(|_| tokio::spawn(write(server.http(), sender.clone()))).collect();
    drop(sender);
    let (mut known, database) = (HashMap::new(), server.database());
    for round in 1..=3 {
        while known.len() < round * 200 {
            let item = acknowledged.recv().await.unwrap_or_default();
            known.insert(item["id"].as_i64().unwrap_or_default(), item);
        }
        let before = known.clone();
        let copy = folder.path().join(format!("{round}.db"));
        let (done, ()) = tokio::join!(backup(&database, &copy), async {
            // The others go on meanwhile.
            for _ in 0..50 {
                let item = acknowledged.recv().await.unwrap_or_default();
                known.insert(item["id"].as_i64().unwrap_or_default(), item);
            }
        });
        let done = done?;
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.stdout.contains(&format!("{round}.db is there")) && done.stderr.is_empty(), "{done:?}");
        assert_eq!(fs::metadata(&copy)?.permissions().mode() & 0o777, 0o600);
        assert_eq!(integrity(&copy).await?, "ok");
        let other = ServerProcess::launch(&Launch { database: Some(&copy), ..Launch::default() }).await?;
        let list = other.http().get("/api/items/?limit=1").await?;
        let total: usize = list.header("x-total-count").unwrap_or_default().parse()?;
        assert!(total >= before.len(), "{total} of {}", before.len());
        for (id, item) in &before {
            assert_eq!(other.http().get(&format!("/api/items/{id}")).await?.json()?, *item);
        }
        let made = other.http().post("/api/items/", &json!({"title": "t"})).await?.json()?;
        assert!(made["id"].as_i64() > before.keys().max().copied(), "{made}");
        other.stop().await?;
    }
    drop(acknowledged);
    for writer in writers {
        writer.await?;
    }
    assert_eq!(names(folder.path())?, ["1.db", "2.db", "3.db"], "each is one file");
    server.stop().await
}

#[tokio::test]
async fn of_a_server_that_is_stopped_or_was_killed() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let server = ServerProcess::launch(&Launch::default()).await?;
    for _ in 0..20 {
        assert_eq!(server.http().post("/api/items/", &json!({"title": "t"})).await?.status, 201);
    }
    let database = server.database();
    let directory = server.kill().await?;
    assert!(names(directory.path())?.contains(&"grtc.db-wal".to_owned()), "it left its log");
    let copy = folder.path().join("killed.db");
    assert_eq!(backup(&database, &copy).await?.code, Some(0));
    let server = ServerProcess::launch(&Launch { database: Some(&copy), ..Launch::default() }).await?;
    assert_eq!(server.http().get("/api/items/20").await?.status, 200);
    server.stop().await?;
    assert_eq!(
        names(directory.path())?.iter().filter(|name| name.starts_with("grtc.db-wal")).count(),
        0,
        "it is in the database"
    );
    // And back, in the place of a database that a crash left with its log.
    let server = ServerProcess::again(directory).await?;
    assert_eq!(server.http().post("/api/items/", &json!({"title": "later"})).await?.json()?["id"], 21);
    let directory = server.kill().await?;
    for beside in ["grtc.db-wal", "grtc.db-shm"] {
        fs::remove_file(directory.path().join(beside))?;
    }
    fs::copy(&copy, &database)?;
    let server = ServerProcess::again(directory).await?;
    assert_eq!(server.http().get("/api/items/20").await?.status, 200);
    assert_eq!(server.http().get("/api/items/21").await?.status, 404);
    server.stop().await?;
    // It is one file now, of which a backup leaves nothing beside it and changes nothing.
    let before = fs::read(&copy)?;
    assert_eq!(backup(&copy, &folder.path().join("again.db")).await?.code, Some(0));
    assert_eq!(names(folder.path())?, ["again.db", "killed.db"]);
    assert!(before == fs::read(&copy)?);
    Ok(())
}

#[tokio::test]
async fn nothing_is_overwritten_and_what_can_not_be_copied_is_named() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let path = |name: &str| folder.path().join(name);
    let server = ServerProcess::launch(&Launch { database: Some(&path("grtc.db")), ..Launch::default() }).await?;
    server.stop().await?;
    fs::write(path("there"), "mine")?;
    fs::write(path("empty"), "")?;
    let before = names(folder.path())?;
    for (database, copy, words) in [
        ("grtc.db", "there", &["there is there already", "nothing is overwritten"][..]),
        ("grtc.db", "grtc.db", &["grtc.db is there already"]),
        ("grtc.db", "", &["is there already"]),
        ("grtc.db", "none/a.db", &["there is no folder"]),
        ("none.db", "a.db", &["none.db can't be reached", "the database sqlite://"]),
        ("empty", "a.db", &["empty is empty"]),
        ("there", "a.db", &["not a database of SQLite"]),
    ] {
        let ended = backup(&path(database), &path(copy)).await?;
        assert_eq!(ended.code, Some(1), "{copy}: {ended:?}");
        assert!(words.iter().all(|word| ended.stderr.contains(word)), "{words:?}: {}", ended.stderr);
    }
    let ended = run_to_end(&["backup", "--database-url", "sqlite::memory:", "a.db"], &[]).await?;
    assert!(ended.code == Some(1) && ended.stderr.contains("in the memory of one process"), "{ended:?}");
    assert_eq!(run_to_end(&["backup"], &[]).await?.code, Some(2));
    assert_eq!((names(folder.path())?, fs::read_to_string(path("there"))?), (before, "mine".to_owned()));
    Ok(())
}

#[tokio::test]
async fn the_name_of_the_database_comes_from_where_the_server_has_it() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let server =
        ServerProcess::launch(&Launch { database: Some(&folder.path().join("grtc.db")), ..Launch::default() }).await?;
    let url = url(&folder.path().join("grtc.db"));
    let file = folder.path().join("grtc.toml").display().to_string();
    fs::write(&file, format!("listen = \"127.0.0.1:9\"\ndatabase_url = \"{url}\"\n"))?;
    for (arguments, environment) in [
        (vec!["--config", &file], None),
        (vec![], Some(("GRTC_CONFIG", &*file))),
        (vec![], Some(("GRTC_DATABASE_URL", &*url))),
    ] {
        let ended = run_to_end(&[vec!["export"], arguments].concat(), environment.as_slice()).await?;
        assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 2), "{ended:?}");
    }
    server.stop().await
}

/// As root, since a disk is mounted for it.
#[tokio::test]
async fn a_full_disk_has_nothing_half_on_it() -> anyhow::Result<()> {
    let disk = Disk::new()?;
    let server = ServerProcess::launch(&Launch::default()).await?;
    let items: Vec<Value> = (0..1_000).map(|_| json!({"title": "t", "description": "x".repeat(900)})).collect();
    for _ in 0..4 {
        assert_eq!(server.http().post("/api/items/bulk", &json!(items)).await?.status, 201);
    }
    for command in ["backup", "export"] {
        let copy = disk.folder().join("copy").display().to_string();
        let ended = run_to_end(&[command, "--database-url", &url(&server.database()), &copy], &[]).await?;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let said = if command == "backup" { "there is no room for the copy" } else { "No space left on device" };
        assert!(ended.stderr.contains(said), "{ended:?}");
        assert_eq!(names(disk.folder())?, [""; 0], "{command}");
    }
    let file = server.database().with_file_name("file").display().to_string();
    assert_eq!(run_to_end(&["export", "--database-url", &url(&server.database()), &file], &[]).await?.code, Some(0));
    let new = url(&disk.folder().join("new.db"));
    let ended = run_to_end(&["import", "--database-url", &new, &file], &[]).await?;
    assert!(ended.code == Some(1) && ended.stderr.contains("its disk is full, and nothing was imported"), "{ended:?}");
    assert_eq!(names(disk.folder())?, ["new.db"], "it is new and empty, and has no log");
    assert!(fs::metadata(disk.folder().join("new.db"))?.len() < 200_000);
    server.stop().await
}

/// Each write of the copy takes long, so that the signal comes in the middle of it.
#[tokio::test]
async fn a_signal_leaves_nothing() -> anyhow::Result<()> {
    if !traceable().await {
        return Ok(());
    }
    let folder = TempDir::new()?;
    let server = ServerProcess::launch(&Launch::default()).await?;
    server.http().post("/api/items/", &json!({"title": "t"})).await?;
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_enter=2s"]);
    command.arg(grtc_load::process::binary(grtc_load::process::SERVER)?);
    command.args(["backup", "--database-url", &url(&server.database())]).arg(folder.path().join("copy.db"));
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    while names(folder.path())?.is_empty() {
        sleep(Duration::from_millis(5)).await;
    }
    assert!(names(folder.path())?[0].starts_with(".copy.db."), "under its name only when it is whole");
    grtc_load::process::terminate(child.id().unwrap_or_default())?;
    assert_eq!(child.wait().await?.code(), Some(130));
    assert_eq!(names(folder.path())?, [""; 0]);
    server.stop().await
}
