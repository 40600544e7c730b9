//! Bodies of `/api/v1/courier`, for a courier's own phone, which shows its session cookie or device token.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::proof::ProofKind;
use crate::{CourierId, DeviceId, OrderId, Vehicle, protocol::courier::StopKind};

body! {
    /// The code of a sign-in link, to be exchanged for a session cookie.
    pub struct CourierSignIn {
        /// The part of the link behind `#`.
        pub code: String,
    }

    /// The courier who is signed in on this phone.
    pub struct CourierHome {
        /// The courier's id.
        pub id: CourierId,
        /// Their name.
        pub name: String,
        /// What they ride.
        pub vehicle: Vehicle,
        /// The id of this phone.
        pub device_id: DeviceId,
        /// The name of this phone.
        pub device_label: String,
    }

    /// The stops ahead of a courier: what the courier's socket does not say about them.
    pub struct Tour {
        /// When the server computed the times.
        pub computed_at: DateTime<Utc>,
        /// The stops in driving order, the same as the socket's.
        pub stops: Vec<TourStop>,
        /// The way from the courier to the next stop, points of `[lon, lat]`; empty when the server knows no position.
        pub line: Vec<[f64; 2]>,
    }

    /// When a courier arrives at a stop, and which proofs they need there.
    pub struct TourStop {
        /// The order.
        pub order_id: OrderId,
        /// Whether the courier collects the order or hands it over.
        pub kind: StopKind,
        /// Earliest arrival; absent when no estimate is possible.
        pub earliest_at: Option<DateTime<Utc>>,
        /// Latest arrival; absent when no estimate is possible.
        pub latest_at: Option<DateTime<Utc>>,
        /// Metres to drive from the stop before, or from the courier for the first.
        pub distance_m: Option<u32>,
        /// Start of the window that the merchant promised the customer.
        pub promised_from: Option<DateTime<Utc>>,
        /// End of the window that the merchant promised the customer.
        pub promised_until: Option<DateTime<Utc>>,
        /// Which proofs the courier must bring back from the door.
        pub proof: Vec<ProofKind>,
    }

    /// Asks for another app to be set up as a courier's tracker.
    pub struct CreateTracker {
        /// The app.
        pub app: TrackerApp,
    }

    /// A new tracker, with everything that its app needs. This answer alone shows the token.
    pub struct TrackerCreated {
        /// Its id; dispatchers can revoke it like any other device.
        pub device_id: DeviceId,
        /// The app.
        pub app: TrackerApp,
        /// Where the app sends its positions.
        #[cfg_attr(feature = "openapi", schema(format = "uri"))]
        pub server_url: String,
        /// Its secret.
        pub token: String,
        /// A link that opens the app on this phone and sets it up.
        #[cfg_attr(feature = "openapi", schema(format = "uri"))]
        pub config_url: String,
        /// That link as a QR code for another phone, an SVG document.
        pub qr_svg: String,
        /// The settings for people who enter them by hand: pairs of a name and a value.
        #[cfg_attr(feature = "openapi", schema(schema_with = name_and_value))]
        pub settings: Vec<(String, String)>,
    }
}

/// The schema of [`TrackerCreated::settings`]. Tuples have `prefixItems`, which some client generators cannot read.
#[cfg(feature = "openapi")]
fn name_and_value() -> utoipa::openapi::schema::Array {
    use utoipa::openapi::schema::{ArrayBuilder, Object, Type};

    let pair = ArrayBuilder::new().items(Object::with_type(Type::String)).min_items(Some(2)).max_items(Some(2));
    ArrayBuilder::new()
        .items(pair)
        .description(Some("The settings for people who enter them by hand: pairs of a name and a value."))
        .build()
}

/// An app that reports positions in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrackerApp {
    /// Traccar Client, for Android and iOS.
    Traccar,
    /// OwnTracks, for Android and iOS.
    Owntracks,
    /// Overland, for iOS.
    Overland,
}

impl TrackerApp {
    /// Every app that can be set up.
    pub const ALL: [Self; 3] = [Self::Traccar, Self::Owntracks, Self::Overland];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traccar => "traccar",
            Self::Owntracks => "owntracks",
            Self::Overland => "overland",
        }
    }

    /// What its makers call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traccar => "Traccar Client",
            Self::Owntracks => "OwnTracks",
            Self::Overland => "Overland",
        }
    }
}
