#![cfg(target_os = "linux")]
//! Servers that ask for a token and speak TLS are measured like any other.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::Context;
use clap::Parser;
use grtc_load::{
    cli::Args,
    process::{ServerProcess, empty_directory},
    report::Report,
    server_args::ServerArgs,
    tokens::Tokens,
    variants::{Variant, Variants},
};

/// Each kind of load, as small as it gets; but a flood, which those who read can't follow where no rate holds it back.
const SMALL: [&[&str]; 9] = [
    &["relay", "--pairs", "2"],
    &["broadcast", "--peers", "10"],
    &["joins", "--workers", "8"],
    &["idle", "--from", "10", "--to", "40", "--hold", "1"],
    &["resume", "--clients", "40", "--missed", "20"],
    &["crowd", "--peers", "10", "--rate", "50"],
    &["others", "--slow", "3", "--rounds", "1", "--only", "slow"],
    &["others", "--pings", "500", "--rounds", "1", "--only", "pings"],
    &["items", "--connections", "4"],
];

/// A key and a certificate, and what starts a server with them. Its rates are off: so small a load is faster than they allow.
fn guarded() -> anyhow::Result<(Variants, ServerArgs)> {
    let server_arg = ["--message-rate", "0", "--delivery-rate", "0"].map(Into::into).to_vec();
    let variants = Variants::new(&ServerArgs { server_arg, ..ServerArgs::default() })?;
    let args = variants.of(Variant::Tls);
    Ok((variants, args))
}

/// A handshake takes a while where nothing is optimised.
async fn run(arguments: &[&str]) -> Report {
    let own = ["grtc-load", "--seconds", "1", "--warm-up", "0.1"];
    grtc_load::run(&Args::parse_from(own.iter().chain(arguments))).await
}

async fn measure(address: SocketAddr, pid: u32, access: &[&str], what: &[&str]) -> Report {
    let (url, pid) = (format!("wss://{address}"), pid.to_string());
    run(&[&["--url", &url, "--pid", &pid], access, what].concat()).await
}

fn text(path: Option<&Path>) -> anyhow::Result<&str> {
    path.and_then(Path::to_str).context("no file")
}

#[tokio::test]
async fn every_kind_of_load_gets_in_with_a_token_and_over_tls() -> anyhow::Result<()> {
    let (_variants, args) = guarded()?;
    let server = ServerProcess::start(&args.binary()?, &args.arguments()).await?;
    let (key, ca) = (text(args.auth_secret_file.as_deref())?, text(args.ca.as_deref())?);
    let access = ["--auth-secret-file", key, "--ca", ca];
    for what in SMALL {
        let report = measure(server.address(), server.pid(), &access, what).await;
        assert!(report.ok, "{what:?}: {:?}", report.measures);
    }
    server.stop().await
}

#[tokio::test]
async fn a_token_from_a_file_is_shown() -> anyhow::Result<()> {
    let (_variants, args) = guarded()?;
    let server = ServerProcess::start(&args.binary()?, &args.arguments()).await?;
    let key = args.auth_secret_file.as_deref().context("no key")?;
    let directory = empty_directory()?;
    let file = directory.path().join("token");
    fs::write(&file, Tokens::signed_with(key)?.of(None)?.context("no token")?)?;
    let ca = ["--ca", text(args.ca.as_deref())?];
    let report = measure(server.address(), server.pid(), &ca, SMALL[0]).await;
    assert!(!report.ok, "without a token: {:?}", report.measures);
    let access = [&ca[..], &["--token-file", text(Some(&file))?]].concat();
    let report = measure(server.address(), server.pid(), &access, SMALL[0]).await;
    assert!(report.ok, "{:?}", report.measures);
    server.stop().await
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not_measured() -> anyhow::Result<()> {
    let (_variants, args) = guarded()?;
    let server = ServerProcess::start(&args.binary()?, &args.arguments()).await?;
    let (_others, other) = guarded()?;
    let (key, ca) = (text(args.auth_secret_file.as_deref())?, text(other.ca.as_deref())?);
    let report = measure(server.address(), server.pid(), &["--auth-secret-file", key, "--ca", ca], SMALL[0]).await;
    let reason = report.measures[0].reason.as_deref().unwrap_or_default();
    assert!(reason.contains("no TLS") && reason.contains("certificate"), "{reason}");
    server.stop().await
}

#[tokio::test]
async fn a_server_that_is_started_is_guarded_as_it_was_asked_for() -> anyhow::Result<()> {
    let (_variants, args) = guarded()?;
    let (key, ca) = (text(args.auth_secret_file.as_deref())?, text(args.ca.as_deref())?);
    let mut arguments = vec!["--auth-secret-file", key, "--ca", ca];
    for argument in &args.server_arg {
        arguments.extend(["--server-arg", argument.to_str().context("no text")?]);
    }
    let killed = ["resume", "--killed", "--clients", "30", "--down", "0.1"];
    for what in [SMALL[0], &killed] {
        let report = run(&[&arguments, what].concat()).await;
        assert!(report.ok, "{what:?}: {:?}", report.measures);
    }
    Ok(())
}

#[tokio::test]
async fn the_ways_of_a_server_are_compared_in_one_run() -> anyhow::Result<()> {
    // Two pairs alone are faster than the limit.
    let rate = ["--server-arg", "--message-rate", "--server-arg", "0"];
    let report = run(&[&rate[..], &["compare", "--pairs", "2", "--workers", "4", "--rounds", "1"]].concat()).await;
    assert!(report.ok, "{:?}", report.measures);
    assert!(report.measures[0].figure("keys_ratio") > 0.0 && report.measures[1].figure("tls_us_more").is_finite());
    let report = run(&["idle", "--compare", "--from", "10", "--to", "40"]).await;
    assert!(report.ok, "{:?}", report.measures);
    assert!(report.measures[3].figure("bytes_with_token").is_finite(), "{:?}", report.measures);
    let report = run(&["--url", "http://127.0.0.1:1", "--pid", "1", "compare"]).await;
    assert!(!report.ok, "a running server is not compared with itself");
    Ok(())
}
