//! What a room costs, without any socket: a signal between two, a broadcast, a join and a leave.
//! `cargo bench -p grtc-server`

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]
#![allow(
    dead_code,
    unused_imports,
    reason = "the room is private to the server: its files are compiled into the benchmark as well"
)]

#[path = "../src/hub/notice.rs"]
mod notice;
#[path = "../src/hub/room.rs"]
mod room;

use divan::{Bencher, black_box, counter::ItemsCount};
use grtc_protocol::{PeerId, client::Frame, server::LeaveReason};
use jiff::Timestamp;
use notice::Frame as Told;
use room::{Member, Room};
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::Utf8Bytes as Text;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Takes the text and drops it.
struct Reader;

impl Member for Reader {
    fn deliver(&self, frame: &Told<'_>) {
        black_box(frame.text());
    }
}

fn main() {
    divan::main();
}

/// A room whose members are `0`, `1`, …
fn room(members: usize) -> Room<Reader> {
    let mut room = Room::new("r".parse().unwrap());
    for n in 0..members {
        assert!(room.join(peer(n), Reader, ice(), NOW).is_ok());
    }
    room
}

fn ice() -> &'static RawValue {
    serde_json::from_str("[]").unwrap()
}

fn peer(n: usize) -> PeerId {
    n.to_string().parse().unwrap()
}

#[divan::bench(args = [2, 100])]
fn signal(bencher: Bencher<'_, '_>, members: usize) {
    let text = format!(r#"{{"type":"offer","target_peer_id":"1","offer":{{"sdp":"{}"}}}}"#, "x".repeat(500));
    let (mut room, from, frame) = (room(members), peer(0), Frame::parse(&text).unwrap());
    bencher.bench_local(|| room.send(&from, black_box(&frame.message), NOW).is_ok());
}

#[divan::bench(args = [2, 100, 256])]
fn broadcast(bencher: Bencher<'_, '_>, members: usize) {
    let text = format!(r#"{{"type":"broadcast","data":"{}"}}"#, "x".repeat(200));
    let (mut room, from, frame) = (room(members), peer(0), Frame::parse(&text).unwrap());
    bencher
        .counter(ItemsCount::new(members - 1))
        .bench_local(|| room.send(&from, black_box(&frame.message), NOW).is_ok());
}

#[divan::bench(args = [1, 10, 100])]
fn join_and_leave(bencher: Bencher<'_, '_>, others: usize) {
    let (mut room, newcomer) = (room(others), peer(others));
    bencher.bench_local(|| {
        let joined = room.join(newcomer.clone(), Reader, ice(), NOW).is_ok();
        room.leave(&newcomer, LeaveReason::Left, NOW);
        joined
    });
}
