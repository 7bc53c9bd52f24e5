//! Figures, targets, and the JSON object that holds them.

use serde::Serialize;

use crate::window::{Sample, percentile};

/// All that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether everything could be measured.
    pub ok: bool,
    /// Whether it could, and every target is met.
    pub met: bool,
    /// The server: its binary, or the address of a running one.
    pub server: String,
    /// Length of each measurement.
    pub seconds: f64,
    /// Whether server and load each had a CPU of its own.
    pub pinned: bool,
    /// CPUs of this machine that the load may use.
    pub cpus: usize,
    /// One after the other.
    pub measures: Vec<Measure>,
}

/// One measurement.
#[derive(Debug, Serialize)]
pub struct Measure {
    /// Such as `relay.one`.
    pub name: String,
    /// Whether it could be measured.
    pub ok: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What `count`, `per_second` and `server_cpu_us` are about.
    pub unit: &'static str,
    /// Name and value.
    #[serde(serialize_with = "as_object")]
    pub figures: Vec<(&'static str, f64)>,
    /// How many there were in each second, where that is measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<u64>,
    /// What the figures are held to.
    pub targets: Vec<Goal>,
}

/// A figure and what it is held to.
#[derive(Debug, Serialize)]
pub struct Goal {
    /// Which figure.
    pub figure: &'static str,
    /// Which side of the target is the good one.
    pub limit: Limit,
    /// The target.
    pub target: f64,
    /// What was measured.
    pub value: f64,
    /// Whether the target is met.
    pub met: bool,
}

/// Which side of a target is the good one.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Less is better.
    AtMost,
    /// More is better.
    AtLeast,
}

impl Report {
    /// A report of nothing yet.
    #[must_use]
    pub fn new(server: String, seconds: f64, pinned: bool) -> Self {
        let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        Self { ok: true, met: true, server, seconds, pinned, cpus, measures: Vec::new() }
    }

    /// Adds measurements.
    pub fn add(&mut self, measures: Vec<Measure>) {
        for measure in measures {
            self.ok &= measure.ok;
            self.met &= measure.ok && measure.targets.iter().all(|goal| goal.met);
            self.measures.push(measure);
        }
    }
}

impl Measure {
    /// A measurement with these figures. It is shown on stderr once its targets are known: see [`Measure::show`].
    #[must_use]
    pub fn new(name: impl Into<String>, unit: &'static str, figures: Vec<(&'static str, f64)>) -> Self {
        Self { name: name.into(), ok: true, reason: None, unit, figures, histogram: Vec::new(), targets: Vec::new() }
    }

    /// What one window of load tells: rate, CPU time per unit, latencies.
    #[must_use]
    pub fn of(name: impl Into<String>, unit: &'static str, sample: &Sample) -> Self {
        let (units, elapsed) = (sample.units as f64, sample.elapsed.as_secs_f64());
        let mut figures = vec![
            ("count", units),
            ("per_second", units / elapsed),
            ("server_cpu_us", sample.server_cpu.as_secs_f64() * 1e6 / units),
            ("server_cpus", sample.server_cpu.as_secs_f64() / elapsed),
            ("load_cpus", sample.load_cpu.as_secs_f64() / elapsed),
            ("other_cpus", sample.other_cpu.as_secs_f64() / elapsed),
        ];
        if !sample.nanos.is_empty() {
            figures.push(("p50_us", percentile(&sample.nanos, 50)));
            figures.push(("p99_us", percentile(&sample.nanos, 99)));
        }
        Self::new(name, unit, figures)
    }

    /// What could not be measured, and why.
    #[must_use]
    pub fn failed(name: &str, error: &anyhow::Error) -> Self {
        let reason = Some(format!("{error:#}"));
        let measure = Self { ok: false, reason, ..Self::new(name, "", Vec::new()) };
        measure.show()
    }

    /// One of its figures, not a number if it has none of this name.
    #[must_use]
    pub fn figure(&self, name: &str) -> f64 {
        self.figures.iter().find(|(other, _)| *other == name).map_or(f64::NAN, |(_, value)| *value)
    }

    /// Holds a figure to a target.
    #[must_use]
    pub fn goal(mut self, figure: &'static str, limit: Limit, target: f64) -> Self {
        let value = self.figure(figure);
        let met = match limit {
            Limit::AtMost => value <= target,
            Limit::AtLeast => value >= target,
        };
        self.targets.push(Goal { figure, limit, target, value: round(value), met });
        self
    }

    /// Writes a line about it to stderr.
    #[must_use]
    pub fn show(self) -> Self {
        let figures: Vec<_> = self.figures.iter().map(|(name, value)| format!("{name} {}", round(*value))).collect();
        let goals: Vec<_> = self.targets.iter().map(Goal::sentence).collect();
        let reason = self.reason.as_ref().map(|reason| format!("NOT MEASURED: {reason}"));
        let histogram = (!self.histogram.is_empty()).then(|| format!("in each second {:?}", self.histogram));
        let parts: Vec<_> = [goals, figures].concat().into_iter().chain(histogram).chain(reason).collect();
        eprintln!("{:<14} {}", self.name, parts.join("  "));
        self
    }
}

impl Goal {
    fn sentence(&self) -> String {
        let (verdict, sign) = (if self.met { "met" } else { "MISSED" }, self.limit.sign());
        format!("[{verdict}: {} {} {sign} {}]", self.figure, self.value, self.target)
    }
}

impl Limit {
    fn sign(self) -> char {
        match self {
            Self::AtMost => '≤',
            Self::AtLeast => '≥',
        }
    }
}

/// Three digits behind the point for small figures, none for large ones: more would be noise.
fn round(value: f64) -> f64 {
    let scale = if value.abs() < 100.0 { 1e3 } else { 1.0 };
    (value * scale).round() / scale
}

fn as_object<S: serde::Serializer>(figures: &[(&'static str, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(figures.iter().map(|(name, value)| (name, round(*value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_on_its_good_side_only() {
        let measure = Measure::new("x", "message", vec![("a", 2.0)]);
        let measure =
            measure.goal("a", Limit::AtMost, 2.0).goal("a", Limit::AtLeast, 2.5).goal("b", Limit::AtMost, 9.0);
        assert_eq!(measure.targets.iter().map(|goal| goal.met).collect::<Vec<_>>(), [true, false, false]);
    }
}
