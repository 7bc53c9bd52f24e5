//! How metrics are made: each under its name, with what it is.

use std::{fmt::Debug, hash::Hash};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric},
    metrics::{MetricType, TypedMetric, counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::counts::{Counts, Label, Word};

/// Registers what it makes.
#[derive(Default)]
pub(super) struct Maker {
    pub(super) registry: Registry,
}

impl Maker {
    pub(super) fn counter(&mut self, name: &str, help: &str) -> Counter {
        self.register(name, help, Counter::default())
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        self.register(name, help, Gauge::default())
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, bounds: &[f64]) -> Histogram {
        self.register(name, help, Histogram::new(bounds.iter().copied()))
    }

    pub(super) fn family<S>(&mut self, name: &str, help: &str) -> Family<S, Counter>
    where
        S: EncodeLabelSet + Clone + Debug + Hash + Eq + Send + Sync + 'static,
    {
        self.register(name, help, Family::default())
    }

    pub(super) fn counts<W, M>(&mut self, name: &str, help: &str, label: &'static str) -> Counts<W, M>
    where
        W: Word,
        M: EncodeMetric + TypedMetric + Clone + Default + Debug + Send + Sync + 'static,
    {
        let family = self.register(name, help, Family::<Label, M>::default());
        Counts::of(&family, label)
    }

    /// Which build it is, as a gauge that is 1.
    pub(super) fn build_info(&mut self) {
        let family = self.register("build_info", "The version that runs", Family::<Label, Gauge>::default());
        family.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
    }

    fn register<M: EncodeMetric + Clone + Debug + Send + Sync + 'static>(
        &mut self,
        name: &str,
        help: &str,
        metric: M,
    ) -> M {
        debug_assert!(metric.metric_type() != MetricType::Unknown, "{name}");
        self.registry.register(format!("grtc_{name}"), help, metric.clone());
        metric
    }
}
