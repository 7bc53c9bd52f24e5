//! A server that delivers its jobs.

use grtc_testkit::{Http, Launch, ServerProcess, tls::text};
use hyper::Method;
use tempfile::TempDir;

/// The options of a server that delivers, and the file of its secret.
pub(crate) struct Hook {
    pub(crate) folder: TempDir,
    options: Vec<String>,
}

impl Hook {
    pub(crate) fn new(url: &str) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let file = folder.path().join("webhook-secret");
        std::fs::write(&file, "canary-secret-canary-secret-canary\n")?;
        let options = ["--webhook-url", url, "--webhook-secret-file", text(&file)].map(str::to_owned).to_vec();
        Ok(Self { folder, options })
    }

    pub(crate) fn options(&self) -> Vec<&str> {
        self.options.iter().map(String::as_str).collect()
    }

    pub(crate) async fn server(&self) -> anyhow::Result<ServerProcess> {
        ServerProcess::launch(&Launch { arguments: &self.options(), ..Launch::default() }).await
    }

    pub(crate) async fn again(&self, directory: TempDir) -> anyhow::Result<ServerProcess> {
        ServerProcess::start_in(directory, &Launch { arguments: &self.options(), ..Launch::default() }).await
    }
}

/// Queues a job for an item.
pub(crate) async fn process(http: Http, item: u32) -> anyhow::Result<()> {
    let queued = http.send(Method::POST, &format!("/api/items/{item}/process"), &[], None).await?;
    anyhow::ensure!(queued.status == 202, "{queued:?}");
    Ok(())
}
