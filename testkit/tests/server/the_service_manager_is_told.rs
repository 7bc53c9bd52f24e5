//! A service manager that wants to know (systemd's `Type=notify`) is told when the server serves and when it begins to stop.

use std::io::ErrorKind;

use anyhow::Context as _;
use grtc_testkit::{Launch, Raw, ServerProcess, command::run_to_end, http::WAIT};
use tempfile::TempDir;
use tokio::{net::UnixDatagram, time::timeout};

/// The socket of a service manager, and its place in a folder.
fn manager(folder: &TempDir) -> anyhow::Result<(UnixDatagram, String)> {
    let path = folder.path().join("notify");
    Ok((UnixDatagram::bind(&path)?, path.display().to_string()))
}

async fn told(manager: &UnixDatagram) -> anyhow::Result<String> {
    let mut text = [0; 1024];
    let length = timeout(WAIT, manager.recv(&mut text)).await.context("nothing is told")??;
    Ok(String::from_utf8_lossy(&text[..length]).into_owned())
}

fn is_silent(manager: &UnixDatagram) -> bool {
    manager.try_recv(&mut [0; 1024]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[tokio::test]
async fn that_it_serves_and_that_it_stops() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let (manager, path) = manager(&folder)?;
    let environment = [("NOTIFY_SOCKET", path.as_str())];
    let mut server = ServerProcess::launch(&Launch { environment: &environment, ..Launch::default() }).await?;
    assert_eq!(told(&manager).await?, "READY=1\n");
    assert_eq!(server.http().get("/health/ready").await?.status, 200);
    let mut request = Raw::connect(server.address()).await?;
    request
        .send(
            "POST /api/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Expect: 100-continue\r\nContent-Length: 13\r\n\r\n",
        )
        .await?;
    assert_eq!(request.answer().await?.status, 100);
    assert!(is_silent(&manager));
    server.terminate()?;
    assert_eq!(told(&manager).await?, "STOPPING=1\n");
    // It is told at the beginning of the end: this was still under way.
    request.send("{\"title\":\"t\"}").await?;
    assert_eq!(request.answer().await?.status, 201);
    assert_eq!(server.ended().await?, Some(0), "{}", server.log());
    assert!(is_silent(&manager));
    Ok(())
}

#[tokio::test]
async fn nothing_by_who_can_not_start() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let (manager, path) = manager(&folder)?;
    let arguments = ["--listen", "127.0.0.1:0", "--database-url", "sqlite:///nonexistent/grtc.db"];
    let ended = run_to_end(&arguments, &[("NOTIFY_SOCKET", &path)]).await?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(is_silent(&manager));
    Ok(())
}

#[tokio::test]
async fn a_service_manager_that_is_not_there_is_no_reason_not_to_serve() -> anyhow::Result<()> {
    let environment = [("NOTIFY_SOCKET", "/nonexistent/notify")];
    let server = ServerProcess::launch(&Launch { environment: &environment, ..Launch::default() }).await?;
    server.line(&["the service manager can't be told"]).await?;
    assert_eq!(server.http().get("/health/ready").await?.status, 200);
    server.stop().await
}
