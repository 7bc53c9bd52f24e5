//! What a room costs, without any socket: a signal between two, a broadcast, a join and a leave.
//! `cargo bench -p grtc-server`

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]
#![allow(
    dead_code,
    unused_imports,
    reason = "the room is private to the server: its files are compiled into the benchmark as well"
)]

#[path = "../src/auth"]
mod auth {
    pub(crate) mod caller;
    pub(crate) mod grants;
    pub(crate) mod refused;

    pub(crate) use caller::{Bearer, Caller};
}

#[path = "../src/hub"]
mod hub {
    pub(crate) mod caps;
    pub(crate) mod notice;
    pub(crate) mod pool;
    pub(crate) mod room;
    pub(crate) mod token;
    mod wakes;

    pub(crate) type Text = tokio_tungstenite::tungstenite::Utf8Bytes;
}

use std::time::Duration;

use divan::{Bencher, black_box, counter::ItemsCount};
use grtc_protocol::{CloseCode, PeerId, client::Frame, server::LeaveReason};
use hub::{
    Text,
    caps::{Caps, Places},
    notice::Frame as Told,
    pool::Pool,
    room::{Asks, Member, Newcomer, Place, Room},
};
use jiff::Timestamp;
use serde_json::value::RawValue;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Takes the text and drops it.
struct Reader;

impl Member for Reader {
    fn deliver(&self, frame: &Told<'_>) {
        black_box(frame.text());
    }

    fn replay(&self, text: Text) {
        black_box(text);
    }

    fn queued(&self) -> usize {
        0
    }

    fn close(&self, _: CloseCode) {}
}

fn main() {
    divan::main();
}

/// A room whose members are `0`, `1`, …, and the place of the first one.
fn room(members: usize) -> (Room<Reader>, Place) {
    let caps = Caps { rooms: usize::MAX, room_peers: usize::MAX, places: Places::new(usize::MAX) };
    let mut room = Room::new("r".parse().unwrap(), 0, Duration::ZERO, Pool::new(usize::MAX), caps);
    let places: Vec<_> = (0..members).map(|n| join(&mut room, &peer(n))).collect();
    (room, places.into_iter().next().unwrap())
}

fn join(room: &mut Room<Reader>, peer: &PeerId) -> Place {
    let (peer, asks) = (peer.clone(), Asks::default());
    room.join(Newcomer { peer, member: Reader, token: None, asks, ice_servers: ice(), bearer: None }, NOW).unwrap()
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
    let ((mut room, from), frame) = (room(members), Frame::parse(&text).unwrap());
    bencher.bench_local(|| room.send(&from, None, black_box(&frame.message), NOW).is_ok());
}

#[divan::bench(args = [2, 100, 256])]
fn broadcast(bencher: Bencher<'_, '_>, members: usize) {
    let text = format!(r#"{{"type":"broadcast","data":"{}"}}"#, "x".repeat(200));
    let ((mut room, from), frame) = (room(members), Frame::parse(&text).unwrap());
    bencher
        .counter(ItemsCount::new(members - 1))
        .bench_local(|| room.send(&from, None, black_box(&frame.message), NOW).is_ok());
}

#[divan::bench(args = [1, 10, 100])]
fn join_and_leave(bencher: Bencher<'_, '_>, others: usize) {
    let ((mut room, _), newcomer) = (room(others), peer(others));
    bencher.bench_local(|| {
        let place = join(&mut room, &newcomer);
        room.leave(&place, LeaveReason::Left, NOW);
    });
}
