//! `grtc-peer join --status`: a page about the peer.

use grtc_testkit::{Http, PeerProcess, TestServer};

#[tokio::test]
async fn shows_who_is_connected_and_what_came() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut a = PeerProcess::join(&server, "r", "A", &["--json", "--status", &port.to_string()]);
    a.event("joined").await;
    let mut b = PeerProcess::join(&server, "r", "B", &["--json"]);
    b.event("connected").await;
    b.type_line("<b>hi</b>").await;
    a.event("message").await;

    let page = Http::new(port);
    assert_eq!(page.get("/health").await?.status, 200);
    assert_eq!(page.get("/").await?.status, 200);
    let status = page.get("/status.json").await?.json()?;
    assert_eq!((&status["peer_id"], &status["room_id"], &status["link"]), (&"A".into(), &"r".into(), &"up".into()));
    let peer = &status["peers"][0];
    assert_eq!((&peer["peer_id"], &peer["state"], &peer["present"]), (&"B".into(), &"open".into(), &true.into()));
    assert_eq!(peer["pair"]["protocol"], "udp");
    let message = &status["messages"][0];
    assert_eq!(
        (&message["from"], &message["text"], &message["via"]),
        (&"B".into(), &"<b>hi</b>".into(), &"p2p".into())
    );
    assert_eq!(status["messages_received"], 1);
    Ok(())
}
