use std::time::{Duration, Instant};

use super::*;
use crate::limits::MESSAGE_BYTES;

/// What Linux gives a UDP socket unless it is told otherwise.
const LINUX_DEFAULT: usize = 212_992;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_message_fits_a_small_socket() {
    let [mut a, mut b] = open(LINUX_DEFAULT, [as_it_is; 2]).await;
    let text = |number: usize| char::from(b'a' + u8::try_from(number).unwrap()).to_string().repeat(MESSAGE_BYTES);
    let begin = Instant::now();
    for (from, to) in [(0, 1), (1, 0)] {
        let channel = [&a, &b][from].channel.clone();
        let sending = tokio::spawn(async move {
            for number in 0..20 {
                drop(channel.queue(&text(number).into()).await.unwrap());
            }
        });
        let side = if to == 1 { &mut b } else { &mut a };
        for number in 0..20 {
            assert!(side.message().await.as_text() == Some(&text(number)), "message {number} is another one");
        }
        sending.await.unwrap();
    }
    println!("{:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(15), "it took {:?}", begin.elapsed());
}
