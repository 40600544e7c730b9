//! Schemas of what the server answers where it writes the JSON itself: a customer's snapshot, and GeoJSON.
//!
//! The handlers send [`CustomerEvent`](crate::protocol::customer::CustomerEvent) and GeoJSON texts; these types only
//! describe them in the OpenAPI document, where the message's `type` and the members of GeoJSON must be spelled out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::protocol::customer::Snapshot;

/// An order as its customer sees it: the feed's message `snapshot`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrackSnapshot {
    /// The message's type.
    pub r#type: SnapshotType,
    /// The rest of the message.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

/// The `type` of a [`TrackSnapshot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotType {
    /// The only value.
    Snapshot,
}

/// A line on the map, a GeoJSON LineString of RFC 7946.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LineString {
    /// The geometry's type.
    pub r#type: LineStringType,
    /// The line's points, `[lon, lat]`, in driving order.
    pub coordinates: Vec<[f64; 2]>,
}

/// The `type` of a [`LineString`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum LineStringType {
    /// The only value.
    LineString,
}

/// Where a courier was, as a GeoJSON file of RFC 7946: a feature for each segment without a long silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrackFile {
    /// The GeoJSON type.
    pub r#type: TrackFileType,
    /// The segments, oldest first.
    pub features: Vec<TrackSegment>,
}

/// The `type` of a [`TrackFile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum TrackFileType {
    /// The only value.
    FeatureCollection,
}

/// A segment of a [`TrackFile`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrackSegment {
    /// The GeoJSON type.
    pub r#type: TrackSegmentType,
    /// The segment's fixes.
    pub geometry: TrackGeometry,
    /// When they were recorded.
    pub properties: TrackTimes,
}

/// The `type` of a [`TrackSegment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum TrackSegmentType {
    /// The only value.
    Feature,
}

/// The fixes of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type")]
pub enum TrackGeometry {
    /// A segment of one fix.
    #[schema(title = "TrackPoint")]
    Point {
        /// `[lon, lat]`.
        #[schema(min_items = 2, max_items = 2)]
        coordinates: [f64; 2],
    },
    /// A segment of several fixes.
    #[schema(title = "TrackLine")]
    LineString {
        /// Points of `[lon, lat]`.
        coordinates: Vec<[f64; 2]>,
    },
}

/// The times of a segment's fixes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrackTimes {
    /// When each fix was recorded, in the geometry's order.
    #[serde(rename = "coordTimes")]
    pub coord_times: Vec<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{customer::CustomerEvent, decode_json, encode_json};

    const SNAPSHOT: &str = r#"{"type":"snapshot","server_time_ms":1,"order":{"reference":"A-1042","status":"created",
        "status_at_ms":1,"stops_before":0,"pickup":{"lat":35.8,"lon":14.5,"label":"Kitchen"},
        "dropoff":{"lat":35.9,"lon":14.5,"label":"Home"},"timeline":[]},"trail":[]}"#;

    #[test]
    fn the_description_of_the_snapshot_reads_what_the_feed_sends() {
        let event: CustomerEvent = decode_json(SNAPSHOT).expect("a message");
        let described: TrackSnapshot = decode_json(&encode_json(&event)).expect("the same as described");
        assert_eq!(CustomerEvent::Snapshot(described.snapshot), event);
    }

    #[test]
    fn a_line_is_described_as_geojson() {
        let line = r#"{"type":"LineString","coordinates":[[14.5,35.8]]}"#;
        let described: LineString = decode_json(line).expect("a line");
        assert_eq!(encode_json(&described), line);
    }

    #[test]
    fn a_file_of_fixes_is_described_as_geojson() {
        let file = r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString",
            "coordinates":[[14.5,35.8],[14.6,35.8]]},"properties":{"coordTimes":["2026-11-21T10:00:00Z",
            "2026-11-21T10:00:01Z"]}}]}"#;
        let described: TrackFile = decode_json(file).expect("a file");
        let shown: serde_json::Value = serde_json::from_str(file).expect("JSON");
        assert_eq!(serde_json::to_value(&described).expect("plain values"), shown);
    }
}
