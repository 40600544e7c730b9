//! The form in JSON: a message, or an array of them, with one point or several each. Speeds are metres per second, but
//! knots in a flat message, which has the names of the parameters.

use doorstep_shared::RawFix;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    parameters::{HEARTBEAT, Parameters},
    report::Report,
};
use crate::service::ingest::decode::{
    DecodeError, Flag, Hint, MAX_POINTS, Number, Reading, Timestamp, Unreadable, one_or_many, part, place,
};

/// Reads a JSON message, or an array of them. A point without a time was taken at `now_ms`.
///
/// A batch belongs to one device: a message that names another device than the first counts as unreadable, and so does
/// one that has no position and does not say that it is a heartbeat.
///
/// # Errors
/// [`DecodeError`]
pub fn decode_json(body: &[u8], now_ms: i64) -> Result<Report, DecodeError> {
    let mut report = Report::default();
    for message in one_or_many(body)? {
        match part::<Message<'_>>(message) {
            Ok(parts) => report.add(message, &parts, now_ms)?,
            Err(unreadable) => report.decoded.add(Err(unreadable)),
        }
    }
    Ok(report)
}

impl Report {
    fn add(&mut self, whole: &RawValue, message: &Message<'_>, now_ms: i64) -> Result<(), DecodeError> {
        match (&self.token, message.device()) {
            (Some(ours), Some(named)) if *ours != named => {
                self.decoded.add(Err(Unreadable));
                return Ok(());
            }
            (None, named) => self.token = named,
            _ => {}
        }
        match message.locations() {
            // A plugin that batches puts the array here.
            Some(locations) => {
                for location in one_or_many(locations.get().as_bytes())? {
                    self.decoded.add(part::<Location<'_>>(location).and_then(|location| location.reading(now_ms)));
                }
            }
            None => self.decoded.add(flat(whole, now_ms)),
        }
        if self.decoded.reports() > MAX_POINTS { Err(DecodeError::TooManyPoints) } else { Ok(()) }
    }
}

fn flat(message: &RawValue, now_ms: i64) -> Result<Reading, Unreadable> {
    let reading = Parameters::from_members(&part(message)?).reading(now_ms)?;
    if reading == Reading::NoPosition { Err(Unreadable) } else { Ok(reading) }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    device_id: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    deviceid: Option<&'a RawValue>,
    #[serde(borrow)]
    location: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    fn device(&self) -> Option<String> {
        [self.device_id, self.id, self.deviceid].into_iter().flatten().find_map(|name| part(name).ok())
    }

    /// `location`, unless it is the parameter of that name, which is text.
    fn locations(&self) -> Option<&'a RawValue> {
        self.location.filter(|location| !location.get().starts_with('"'))
    }
}

#[derive(Deserialize)]
struct Location<'a> {
    timestamp: Option<Timestamp>,
    coords: Option<Coords>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    battery: Option<&'a RawValue>,
    /// One of several tries to find a position, of which a better one follows.
    #[serde(default)]
    sample: Flag,
    #[serde(default)]
    valid: Flag,
    #[serde(default, rename = "isPlausible", alias = "is_plausible")]
    plausible: Flag,
}

#[derive(Deserialize)]
struct Coords {
    latitude: Option<Number>,
    longitude: Option<Number>,
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
    fn reading(&self, now_ms: i64) -> Result<Reading, Unreadable> {
        let Some((coords, lat, lon)) = self.place()? else { return self.without_place() };
        let battery = self.battery.and_then(|battery| part::<Battery>(battery).ok()).unwrap_or_default();
        let fix = RawFix {
            time_ms: self.timestamp.as_ref().map_or(Ok(now_ms), Timestamp::to_ms)?,
            lat,
            lon,
            accuracy_m: coords.accuracy.value(),
            speed_mps: coords.speed.known(1.0),
            heading_deg: coords.heading.known(1.0),
            altitude_m: coords.altitude.value(),
            battery: battery.level.known(1.0),
        };
        Ok(Reading::of(fix, self.is_past()))
    }

    fn is_past(&self) -> bool {
        self.sample.is_yes() || self.valid.is_no() || self.plausible.is_no() || self.is_heartbeat()
    }

    fn is_heartbeat(&self) -> bool {
        self.event.and_then(|event| part::<String>(event).ok()).is_some_and(|event| event == HEARTBEAT)
    }
    fn place(&self) -> Result<Option<(&Coords, f64, f64)>, Unreadable> {
        let Some(coords) = &self.coords else { return Ok(None) };
        let place = place(coords.latitude, coords.longitude)?;
        Ok(place.map(|(Number(lat), Number(lon))| (coords, lat, lon)))
    }

    fn without_place(&self) -> Result<Reading, Unreadable> {
        if self.is_heartbeat() { Ok(Reading::NoPosition) } else { Err(Unreadable) }
    }
}
