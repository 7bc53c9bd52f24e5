//! What a room costs, without any socket: a signal between two, a broadcast, a join and a leave.
//! `cargo bench -p grtc-server`

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]
#![allow(
    dead_code,
    unused_imports,
    reason = "the room is private to the server: its file is compiled into the benchmark as well"
)]

#[path = "../src/hub/room.rs"]
mod room;

use divan::{Bencher, black_box, counter::ItemsCount};
use grtc_protocol::{PeerId, client::Frame, server::LeaveReason};
use room::{Command, Room};
use tokio_tungstenite::tungstenite::Utf8Bytes as Text;

const NOW: &str = "2030-01-01T00:00:00.000Z";

fn main() {
    divan::main();
}

/// A room whose members are `0`, `1`, …
fn room(members: usize) -> Room<usize> {
    let mut room = Room::new("r".parse().unwrap(), None);
    for n in 0..members {
        assert!(room.apply(Command::Join { peer: peer(n), handle: n }, NOW).is_ok());
    }
    room
}

fn peer(n: usize) -> PeerId {
    n.to_string().parse().unwrap()
}

#[divan::bench(args = [2, 100])]
fn signal(bencher: Bencher<'_, '_>, members: usize) {
    let text = format!(r#"{{"type":"offer","target_peer_id":"1","offer":{{"sdp":"{}"}}}}"#, "x".repeat(500));
    let (mut room, from, frame) = (room(members), peer(0), Frame::parse(&text).unwrap());
    bencher.bench_local(|| room.apply(Command::Send { from: &from, message: black_box(&frame.message) }, NOW).is_ok());
}

#[divan::bench(args = [2, 100, 256])]
fn broadcast(bencher: Bencher<'_, '_>, members: usize) {
    let text = format!(r#"{{"type":"broadcast","data":"{}"}}"#, "x".repeat(200));
    let (mut room, from, frame) = (room(members), peer(0), Frame::parse(&text).unwrap());
    bencher
        .counter(ItemsCount::new(members - 1))
        .bench_local(|| room.apply(Command::Send { from: &from, message: black_box(&frame.message) }, NOW).is_ok());
}

#[divan::bench(args = [1, 10, 100])]
fn join_and_leave(bencher: Bencher<'_, '_>, others: usize) {
    let (mut room, newcomer) = (room(others), peer(others));
    bencher.bench_local(|| {
        let joined = room.apply(Command::Join { peer: newcomer.clone(), handle: others }, NOW).is_ok();
        let left = room.apply(Command::Leave { peer: &newcomer, reason: LeaveReason::Left }, NOW).is_ok();
        joined && left
    });
}
