//! What a peer tells the others of its network.

use grtc_testkit::{Client, PeerProcess, TestServer};

/// The address and the type of each candidate that comes, up to the last.
async fn candidates(client: &mut Client) -> anyhow::Result<Vec<(String, String)>> {
    let mut candidates = Vec::new();
    loop {
        let frame = client.skip_to("webrtc_signal").await?;
        let signal = &frame["signal"];
        if signal["type"] != "ice_candidate" {
            continue;
        }
        let line = signal["candidate"]["candidate"].as_str().unwrap_or_default();
        if line.is_empty() {
            return Ok(candidates);
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        candidates.push((words[4].to_owned(), words[7].to_owned()));
    }
}

#[tokio::test]
async fn an_address_to_advertise_is_a_candidate_besides_the_own_ones() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut witness = server.join("r", "witness").await?;
    let network = ["--interface", "lo", "--advertise-ip", "203.0.113.7", "--advertise-ip", "2001:db8::7"];
    let _a = PeerProcess::join(&server, "r", "A", &network);
    let candidates = candidates(&mut witness).await?;
    let is_told = |ip: &str| candidates.contains(&(ip.to_owned(), "host".to_owned()));
    assert!(is_told("127.0.0.1") && is_told("203.0.113.7"), "{candidates:?}");
    assert_eq!(is_told("::1"), is_told("2001:db8::7"), "an address stands for one of its own family: {candidates:?}");
    Ok(())
}
