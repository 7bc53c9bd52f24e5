//! Many connections, one after the other: memory, descriptors and tasks stay as they are.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what a test reads of /proc is there")]

mod hub;

use grtc_peer::{Event, Events, Peer};
use hub::{Hub, connected, until};

const CYCLES: usize = 60;
/// After so many everything has been allocated that is allocated once.
const WARM: usize = 21;

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn resident_kb() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Waits until the background has ended.
async fn calm(at_most: usize) -> usize {
    for _ in 0..500 {
        if tasks() <= at_most {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    tasks()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_that_open_break_and_close_leave_nothing_behind() {
    cycles(CYCLES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes"]
async fn long_a_thousand_pairs_leave_nothing_behind() {
    cycles(1_000).await;
}

async fn recovered(events: &mut Events) {
    until(events, |event| matches!(event, Event::Recovered { .. }).then_some(())).await;
}

/// The connection breaks while messages are under way: all of them arrive over the next one.
async fn broken(hub: &Hub, (a, a_events): (&Peer, &mut Events), (b, b_events): (&Peer, &mut Events)) {
    let under_way = [a.queue(b.id(), "to b").await.unwrap(), b.queue(a.id(), "to a").await.unwrap()];
    // The resident, which waits to be offered.
    hub.break_connection("a", "b");
    tokio::join!(recovered(a_events), recovered(b_events));
    for message in under_way {
        message.delivered().await.unwrap();
    }
}

async fn cycles(cycles: usize) {
    let hub = Hub::default();
    let tasks_before = tasks();
    let mut warm = (0, 0);
    for cycle in 0..cycles {
        let (a, mut a_events) = hub.join("a").await;
        let (b, mut b_events) = hub.join("b").await;
        connected(&mut a_events, "b").await;
        connected(&mut b_events, "a").await;
        broken(&hub, (&a, &mut a_events), (&b, &mut b_events)).await;
        match cycle % 3 {
            // Left one after the other, at once, or dropped without a word.
            0 => {
                b.leave().await;
                a.leave().await;
            }
            1 => {
                tokio::join!(a.leave(), b.leave());
            }
            _ => {
                drop((a, a_events));
                drop((b, b_events));
                assert_eq!(calm(tasks_before).await, tasks_before, "cycle {cycle}");
                continue;
            }
        }
        if cycle == WARM {
            calm(tasks_before).await;
            warm = (descriptors(), resident_kb());
        }
    }
    assert_eq!(calm(tasks_before).await, tasks_before);
    let (fds, kb) = (descriptors(), resident_kb());
    println!("descriptors {} -> {fds}, resident {} -> {kb} kB", warm.0, warm.1);
    assert!(fds <= warm.0 + 2, "descriptors grew from {} to {fds}", warm.0);
    // One connection that is not freed is some 400 kB: the rest of them would be 15 MB.
    assert!(kb <= warm.1 + 8 * 1024, "memory grew from {} to {kb} kB", warm.1);
}
