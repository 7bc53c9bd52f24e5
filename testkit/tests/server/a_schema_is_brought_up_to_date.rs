//! `migrate`: from the first version's schema to this one's, also when it is killed on the way.

use std::{fs, path::Path};

use grtc_testkit::{
    Launch, ServerProcess,
    command::{Finished, run_to_end},
};
use sea_orm::sqlx::{self, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::process::Command;

use crate::common::{integrity, traceable, url};

/// A database as the first version made and left it.
async fn first_version(path: &Path) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(include_str!("a_schema_is_brought_up_to_date/first_version.sql")).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

async fn migrate(database: &Path) -> anyhow::Result<Finished> {
    run_to_end(&["migrate", "--database-url", &url(database)], &[]).await
}

/// All that the first version had, and that it can be served.
async fn has_everything(database: &Path) -> anyhow::Result<()> {
    assert_eq!(integrity(database).await?, "ok");
    let server = ServerProcess::launch(&Launch { database: Some(database), ..Launch::default() }).await?;
    let list = server.http().get("/api/items/?limit=1&q=STRASSE").await?;
    assert_eq!(list.header("x-total-count"), Some("50"), "{list:?}");
    assert_eq!(server.http().get("/api/jobs/7").await?.json()?["error"], "no luck");
    server.stop().await
}

#[tokio::test]
async fn and_what_was_done_is_said() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let database = folder.path().join("old.db");
    first_version(&database).await?;
    let refused = run_to_end(&["export", "--database-url", &url(&database)], &[]).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("m0001_items"), "{refused:?}");
    assert!(refused.stderr.contains("grtc-server migrate") && refused.stdout.is_empty(), "{refused:?}");
    let done = migrate(&database).await?;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.stdout.starts_with("the schema was at m0001_items and is at m") && done.stdout.ends_with(" now\n"),
        "{done:?}"
    );
    has_everything(&database).await?;
    let new = migrate(&folder.path().join("new.db")).await?;
    assert!(new.code == Some(0) && new.stdout.contains("was empty"), "{new:?}");
    // With nothing to do, a server may have it open.
    let server = ServerProcess::launch(&Launch { database: Some(&database), ..Launch::default() }).await?;
    let again = migrate(&database).await?;
    assert!(again.code == Some(0) && again.stdout.contains("there was nothing to do"), "{again:?}");
    server.stop().await
}

#[tokio::test]
async fn but_not_a_newer_one_and_not_one_that_is_open() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let (old, newer) = (folder.path().join("old.db"), folder.path().join("newer.db"));
    first_version(&old).await?;
    let mut open = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&old)).await?;
    sqlx::raw_sql("PRAGMA journal_mode = WAL; SELECT count(*) FROM items").execute(&mut open).await?;
    let refused = migrate(&old).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("has it open: stop that one first"), "{refused:?}");
    open.close().await?;
    assert_eq!(migrate(&old).await?.code, Some(0));

    fs::copy(&old, &newer)?;
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&newer)).await?;
    sqlx::raw_sql("INSERT INTO seaql_migrations VALUES ('m0099_later', 1)").execute(&mut connection).await?;
    connection.close().await?;
    let before = fs::read(&newer)?;
    let refused = migrate(&newer).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("newer grtc-server"), "{refused:?}");
    assert!(before == fs::read(&newer)?);
    // A copy is one of whatever version.
    let copy = folder.path().join("copy.db").display().to_string();
    let copied = run_to_end(&["backup", "--database-url", &url(&newer), &copy], &[]).await?;
    assert_eq!(copied.code, Some(0), "{copied:?}");
    let refused = migrate(Path::new(&copy)).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("m0099_later"), "{refused:?}");
    Ok(())
}

/// Killed at one write after the other: what there was is there, and the next try does the rest.
#[tokio::test]
async fn also_when_it_was_killed_at_any_write() -> anyhow::Result<()> {
    if !traceable().await {
        return Ok(());
    }
    let mut killed = 0;
    for n in 1.. {
        let folder = TempDir::new()?;
        let database = folder.path().join("old.db");
        first_version(&database).await?;
        let inject = format!("inject=pwrite64:signal=KILL:when={n}");
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", &inject]);
        command.arg(grtc_load::process::binary(grtc_load::process::SERVER)?);
        let status = command.args(["migrate", "--database-url", &url(&database)]).output().await?.status;
        if status.success() {
            break;
        }
        killed += 1;
        let done = migrate(&database).await?;
        assert_eq!(done.code, Some(0), "after a death at write {n}: {done:?}");
        if n % 8 == 1 {
            has_everything(&database).await?;
        } else {
            assert_eq!(integrity(&database).await?, "ok");
        }
    }
    assert!(killed > 10, "it was killed {killed} times");
    Ok(())
}
