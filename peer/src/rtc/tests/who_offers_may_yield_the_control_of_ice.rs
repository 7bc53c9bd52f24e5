use super::*;
use crate::limits::SOCKET_BUFFER_BYTES;

#[tokio::test]
async fn who_offers_may_yield_the_control_of_ice() {
    let (a, b) = (begin(Some(Label::Chat), true, SOCKET_BUFFER_BYTES), begin(None, false, SOCKET_BUFFER_BYTES));
    let says_lite: Rewrite = |sdp| {
        assert_eq!(sdp.matches("\r\na=ice-lite\r\n").count(), 1, "{sdp}");
        sdp.to_owned()
    };
    let [a, mut b] = open_between(a, b, [says_lite, as_it_is]).await;
    drop(a.channel.queue(&Payload::Text("hello".to_owned())).await.unwrap());
    assert_eq!(b.message().await, Payload::Text("hello".to_owned()));
}
