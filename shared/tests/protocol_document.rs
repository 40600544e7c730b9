//! Every JSON example of `docs/protocol.md` is a message that the shared types read and write again as it stands there.
//!
//! An example that a client author copies must work, and one with a field that no type knows would be skipped silently:
//! hence the comparison with what is written back.

use std::fmt::Debug;

use doorstep_shared::{
    api::plan::{PlanView, PutPlan},
    problem::Problem,
    protocol::{
        courier::{CourierEvent, CourierMessage},
        customer::{CustomerEvent, CustomerMessage},
        decode_json, encode_json,
        fleet::{FleetEvent, FleetMessage},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/protocol.md");

/// Which examples stand under which heading, and who sends them.
const SECTIONS: [(&str, &[Check]); 14] = [
    ("### Heartbeats", &[of_every_client, of_every_feed]),
    ("### Another area", &[of_every_feed]),
    ("### Errors on a socket", &[reads::<CourierEvent>, reads::<FleetEvent>]),
    ("### From the phone", &[reads::<CourierMessage>]),
    ("### To the phone", &[reads::<CourierEvent>]),
    ("## Customer feed: `GET /ws/track/{token}`", &[reads::<CustomerEvent>]),
    ("### The same as Server-Sent Events", &[reads::<CustomerEvent>]),
    ("### From the client", &[reads::<FleetMessage>]),
    ("### To the client", &[reads::<FleetEvent>]),
    ("### Errors", &[reads::<Problem>]),
    ("### Plans", &[of_plans]),
    ("### Events and webhooks", &[is_json]),
    // These are other companies' messages, which the server's decoders read.
    ("### OsmAnd and Traccar Client: `/ingest/osmand`", &[is_json]),
    ("### Overland: `/ingest/overland`", &[is_json]),
];

/// Says why an example is not what it should be.
type Check = fn(&str) -> Result<(), String>;

fn reads<M: Serialize + DeserializeOwned + Debug>(example: &str) -> Result<(), String> {
    let message: M = decode_json(example).map_err(|error| error.to_string())?;
    let written: Value = serde_json::from_str(&encode_json(&message)).expect("our own JSON");
    let shown: Value = serde_json::from_str(example).map_err(|error| error.to_string())?;
    if written == shown { Ok(()) } else { Err(format!("it is written as {written}")) }
}

fn is_json(example: &str) -> Result<(), String> {
    serde_json::from_str::<Value>(example).map(drop).map_err(|error| error.to_string())
}

/// `ping` goes up on every feed, all else comes down.
fn of_every_client(example: &str) -> Result<(), String> {
    if example != r#"{"type":"ping"}"# {
        return Ok(());
    }
    reads::<CourierMessage>(example)?;
    reads::<CustomerMessage>(example)?;
    reads::<FleetMessage>(example)
}

/// A plan as it is answered has loads; the one that is wanted has none.
fn of_plans(example: &str) -> Result<(), String> {
    if example.contains(r#""load":"#) { reads::<PlanView>(example) } else { reads::<PutPlan>(example) }
}

fn of_every_feed(example: &str) -> Result<(), String> {
    if example == r#"{"type":"ping"}"# {
        return Ok(());
    }
    reads::<CourierEvent>(example)?;
    reads::<CustomerEvent>(example)?;
    reads::<FleetEvent>(example)
}

/// The examples with the headings that they stand under: lines of JSON blocks, and the data of server-sent events.
fn examples() -> Vec<(&'static str, &'static str)> {
    let (mut heading, mut block, mut found) = ("", None, Vec::new());
    for line in DOCUMENT.lines() {
        match (block, line.strip_prefix("```")) {
            (None, Some(kind)) => block = Some(kind),
            (Some(_), Some(_)) => block = None,
            (None, None) if line.starts_with('#') => heading = line,
            (Some("json"), None) => found.push((heading, line)),
            (Some(_), None) => found.extend(line.strip_prefix("data: ").map(|data| (heading, data))),
            (None, None) => {}
        }
    }
    found
}

#[test]
fn every_example_is_a_message_as_the_types_write_it() {
    for (heading, example) in examples() {
        let section = SECTIONS.iter().find(|(name, _)| *name == heading);
        let (_, checks) = section.unwrap_or_else(|| panic!("say here which messages {heading:?} shows: {example}"));
        for check in *checks {
            check(example).unwrap_or_else(|reason| panic!("{heading}: {example}\n{reason}"));
        }
    }
}

#[test]
fn every_section_that_is_named_here_has_an_example() {
    let found = examples();
    for (heading, _) in SECTIONS {
        assert!(found.iter().any(|(section, _)| *section == heading), "{heading:?} has no example");
    }
}
