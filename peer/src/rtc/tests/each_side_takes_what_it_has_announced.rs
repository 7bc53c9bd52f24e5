use super::*;
use crate::{
    channel::Refusal,
    limits::{MESSAGE_BYTES, SOCKET_BUFFER_BYTES},
};

fn said(sdp: &str, said: &str) -> String {
    let sdp = without_streams(sdp);
    let lines = sdp.lines().filter(|line| !line.starts_with("a=max-message-size"));
    lines.map(|line| format!("{line}\r\n")).chain([said.to_owned()]).collect()
}

fn small(sdp: &str) -> String {
    said(sdp, "a=max-message-size:1200\r\n")
}

fn nothing(sdp: &str) -> String {
    said(sdp, "")
}

fn any(sdp: &str) -> String {
    said(sdp, "a=max-message-size:0\r\n")
}

/// `to` takes messages up to this length, and says so to who sends a longer one.
async fn takes(from: &Side, to: &mut Side, most: usize) {
    let payload = |length| Payload::from("x".repeat(length));
    if most < MESSAGE_BYTES {
        assert_eq!(from.channel.queue(&payload(most + 1)).await.err(), Some(Refusal::TooLong(most)));
    }
    drop(from.channel.queue(&payload(most)).await.unwrap());
    drop(from.channel.queue(&payload(1)).await.unwrap());
    assert_eq!((to.message().await.len(), to.message().await.len()), (most, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_takes_what_it_has_announced() {
    for (rewrite, most) in [
        ([without_streams, small] as [Rewrite; 2], [1_200, MESSAGE_BYTES]),
        ([small, without_streams], [MESSAGE_BYTES, 1_200]),
        ([nothing, small], [1_200, 65_535]),
        ([any, nothing], [65_535, MESSAGE_BYTES]),
    ] {
        let [mut a, mut b] = open(SOCKET_BUFFER_BYTES, rewrite).await;
        takes(&a, &mut b, most[0]).await;
        takes(&b, &mut a, most[1]).await;
    }
}
