//! Schemas of what other companies' tracking apps send to `/ingest`.
//!
//! The server reads these messages tolerantly, field by field; the types only describe them in the OpenAPI document: the
//! fields that mean something to Doorstep. The apps send more, which is ignored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

body! {
    /// A message of Traccar Client, version 9 or newer, in JSON. A flat object that has the names and units of the
    /// parameters is taken, too.
    pub struct TraccarMessage {
        /// The device's token.
        pub device_id: Option<String>,
        /// Where the device was. Without `coords` it must be a heartbeat, or it counts as unreadable.
        pub location: Option<TraccarLocation>,
    }

    /// A reading of Traccar Client.
    pub struct TraccarLocation {
        /// When the device took it; the time of the request when left out.
        pub timestamp: Option<DateTime<Utc>>,
        /// Where.
        pub coords: Option<TraccarCoords>,
        /// The battery then.
        pub battery: Option<TraccarBattery>,
    }

    /// The position of a reading. A negative number means unknown.
    pub struct TraccarCoords {
        /// Degrees north.
        #[schema(minimum = -90, maximum = 90, example = 51.5155)]
        pub latitude: f64,
        /// Degrees east.
        #[schema(minimum = -180, maximum = 180, example = 0.0922)]
        pub longitude: f64,
        /// Radius of 68 % confidence in metres.
        pub accuracy: Option<f64>,
        /// Metres per second.
        pub speed: Option<f64>,
        /// Degrees clockwise from north.
        pub heading: Option<f64>,
        /// Metres.
        pub altitude: Option<f64>,
    }

    /// The battery of a reading.
    pub struct TraccarBattery {
        /// Charge, 0 to 1.
        pub level: Option<f64>,
    }

    /// A message of OwnTracks in HTTP mode. Only those of type `location` hold a position; all are taken.
    pub struct OwntracksMessage {
        /// The message's type.
        #[serde(rename = "_type")]
        #[schema(example = "location")]
        pub kind: String,
        /// Degrees north; required in a `location`.
        #[schema(minimum = -90, maximum = 90, example = 51.5155)]
        pub lat: Option<f64>,
        /// Degrees east; required in a `location`.
        #[schema(minimum = -180, maximum = 180, example = 0.0922)]
        pub lon: Option<f64>,
        /// When the device took it, Unix epoch seconds; the time of the request when left out.
        #[schema(example = 1795219200)]
        pub tst: Option<i64>,
        /// Radius of 68 % confidence in metres.
        pub acc: Option<f64>,
        /// Metres above the sea.
        pub alt: Option<f64>,
        /// Kilometres per hour.
        pub vel: Option<f64>,
        /// Degrees clockwise from north.
        pub cog: Option<f64>,
        /// Charge in percent.
        pub batt: Option<f64>,
    }

    /// A batch of Overland.
    pub struct OverlandBatch {
        /// Where the phone was, oldest first.
        #[schema(max_items = 2000)]
        pub locations: Option<Vec<OverlandFeature>>,
        /// Where the phone is now, while it sends what it could not send before.
        pub current: Option<OverlandFeature>,
    }

    /// A reading of Overland, a GeoJSON feature.
    pub struct OverlandFeature {
        /// The GeoJSON type.
        pub r#type: Option<FeatureType>,
        /// Where.
        pub geometry: OverlandGeometry,
        /// When, and what else the phone knew.
        pub properties: OverlandProperties,
    }

    /// The place of a reading, a GeoJSON point.
    pub struct OverlandGeometry {
        /// The GeoJSON type.
        pub r#type: Option<PointType>,
        /// `[lon, lat]`; further numbers are ignored.
        #[schema(min_items = 2)]
        pub coordinates: Vec<f64>,
    }

    /// The rest of a reading. A negative number means unknown.
    pub struct OverlandProperties {
        /// When the phone took it.
        pub timestamp: DateTime<Utc>,
        /// Radius of 68 % confidence in metres.
        pub horizontal_accuracy: Option<f64>,
        /// Metres per second.
        pub speed: Option<f64>,
        /// Degrees clockwise from north.
        pub course: Option<f64>,
        /// Metres.
        pub altitude: Option<f64>,
        /// Metres; negative when `altitude` is not valid.
        pub vertical_accuracy: Option<f64>,
        /// Charge, 0 to 1.
        pub battery_level: Option<f64>,
    }

    /// The answer to Overland, which deletes its batch when it reads exactly this.
    pub struct OverlandAnswer {
        /// Always `ok`.
        #[schema(example = "ok")]
        pub result: String,
    }
}

/// The `type` of an [`OverlandFeature`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum FeatureType {
    /// The only value.
    Feature,
}

/// The `type` of an [`OverlandGeometry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum PointType {
    /// The only value.
    Point,
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::*;

    fn reads_all_of<M: Serialize + DeserializeOwned>(example: &str) {
        let message: M = serde_json::from_str(example).expect("a message");
        let shown: Value = serde_json::from_str(example).expect("JSON");
        assert_eq!(serde_json::to_value(&message).expect("plain values"), shown);
    }

    #[test]
    fn what_the_apps_send_is_described_field_by_field() {
        reads_all_of::<TraccarMessage>(
            r#"{"device_id":"TOKEN","location":{"timestamp":"2026-11-21T10:00:00Z","coords":{"latitude":35.8989,
            "longitude":14.5145,"accuracy":6.0,"speed":4.2,"heading":182.0,"altitude":12.0},"battery":{"level":0.81}}}"#,
        );
        reads_all_of::<OwntracksMessage>(
            r#"{"_type":"location","lat":35.8989,"lon":14.5145,"tst":1795219200,"acc":6.0,"vel":15.0,"batt":81.0}"#,
        );
        reads_all_of::<OverlandBatch>(
            r#"{"locations":[{"type":"Feature","geometry":{"type":"Point","coordinates":[14.5145,35.8989]},
            "properties":{"timestamp":"2026-11-21T10:00:00Z","horizontal_accuracy":6.0,"speed":4.2,"course":182.0,
            "altitude":12.0,"vertical_accuracy":4.0,"battery_level":0.81}}]}"#,
        );
        reads_all_of::<OverlandAnswer>(r#"{"result":"ok"}"#);
    }
}
