//! Many connections, one after the other: memory, descriptors and tasks stay as they are.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what a test reads of /proc is there")]

mod hub;

use hub::{Hub, connected};

const CYCLES: usize = 200;
/// After so many everything has been allocated that is allocated once.
const WARM: usize = 51;

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
async fn two_hundred_connections_leave_nothing_behind() {
    let hub = Hub::default();
    let tasks_before = tasks();
    let mut warm = (0, 0);
    for cycle in 0..CYCLES {
        let (a, mut a_events) = hub.join("a").await;
        let (b, mut b_events) = hub.join("b").await;
        connected(&mut a_events, "b").await;
        connected(&mut b_events, "a").await;
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
    // One connection that is not freed is some 400 kB: 300 of them would be 120 MB.
    assert!(kb <= warm.1 + 8 * 1024, "memory grew from {} to {kb} kB", warm.1);
}
