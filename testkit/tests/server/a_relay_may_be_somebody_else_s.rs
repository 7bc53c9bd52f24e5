//! TURN servers elsewhere, which share a secret: coturn takes the credentials that clients are told.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use anyhow::Context;
use grtc_testkit::{Launch, ServerProcess, command::run_to_end, metrics::free_address, tls::text, turn::TurnClient};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    task::yield_now,
    time::timeout,
};

/// coturn with this secret, if it is here. It ends when it is dropped.
async fn coturn(address: SocketAddr, secret: &str, directory: &TempDir) -> anyhow::Result<Option<Child>> {
    let port = address.port().to_string();
    let mut command = Command::new("turnserver");
    command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.args(["-n", "--no-tls", "--no-dtls", "--no-cli", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"]);
    command.args(["--listening-port", &port, "--realm", "grtc", "--use-auth-secret", "--static-auth-secret", secret]);
    command.args(["--log-file", "stdout", "--pidfile", "turnserver.pid", "--userdb", "turndb"]);
    let child = match command.spawn() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        child => child?,
    };
    timeout(Duration::from_secs(20), async {
        while TcpStream::connect(address).await.is_err() {
            yield_now().await;
        }
    })
    .await
    .context("coturn does not listen")?;
    Ok(Some(child))
}

#[tokio::test]
async fn coturn_takes_the_credentials() -> anyhow::Result<()> {
    let (directory, address) = (TempDir::with_prefix("grtc-coturn-")?, free_address()?);
    let Some(_coturn) = coturn(address, "a secret of both", &directory).await? else {
        println!("turnserver is not installed: skipped");
        return Ok(());
    };
    let file = directory.path().join("secret");
    std::fs::write(&file, "a secret of both\n")?;
    let urls = ["udp", "tcp"].map(|transport| format!("turn:{address}?transport={transport}"));
    let arguments = ["--ice-server", &urls[0], "--ice-server", &urls[1], "--turn-secret-file", text(&file)];
    let server = ServerProcess::launch(&Launch { arguments: &arguments, ..Launch::default() }).await?;
    let told = async |query: &str| -> anyhow::Result<_> {
        Ok(server.http().get(&format!("/api/ice-servers{query}")).await?.json()?["iceServers"].take())
    };
    assert_eq!(told("").await?, json!([]), "without a room there are no credentials");
    let mut servers = told("?room=r&peer_id=a").await?;
    assert_eq!(servers[0]["urls"], json!(urls));
    assert_eq!(TurnClient::by_tcp(&servers).await?.allocate().await?.code(), 200);
    assert_eq!(TurnClient::new(&servers).await?.allocate().await?.code(), 200);
    let joined = server.join("r", "b").await?.room_state()["ice_servers"].clone();
    assert_eq!(TurnClient::by_tcp(&joined).await?.allocate().await?.code(), 200);
    servers[0]["credential"] = "bm90IGl0".into();
    assert_eq!(TurnClient::by_tcp(&servers).await?.allocate().await?.code(), 401);
    server.stop().await
}

#[tokio::test]
async fn what_is_half_is_said_at_the_start() -> anyhow::Result<()> {
    let directory = TempDir::with_prefix("grtc-coturn-")?;
    let [file, empty, missing] = ["secret", "empty", "missing"].map(|name| directory.path().join(name));
    std::fs::write(&file, "secret")?;
    std::fs::write(&empty, "\n")?;
    for (arguments, words) in [
        (&["--turn-listen", "127.0.0.1:3478"][..], &["--turn-listen", "--turn"][..]),
        (&["--turn-secret-file", text(&file)], &["--turn-secret-file", "--ice-server"]),
        (&["--ice-server", "turn:h", "--turn-secret-file", text(&empty)], &["--turn-secret-file", "empty"]),
        (&["--ice-server", "turn:h", "--turn-secret-file", text(&missing)], &["--turn-secret-file", "read"]),
        (&["--ice-server", "turn:h?transport=x", "--turn-secret-file", text(&file)], &["--ice-server", "turn:turn."]),
    ] {
        let finished = run_to_end(arguments, &[]).await?;
        assert_ne!(finished.code, Some(0), "{arguments:?}");
        assert!(words.iter().all(|word| finished.stderr.contains(word)), "{arguments:?}: {}", finished.stderr);
    }
    Ok(())
}
