//! A certificate is renewed in its files: who is connected notices nothing, who connects gets the new one, and what can't be
//! used changes nothing.

use std::{fs, time::Duration};

use grtc_testkit::{Authority, Client};
use rcgen::CertificateParams;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::tls_is_spoken::server;

/// So soon a change is picked up.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn nobody_is_cut_off_and_whoever_comes_gets_the_new_one() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority, &[]).await?;
    let shown = async || {
        let stream = authority.connect(server.address(), &[]).await?;
        anyhow::Ok(stream.get_ref().1.peer_certificates().map(|chain| chain[0].to_vec()))
    };
    let mut a = Client::join_securely(&authority, server.address(), "room1", "a").await?;
    let mut b = Client::join_securely(&authority, server.address(), "room1", "b").await?;
    a.expect("peer_joined").await?;
    let first = shown().await?;

    fs::write(authority.certificate(), "words")?;
    server.line(&["WARN", "the new certificate can't be used", "--tls-cert", "no certificate"]).await?;
    assert_eq!(shown().await?, first, "the one before stays");

    authority.issue(&CertificateParams::new(vec!["localhost".to_owned()])?)?;
    let since = Instant::now();
    while shown().await? == first {
        assert!(since.elapsed() < SOON, "{}", server.log());
        sleep(Duration::from_millis(100)).await;
    }
    server.line(&["the certificate has changed"]).await?;
    assert_eq!(server.log().matches("can't be used").count(), 1, "{}", server.log());
    a.send(json!({"type": "message", "target_peer_id": "b", "data": 1})).await?;
    assert_eq!(b.expect("direct_message").await?["data"], 1);
    server.stop().await
}
