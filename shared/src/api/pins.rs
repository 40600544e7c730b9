//! Pinned addresses: where a door is, said once by people who know it better than the map.
//!
//! `GET /api/v1/places/pins?cursor=&limit=` lists them, `PUT` and `DELETE /api/v1/places/pins/{id}` change one under an
//! id of the caller's, and `POST /api/v1/exceptions/{id}/pin` takes the door that a courier proposed. Searches and imports
//! take a pin before anything that the map knows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::PinId;

/// The most pins that a server keeps.
pub const MAX_PINS: usize = 10_000;

body! {
    /// Where an address is.
    pub struct PinAddress {
        /// The address as people write it, with its town. Case, accents, short forms, and on which side of the street its
        /// number stands do not matter.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 300, pattern = "printable", example = "12 Market Street, Springfield"))]
        pub address: String,
        /// Degrees north.
        #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90))]
        pub lat: f64,
        /// Degrees east.
        #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180))]
        pub lon: f64,
    }

    /// An address that was put to its right point.
    pub struct PinnedAddress {
        /// Its id.
        pub id: PinId,
        /// The address.
        pub address: String,
        /// Degrees north.
        #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90))]
        pub lat: f64,
        /// Degrees east.
        #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180))]
        pub lon: f64,
        /// When it was pinned last.
        pub pinned_at: DateTime<Utc>,
        /// Who did: a person's e-mail address or a key's name, while there is one.
        pub pinned_by: Option<String>,
    }
}
