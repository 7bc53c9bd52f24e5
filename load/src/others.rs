//! What others notice of one who misbehaves: how long the messages of a healthy pair take, before and meanwhile.

mod abuse;
mod pair;

use std::time::{Duration, Instant};

use anyhow::ensure;

use self::{
    abuse::{Abuse, Kind},
    pair::Pair,
};
use crate::{
    report::{Limit, Measure},
    target::Target,
    window::{Plan, median, percentile},
};

/// Who misbehaves, and how much.
#[derive(Debug, clap::Args)]
pub struct Shape {
    /// Who don't read what a busy room says.
    #[arg(long, default_value_t = Self::default().slow)]
    pub slow: usize,
    /// Members of the room that one of them floods.
    #[arg(long, default_value_t = Self::default().members)]
    pub members: usize,
    /// Pings a second of one client.
    #[arg(long, default_value_t = Self::default().pings)]
    pub pings: usize,
    /// Times that each is measured.
    #[arg(long, default_value_t = Self::default().rounds)]
    pub rounds: usize,
    /// Only this one of slow, flood and pings.
    #[arg(long)]
    pub only: Option<String>,
}

impl Default for Shape {
    fn default() -> Self {
        Self { slow: 200, members: 1_000, pings: 50_000, rounds: 3, only: None }
    }
}

/// One look at the pair, before and meanwhile.
struct Round {
    before_us: f64,
    meanwhile_us: f64,
    most_us: f64,
    server_cpus: f64,
}

/// Measures the pair beside each kind of abuse, which has a thread of its own.
///
/// # Errors
/// When the pair is not served, or who misbehaves can't even begin.
pub async fn measure(target: &Target, plan: Plan, shape: &Shape, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let all =
        [("slow", Kind::Slow(shape.slow)), ("flood", Kind::Flood(shape.members)), ("pings", Kind::Pings(shape.pings))];
    let chosen = |name: &str| shape.only.as_ref().is_none_or(|only| only == name);
    ensure!(all.iter().any(|(name, _)| chosen(name)), "no such measurement: --only {:?}", shape.only);
    for (name, kind) in all.into_iter().filter(|(name, _)| chosen(name)) {
        let mut rounds = Vec::new();
        for number in 0..shape.rounds.max(1) {
            rounds.push(round(target, plan, kind, &format!("{name}-{number}")).await?);
        }
        measures.push(report(&format!("others.{name}"), &rounds).show());
    }
    Ok(())
}

async fn round(target: &Target, plan: Plan, kind: Kind, name: &str) -> anyhow::Result<Round> {
    let abuse = Abuse::prepare(kind, target.door().clone(), format!("abused-{name}")).await?;
    let mut pair = Pair::join(target.door(), &format!("healthy-{name}")).await?;
    pair.delays(plan.warm_up).await?;
    let before = pair.delays(plan.length).await?;
    let abuse = abuse.begin();
    let (since, cpu) = (Instant::now(), target.cpu()?);
    let meanwhile = pair.delays(plan.length).await?;
    let server_cpus = (target.cpu()? - cpu).as_secs_f64() / since.elapsed().max(Duration::from_millis(1)).as_secs_f64();
    abuse.end().await?;
    let most_us = f64::from(meanwhile.last().copied().unwrap_or_default()) / 1e3;
    Ok(Round { before_us: percentile(&before, 99), meanwhile_us: percentile(&meanwhile, 99), most_us, server_cpus })
}

fn report(name: &str, rounds: &[Round]) -> Measure {
    let all = |of: fn(&Round) -> f64| rounds.iter().map(of).collect::<Vec<_>>();
    let ratios = all(|round| round.meanwhile_us / round.before_us);
    let figures = vec![
        ("ratio", median(&ratios)),
        ("ratio_least", ratios.iter().copied().fold(f64::NAN, f64::min)),
        ("ratio_most", ratios.iter().copied().fold(f64::NAN, f64::max)),
        ("p99_us_before", median(&all(|round| round.before_us))),
        ("p99_us", median(&all(|round| round.meanwhile_us))),
        ("most_us", median(&all(|round| round.most_us))),
        ("server_cpus", median(&all(|round| round.server_cpus))),
    ];
    Measure::new(name, "message", figures).goal("ratio", Limit::AtMost, 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_compared_with_its_own_beginning() {
        let round = |before_us, meanwhile_us| Round { before_us, meanwhile_us, most_us: 0.0, server_cpus: 0.0 };
        let report = report("x", &[round(100.0, 150.0), round(1_000.0, 3_000.0), round(100.0, 190.0)]);
        assert!((report.figure("ratio") - 1.9).abs() < 1e-9 && report.targets[0].met);
        assert!((report.figure("ratio_most") - 3.0).abs() < 1e-9);
    }
}
