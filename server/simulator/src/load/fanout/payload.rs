//! What is published: a position of ours, which says when it was due.

use std::time::Duration;

use doorstep_shared::{Position, protocol};

use crate::load::schedule::Zero;

/// A position as our own server writes it to customers, with the moment at which it is due as its time.
pub(super) fn new(zero: Zero, due_ms: u64) -> String {
    let position = Position {
        time_ms: zero.epoch_ms + due_ms as i64,
        lat: 35.899_171_3,
        lon: 14.514_238_7,
        accuracy_m: Some(6.5),
        speed_mps: Some(4.25),
        heading_deg: Some(182.0),
    };
    let update = protocol::customer::PositionUpdate::new(&position, Vec::new());
    protocol::encode_json(&protocol::customer::CustomerEvent::Position(update))
}

/// How long ago a payload was due, by the wall clock that its publisher wrote into it.
pub(super) fn age(payload: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(payload).ok()?;
    let digits = text.split_once("\"time_ms\":")?.1;
    let time_ms: i64 = digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    let now_us = chrono::Utc::now().timestamp_micros();
    u64::try_from(now_us - time_ms * 1_000).ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::clock::now_ms;

    #[test]
    fn a_payload_tells_how_old_it_is() {
        let zero = Zero { instant: Instant::now(), epoch_ms: now_ms() - 500 };
        let age = age(new(zero, 200).as_bytes()).expect("a payload of ours");
        assert!(age >= Duration::from_millis(300) && age < Duration::from_secs(60), "{age:?}");
    }
}
