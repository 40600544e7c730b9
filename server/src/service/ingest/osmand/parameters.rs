//! The form with parameters: a query or a urlencoded body, one point each, or a flat JSON object of the same names. Speeds
//! are knots.

use actix_web::web::Query;
use doorstep_shared::RawFix;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::report::Report;
use crate::service::ingest::decode::{Decoded, Flag, Hint, Reading, Unreadable, number, place, time_ms};

const KNOT_MPS: f64 = 1_852.0 / 3_600.0;
const PERCENT: f64 = 0.01;

/// The event of a report that only says that the device is still there.
pub(super) const HEARTBEAT: &str = "heartbeat";

/// Reads a query or a urlencoded form. A point without a time was taken at `now_ms`.
pub fn decode_parameters(encoded: &str, now_ms: i64) -> Report {
    let parameters = Query::<Parameters>::from_query(encoded).map(Query::into_inner).unwrap_or_default();
    let mut decoded = Decoded::default();
    decoded.add(parameters.reading(now_ms));
    Report { token: parameters.id, decoded }
}

/// The parameters that we use. Of two with the same name the last counts; an empty one is absent.
#[derive(Default)]
pub(super) struct Parameters {
    id: Option<String>,
    timestamp: Option<String>,
    lat: Option<String>,
    lon: Option<String>,
    location: Option<String>,
    speed: Option<String>,
    bearing: Option<String>,
    altitude: Option<String>,
    accuracy: Option<String>,
    batt: Option<String>,
    valid: Option<String>,
    plausible: Option<String>,
    event: Option<String>,
}

impl Parameters {
    /// The members of a JSON object that are numbers or text.
    pub(super) fn from_members(members: &Map<String, Value>) -> Self {
        let mut parameters = Self::default();
        for (name, value) in members {
            match value {
                Value::String(text) => parameters.set(name, text.clone()),
                Value::Number(number) => parameters.set(name, number.to_string()),
                _ => {}
            }
        }
        parameters
    }

    fn set(&mut self, name: &str, value: String) {
        if let Some(slot) = self.slot(name)
            && !value.is_empty()
        {
            *slot = Some(value);
        }
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "id" | "deviceid" => &mut self.id,
            "timestamp" => &mut self.timestamp,
            "lat" => &mut self.lat,
            "lon" => &mut self.lon,
            "location" => &mut self.location,
            "speed" => &mut self.speed,
            "bearing" | "heading" => &mut self.bearing,
            "altitude" => &mut self.altitude,
            "accuracy" => &mut self.accuracy,
            "batt" => &mut self.batt,
            "valid" => &mut self.valid,
            "isPlausible" | "is_plausible" | "plausible" => &mut self.plausible,
            "event" => &mut self.event,
            _ => return None,
        })
    }

    /// What they say. A point without a time was taken at `now_ms`.
    pub(super) fn reading(&self, now_ms: i64) -> Result<Reading, Unreadable> {
        let Some((lat, lon)) = self.place()? else { return Ok(Reading::NoPosition) };
        let fix = RawFix {
            time_ms: self.timestamp.as_deref().map_or(Ok(now_ms), time_ms)?,
            lat: degrees(lat)?,
            lon: degrees(lon)?,
            accuracy_m: Hint::from_text(self.accuracy.as_deref()).value(),
            speed_mps: Hint::from_text(self.speed.as_deref()).known(KNOT_MPS),
            heading_deg: Hint::from_text(self.bearing.as_deref()).known(1.0),
            altitude_m: Hint::from_text(self.altitude.as_deref()).value(),
            battery: Hint::from_text(self.batt.as_deref()).known(PERCENT),
        };
        Ok(Reading::of(fix, self.is_past()))
    }

    /// A heartbeat repeats the last position; one that is not valid is doubted by the phone itself.
    fn is_past(&self) -> bool {
        let is_no = |flag: &Option<String>| Flag::from_text(flag.as_deref()).is_no();
        is_no(&self.valid) || is_no(&self.plausible) || self.event.as_deref() == Some(HEARTBEAT)
    }

    fn place(&self) -> Result<Option<(&str, &str)>, Unreadable> {
        match (place(self.lat.as_deref(), self.lon.as_deref())?, self.location.as_deref()) {
            (None, Some(pair)) => halves(pair).map(Some).ok_or(Unreadable),
            (place, _) => Ok(place),
        }
    }
}

/// `lat,lon`. With decimal commas the middle one of three stands between the two.
fn halves(pair: &str) -> Option<(&str, &str)> {
    let commas: Vec<usize> = pair.match_indices(',').map(|(at, _)| at).collect();
    let middle = match commas[..] {
        [only] => only,
        [_, middle, _] => middle,
        _ => return None,
    };
    Some((&pair[..middle], &pair[middle + 1..]))
}

fn degrees(text: &str) -> Result<f64, Unreadable> {
    number(text).ok_or(Unreadable)
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Parameters;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("parameters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
                let mut parameters = Parameters::default();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    parameters.set(&name, value);
                }
                Ok(parameters)
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
