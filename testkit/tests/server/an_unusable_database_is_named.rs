//! A database that can't be used at the start: the server ends with a sentence that says which and why.

use grtc_testkit::{Launch, ServerProcess, command::run_to_end};
use tempfile::TempDir;

async fn refused(url: &str, words: &[&str]) -> anyhow::Result<()> {
    let ended = run_to_end(&["--listen", "127.0.0.1:0", "--database-url", url], &[]).await?;
    assert_eq!(ended.code, Some(1), "{url}: {ended:?}");
    assert!(ended.stderr.contains(url), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} is not in {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked") && ended.stdout.is_empty());
    Ok(())
}

#[tokio::test]
async fn each_says_what_is_wrong() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let path = |name: &str| directory.path().join(name).to_str().unwrap_or_default().to_owned();
    std::fs::write(path("text.db"), "this is no database\n".repeat(1_000))?;
    std::fs::write(path("empty.db"), "")?;
    refused(&format!("sqlite://{}?mode=rwc", path("none/grtc.db")), &["there is no folder", "none"]).await?;
    refused(&format!("sqlite://{}?mode=rw", path("none.db")), &["unable to open"]).await?;
    refused(&format!("sqlite://{}?mode=rwc", path("text.db")), &["not a database"]).await?;
    refused(&format!("sqlite://{}?mode=ro", path("empty.db")), &["readonly"]).await?;
    let good = ServerProcess::launch(&Launch::default()).await?.kill().await?;
    refused(&format!("sqlite://{}?mode=ro", good.path().join("grtc.db").display()), &["can't be written", "readonly"])
        .await?;
    refused(&format!("sqlite://{}?mode=rwc", path("")), &["unable to open"]).await
}
