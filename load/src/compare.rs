//! What keys, limits and TLS cost: the same load on the same server in its three ways, by turns.

use anyhow::Context;

use crate::{
    joins, relay,
    report::{Limit, Measure},
    server_args::ServerArgs,
    target::Target,
    variants::{ALL, Variants},
    window::{Plan, Sample, median},
};

/// How much is compared.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Pairs of peers. With as few as `relay` has, each peer would send more than the server's limit lets through.
    #[arg(long, default_value_t = Self::default().pairs)]
    pub pairs: usize,
    /// Clients that join at once.
    #[arg(long, default_value_t = Self::default().workers)]
    pub workers: usize,
    /// Times that each is measured, by turns.
    #[arg(long, default_value_t = Self::default().rounds)]
    pub rounds: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { pairs: 128, workers: 64, rounds: 3 }
    }
}

/// The server's CPU time for each unit in microseconds: without keys and limits, with both, over TLS too.
type Round = [f64; 3];

/// Measures one message under way in each pair, and joins, of each of three servers that this starts.
///
/// # Errors
/// When one does not start, or a measurement fails.
pub async fn measure(args: &ServerArgs, plan: Plan, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let variants = Variants::new(args)?;
    let mut targets = Vec::new();
    for variant in ALL {
        targets.push(Target::new(&variants.of(variant)).await?);
    }
    let pairs = relay::Shape { pairs: shape.pairs, ..relay::Shape::default() };
    let clients = joins::Shape { workers: shape.workers, ..joins::Shape::default() };
    let (mut relayed, mut joined) = (Vec::new(), Vec::new());
    for _ in 0..shape.rounds.max(1) {
        let (mut messages, mut joins) = (Round::default(), Round::default());
        for (at, (target, variant)) in targets.iter().zip(ALL).enumerate() {
            let which = |what| format!("{what} ({})", variant.name());
            let sample = relay::sample(target, plan, &pairs, 1).await;
            messages[at] = cpu_us(&sample.with_context(|| which("relay"))?);
            let sample = joins::sample(target, plan, &clients).await;
            joins[at] = cpu_us(&sample.with_context(|| which("joins"))?);
        }
        relayed.push(messages);
        joined.push(joins);
    }
    measures.push(relay_report(&relayed).show());
    measures.push(joins_report(&joined).show());
    for target in targets {
        target.stop().await?;
    }
    Ok(())
}

fn cpu_us(sample: &Sample) -> f64 {
    sample.server_cpu.as_secs_f64() * 1e6 / sample.units as f64
}

fn relay_report(rounds: &[Round]) -> Measure {
    let mut figures = medians(rounds);
    figures
        .extend(spread(["keys_ratio", "keys_ratio_least", "keys_ratio_most"], rounds, |[open, keys, _]| keys / open));
    figures.extend(spread(["tls_ratio", "tls_ratio_least", "tls_ratio_most"], rounds, |[open, _, tls]| tls / open));
    Measure::new("compare.relay", "message", figures).goal("keys_ratio", Limit::AtMost, 1.1)
}

fn joins_report(rounds: &[Round]) -> Measure {
    let mut figures = medians(rounds);
    figures.extend(spread(["keys_us_more", "keys_us_more_least", "keys_us_more_most"], rounds, |[open, keys, _]| {
        keys - open
    }));
    figures
        .extend(spread(["tls_us_more", "tls_us_more_least", "tls_us_more_most"], rounds, |[_, keys, tls]| tls - keys));
    Measure::new("compare.joins", "join", figures).goal("keys_us_more", Limit::AtMost, 60.0)
}

fn medians(rounds: &[Round]) -> Vec<(&'static str, f64)> {
    let of = |at: usize| median(&rounds.iter().filter_map(|round| round.get(at).copied()).collect::<Vec<_>>());
    vec![("open_us", of(0)), ("keys_us", of(1)), ("tls_us", of(2))]
}

/// What comes out of each round: the middle one, the least, and the most.
fn spread(
    names: [&'static str; 3],
    rounds: &[Round],
    of: impl Fn(&Round) -> f64,
) -> impl Iterator<Item = (&'static str, f64)> {
    let all: Vec<f64> = rounds.iter().map(of).collect();
    let (least, most) = (all.iter().copied().fold(f64::NAN, f64::min), all.iter().copied().fold(f64::NAN, f64::max));
    names.into_iter().zip([median(&all), least, most])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_is_compared_with_itself() {
        let rounds = [[10.0, 10.5, 20.0], [20.0, 24.0, 50.0], [10.0, 10.8, 21.0]];
        let report = relay_report(&rounds);
        assert!((report.figure("keys_ratio") - 1.08).abs() < 1e-9);
        assert!((report.figure("keys_ratio_most") - 1.2).abs() < 1e-9);
        assert!((report.figure("tls_ratio_least") - 2.0).abs() < 1e-9);
        assert!(report.targets.iter().all(|goal| goal.met));
        let report = joins_report(&[[40.0, 101.0, 300.0]]);
        assert!((report.figure("keys_us_more") - 61.0).abs() < 1e-9 && !report.targets[0].met);
        assert!((report.figure("tls_us_more") - 199.0).abs() < 1e-9);
    }
}
