//! Logs and metrics of the process.
//!
//! [`crate::app`] starts both, and `/metrics` renders the handle.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

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
    // No colours: their escape sequences could not be told from a stranger's.
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| OneLine(io::stderr()));
    // A subscriber that was set before, as a test does, stays.
    let _ = if json { lines.json().try_init() } else { lines.with_target(false).try_init() };
}

/// Writes each event as one line, whatever stands in it: a name or a header cannot end the line, forge another one, or
/// reach the terminal that shows it.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// Takes a whole event, as the subscriber writes it.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(one_line(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// `event` with its one line break at the end. What does not belong into a line is written as JSON has it, which inside
/// a string of JSON is the same text.
fn one_line(event: &str) -> String {
    let (text, end) = event.strip_suffix('\n').map_or((event, ""), |text| (text, "\n"));
    let mut line = String::with_capacity(event.len());
    for c in text.chars() {
        if is_disruptive(c) {
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
    }
    line.push_str(end);
    line
}

/// Control characters, what breaks lines, and what turns the direction of text.
fn is_disruptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stranger may send: a line of its own, a terminal's sequences, and text that turns around.
    const FORGED: &str =
        "eve\r\n2026-11-29T00:00:00Z  INFO security event event=sign_in.accepted\x1b[2J\x07\u{9b}31m\u{202e}moc";

    fn logged(json: bool) -> String {
        let written = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = std::sync::Arc::clone(&written);
        let lines =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || OneLine(Sink(std::sync::Arc::clone(&sink))));
        let log = || {
            tracing::info!(origin = FORGED, label = %FORGED, debug = ?FORGED, "a device called {FORGED}");
        };
        if json {
            tracing::subscriber::with_default(lines.json().finish(), log);
        } else {
            tracing::subscriber::with_default(lines.finish(), log);
        }
        String::from_utf8(written.lock().expect("not poisoned").clone()).expect("text")
    }

    struct Sink(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_that_a_client_sends_forges_a_line_or_reaches_the_terminal() {
        for json in [false, true] {
            let lines = logged(json);
            let (line, rest) = lines.split_once('\n').expect("a line");
            assert_eq!(rest, "", "one event is one line");
            assert!(!line.chars().any(is_disruptive), "{line:?}");
            assert!(line.contains("eve") && line.contains("moc"), "nothing is hidden: {line}");
        }
    }

    #[test]
    fn a_line_of_json_says_the_same_as_before() {
        let line: serde_json::Value = serde_json::from_str(&logged(true)).expect("JSON");
        assert_eq!(line["fields"]["label"], FORGED);
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let line = "Ġorġ Ħarrub, 12 Triq il-Merkanti 🛵 é\n";
        assert_eq!(one_line(line), line);
    }
}
