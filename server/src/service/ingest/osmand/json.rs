//! The form in JSON: a message, or an array of them, with one point or several each. Speeds are metres per second.

use doorstep_shared::RawFix;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::report::Report;
use crate::service::ingest::decode::{DecodeError, Hint, MAX_POINTS, Timestamp, Unreadable, one_or_many, part, place};

/// Reads a JSON message, or an array of them. A point without a time was taken at `now_ms`.
///
/// A batch belongs to one device: a message that names another device than the first counts as unreadable.
///
/// # Errors
/// [`DecodeError`]
pub fn decode_json(body: &[u8], now_ms: i64) -> Result<Report, DecodeError> {
    let mut report = Report::default();
    for message in one_or_many(body)? {
        match part::<Message<'_>>(message) {
            Ok(message) => report.add(message, now_ms)?,
            Err(unreadable) => report.decoded.add(Err(unreadable)),
        }
    }
    Ok(report)
}

impl Report {
    fn add(&mut self, message: Message<'_>, now_ms: i64) -> Result<(), DecodeError> {
        match (&self.token, message.device_id) {
            (Some(ours), Some(named)) if *ours != named => {
                self.decoded.add(Err(Unreadable));
                return Ok(());
            }
            (None, named) => self.token = named,
            _ => {}
        }
        let Some(locations) = message.location else { return Ok(()) };
        // A plugin that batches puts the array here.
        for location in one_or_many(locations.get().as_bytes())? {
            self.decoded.add(part::<Location<'_>>(location).and_then(|location| location.fix(now_ms)));
        }
        if self.decoded.points() > MAX_POINTS { Err(DecodeError::TooManyPoints) } else { Ok(()) }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    device_id: Option<String>,
    #[serde(borrow)]
    location: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Location<'a> {
    timestamp: Option<Timestamp>,
    coords: Option<Coords>,
    #[serde(borrow)]
    battery: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Coords {
    latitude: Option<f64>,
    longitude: Option<f64>,
    #[serde(default)]
    accuracy: Hint,
    #[serde(default)]
    speed: Hint,
    #[serde(default)]
    heading: Hint,
    #[serde(default)]
    altitude: Hint,
}

#[derive(Default, Deserialize)]
struct Battery {
    #[serde(default)]
    level: Hint,
}

impl Location<'_> {
    fn fix(&self, now_ms: i64) -> Result<Option<RawFix>, Unreadable> {
        let Some(coords) = &self.coords else { return Ok(None) };
        let Some((lat, lon)) = place(coords.latitude, coords.longitude)? else { return Ok(None) };
        let battery = self.battery.and_then(|battery| part::<Battery>(battery).ok()).unwrap_or_default();
        Ok(Some(RawFix {
            time_ms: self.timestamp.as_ref().map_or(Ok(now_ms), Timestamp::to_ms)?,
            lat,
            lon,
            accuracy_m: coords.accuracy.value(),
            speed_mps: coords.speed.known(1.0),
            heading_deg: coords.heading.known(1.0),
            altitude_m: coords.altitude.value(),
            battery: battery.level.known(1.0),
        }))
    }
}
