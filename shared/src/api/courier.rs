//! Bodies of what a courier's own phone asks for, `/api/v1/courier`: signed in by its session cookie or device token.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::proof::ProofKind;
use crate::{CourierId, DeviceId, OrderId, Vehicle, protocol::courier::StopKind};

body! {
    /// Exchanges the code of a sign-in link for a session cookie: `POST /api/v1/courier/session`.
    pub struct CourierSignIn {
        /// What stands behind the `#` of the link.
        pub code: String,
    }

    /// Who is signed in on this phone: `GET /api/v1/courier`, and the answer to signing in.
    pub struct CourierHome {
        /// The courier's id.
        pub id: CourierId,
        /// Their name.
        pub name: String,
        /// What they ride.
        pub vehicle: Vehicle,
        /// This phone.
        pub device_id: DeviceId,
        /// What this phone is called.
        pub device_label: String,
    }

    /// What the socket does not say about the stops ahead: `GET /api/v1/courier/tour`.
    pub struct Tour {
        /// When the times were worked out.
        pub computed_at: DateTime<Utc>,
        /// In driving order; the same stops as the socket's.
        pub stops: Vec<TourStop>,
        /// The way from the courier to the next stop, `[lon, lat]`; empty when no position is known.
        pub line: Vec<[f64; 2]>,
    }

    /// When a courier gets to a stop, and what is asked of them there.
    pub struct TourStop {
        /// Which order.
        pub order_id: OrderId,
        /// Collect or hand over.
        pub kind: StopKind,
        /// Earliest arrival; absent when nothing can be said.
        pub earliest_at: Option<DateTime<Utc>>,
        /// Latest arrival.
        pub latest_at: Option<DateTime<Utc>>,
        /// Metres to drive from the stop before, or from the courier for the first.
        pub distance_m: Option<u32>,
        /// Start of the window that the merchant promised the customer.
        pub promised_from: Option<DateTime<Utc>>,
        /// End of the window that the merchant promised the customer.
        pub promised_until: Option<DateTime<Utc>>,
        /// What must be brought back from the door.
        pub proof: Vec<ProofKind>,
    }

    /// Sets up another app as a tracker of this courier: `POST /api/v1/courier/trackers`.
    pub struct CreateTracker {
        /// Which app.
        pub app: TrackerApp,
    }

    /// A new tracker, with everything its app needs. The token is shown this once.
    pub struct TrackerCreated {
        /// Its id; dispatch can revoke it like any other device.
        pub device_id: DeviceId,
        /// Which app.
        pub app: TrackerApp,
        /// Where the app sends its positions.
        pub server_url: String,
        /// Its secret.
        pub token: String,
        /// Opens the app on this phone and sets it up.
        pub config_url: String,
        /// The same as a QR code for another phone, as SVG.
        pub qr_svg: String,
        /// The settings in words, for somebody who enters them by hand: name and value.
        pub settings: Vec<(String, String)>,
    }
}

/// An app that reports in the background.
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
