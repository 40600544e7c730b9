//! What each metric is, for people who meet it in Prometheus: the HELP line of its name.
//!
//! The table of the operations document says more; a test holds both against the names in the code.

type Texts<const N: usize> = [(&'static str, &'static str); N];

const COUNTERS: Texts<31> = [
    ("doorstep_access_log_lost_total", "Lines of the access log that found no room."),
    ("doorstep_area_swaps_total", "Times that another area was taken into use."),
    ("doorstep_arrival_moves_total", "Estimates that were sent to customers, by cause."),
    ("doorstep_arrival_told_lost_total", "Told ranges that were not kept."),
    ("doorstep_broker_catch_ups_total", "Times that the server read again what it may have missed."),
    ("doorstep_broker_dropped_total", "Facts that found no room in a queue."),
    ("doorstep_broker_facts_total", "Facts exchanged with other servers."),
    ("doorstep_connect_limiter_waits_total", "Customers who waited for their turn while couriers reported."),
    ("doorstep_connections_cut_total", "Connections that were cut to make room."),
    ("doorstep_device_clocks_learned_total", "Times that a tracker's clock was found to be wrong, or right again."),
    ("doorstep_exceptions_total", "Exceptions that were noticed."),
    ("doorstep_fix_write_failures_total", "Batches of fixes whose statement failed."),
    ("doorstep_fixes_off_map_total", "Fixes that were stored and kept off the map."),
    ("doorstep_fixes_received_total", "Points that came in, from every protocol."),
    ("doorstep_fixes_rejected_total", "Points that are bad for ever."),
    ("doorstep_fleet_bytes_total", "Bytes to consoles."),
    ("doorstep_fleet_frames_total", "Messages to consoles."),
    ("doorstep_geocoder_requests_total", "Questions to the operator's geocoder."),
    ("doorstep_http_requests_total", "Requests that were answered, by method, route and status."),
    ("doorstep_orders_erased_total", "Orders whose personal data came to its end."),
    ("doorstep_pace_changes_total", "Times that a phone was given another pace."),
    ("doorstep_positions_conflated_total", "Positions that a newer one replaced before a customer could take them."),
    ("doorstep_router_requests_total", "Questions to the operator's router."),
    ("doorstep_security_events_total", "Security events, also those without a line in the log."),
    ("doorstep_sign_ins_total", "People who signed in, or tried to."),
    ("doorstep_socket_closes_total", "Sockets that ended, by close code."),
    ("doorstep_source_changes_total", "Times that another device of a courier took over the marker."),
    ("doorstep_task_panics_total", "Tasks that panicked."),
    ("doorstep_tracker_reports_total", "Reports of trackers, by what they were."),
    ("doorstep_webhook_tries_total", "Tries to deliver a message to a webhook, by outcome."),
    ("doorstep_webhooks_disabled_total", "Webhooks that were disabled, by reason."),
];

const GAUGES: Texts<17> = [
    ("doorstep_accepted_connections", "Connections that are open, whatever is spoken on them."),
    ("doorstep_arrival_inside_ratio", "The share of the last seven days' arrivals inside the range that was told."),
    ("doorstep_arrival_untrusted", "1 while the share of arrivals inside their range is not what it is meant to be."),
    ("doorstep_arrival_width_seconds", "How wide the told ranges were on average."),
    ("doorstep_broker_followed_couriers", "Couriers whose fixes this server asks the others for."),
    ("doorstep_broker_peers", "Other servers that were heard of lately."),
    ("doorstep_broker_up", "1 while Redis answers."),
    ("doorstep_connections", "Open sockets and event streams."),
    ("doorstep_dispatchers", "Consoles that are connected."),
    ("doorstep_exceptions_ongoing", "Exceptions that go on."),
    ("doorstep_fix_queue_rows", "Fixes that waited after the last commit."),
    ("doorstep_fix_writer_lag_seconds", "How long the oldest batch of fixes has waited for its commit."),
    ("doorstep_outbox_oldest_seconds", "How long the oldest message waits to be delivered, by lane."),
    ("doorstep_outbox_waiting", "Messages that wait to be delivered, by lane."),
    ("doorstep_tasks_running", "Background tasks and connections by name."),
    ("doorstep_viewers", "Customers who watch an order."),
    ("doorstep_webhooks_in_flight", "Tries to deliver a message that go on."),
];

const HISTOGRAMS: Texts<6> = [
    ("doorstep_batch_loader_keys", "Lookups that one query answered."),
    ("doorstep_exceptions_round_seconds", "How long a round over the fleet took."),
    ("doorstep_fix_batch_rows", "Rows that were committed together."),
    ("doorstep_fix_commit_seconds", "From taking a batch of fixes to its commit, further tries included."),
    ("doorstep_http_request_seconds", "From a request's arrival to the beginning of its answer."),
    ("doorstep_webhook_answer_seconds", "How long a try to deliver a message took."),
];

/// Tells the recorder what each metric is.
pub(super) fn describe() {
    COUNTERS.iter().for_each(|(name, text)| metrics::describe_counter!(*name, *text));
    GAUGES.iter().for_each(|(name, text)| metrics::describe_gauge!(*name, *text));
    HISTOGRAMS.iter().for_each(|(name, text)| metrics::describe_histogram!(*name, *text));
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn described() -> BTreeSet<String> {
        let all = COUNTERS.iter().chain(&GAUGES).chain(&HISTOGRAMS);
        all.map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The names in a text between `before` and `after`.
    fn names_in(text: &str, before: &str, after: char) -> BTreeSet<String> {
        let names = text.split(before).skip(1).filter_map(|rest| rest.split_once(after)).map(|(name, _)| name);
        let is_name = |name: &&str| name.bytes().all(|sign| sign.is_ascii_lowercase() || sign == b'_');
        names.filter(is_name).map(|name| format!("doorstep_{name}")).collect()
    }

    fn code(folder: &Path, found: &mut String) {
        for entry in fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                code(&entry, found);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&entry).expect("a text");
                // Tests record names of their own.
                found.push_str(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default());
            }
        }
    }

    #[test]
    fn every_metric_that_the_code_records_is_described() {
        let mut text = String::new();
        code(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        let macros = ["counter!(\"doorstep_", "gauge!(\"doorstep_", "histogram!(\"doorstep_", "metric: \"doorstep_"];
        let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("!( ", "!(");
        let recorded: BTreeSet<_> = macros.iter().flat_map(|before| names_in(&spaced, before, '"')).collect();
        assert!(recorded.len() > 30, "{recorded:?}");
        assert_eq!(recorded, described());
    }

    #[test]
    fn the_operations_document_has_every_metric() {
        let document = include_str!("../../../docs/operations.md");
        let table = document.split("\n## ").find(|section| section.starts_with("Metrics")).expect("the section");
        let rows: String = table.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(names_in(&rows, "`doorstep_", '`'), described());
    }
}
