//! A client that does not read hurts only itself. What comes due after a while is tested beside the session, in virtual
//! time.

use grtc_testkit::{Raw, TestServer, raw::WAIT};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_cut_and_the_others_notice_nothing() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let mut b = server.join("room1", "b").await?;
    let mut a = server.join("room1", "a").await?;
    b.expect("peer_joined").await?;
    let mut slow = Raw::upgrade(server.address(), "/ws/room1?peer_id=slow").await?;
    a.expect("peer_joined").await?;
    b.expect("peer_joined").await?;
    let mut left = None;
    for n in 0..2_000 {
        a.send(json!({"type": "broadcast", "data": {"n": n, "x": "x".repeat(30_000)}})).await?;
        let mut got = b.recv().await?;
        if got["type"] == "peer_left" {
            left = Some(got);
            got = b.recv().await?;
        }
        assert_eq!(got["data"]["n"], n);
        if left.is_some() {
            break;
        }
    }
    let left = left.expect("2,000 × 30 kB are more than any buffer holds");
    assert_eq!((&left["peer_id"], &left["reason"]), (&json!("slow"), &json!("slow")));
    assert_eq!(slow.close_code(WAIT).await?, 4008);
    server.stop().await
}
