//! API keys, which admins make, replace and take back.
//!
//! `GET` and `POST /api/v1/api-keys`, `POST /api/v1/api-keys/{id}/rotate`, `DELETE /api/v1/api-keys/{id}`.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ApiKeyId;

/// The longest that the secret before the newest goes on working: a week, in seconds.
pub const MAX_OVERLAP_S: u32 = 7 * 24 * 3_600;

body! {
    /// A key to make.
    pub struct CreateApiKey {
        /// What it is for.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "printable", example = "shop"))]
        pub name: String,
        /// What it may do; everything when left out.
        #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 5))]
        pub scopes: Option<Vec<Scope>>,
        /// From when on it opens nothing; never when left out.
        pub expires_at: Option<DateTime<Utc>>,
    }

    /// How a key gets another secret.
    #[derive(Copy, Default, Eq)]
    pub struct RotateApiKey {
        /// For how many seconds the secret until now goes on working beside the new one; it ends at once when left out.
        #[cfg_attr(feature = "openapi", schema(maximum = 604800, example = 3600))]
        pub overlap_s: Option<u32>,
        /// From when on the key opens nothing; as before when left out.
        pub expires_at: Option<DateTime<Utc>>,
    }

    /// A key. Its secret is not known to the server.
    pub struct ApiKeyView {
        /// Its id.
        pub id: ApiKeyId,
        /// What it is for.
        pub name: String,
        /// What it may do.
        pub scopes: Vec<Scope>,
        /// When it was made.
        pub created_at: DateTime<Utc>,
        /// The e-mail address of the person who made it; absent when the command line did.
        pub created_by: Option<String>,
        /// From when on it opens nothing.
        pub expires_at: Option<DateTime<Utc>>,
        /// When it last opened something, to the minute.
        pub last_used_at: Option<DateTime<Utc>>,
        /// When it was taken back.
        pub revoked_at: Option<DateTime<Utc>>,
        /// Until when the secret before the newest goes on working.
        pub former_until: Option<DateTime<Utc>>,
    }

    /// A key with its new secret. This answer alone shows it.
    pub struct ApiKeySecret {
        /// What a program sends as its Bearer token.
        pub secret: String,
        /// The key.
        pub api_key: ApiKeyView,
    }
}

/// Something that an API key may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scope {
    /// Look at orders.
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// Create and change orders.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// Look at couriers and their fixes.
    #[serde(rename = "couriers:read")]
    CouriersRead,
    /// Create couriers and devices.
    #[serde(rename = "couriers:write")]
    CouriersWrite,
    /// The live fleet.
    #[serde(rename = "fleet:read")]
    FleetRead,
}

impl Scope {
    /// Every scope; what a key gets when none is named.
    pub const ALL: [Self; 5] =
        [Self::OrdersRead, Self::OrdersWrite, Self::CouriersRead, Self::CouriersWrite, Self::FleetRead];

    /// The word on the command line and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::CouriersRead => "couriers:read",
            Self::CouriersWrite => "couriers:write",
            Self::FleetRead => "fleet:read",
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|scope| scope.as_str() == word).ok_or_else(|| format!("scopes are {}", known()))
    }
}
