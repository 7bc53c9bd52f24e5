#![cfg(target_os = "linux")]
//! The load tool measures whatever server it is pointed at.

use std::net::SocketAddr;

use clap::Parser;
use grtc_load::{
    cli::Args,
    process::{SERVER, ServerProcess, binary},
    report::Report,
};

async fn measure(address: SocketAddr, pid: u32, what: &[&str]) -> Report {
    let (url, pid) = (format!("http://{address}"), pid.to_string());
    let own = ["grtc-load", "--url", &url, "--pid", &pid, "--seconds", "0.2", "--warm-up", "0.1"];
    grtc_load::run(&Args::parse_from(own.iter().chain(what))).await
}

#[tokio::test]
async fn every_kind_of_load_is_served() -> anyhow::Result<()> {
    let server = ServerProcess::start(&binary(SERVER)?, &[]).await?;
    for what in [
        &["relay", "--pairs", "2"][..],
        &["broadcast", "--peers", "10"],
        &["joins", "--workers", "8"],
        &["idle", "--from", "10", "--to", "40"],
        &["resume", "--clients", "40", "--missed", "20"],
        &["items", "--connections", "4"],
    ] {
        let report = measure(server.address(), server.pid(), what).await;
        assert!(report.ok, "{what:?}: {:?}", report.measures);
    }
    server.stop().await
}

#[tokio::test]
async fn a_server_that_is_gone_is_not_measured() -> anyhow::Result<()> {
    let server = ServerProcess::start(&binary(SERVER)?, &[]).await?;
    let address = server.address();
    server.stop().await?;
    let report = measure(address, std::process::id(), &["relay"]).await;
    assert!(!report.ok && !report.met, "{:?}", report.measures);
    Ok(())
}
