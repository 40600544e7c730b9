//! Bodies of the REST API, `/api/v1`. JSON only; times are RFC 3339 in UTC, absent fields are left out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    CourierId, DeviceId, OrderId, OrderStatus, RawFix, Vehicle,
    protocol::{PresenceReason, PresenceState},
};

macro_rules! body {
    ($($item:item)+) => {
        $(
            #[serde_with::skip_serializing_none]
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
            $item
        )+
    };
}

pub mod console;
pub mod courier;
pub mod exception;
pub mod proof;

use proof::{ProofKind, ProofView};

body! {
    /// Registers a courier.
    pub struct CreateCourier {
        /// What customers and dispatchers call them; 1 to 100 characters.
        pub name: String,
        /// For dispatchers only.
        pub phone: Option<String>,
        /// What they ride.
        pub vehicle: Vehicle,
    }

    /// A courier as dispatchers and API keys see them.
    pub struct CourierView {
        /// Their id.
        pub id: CourierId,
        /// Their name.
        pub name: String,
        /// Their number.
        pub phone: Option<String>,
        /// What they ride.
        pub vehicle: Vehicle,
        /// When they were registered.
        pub created_at: DateTime<Utc>,
        /// Their newest stored fix.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
        pub position: Option<RawFix>,
        /// Whether they share their position.
        pub presence: Option<PresenceView>,
    }

    /// Whether a courier shares their position.
    pub struct PresenceView {
        /// Sharing or not.
        pub state: PresenceState,
        /// Why not.
        pub reason: Option<PresenceReason>,
        /// Since when.
        pub since_at: DateTime<Utc>,
    }

    /// Registers a phone or tracker of a courier.
    pub struct CreateDevice {
        /// What to call it: "Ana's phone".
        pub label: String,
    }

    /// A new device. The token is shown this once.
    pub struct DeviceCreated {
        /// Its id.
        pub id: DeviceId,
        /// Its secret, for `Authorization: Bearer` on the courier socket.
        pub token: String,
        /// Opens the courier's web app, signed in as this device. Works once, and only for a short time.
        pub sign_in_url: String,
        /// Until when it works.
        pub sign_in_expires_at: DateTime<Utc>,
    }

    /// Another sign-in link for a device, because the first was used, lost or too late. Earlier ones stop working.
    pub struct SignInLink {
        /// Opens the courier's web app, signed in as this device. Works once, and only for a short time.
        pub sign_in_url: String,
        /// Until when it works.
        pub sign_in_expires_at: DateTime<Utc>,
    }

    /// A phone or tracker of a courier, as dispatchers and API keys see it.
    pub struct DeviceView {
        /// Its id.
        pub id: DeviceId,
        /// What it is called.
        pub label: String,
        /// When it was registered.
        pub created_at: DateTime<Utc>,
        /// When it last connected or reported, to the minute.
        pub last_seen_at: Option<DateTime<Utc>>,
        /// What it last reported with: `web`, `native`, `traccar`, `owntracks` or `overland`.
        pub client: Option<String>,
        /// Since when it may not report any more.
        pub revoked_at: Option<DateTime<Utc>>,
    }

    /// An end of a delivery.
    pub struct PlaceBody {
        /// Degrees north, ±90.
        pub lat: f64,
        /// Degrees east, ±180.
        pub lon: f64,
        /// In words, as the courier and the customer should read it.
        pub address: String,
        /// For the courier.
        pub instructions: Option<String>,
    }

    /// Who gets the order.
    pub struct CustomerBody {
        /// Their name.
        pub name: String,
        /// For the courier, while they have the order.
        pub phone: Option<String>,
        /// For notifications.
        pub email: Option<String>,
    }

    /// Creates an order.
    pub struct CreateOrder {
        /// The merchant's name for it.
        pub reference: String,
        /// Where the courier collects it.
        pub pickup: PlaceBody,
        /// Where it goes.
        pub dropoff: PlaceBody,
        /// Who gets it.
        pub customer: CustomerBody,
        /// Start of the window that the merchant promised.
        pub promised_from: Option<DateTime<Utc>>,
        /// End of the window that the merchant promised.
        pub promised_until: Option<DateTime<Utc>>,
        /// What the courier must bring back from the door; nothing when left out.
        pub proof: Option<Vec<ProofKind>>,
    }

    /// A new order. The tracking token is shown this once; the database keeps its hash.
    pub struct OrderCreated {
        /// Its id.
        pub id: OrderId,
        /// The merchant's name for it.
        pub reference: String,
        /// Always `created`.
        pub status: OrderStatus,
        /// The secret part of the customer's link.
        pub tracking_token: String,
        /// The customer's link.
        pub tracking_url: String,
        /// Four digits that the customer says at the door, when the order asks for them. The customer's page shows
        /// them too; the database keeps a hash.
        pub delivery_pin: Option<String>,
        /// When it was created.
        pub created_at: DateTime<Utc>,
    }

    /// An order as dispatchers and API keys see it.
    pub struct OrderView {
        /// Its id.
        pub id: OrderId,
        /// The merchant's name for it.
        pub reference: String,
        /// How far it is.
        pub status: OrderStatus,
        /// Since when.
        pub status_at: DateTime<Utc>,
        /// Where it comes from.
        pub pickup: PlaceBody,
        /// Where it goes.
        pub dropoff: PlaceBody,
        /// Who gets it.
        pub customer: CustomerBody,
        /// Who brings it.
        pub courier_id: Option<CourierId>,
        /// Start of the promised window.
        pub promised_from: Option<DateTime<Utc>>,
        /// End of the promised window.
        pub promised_until: Option<DateTime<Utc>>,
        /// When it was created.
        pub created_at: DateTime<Utc>,
        /// What the courier must bring back from the door; left out when nothing.
        pub proof: Option<Vec<ProofKind>>,
        /// When it should reach the door, by the newest estimate; only for an order that is still on its way there.
        pub expected_at: Option<DateTime<Utc>>,
        /// What happened so far, oldest first; only when one order is asked for.
        pub timeline: Option<Vec<OrderEventView>>,
        /// What was brought back from the door, oldest first; only when one order is asked for.
        pub proofs: Option<Vec<ProofView>>,
    }

    /// One thing that happened to an order.
    pub struct OrderEventView {
        /// What it became.
        pub status: OrderStatus,
        /// When it happened.
        pub at: DateTime<Utc>,
        /// A remark.
        pub note: Option<String>,
    }

    /// Gives an order to a courier.
    pub struct Assign {
        /// To whom.
        pub courier_id: CourierId,
    }

    /// Moves an order on.
    pub struct SetStatus {
        /// What it becomes.
        pub status: OrderStatus,
        /// A remark for the timeline.
        pub note: Option<String>,
    }

    /// Signs a person in.
    pub struct SignIn {
        /// Their address.
        pub email: String,
        /// Their password.
        pub password: String,
    }

    /// Who is signed in.
    pub struct SessionView {
        /// Their address.
        pub email: String,
        /// What they may do: `admin` or `dispatcher`.
        pub role: String,
        /// When the session ends however much it is used; unused it ends earlier.
        pub expires_at: DateTime<Utc>,
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListPage<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Ask for the next page with `?cursor=`; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
