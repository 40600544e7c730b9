//! The area that a server delivers in, `GET /api/v1/area`, and those that it could, `GET /api/v1/areas`.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::LatLon;

/// Names an area and the very bytes of its files: a slug of its name, a hyphen and the first eight hexadecimal digits of
/// a hash of its content. Files under it never change, so browsers may keep them for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 64))]
#[serde(try_from = "String", into = "String")]
pub struct AreaId(String);

/// Text that is no [`AreaId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an area's id has up to 64 lower-case letters, digits and single hyphens")]
pub struct NotAnAreaId;

/// The longest id, in bytes.
const MAX_ID_BYTES: usize = 64;

impl AreaId {
    /// The id as text; a safe name for a folder and a part of a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AreaId {
    type Err = NotAnAreaId;

    fn from_str(text: &str) -> Result<Self, NotAnAreaId> {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let fits = text.len() <= MAX_ID_BYTES && text.split('-').all(word);
        fits.then(|| Self(text.to_owned())).ok_or(NotAnAreaId)
    }
}

impl TryFrom<String> for AreaId {
    type Error = NotAnAreaId;

    fn try_from(text: String) -> Result<Self, NotAnAreaId> {
        text.parse()
    }
}

impl From<AreaId> for String {
    fn from(id: AreaId) -> Self {
        id.0
    }
}

impl fmt::Display for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The side of the street that vehicles keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DrivingSide {
    /// As in Ireland.
    Left,
    /// As in Germany.
    Right,
}

/// The units of road signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// Metres and kilometres.
    Metric,
    /// Feet or yards, and miles.
    Imperial,
}

body! {
    /// The area that a server delivers in.
    pub struct AreaView {
        /// Changes whenever the area's data does.
        pub id: AreaId,
        /// As people call it.
        #[cfg_attr(feature = "openapi", schema(example = "Neubrandenburg"))]
        pub name: String,
        /// West, south, east and north, in degrees; around all its streets.
        #[cfg_attr(feature = "openapi", schema(min_items = 4, max_items = 4))]
        pub bounds: [f64; 4],
        /// Where a map that shows no couriers begins.
        pub center: AreaPoint,
        /// Its zone's IANA name.
        #[cfg_attr(feature = "openapi", schema(example = "Europe/Berlin"))]
        pub time_zone: String,
        /// Its country's ISO 3166-1 code of two letters; absent at sea and where borders are unknown.
        #[cfg_attr(feature = "openapi", schema(example = "DE", pattern = "^[A-Z]{2}$"))]
        pub country: Option<String>,
        /// The side of the street that vehicles keep to.
        pub driving_side: DrivingSide,
        /// The units of road signs.
        pub units: Units,
        /// What people speak there, the most usual first, by ISO 639-1 codes.
        #[cfg_attr(feature = "openapi", schema(max_items = 8, example = json!(["de"])))]
        pub languages: Vec<String>,
        /// How new the OpenStreetMap data is; absent when the extract does not say it.
        pub extracted_at: Option<DateTime<Utc>>,
        /// What every map of it must show.
        #[cfg_attr(feature = "openapi", schema(example = "© OpenStreetMap contributors"))]
        pub attribution: String,
        /// Whether streets are known: routes and arrival times along them.
        pub streets: bool,
        /// Whether the address search knows this area.
        pub addresses: bool,
        /// Whether the server has a map of it.
        pub basemap: bool,
    }

    /// A point of an [`AreaView`].
    pub struct AreaPoint {
        /// Degrees north of the equator.
        #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90))]
        pub lat: f64,
        /// Degrees east of Greenwich.
        #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180))]
        pub lon: f64,
    }
}

body! {
    /// One of the areas on a server.
    pub struct AreaItem {
        /// What it is.
        #[serde(flatten)]
        pub area: AreaView,
        /// Whether it is the one in use.
        pub current: bool,
        /// Whether it is part of the program, and cannot be removed.
        pub built_in: bool,
        /// The size of its files together, in bytes.
        pub bytes: u64,
    }

    /// The areas on a server.
    pub struct AreaList {
        /// All of them, by name.
        pub items: Vec<AreaItem>,
        /// The running import, or what came of the last one since the server started.
        pub import: Option<AreaImport>,
    }

    /// An import of an uploaded extract.
    pub struct AreaImport {
        /// How it is.
        pub state: AreaImportState,
        /// What it is doing; while it runs.
        pub stage: Option<AreaImportStage>,
        /// How much of the stage is done, from 0 to 1; while it runs.
        #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
        pub share: Option<f64>,
        /// The area that came of it, once it is done.
        pub id: Option<AreaId>,
        /// Why it failed, as a sentence.
        pub error: Option<String>,
    }
}

/// How an import of an extract is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AreaImportState {
    /// It runs.
    Importing,
    /// Its area is in use.
    Done,
    /// It left the area before in use.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// What a running import is doing, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AreaImportStage {
    /// The extract arrives.
    Upload,
    /// Reading where everything is.
    Positions,
    /// Making the street graph.
    Streets,
    /// Collecting names and house numbers.
    Addresses,
    /// Drawing the tiles.
    Map,
    /// Putting the files in place.
    Files,
}

impl AreaView {
    /// Whether a point lies within the area's bounds.
    pub fn contains(&self, point: LatLon) -> bool {
        let [west, south, east, north] = self.bounds;
        (south..=north).contains(&point.lat()) && (west..=east).contains(&point.lon())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_safe_folder_name() {
        for id in ["malta-1a2b3c4d", "a", "neu-brandenburg-0", &"a".repeat(64)] {
            assert!(id.parse::<AreaId>().is_ok(), "{id}");
        }
        for text in ["", "-", "a--b", "-a", "a-", "A", "../etc", "a/b", "a.b", "ü", &"a".repeat(65)] {
            assert!(text.parse::<AreaId>().is_err(), "{text}");
        }
    }
}
