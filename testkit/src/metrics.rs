//! What a server tells Prometheus.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;

use crate::http::Http;

/// A scrape.
#[derive(Clone, Debug)]
pub struct Scraped(pub String);

impl Scraped {
    /// Asks the listener at this address.
    ///
    /// # Errors
    /// When it does not answer, or not with 200.
    pub async fn of(listener: SocketAddr) -> anyhow::Result<Self> {
        let answer = Http::new(listener).get("/metrics").await?;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        Ok(Self(answer.text()))
    }

    /// The value of a series, as it stands before it, with its labels.
    ///
    /// # Errors
    /// When there is none.
    pub fn value(&self, series: &str) -> anyhow::Result<f64> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
        value.with_context(|| format!("no {series} in\n{}", self.0))
    }

    /// The sum of all series that begin like this.
    #[must_use]
    pub fn sum(&self, begin: &str) -> f64 {
        let lines = self.0.lines().filter(|line| line.starts_with(begin));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}

/// An address of this machine that nobody listens on.
///
/// # Errors
/// When there is none.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
