//! What two peers see of each other, from the first join to the last goodbye.

use grtc_testkit::TestServer;
use serde_json::json;

#[tokio::test]
async fn they_meet_talk_and_part() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut a = server.join("room1", "a").await?;
    assert_eq!(a.room_state()["peers"], json!([]));
    let mut b = server.join("room1", "b").await?;
    assert_eq!(b.room_state()["peers"], json!(["a"]));
    let joined = a.expect("peer_joined").await?;
    assert_eq!((&joined["peer_id"], &joined["total_peers"]), (&json!("b"), &json!(2)));

    let offer =
        json!({"type": "offer", "target_peer_id": "a", "offer": {"type": "offer", "sdp": "v=0\r\n"}, "x": [1.0]});
    b.send(offer.clone()).await?;
    let signal = a.expect("webrtc_signal").await?;
    assert_eq!((&signal["from_peer_id"], &signal["signal"]), (&json!("b"), &offer));

    assert_eq!(b.leave().await?.code, Some(1000));
    let left = a.expect("peer_left").await?;
    assert_eq!((&left["peer_id"], &left["reason"]), (&json!("b"), &json!("left")));
    assert_eq!(a.close().await?.code, Some(1000));
    server.stop().await
}
