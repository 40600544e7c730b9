//! Texts about what happened with an order: who did what, to whom, when, and what a changed field was before.

use chrono::{DateTime, Utc};
use doorstep_shared::{
    OrderStatus,
    api::{OrderEventView, change::OrderEventKind},
    problem::ErrorDetails,
};

use super::{event, moment, status, tone};
use crate::{data::Locale, dispatch::draft::name_of, ui::time};

/// The name of an actor who has none: the server itself, or a person who is gone.
const NOBODY: &str = "Doorstep";

/// What a colleague did first, as a sentence: "Marija was given this by ben@example.org 3 s ago."
pub fn conflict(details: &ErrorDetails, at_ms: i64) -> String {
    let kind = details.change.as_deref().and_then(OrderEventKind::from_word);
    let who = details.changed_by.as_deref().unwrap_or(NOBODY);
    let deed = match kind {
        Some(kind) => deed(kind, details.status, who, details.courier_name.as_deref()),
        None => format!("{who} changed it"),
    };
    let when = details.changed_at_ms.map(|ms| format!(" {}", time::ago(at_ms - ms))).unwrap_or_default();
    format!("{deed}{when}. Look again, and try once more if it still holds.")
}

/// Who did what and when, as a sentence.
pub fn who_did(event: &OrderEventView, at_ms: i64) -> String {
    let who = event.actor_name.as_deref().unwrap_or(NOBODY);
    let deed = deed(event.kind, Some(event.status), who, event.courier_name.as_deref());
    format!("{deed} {}.", time::ago(at_ms - event.at.timestamp_millis()))
}

fn deed(kind: OrderEventKind, now: Option<OrderStatus>, who: &str, courier: Option<&str>) -> String {
    match kind {
        OrderEventKind::Assigned => format!("{} was given this by {who}", courier.unwrap_or("A courier")),
        OrderEventKind::Unassigned => format!("{who} took it from its courier"),
        OrderEventKind::GivenBack => format!("{who} gave it back"),
        OrderEventKind::Edited => format!("{who} changed its details"),
        OrderEventKind::Attempt => {
            let with = courier.map(|name| format!(" with {name}")).unwrap_or_default();
            format!("{who} began another attempt{with}")
        }
        OrderEventKind::Reopened => format!("{who} reopened it"),
        OrderEventKind::NotReady => format!("{who} waits at the pickup"),
        OrderEventKind::GoodsReturned => format!("{who} brought the goods back"),
        OrderEventKind::LateReport => format!("{who} reported too late"),
        OrderEventKind::Status => match now {
            Some(now) => format!("{who} set it to “{}”", status(now)),
            None => format!("{who} changed its status"),
        },
    }
}

/// A line of the timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryLine {
    pub title: String,
    /// Who did it, their remark, and what the changed fields were before; one on each line.
    pub line: String,
    pub time: String,
    /// What a dispatcher should not overlook.
    pub tone: &'static str,
}

/// An event of an order as a line of its timeline.
pub fn history(event: &OrderEventView, at_ms: i64, locale: &Locale) -> HistoryLine {
    let by = event.actor_name.as_deref().filter(|_| event.kind != OrderEventKind::LateReport);
    let changes = event.changes.iter().flatten().map(|(path, change)| {
        let [from, to] = [&change.from, &change.to].map(|value| match value {
            Some(value) => written(path, value, at_ms, locale),
            None => "nothing".to_owned(),
        });
        format!("{}: {from} → {to}", name_of(path))
    });
    let first = [by.map(|by| format!("by {by}")), event.note.clone()];
    let first = first.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let lines: Vec<_> = Some(first).filter(|line| !line.is_empty()).into_iter().chain(changes).collect();
    HistoryLine {
        title: title(event),
        line: lines.join("\n"),
        time: moment(event.at.timestamp_millis(), at_ms, locale),
        tone: match event.kind {
            OrderEventKind::LateReport => tone::BAD,
            OrderEventKind::NotReady | OrderEventKind::GivenBack => tone::WARN,
            _ => tone::QUIET,
        },
    }
}

/// The value of a field: a time as people read it, all else as it was written.
fn written(path: &str, value: &str, at_ms: i64, locale: &Locale) -> String {
    let time = value.parse::<DateTime<Utc>>().ok().filter(|_| path.starts_with("promised_"));
    time.map_or_else(|| value.to_owned(), |time| moment(time.timestamp_millis(), at_ms, locale))
}

fn title(line: &OrderEventView) -> String {
    let courier = line.courier_name.as_deref();
    let named =
        |before: &str, otherwise: &str| courier.map_or_else(|| otherwise.to_owned(), |name| format!("{before} {name}"));
    match line.kind {
        OrderEventKind::Status if line.status == OrderStatus::Assigned => named("Given to", "Assigned"),
        OrderEventKind::Status => event(line.status).to_owned(),
        OrderEventKind::Assigned => named("Given to", "Assigned"),
        OrderEventKind::Unassigned => named("Taken from", "Unassigned"),
        OrderEventKind::GivenBack => named("Given back by", "Given back by the courier"),
        OrderEventKind::Edited => "Changed".to_owned(),
        OrderEventKind::Attempt => named("Another attempt with", "Another attempt"),
        OrderEventKind::Reopened => format!("Reopened: {}", status(line.status).to_lowercase()),
        OrderEventKind::NotReady => "Not ready at the pickup".to_owned(),
        OrderEventKind::GoodsReturned => "Goods brought back".to_owned(),
        OrderEventKind::LateReport => {
            let who = line.actor_name.as_deref().or(courier).unwrap_or("A courier");
            format!("{who} reported “{}” too late", status(line.status).to_lowercase())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::{fleet::tests::NOW_MS, text::rfc3339};

    fn locale() -> Locale {
        Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false }
    }

    fn line(event: serde_json::Value) -> HistoryLine {
        let mut whole = serde_json::json!({ "status": "assigned", "at": rfc3339(NOW_MS - 60_000) });
        whole.as_object_mut().expect("an object").extend(event.as_object().expect("an object").clone());
        history(&serde_json::from_value(whole).expect("an event"), NOW_MS, &locale())
    }

    #[test]
    fn who_lost_reads_who_did_what_and_when() {
        let told = |change: &str, courier: Option<&str>| {
            let details = ErrorDetails {
                current: Some(8),
                changed_by: Some("ben@example.org".into()),
                changed_at_ms: Some(NOW_MS - 3_000),
                change: Some(change.into()),
                courier_name: courier.map(str::to_owned),
                ..ErrorDetails::default()
            };
            let text = conflict(&details, NOW_MS);
            text.split_once(". ").map_or(text.clone(), |(first, _)| first.to_owned())
        };
        for (change, courier, expected) in [
            ("assigned", Some("Marija"), "Marija was given this by ben@example.org 3 s ago"),
            ("unassigned", None, "ben@example.org took it from its courier 3 s ago"),
            ("edited", Some("Marija"), "ben@example.org changed its details 3 s ago"),
            ("attempt", Some("Joe"), "ben@example.org began another attempt with Joe 3 s ago"),
            ("status", None, "ben@example.org changed its status 3 s ago"),
            ("of a later version", None, "ben@example.org changed it 3 s ago"),
        ] {
            assert_eq!(told(change, courier), expected);
        }
    }

    #[test]
    fn every_line_names_what_who_and_which_courier() {
        for (event, title, who) in [
            (
                serde_json::json!({ "kind": "assigned", "actor_name": "ben@example.org", "courier_name": "Ana" }),
                "Given to Ana",
                "by ben@example.org",
            ),
            (
                serde_json::json!({ "kind": "unassigned", "status": "created", "actor_name": "ben@example.org",
                    "courier_name": "Ana", "note": "flat tyre" }),
                "Taken from Ana",
                "by ben@example.org · flat tyre",
            ),
            (
                serde_json::json!({ "kind": "reopened", "status": "at_dropoff", "actor_name": "ben@example.org" }),
                "Reopened: at the door",
                "by ben@example.org",
            ),
            (serde_json::json!({ "status": "created" }), "Received", ""),
        ] {
            let line = line(event);
            assert_eq!((line.title.as_str(), line.line.as_str(), line.tone), (title, who, tone::QUIET));
        }
    }

    #[test]
    fn what_must_not_be_overlooked_stands_out() {
        let late = line(serde_json::json!({ "kind": "late_report", "status": "delivered", "actor_name": "Ana" }));
        assert_eq!((late.title.as_str(), late.tone), ("Ana reported “delivered” too late", tone::BAD));
        let back = line(serde_json::json!({ "kind": "given_back", "courier_name": "Ana", "actor_name": "Ana" }));
        assert_eq!((back.title.as_str(), back.tone), ("Given back by Ana", tone::WARN));
    }

    #[test]
    fn a_changed_field_is_shown_with_what_it_was() {
        let edited = line(serde_json::json!({ "kind": "edited", "actor_name": "dora@example.org", "changes": {
            "dropoff.address": { "from": "12 Strait Street", "to": "21 Strait Street" },
            "note": { "to": "2026-11-22T11:00:00Z" },
            "promised_until": { "from": "2026-11-21T18:00:00Z", "to": "2026-11-22T11:00:00Z" },
        } }));
        let lines: Vec<_> = edited.line.lines().collect();
        assert_eq!(
            lines,
            [
                "by dora@example.org",
                "Door: 12 Strait Street → 21 Strait Street",
                "Remark: nothing → 2026-11-22T11:00:00Z",
                "Promised until: 19:00 → tomorrow 12:00"
            ]
        );
        assert_eq!(edited.time, "18:41");
    }
}
