//! Logs and metrics of the process.
//!
//! [`crate::app`] starts both, and `/metrics` renders the handle.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use super::{metric_texts, renamed_metrics::BothNames};

/// Commit and latency buckets in seconds, from a fast SSD to a stalled one.
const SECONDS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
const ROWS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1_000.0];

/// What is logged unless `RUST_LOG` says otherwise. actix reports requests that it cannot parse as errors, which are the
/// client's, and everything else that it says there stands in our own lines.
const USUAL_FILTER: &str = "info,sqlx=warn,actix_server=warn,actix_http::h1::dispatcher=off";

/// Sends log lines to standard error. `RUST_LOG` chooses what; the default is our own at `info`.
pub fn start_logs(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL_FILTER));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A subscriber that was set before, as a test does, stays.
    let _ = if json { lines.json().try_init() } else { lines.with_target(false).try_init() };
}

/// Collects metrics from now on; the handle renders them. A second call in one process returns the first one's handle.
pub fn start_metrics() -> PrometheusHandle {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let matcher = |name: &str| metrics_exporter_prometheus::Matcher::Suffix(name.to_owned());
            let recorder = PrometheusBuilder::new()
                .set_buckets_for_metric(matcher("_seconds"), &SECONDS)
                .and_then(|builder| builder.set_buckets_for_metric(matcher("_rows"), &ROWS))
                .expect("the lists of buckets are not empty")
                .build_recorder();
            let handle = recorder.handle();
            metrics::set_global_recorder(BothNames(recorder)).expect("no other recorder is installed");
            metric_texts::describe();
            handle
        })
        .clone()
}
