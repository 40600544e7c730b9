//! Schemas of what a customer's link answers over plain HTTP, `/api/v1/track/{token}`.
//!
//! The handlers send [`CustomerEvent`](crate::protocol::customer::CustomerEvent) and a GeoJSON text; these types only
//! describe them in the OpenAPI document, where the message's `type` and the geometry's members must be spelled out.

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
}
