#![cfg(target_os = "linux")]
//! The load tool measures whatever server it is pointed at.

use clap::Parser;
use grtc_testkit::{
    TestServer,
    load::{self, cli::Args},
};

async fn measure(server: &TestServer, what: &[&str]) -> load::report::Report {
    let (url, pid) = (server.url(""), std::process::id().to_string());
    let own = ["grtc-load", "--url", &url, "--pid", &pid, "--seconds", "0.2", "--warm-up", "0.1"];
    load::run(&Args::parse_from(own.iter().chain(what))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_load_is_served() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    for what in [
        &["relay", "--pairs", "2"][..],
        &["broadcast", "--peers", "10"],
        &["joins", "--workers", "8"],
        &["idle", "--from", "10", "--to", "40"],
        &["items", "--connections", "4"],
    ] {
        let report = measure(&server, what).await;
        assert!(report.ok, "{what:?}: {:?}", report.measures);
    }
    server.stop().await
}

#[tokio::test]
async fn a_server_that_is_gone_is_not_measured() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let address = server.address();
    server.stop().await?;
    let (url, pid) = (format!("http://{address}"), std::process::id().to_string());
    let report = load::run(&Args::parse_from(["grtc-load", "relay", "--url", &url, "--pid", &pid])).await;
    assert!(!report.ok && !report.met, "{:?}", report.measures);
    Ok(())
}
