//! A server that is killed and started again: how fast everybody is back, and how evenly they come.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::{
    sync::mpsc::{Sender, channel},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::client::{Client, jitter};
use crate::{
    door::Door,
    report::{Limit, Measure},
    target::Target,
};

/// A try that takes longer has failed.
const TRY: Duration = Duration::from_secs(10);
/// Whoever is not back by then does not come.
const ALL_BACK: Duration = Duration::from_secs(120);

/// What a client reports.
enum Event {
    Try(Instant),
    Back,
}

/// When the clients tried, and when the last of them was back.
struct Return {
    tries: Vec<Instant>,
    last: Instant,
}

/// Kills the server, starts it again after `down`, and waits until every client has noticed and is in again: each finds out by
/// itself, waits, and is told `recovered: false`, since the server knows nobody any more.
///
/// # Errors
/// When somebody does not come back, or is told something else.
pub(super) async fn measure(target: &mut Target, clients: Vec<Client>, down: Duration) -> anyhow::Result<Measure> {
    let count = clients.len();
    let (events, mut reported) = channel(4 * count.max(1));
    let mut tasks: JoinSet<_> =
        clients.into_iter().map(|client| outlive(client, target.door().clone(), events.clone())).collect();
    let killed = Instant::now();
    target.kill().await?;
    sleep(down).await;
    target.start_again().await?;
    let listening = Instant::now();
    let all = async {
        let (mut tries, mut back) = (Vec::new(), 0);
        while back < count {
            tokio::select! {
                event = reported.recv() => match event.context("the load has a bug")? {
                    Event::Try(at) => tries.push(at),
                    Event::Back => back += 1,
                },
                ended = tasks.join_next() => match ended {
                    Some(ended) => ended.context("the load has a bug")??,
                    None => bail!("the load ended by itself"),
                },
            }
        }
        Ok(Return { tries, last: Instant::now() })
    };
    let all = timeout(ALL_BACK, all).await.with_context(|| format!("not all are back after {ALL_BACK:?}"))??;
    tasks.shutdown().await;
    Ok(report(&all, count, killed, listening))
}

/// Loses its connection, comes back, and stays.
async fn outlive(mut client: Client, door: Door, events: Sender<Event>) -> anyhow::Result<()> {
    let Some(mut socket) = client.socket.take() else { return Ok(()) };
    while socket.next().await.is_ok() {
        client.received += 1;
    }
    drop(socket);
    let resume = client.ticket();
    let state = loop {
        sleep(jitter(client.tries)).await;
        events.send(Event::Try(Instant::now())).await?;
        match timeout(TRY, client.open(&door, &resume)).await {
            Ok(Ok(state)) => break state,
            Ok(Err(_)) | Err(_) => client.tries += 1,
        }
    };
    ensure!(state["recovered"] == false, "client {} is back to {state}", client.number);
    events.send(Event::Back).await?;
    let Some(mut socket) = client.socket.take() else { return Ok(()) };
    loop {
        socket.next().await.with_context(|| format!("client {}, which was back", client.number))?;
    }
}

fn report(all: &Return, count: usize, killed: Instant, listening: Instant) -> Measure {
    let seconds = |from: Instant| (all.last - from).as_secs_f64();
    let histogram = per_second(all.tries.iter().map(|at| *at - killed));
    let served = per_second(all.tries.iter().filter_map(|at| at.checked_duration_since(listening)));
    let ((peak, mean), (peak_served, mean_served)) = (peak_and_mean(&histogram), peak_and_mean(&served));
    let figures = vec![
        ("count", count as f64),
        ("seconds", seconds(killed)),
        ("seconds_down", (listening - killed).as_secs_f64()),
        ("seconds_after_start", seconds(listening)),
        ("tries", all.tries.len() as f64),
        ("tries_after_start", served.iter().sum::<u64>() as f64),
        ("peak_per_second", peak),
        ("mean_per_second", mean),
        ("peak_ratio", peak / mean),
        ("peak_ratio_after_start", peak_served / mean_served),
    ];
    let measure = Measure { histogram, ..Measure::new("resume.killed", "client", figures) };
    measure.goal("seconds", Limit::AtMost, 15.0).goal("peak_ratio", Limit::AtMost, 3.0)
}

fn peak_and_mean(histogram: &[u64]) -> (f64, f64) {
    let peak = histogram.iter().copied().max().unwrap_or_default();
    (peak as f64, histogram.iter().sum::<u64>() as f64 / histogram.len() as f64)
}

/// How many there are in each second.
fn per_second(times: impl Iterator<Item = Duration>) -> Vec<u64> {
    let mut counts = Vec::new();
    for time in times {
        let second = usize::try_from(time.as_secs()).unwrap_or_default();
        if counts.len() <= second {
            counts.resize(second + 1, 0);
        }
        if let Some(count) = counts.get_mut(second) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_counted_in_the_second_that_they_are_in() {
        let times = [100, 999, 1_000, 3_500].map(Duration::from_millis);
        assert_eq!(per_second(times.into_iter()), [2, 1, 0, 1]);
        assert!(per_second(std::iter::empty()).is_empty());
    }

    #[test]
    fn the_peak_is_held_to_the_mean() {
        let killed = Instant::now();
        let at = |millis| killed + Duration::from_millis(millis);
        let all = Return { tries: vec![at(100), at(200), at(300), at(3_000)], last: at(4_000) };
        let measure = report(&all, 1, killed, at(1_000));
        assert!((measure.figure("peak_ratio") - 3.0).abs() < 1e-9);
        assert!((measure.figure("tries_after_start") - 1.0).abs() < 1e-9);
        assert!(measure.targets.iter().all(|goal| goal.met));
    }
}
