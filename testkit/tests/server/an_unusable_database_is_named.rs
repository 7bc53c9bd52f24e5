//! A database that can't be used at the start: the server ends with a sentence that says which, why and what to do, and
//! has made and changed nothing.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use grtc_testkit::{Launch, ServerProcess, command::run_to_end};
use tempfile::TempDir;

/// All that is in a folder, with its content.
fn everything(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(everything(&path)?);
        }
        all.insert(path.display().to_string(), fs::read(&path).unwrap_or_default());
    }
    Ok(all)
}

async fn refused(folder: &Path, url: &str, words: &[&str]) -> anyhow::Result<()> {
    let before = everything(folder)?;
    let ended = run_to_end(&["--listen", "127.0.0.1:0", "--database-url", url], &[]).await?;
    assert_eq!(ended.code, Some(1), "{url}: {ended:?}");
    for word in words.iter().chain([&url]) {
        assert!(ended.stderr.contains(word), "{word:?} is not in {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked") && ended.stdout.is_empty());
    assert!(before == everything(folder)?, "{url} was refused, and something was changed");
    Ok(())
}

/// A database as another program makes it.
fn sqlite(path: &Path, sql: &str) -> anyhow::Result<()> {
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.close()";
    let made = Command::new("python3").args(["-c", script]).arg(path).arg(sql).status()?;
    anyhow::ensure!(made.success(), "no database was made at {}", path.display());
    Ok(())
}

fn url(path: &Path, mode: &str) -> String {
    format!("sqlite://{}?mode={mode}", path.display())
}

#[tokio::test]
async fn that_is_no_file_or_no_database() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let folder = directory.path();
    fs::write(folder.join("text.db"), "this is no database\n".repeat(1_000))?;
    fs::write(folder.join("empty.db"), "")?;
    fs::write(folder.join("50%25 off.db"), "")?;
    let refused = async |url: String, words: &[&str]| refused(folder, &url, words).await;
    refused(url(&folder.join("none/grtc.db"), "rwc"), &["there is no folder", "none"]).await?;
    refused(url(&folder.join("text.db/grtc.db"), "rwc"), &["text.db/grtc.db can't be reached"]).await?;
    refused(url(&folder.join("none.db"), "rw"), &["there is no file", "none.db", "?mode=rwc"]).await?;
    refused(format!("sqlite://{}", folder.join("none.db").display()), &["there is no file", "?mode=rwc"]).await?;
    refused(url(&folder.join("text.db"), "rwc"), &["text.db is not a database of SQLite"]).await?;
    refused(url(&folder.join("empty.db"), "ro"), &["for reading only", "mode=rw"]).await?;
    refused(url(folder, "rwc"), &["is a folder", "grtc.db?mode=rwc"]).await?;
    refused(url(Path::new("/dev/null"), "rwc"), &["/dev/null is no regular file"]).await?;
    // What stands in a URL, and what it names.
    refused(url(&folder.join("a%20b/c.db"), "rwc"), &["there is no folder", "a b", "%25"]).await?;
    refused(url(&folder.join("50%25 off.db"), "rwc"), &["there is a file", "50%25 off.db", "names", "50% off.db"])
        .await?;
    refused(url(&folder.join("a%ff.db"), "rwc"), &["not UTF-8"]).await
}

#[tokio::test]
async fn that_is_not_this_programs() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let folder = directory.path();
    sqlite(&folder.join("other.db"), "CREATE TABLE songs (title); INSERT INTO songs VALUES ('x')")?;
    sqlite(&folder.join("wal.db"), "PRAGMA journal_mode = WAL; CREATE TABLE songs (title)")?;
    sqlite(&folder.join("marked.db"), "PRAGMA application_id = 7; CREATE TABLE songs (title)")?;
    sqlite(
        &folder.join("cousin.db"),
        "CREATE TABLE seaql_migrations (version TEXT PRIMARY KEY, applied_at INTEGER);
         INSERT INTO seaql_migrations VALUES ('m2024_songs', 1)",
    )?;
    for name in ["other.db", "wal.db", "marked.db", "cousin.db"] {
        refused(folder, &url(&folder.join(name), "rwc"), &["another program's database"]).await?;
    }
    // Ours, of a version to come.
    let server =
        ServerProcess::launch(&Launch { database: Some(&folder.join("ours.db")), ..Launch::default() }).await?;
    server.stop().await?;
    sqlite(&folder.join("ours.db"), "INSERT INTO seaql_migrations VALUES ('m0099_later', 1)")?;
    refused(folder, &url(&folder.join("ours.db"), "rwc"), &["newer grtc-server", "m0099_later", "put back"]).await
}

#[tokio::test]
async fn that_may_not_be_written() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let folder = directory.path();
    let server =
        ServerProcess::launch(&Launch { database: Some(&folder.join("grtc.db")), ..Launch::default() }).await?;
    server.stop().await?;
    let mount = |options: &[&str]| Command::new("mount").args(options).arg(folder).status();
    anyhow::ensure!(mount(&["--bind", &folder.display().to_string()])?.success(), "this test runs as root");
    anyhow::ensure!(mount(&["-o", "remount,ro,bind"])?.success());
    let words = ["grtc.db can't be written", "Read-only", "move it to a medium that can be written"];
    let read_only = refused(folder, &url(&folder.join("grtc.db"), "rw"), &words).await;
    Command::new("umount").arg("-l").arg(folder).status()?;
    read_only
}

/// As nobody, since root may write everything.
#[tokio::test]
async fn that_this_user_may_not_write() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = TempDir::new()?;
    let folder = directory.path();
    let binary = folder.join("grtc-server");
    fs::copy(grtc_load::process::binary(grtc_load::process::SERVER)?, &binary)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    fs::write(folder.join("grtc.db"), "")?;
    for (name, mode, words) in [
        ("grtc.db", 0o600, "grtc.db can't be read"),
        ("grtc.db", 0o644, "grtc.db can't be written"),
        ("grtc.db", 0o666, "its folder"),
        ("new.db", 0o666, "its folder"),
    ] {
        fs::set_permissions(folder.join("grtc.db"), fs::Permissions::from_mode(mode))?;
        let ended = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&binary)
            .args(["--listen", "127.0.0.1:0", "--database-url", &url(&folder.join(name), "rwc")])
            .output()?;
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && said.contains("give it to the user"), "{words:?} is not in {said}");
        assert!(!folder.join("new.db").exists());
    }
    Ok(())
}
