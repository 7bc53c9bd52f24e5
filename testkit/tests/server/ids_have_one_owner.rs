//! A live peer id can't be taken, however many try at once; and a room holds as many as it may.

use grtc_server::limits::Limit;
use grtc_testkit::{Client, TestServer, ws};
use serde_json::json;

#[tokio::test]
async fn the_newcomer_is_refused_and_the_first_stays() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = server.join("room1", "a").await?;
    let closed = server.connect("room1", "a").await?.closed().await?;
    assert!(closed.code == Some(4409) && !closed.reason.is_empty(), "{closed:?}");
    let elsewhere = server.join("room2", "a").await?;
    assert_eq!(elsewhere.leave().await?.code, Some(1000));
    a.send(json!({"type": "ping"})).await?;
    a.expect("pong").await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_that_race_for_it_one_gets_it() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let url = ws::peer_url(server.address(), "room1", "me");
    let mut watcher = server.join("room1", "watcher").await?;
    let racers: Vec<_> = (0..1_000)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move {
                let mut client = Client::connect(&url).await?;
                anyhow::Ok(match client.recv().await {
                    Ok(first) => (Some(client), first["type"] == "room_state"),
                    Err(error) => (None, !error.to_string().contains("4409")),
                })
            })
        })
        .collect();
    let mut owners = Vec::new();
    for racer in racers {
        let (owner, ok) = racer.await??;
        assert_eq!(owner.is_some(), ok, "everybody else is told 4409");
        owners.extend(owner);
    }
    assert_eq!(owners.len(), 1);
    watcher.expect("peer_joined").await?;
    watcher.send(json!({"type": "ping"})).await?;
    watcher.expect("pong").await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_room_takes_nobody_until_somebody_goes() -> anyhow::Result<()> {
    const PEERS: u32 = 40;
    let server = TestServer::start_with(|config| config.limits[Limit::RoomPeers] = PEERS).await?;
    let mut peers: Vec<Client> = Vec::new();
    for n in 0..PEERS {
        peers.push(server.join("room1", &n.to_string()).await?);
        // Whoever does not read is too slow, sooner or later.
        for peer in &mut peers[..n as usize] {
            peer.expect("peer_joined").await?;
        }
    }
    assert_eq!(server.connect("room1", "one more").await?.closed().await?.code, Some(4423));
    let last = peers.pop().unwrap();
    assert_eq!(last.leave().await?.code, Some(1000));
    server.join("room1", "one more").await?;
    server.stop().await
}
