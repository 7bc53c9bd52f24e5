//! What one frame costs: reading a client's envelope, and writing what the server makes of it.
//! `cargo bench -p grtc-protocol`

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use divan::{Bencher, black_box, counter::BytesCount};
use grtc_protocol::{PeerId, client::Frame, server::Forward};

fn main() {
    divan::main();
}

/// An offer with an SDP of so many bytes.
fn offer(sdp: usize) -> String {
    let sdp = "a=candidate 1 udp\\r\\n".repeat(sdp / 20);
    format!(r#"{{"type":"offer","target_peer_id":"b","offer":{{"type":"offer","sdp":"{sdp}"}}}}"#)
}

#[divan::bench(args = [100, 500, 4_000, 60_000])]
fn parse_offer(bencher: Bencher<'_, '_>, sdp: usize) {
    let text = offer(sdp);
    bencher.counter(BytesCount::of_str(&text)).bench(|| Frame::parse(black_box(&text)).is_ok());
}

#[divan::bench(args = [100, 500, 4_000, 60_000])]
fn forward_offer(bencher: Bencher<'_, '_>, sdp: usize) {
    let (text, from): (String, PeerId) = (offer(sdp), "a".parse().unwrap());
    let forward = Forward { from: &from, json: &text, timestamp: "2030-01-01T00:00:00.000Z" };
    bencher.counter(BytesCount::of_str(&text)).bench(|| black_box(forward).signal());
}

#[divan::bench]
fn refuse_deep_nesting(bencher: Bencher<'_, '_>) {
    let text = format!(r#"{{"type":"broadcast","data":{}{}}}"#, "[".repeat(30_000), "]".repeat(30_000));
    bencher.bench(|| Frame::parse(black_box(&text)).is_err());
}
