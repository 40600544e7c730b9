//! What a Prometheus server reads, as strictly as its own checker does.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, with_app};

/// A metric with its lines.
#[derive(Debug, Default)]
struct Family {
    help: String,
    kind: String,
    samples: Vec<Sample>,
}

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Sample {
    fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// Its labels but for those of a histogram's or a summary's own.
    fn series(&self) -> Vec<(&str, &str)> {
        let own = self.labels.iter().filter(|(name, _)| !["le", "quantile"].contains(&name.as_str()));
        own.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'_')
}

/// Reads the text format, version 0.0.4; panics at anything that it does not allow.
fn read(text: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<String, Family>::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("no help: {line}"));
            assert!(!families.contains_key(name), "{name} is there twice");
            name.clone_into(&mut current);
            families.insert(current.clone(), Family { help: help.to_owned(), ..Family::default() });
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("no type: {line}"));
            assert_eq!(name, current, "the type follows the help");
            kind.clone_into(&mut families.get_mut(name).expect("it has a help").kind);
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let sample = read_sample(line);
            let family = families.get_mut(&current).unwrap_or_else(|| panic!("no family: {line}"));
            let part = sample.name.strip_prefix(current.as_str()).unwrap_or_else(|| panic!("{line} under {current}"));
            let parts: &[&str] = match family.kind.as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                "summary" => &["", "_sum", "_count"],
                _ => &[""],
            };
            assert!(parts.contains(&part), "{line}");
            family.samples.push(sample);
        }
    }
    families
}

fn read_sample(line: &str) -> Sample {
    let (named, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let value = match value {
        "+Inf" => f64::INFINITY,
        value => value.parse().unwrap_or_else(|_| panic!("no number: {line}")),
    };
    let (name, labels) = match named.split_once('{') {
        Some((name, rest)) => (name, rest.strip_suffix('}').unwrap_or_else(|| panic!("no end: {line}"))),
        None => (named, ""),
    };
    assert!(is_name(name), "{line}");
    let mut read = BTreeMap::new();
    // No label of ours has a quote or a comma in its value.
    for label in labels.split("\",").filter(|label| !label.is_empty()) {
        let (name, value) = label.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        assert!(is_name(name), "{line}");
        assert!(read.insert(name.to_owned(), value.trim_end_matches('"').to_owned()).is_none(), "{line}");
    }
    Sample { name: name.to_owned(), labels: read, value }
}

/// What `promtool check metrics` asks of names and types, and what a scraper asks of histograms.
fn check(name: &str, family: &Family) {
    assert!(family.help.ends_with('.') && family.help.len() > 5, "{name}: {}", family.help);
    assert!(["counter", "gauge", "histogram", "summary"].contains(&family.kind.as_str()), "{name}: {}", family.kind);
    assert_eq!(family.kind == "counter", name.ends_with("_total"), "{name}: counters and nothing else end in _total");
    for end in ["_count", "_sum", "_bucket", "_counter", "_gauge", "_histogram", "_milliseconds", "_ms", "_min"] {
        assert!(!name.ends_with(end), "{name}");
    }
    assert!(is_name(name) && !family.samples.is_empty(), "{name}");
    let different: BTreeSet<_> =
        family.samples.iter().map(|sample| format!("{}{:?}", sample.name, sample.labels)).collect();
    assert_eq!(different.len(), family.samples.len(), "{name} has a series twice");
    if family.kind == "histogram" {
        check_histogram(name, family);
    }
}

fn check_histogram(name: &str, family: &Family) {
    let buckets: Vec<_> = family.samples.iter().filter(|sample| sample.name.ends_with("_bucket")).collect();
    for of_series in buckets.chunk_by(|a, b| a.series() == b.series()) {
        let bounds: Vec<f64> = of_series
            .iter()
            .map(|bucket| bucket.label("le").replace("+Inf", "inf").parse().expect("a bound"))
            .collect();
        assert!(bounds.is_sorted() && bounds.last() == Some(&f64::INFINITY), "{name}: {bounds:?}");
        assert!(of_series.is_sorted_by(|a, b| a.value <= b.value), "{name}: buckets hold all that is smaller");
        let series = of_series[0].series();
        let count = family.samples.iter().find(|sample| sample.name.ends_with("_count") && sample.series() == series);
        assert_eq!(count.map(|count| count.value), of_series.last().map(|last| last.value), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_has_its_help_and_its_type_and_holds_to_the_format() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        let mut phone = app.connect(&ana).await;
        phone.report(1, &[json!({ "time_ms": crate::support::now_ms(), "lat": 35.9, "lon": 14.5 })]).await;
        app.get(&format!("/api/v1/track/{}", order.token)).await.expect(200);
        let text = app.metrics().await;
        let families = read(&text);
        assert!(families.len() > 20, "{:?}", families.keys());
        families.iter().for_each(|(name, family)| check(name, family));
        for name in [
            "doorstep_connections",
            "doorstep_fix_batch_rows",
            "doorstep_fixes_received_total",
            "doorstep_http_requests_total",
            "doorstep_http_request_seconds",
            "process_cpu_seconds_total",
            "process_max_fds",
        ] {
            assert!(families.contains_key(name), "{name}");
        }
        assert!(!text.contains(&order.id) && !text.contains(&order.token), "no label has an id or a secret in it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_their_route_and_status() {
    with_app(async |app| {
        // Other tests of this process count, too, but nobody else asks for this.
        let unknown =
            "/api/v1/couriers/00000000-0000-0000-0000-000000000017/devices/00000000-0000-0000-0000-000000000018";
        let count = async || {
            let families = read(&app.metrics().await);
            let requests = families["doorstep_http_requests_total"].samples.iter().filter(|sample| {
                (sample.label("method"), sample.label("status")) == ("DELETE", "404")
                    && sample.label("route").starts_with("/api/v1/couriers/{")
                    && sample.label("route").contains("/devices/{")
            });
            requests.map(|sample| sample.value).sum::<f64>()
        };
        let before = count().await;
        for _ in 0..3 {
            Answer::to(app.request(Method::DELETE, unknown)).await.expect_problem(404, "not_found");
        }
        assert!(count().await >= before + 3.0);
        Answer::to(app.bare(Method::from_bytes(b"BREW").expect("a method"), "/no/such/thing")).await;
        let families = read(&app.metrics().await);
        let requests = &families["doorstep_http_requests_total"].samples;
        assert!(requests.iter().any(|sample| sample.label("method") == "other" && sample.label("route") == "none"));
        assert!(requests.iter().all(|sample| !sample.label("route").contains("such")), "{requests:?}");
    })
    .await;
}
