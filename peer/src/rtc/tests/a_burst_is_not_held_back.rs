use std::time::{Duration, Instant};

use super::*;
use crate::limits::SOCKET_BUFFER_BYTES;

const BURSTS: usize = 60;
const MESSAGES: usize = 1_000;
/// Far above what a busy machine does to it, and below the half second after which a keepalive ends such a pause.
const LONG: Duration = Duration::from_millis(250);

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_not_held_back() {
    let [a, mut b] = open(SOCKET_BUFFER_BYTES, [as_it_is; 2]).await;
    let mut longest = Vec::new();
    for burst in 0..BURSTS {
        let channel = a.channel.clone();
        let sending = tokio::spawn(async move {
            for number in 0..MESSAGES {
                drop(channel.queue(&format!("{burst}.{number}").into()).await.unwrap());
            }
        });
        let (mut last, mut pause) = (Instant::now(), Duration::ZERO);
        for number in 0..MESSAGES {
            let text = b.message().await;
            assert_eq!(text.as_text(), Some(&*format!("{burst}.{number}")));
            pause = pause.max(last.elapsed());
            last = Instant::now();
        }
        sending.await.unwrap();
        longest.push(pause);
    }
    println!("{longest:?}");
    let long = longest.iter().filter(|pause| **pause > LONG).count();
    assert!(long <= BURSTS / 30, "{long} of {BURSTS} bursts were held back: {longest:?}");
}
