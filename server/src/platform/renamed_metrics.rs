//! Metrics that were renamed, under both names for one version.
//!
//! Dashboards and alerts that ask for an old name go on working until the version after the one that renamed it. Code
//! records the new name only; [`BothNames`] gives what it records to the old name as well. Counters and histograms
//! only: no gauge was renamed so far. [`super::telemetry`] puts it in front of the recorder.

use std::sync::Arc;

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// New name, old name. A pair leaves in the version after the first one that has the new name.
const RENAMED: [(&str, &str); 4] = [
    ("doorstep_access_log_lost_total", "doorstep_looks_lost_total"),
    ("doorstep_batch_loader_keys", "doorstep_gathered_keys"),
    ("doorstep_connect_limiter_waits_total", "doorstep_turnstile_waits_total"),
    ("doorstep_exceptions_round_seconds", "doorstep_exceptions_look_seconds"),
];

fn old_name(name: &str) -> Option<&'static str> {
    RENAMED.iter().find(|(new, _)| *new == name).map(|(_, old)| *old)
}

/// A recorder that records renamed metrics under their old names, too.
#[derive(Debug)]
pub struct BothNames<R>(pub R);

impl<R> BothNames<R> {
    fn old_key(key: &Key) -> Option<Key> {
        let labels: Vec<_> = key.labels().cloned().collect();
        old_name(key.name()).map(|old| Key::from_parts(old, labels))
    }
}

impl<R: Recorder> Recorder for BothNames<R> {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        if let Some(old) = old_name(name.as_str()) {
            self.0.describe_counter(old.into(), unit, description.clone());
        }
        self.0.describe_counter(name, unit, description);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_gauge(name, unit, description);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        if let Some(old) = old_name(name.as_str()) {
            self.0.describe_histogram(old.into(), unit, description.clone());
        }
        self.0.describe_histogram(name, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let new = self.0.register_counter(key, metadata);
        match Self::old_key(key) {
            Some(old) => Counter::from_arc(Arc::new(Both(new, self.0.register_counter(&old, metadata)))),
            None => new,
        }
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.0.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let new = self.0.register_histogram(key, metadata);
        match Self::old_key(key) {
            Some(old) => Histogram::from_arc(Arc::new(Both(new, self.0.register_histogram(&old, metadata)))),
            None => new,
        }
    }
}

/// One metric under two names.
struct Both<T>(T, T);

impl CounterFn for Both<Counter> {
    fn increment(&self, value: u64) {
        self.0.increment(value);
        self.1.increment(value);
    }

    fn absolute(&self, value: u64) {
        self.0.absolute(value);
        self.1.absolute(value);
    }
}

impl HistogramFn for Both<Histogram> {
    fn record(&self, value: f64) {
        self.0.record(value);
        self.1.record(value);
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn a_renamed_metric_is_rendered_under_both_names_and_every_other_under_its_own() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&BothNames(recorder), || {
            metrics::counter!("doorstep_access_log_lost_total").increment(3);
            metrics::counter!("doorstep_connect_limiter_waits_total").increment(5);
            metrics::histogram!("doorstep_batch_loader_keys", "query" => "couriers").record(7.0);
            metrics::histogram!("doorstep_exceptions_round_seconds").record(0.25);
            metrics::counter!("doorstep_fixes_received_total").increment(9);
        });
        let rendered = handle.render();
        for line in [
            "doorstep_access_log_lost_total 3",
            "doorstep_looks_lost_total 3",
            "doorstep_connect_limiter_waits_total 5",
            "doorstep_turnstile_waits_total 5",
            "doorstep_batch_loader_keys_sum{query=\"couriers\"} 7",
            "doorstep_gathered_keys_sum{query=\"couriers\"} 7",
            "doorstep_exceptions_round_seconds_count 1",
            "doorstep_exceptions_look_seconds_count 1",
            "doorstep_fixes_received_total 9",
        ] {
            assert!(rendered.lines().any(|rendered| rendered == line), "{line} is missing in\n{rendered}");
        }
    }
}
