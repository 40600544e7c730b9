//! Areas as far as the console shows them.
//!
//! The API tells more of each. Reading only this much keeps the code that reads the rest, flattened fields and dates above
//! all, out of the program.

use doorstep_shared::api::area::{AreaId, AreaImportStage, AreaImportState};
use serde::Deserialize;

/// The answer of `GET /areas`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct AreaList {
    pub items: Vec<StoredArea>,
    /// The running import, or what came of the last one.
    pub import: Option<AreaImport>,
}

/// A file on its way to the server, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload {
    pub sent: u64,
    pub total: u64,
}

/// One of the areas on the server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StoredArea {
    pub id: AreaId,
    pub name: String,
    /// How new its data is, RFC 3339.
    pub extracted_at: Option<String>,
    pub streets: bool,
    pub addresses: bool,
    pub basemap: bool,
    pub current: bool,
    pub built_in: bool,
    pub bytes: u64,
}

/// An import of an uploaded extract.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AreaImport {
    pub state: AreaImportState,
    pub stage: Option<AreaImportStage>,
    /// How much of the stage is done, from 0 to 1.
    pub share: Option<f64>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The area in use, of what `GET /area/current` and the page say.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AreaInUse {
    pub id: String,
    /// West, south, east and north, in degrees.
    pub bounds: [f64; 4],
    /// Whether streets are known there.
    pub streets: bool,
    /// Miles rather than kilometres.
    pub imperial: bool,
}

#[cfg(test)]
mod tests {
    use doorstep_shared::api::area;

    use super::*;
    use crate::data;

    #[test]
    fn what_the_server_writes_can_be_read() {
        let list: area::AreaList = serde_json::from_value(serde_json::json!({
            "items": [{
                "id": "isle-1a2b3c4d", "name": "Isle", "bounds": [0.0, 0.0, 1.0, 1.0],
                "center": { "lat": 0.5, "lon": 0.5 }, "time_zone": "Etc/UTC", "driving_side": "left", "units": "metric",
                "languages": [], "extracted_at": "2026-11-21T20:21:00Z",
                "attribution": "© OpenStreetMap contributors", "streets": true, "addresses": false, "basemap": true,
                "current": true, "built_in": false, "bytes": 12,
            }],
            "import": { "state": "failed", "error": "the disk is full" },
        }))
        .expect("a list");
        let text = serde_json::to_string(&list).expect("JSON");
        let read: AreaList = serde_json::from_str(&text).expect("the console reads it");
        let isle = &read.items[0];
        assert_eq!((isle.name.as_str(), isle.addresses, isle.current, isle.bytes), ("Isle", false, true, 12));
        assert_eq!(isle.extracted_at.as_deref(), Some("2026-11-21T20:21:00Z"));
        assert_eq!(read.import.and_then(|import| import.error).as_deref(), Some("the disk is full"));
    }

    #[test]
    fn the_page_says_which_area_is_in_use() {
        let page = data::tests::area();
        let text = serde_json::to_string(&page).expect("JSON");
        let read: AreaInUse = serde_json::from_str(&text).expect("the console reads it");
        assert_eq!(
            (read.id, read.bounds, read.streets, read.imperial),
            (page.id, page.bounds, page.streets, page.imperial)
        );
    }
}
