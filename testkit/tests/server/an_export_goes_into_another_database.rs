//! `export` while a server runs, `import` into a new database, and a server on that: what was there is there, and it goes
//! on from it. What is no whole export leaves the database as it was.

use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio};

use anyhow::Context as _;
use grtc_testkit::{
    Events, Launch, ServerProcess,
    command::{Finished, run_to_end, run_with_input},
};
use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt as _, process::Command};

use crate::common::{integrity, names, url};

async fn export(database: &Path) -> anyhow::Result<String> {
    let done = run_to_end(&["export", "--database-url", &url(database)], &[]).await?;
    assert!(done.code == Some(0) && done.stderr.starts_with("exported items: "), "{done:?}");
    Ok(done.stdout)
}

async fn import(database: &Path, file: &str) -> anyhow::Result<Finished> {
    run_with_input(&["import", "--database-url", &url(database)], &[], file).await
}

/// As many items as this, in a file that `import` takes.
fn file_of(items: u64) -> anyhow::Result<String> {
    let at = "2026-01-31T12:00:00.000000Z";
    let header = json!({"format": "grtc-export", "version": 1, "exported_at": at, "highest_item_id": items, "highest_job_id": 0});
    let mut file = format!("{}\n", json!({ "header": header }));
    for id in 1..=items {
        let text = format!("{id} {}", "lorem ipsum ".repeat(40));
        let item = json!({"id": id, "title": format!("item {id}"), "description": text, "status": "active", "created_at": at, "updated_at": at, "version": 1});
        writeln!(file, "{}", json!({ "item": item }))?;
    }
    writeln!(file, "{}", json!({"end": {"items": items, "jobs": 0, "revocations": 0}}))?;
    Ok(file)
}

fn without_time(export: &str) -> anyhow::Result<Vec<Value>> {
    let mut lines = export.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    assert!(lines[0]["header"]["exported_at"].is_string());
    lines[0]["header"]["exported_at"] = Value::Null;
    Ok(lines)
}

#[tokio::test]
async fn and_a_server_goes_on_from_it() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let server = ServerProcess::launch(&Launch::default()).await?;
    let http = server.http();
    for title in ["Straße", "zwei\n\u{1f600}\u{0}", "drei"] {
        assert_eq!(http.post("/api/items/", &json!({"title": title, "status": "pending"})).await?.status, 201);
    }
    http.put("/api/items/2", &json!({"description": "\"\\\u{7f}"})).await?;
    let mut events = Events::open(server.address(), None).await?;
    http.send(Method::POST, "/api/items/1/process", &[], None).await?;
    events.expect("processed").await?;
    http.delete("/api/items/3").await?;
    let file = export(&server.database()).await?;
    let kinds: Vec<String> =
        file.lines().map(|line| line[2..].chars().take_while(|letter| *letter != '"').collect()).collect();
    assert_eq!(kinds, ["header", "item", "item", "job", "end"]);
    let to = folder.path().join("file").display().to_string();
    let written = run_to_end(&["export", "--database-url", &url(&server.database()), &to], &[]).await?;
    assert!(
        written.code == Some(0) && written.stdout.ends_with("with items: 2, jobs: 1, revocations: 0\n"),
        "{written:?}"
    );
    assert_eq!(without_time(&fs::read_to_string(&to)?)?, without_time(&file)?);
    assert_eq!(fs::metadata(&to)?.permissions().mode() & 0o777, 0o600);
    fs::remove_file(&to)?;
    let before = [http.get("/api/items/").await?.json()?, http.get("/api/jobs/1").await?.json()?];
    let database = folder.path().join("new.db");
    let done = import(&database, &file).await?;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.stdout, "imported items: 2, jobs: 1, revocations: 0\n");
    assert_eq!(names(folder.path())?, ["new.db"], "it is one file");
    assert_eq!(integrity(&database).await?, "ok");
    assert_eq!(without_time(&export(&database).await?)?, without_time(&file)?);

    let other = ServerProcess::launch(&Launch { database: Some(&database), ..Launch::default() }).await?;
    let http = other.http();
    let list = http.get("/api/items/").await?;
    assert_eq!((list.header("x-total-count"), &list.json()?), (Some("2"), &before[0]));
    assert_eq!(http.get("/api/jobs/1").await?.json()?, before[1]);
    assert_eq!(http.get("/api/items/?q=STRASSE").await?.header("x-total-count"), Some("1"));
    assert_eq!(http.get("/api/items/?status=pending").await?.header("x-total-count"), Some("2"));
    let mut events = Events::open(other.address(), None).await?;
    assert_eq!(http.post("/api/items/", &json!({"title": "four"})).await?.json()?["id"], 4, "3 was used");
    assert_eq!(events.expect("created").await?.data["id"], 4);
    let job = http.send(Method::POST, "/api/items/4/process", &[], None).await?.json()?;
    assert_eq!(job["job_id"], 2);
    events.expect("processed").await?;
    other.stop().await?;
    server.stop().await
}

#[tokio::test]
async fn and_so_do_the_lines_of_the_documentation() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let page = include_str!("../../../docs/OPERATIONS.md");
    let (_, lines) = page.split_once("```json\n{\"header\"").expect("an example");
    let (lines, _) = lines.split_once("```").expect("its end");
    let done = import(&folder.path().join("new.db"), &format!("{{\"header\"{lines}")).await?;
    assert!(done.code == Some(0) && done.stdout.contains("imported items: 1,"), "{done:?}");
    Ok(())
}

#[tokio::test]
async fn but_never_beside_a_server_or_over_what_there_was() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let database = folder.path().join("grtc.db");
    let server = ServerProcess::launch(&Launch { database: Some(&database), ..Launch::default() }).await?;
    let file = file_of(3)?;
    let refused = import(&database, &file).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("has it open: stop that one first"), "{refused:?}");
    server.http().post("/api/items/", &json!({"title": "t"})).await?;
    server.http().delete("/api/items/1").await?;
    server.stop().await?;
    let refused = import(&database, &file).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("an id is never used again"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn but_nothing_of_what_is_not_whole() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let database = folder.path().join("new.db");
    let file = file_of(2_000)?;
    let lines: Vec<&str> = file.lines().collect();
    let changed = |at: usize, from: &str, to: &str| file.replacen(lines[at], &lines[at].replacen(from, to, 1), 1);
    for (file, said) in [
        (file[..file.len() / 2].to_owned(), "it is no line of an export: EOF while parsing"),
        (lines[..1_500].join("\n"), "line 1500: the file ends before its last line"),
        (
            changed(1_700, lines[1_700], &[lines[1_700]; 2].join("\n")),
            "line 1702: its id 1700 does not come after 1700",
        ),
        (changed(2_000, "\"id\":2000", "\"id\":1e400"), "line 2001: its item can't be read: number out of range"),
        (changed(2_000, "\"id\":2000", "\"id\":0"), "line 2001: id has to be from 1 to 2000"),
        (
            changed(2_000, "\"id\":2000", "\"id\":2000,\"id\":2000"),
            "line 2001: its item can't be read: duplicate field",
        ),
        (changed(2_000, "2026-", "1926-"), "line 2001: its item can't be read: invalid value: string \"1926-"),
        (changed(1_999, "lorem", &"x".repeat(2_000_000)), "line 2000: it is longer than 1048576 bytes"),
        (changed(2_001, "2000", "1999"), "line 2002: it says items: 1999"),
        (changed(0, "\"version\":1", "\"version\":2"), "line 1: it is of version 2"),
    ] {
        let refused = import(&database, &file).await?;
        assert_eq!(refused.code, Some(1), "{said}: {refused:?}");
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
        assert!(refused.stderr.len() < 1_000 && !refused.stderr.contains("panicked"), "{}", refused.stderr);
    }
    let invalid = folder.path().join("invalid.ndjson");
    fs::write(&invalid, [file.as_bytes(), b"\xff\xfe\n"].concat())?;
    let path = invalid.display().to_string();
    let refused = run_to_end(&["import", "--database-url", &url(&database), &path], &[]).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("invalid.ndjson: line 2003: "), "{refused:?}");
    assert_eq!(without_time(&export(&database).await?)?.len(), 2, "a header and an end");
    assert_eq!(import(&database, &file).await?.code, Some(0));
    assert_eq!(without_time(&export(&database).await?)?, without_time(&file)?);
    Ok(())
}

/// Killed when it has read most of it and waits for the rest.
#[tokio::test]
async fn but_nothing_when_it_is_killed() -> anyhow::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let folder = TempDir::new()?;
    let database = folder.path().join("new.db");
    // More than SQLite keeps in memory: some of it is on the disk when the process dies.
    let file = file_of(40_000)?;
    let mut command = Command::new(grtc_load::process::binary(grtc_load::process::SERVER)?);
    command.args(["import", "--database-url", &url(&database)]).stdin(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().expect("a pipe");
    // A pipe holds 64 KiB: when the rest is taken, the beginning is in the transaction.
    stdin.write_all(&file.as_bytes()[..file.len() - 1_000]).await?;
    child.kill().await?;
    let log = fs::metadata(folder.path().join("new.db-wal"))?.len();
    assert!(log > 1_000_000, "there is something in the log: {log}");
    assert_eq!(without_time(&export(&database).await?)?.len(), 2, "a header and an end");
    assert_eq!(integrity(&database).await?, "ok");
    assert_eq!(import(&database, &file_of(100)?).await?.code, Some(0));
    let server = ServerProcess::launch(&Launch { database: Some(&database), ..Launch::default() }).await?;
    assert_eq!(server.http().get("/api/items/?q=ipsum").await?.header("x-total-count"), Some("100"));
    server.stop().await
}

#[tokio::test]
async fn revoked_tokens_stay_revoked() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let key = folder.path().join("key").display().to_string();
    assert_eq!(run_to_end(&["token", "key", "--out", &key], &[]).await?.code, Some(0));
    let token = async |rest: &[&str]| {
        let made = run_to_end(&[&["token", "create", "--key", &key, "--sub"], rest].concat(), &[]).await?;
        anyhow::Ok(format!("Bearer {}", made.stdout.trim()))
    };
    let (admin, lost) = (token(&["root", "--admin"]).await?, token(&["ann", "--items", "read"]).await?);
    let arguments = ["--auth-secret-file", &key];
    let server = ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await?;
    let get = async |server: &ServerProcess, token: &str| {
        let answer = server.http().send(Method::GET, "/api/items/", &[("authorization", token)], None).await?;
        anyhow::Ok(answer.status)
    };
    assert_eq!(get(&server, &lost).await?, 200);
    let headers = [("authorization", admin.as_str())];
    let body = json!({"sub": "ann"});
    let revoked = server.http().send(Method::POST, "/api/admin/revocations", &headers, Some(&body)).await?;
    assert_eq!(revoked.status, 204);
    let database = folder.path().join("new.db");
    let file = export(&server.database()).await?;
    assert!(file.contains(r#"{"revocation":{"kind":"sub","name":"ann","at":""#), "{file}");
    assert_eq!(import(&database, &file).await?.code, Some(0));
    let launch = Launch { arguments: &arguments, database: Some(&database), ..Launch::default() };
    let other = ServerProcess::launch(&launch).await?;
    assert_eq!(get(&other, &lost).await?, 401);
    other.stop().await?;
    server.stop().await
}

/// The largest part of its memory that an export has had, read while the end of it still waits in the pipe.
async fn peak_of_an_export(database: &Path, lines: usize) -> anyhow::Result<u64> {
    let mut command = Command::new(grtc_load::process::binary(grtc_load::process::SERVER)?);
    command.args(["export", "--database-url", &url(database)]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let status = format!("/proc/{}/status", child.id().unwrap_or_default());
    let mut out = child.stdout.take().context("there is no pipe")?;
    let (mut buffer, mut seen, mut peak) = (vec![0; 64 * 1024], 0, 0);
    loop {
        let status = fs::read_to_string(&status)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")?.trim().parse().ok());
        peak = line.map_or(peak, |kilobytes: u64| peak.max(kilobytes * 1024));
        let read = out.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        seen += buffer[..read].iter().filter(|byte| **byte == b'\n').count();
    }
    assert!(child.wait().await?.success());
    assert_eq!(seen, lines);
    Ok(peak)
}

#[tokio::test]
#[ignore = "on demand: it writes 200,000 items (scripts/test long)"]
async fn long_an_export_of_200_000_items_takes_no_more_memory_than_a_small_one() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let mut peaks = Vec::new();
    for items in [20_000, 200_000] {
        let (database, file) = (folder.path().join(format!("{items}.db")), folder.path().join("file"));
        fs::write(&file, file_of(items)?)?;
        let mut command = Command::new(grtc_load::process::binary(grtc_load::process::SERVER)?);
        command.args(["import", "--database-url", &url(&database)]).arg(&file);
        assert!(command.status().await?.success());
        let peak = peak_of_an_export(&database, usize::try_from(items)? + 2).await?;
        eprintln!("{items} items, {} MB: {} MB at most", fs::metadata(&file)?.len() / 1_000_000, peak / 1_000_000);
        peaks.push(peak);
    }
    assert!(peaks[1] < peaks[0] + 4_000_000 && peaks[1] < 100_000_000, "{peaks:?}");
    Ok(())
}
