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
    /// West, south, east and north in degrees, around all fixes; west is greater than east when they lie on both sides of
    /// the antimeridian. Absent when there is no fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 4, max_items = 4)]
    pub bbox: Option<[f64; 4]>,
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
    /// West, south, east and north in degrees, as in the file's.
    #[schema(min_items = 4, max_items = 4)]
    pub bbox: [f64; 4],
    /// The segment's fixes.
    pub geometry: TrackGeometry,
    /// When they were recorded, and what was measured.
    pub properties: TrackProperties,
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
    /// A segment that crosses the antimeridian: cut there, with a point at 180 and one at −180 that no phone recorded.
    #[schema(title = "TrackLines")]
    MultiLineString {
        /// Lines of points of `[lon, lat]`.
        coordinates: Vec<Vec<[f64; 2]>>,
    },
}

/// What is known of a segment's fixes. Each list is in the geometry's order, and a list of lists where the geometry has
/// several lines; what no fix of the segment has is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrackProperties {
    /// When each fix was recorded; where the line was cut, when the courier should have passed there.
    #[serde(rename = "coordTimes")]
    pub coord_times: CoordTimes,
    /// How far off each may be, in metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<CoordNumbers>,
    /// Metres per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_mps: Option<CoordNumbers>,
    /// Degrees clockwise from north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading_deg: Option<CoordNumbers>,
    /// Metres above sea level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub altitude_m: Option<CoordNumbers>,
    /// How full the phone's battery was, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub battery: Option<CoordNumbers>,
}

/// A time for each point of a geometry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum CoordTimes {
    /// Of a point or a line.
    #[schema(title = "TimesOfLine")]
    Line(Vec<DateTime<Utc>>),
    /// Of several lines.
    #[schema(title = "TimesOfLines")]
    Lines(Vec<Vec<DateTime<Utc>>>),
}

/// A number for each point of a geometry; `null` where it was not measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum CoordNumbers {
    /// Of a point or a line.
    #[schema(title = "NumbersOfLine")]
    Line(Vec<Option<f64>>),
    /// Of several lines.
    #[schema(title = "NumbersOfLines")]
    Lines(Vec<Vec<Option<f64>>>),
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
        let file = r#"{"type":"FeatureCollection","bbox":[14.5,35.8,14.6,35.8],"features":[{"type":"Feature",
            "bbox":[14.5,35.8,14.6,35.8],"geometry":{"type":"LineString","coordinates":[[14.5,35.8],[14.6,35.8]]},
            "properties":{"coordTimes":["2026-11-21T10:00:00Z","2026-11-21T10:00:01Z"],"speed_mps":[4.5,null]}},
            {"type":"Feature","bbox":[179.9,35.8,-179.9,35.8],"geometry":{"type":"MultiLineString",
            "coordinates":[[[179.9,35.8],[180.0,35.8]],[[-180.0,35.8],[-179.9,35.8]]]},"properties":{"coordTimes":
            [["2026-11-21T10:00:00Z","2026-11-21T10:00:01Z"],["2026-11-21T10:00:01Z","2026-11-21T10:00:02Z"]],
            "battery":[[0.5,null],[null,0.5]]}}]}"#;
        let described: TrackFile = decode_json(file).expect("a file");
        let shown: serde_json::Value = serde_json::from_str(file).expect("JSON");
        assert_eq!(serde_json::to_value(&described).expect("plain values"), shown);
    }
}
