//! Bodies of the REST API, `/api/v1`. JSON only; times are RFC 3339 in UTC, absent fields are left out.

use std::collections::BTreeMap;

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

pub mod area;
pub mod arrival;
pub mod change;
pub mod console;
pub mod courier;
pub mod exception;
#[cfg(feature = "openapi")]
pub mod ingest;
pub mod keys;
pub mod people;
pub mod pins;
pub mod plan;
pub mod proof;
#[cfg(feature = "openapi")]
pub mod track;
pub mod webhook;

use change::{FieldChange, OrderEventKind};
use plan::{CourierShift, Depot};
use proof::{ProofKind, ProofView};

body! {
    /// A courier to register.
    pub struct CreateCourier {
        /// Their name, as customers and dispatchers see it.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "printable", example = "Ana Berg"))]
        pub name: String,
        /// Their number, which only dispatchers see.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 40, pattern = "printable", example = "+44 20 7946 0000"))]
        pub phone: Option<String>,
        /// What they ride.
        pub vehicle: Vehicle,
        /// How much they can carry at once, in the units of an order's `size`; no limit when left out.
        #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100000, example = 10))]
        pub capacity: Option<u32>,
        /// What they can do, matched with what orders require: `van`, `cold`.
        #[cfg_attr(feature = "openapi", schema(max_items = 20, value_type = Option<Vec<String>>))]
        pub skills: Option<Vec<String>>,
        /// When they work.
        pub shift: Option<CourierShift>,
        /// Where their tours begin and end.
        pub depot: Option<Depot>,
    }

    /// A courier, as dispatchers and API keys see them.
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
        pub position: Option<RawFix>,
        /// Whether they share their position; absent before their phone said anything.
        pub presence: Option<PresenceView>,
        /// How much they can carry at once, in the units of an order's `size`; absent without a limit.
        #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100000, example = 10))]
        pub capacity: Option<u32>,
        /// What they can do, matched with what orders require: `van`, `cold`.
        #[cfg_attr(feature = "openapi", schema(max_items = 20, value_type = Option<Vec<String>>))]
        pub skills: Option<Vec<String>>,
        /// When they work.
        pub shift: Option<CourierShift>,
        /// Where their tours begin and end.
        pub depot: Option<Depot>,
        /// Since when they work here no longer; absent while they do.
        pub archived_at: Option<DateTime<Utc>>,
    }

    /// Whether a courier shares their position.
    pub struct PresenceView {
        /// Whether they share it.
        pub state: PresenceState,
        /// Why they do not, as far as their phone said.
        pub reason: Option<PresenceReason>,
        /// Since when.
        pub since_at: DateTime<Utc>,
    }

    /// A phone of a courier to register.
    pub struct CreateDevice {
        /// A name for it: "Ana's phone".
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "printable", example = "Ana's phone"))]
        pub label: String,
    }

    /// A new device. This answer alone shows the token and the link.
    pub struct DeviceCreated {
        /// Its id.
        pub id: DeviceId,
        /// Its secret, for `Authorization: Bearer` on the courier socket.
        pub token: String,
        /// A link that opens the courier's web app, signed in as this device. It works once, and only for a short time.
        #[cfg_attr(feature = "openapi", schema(format = "uri"))]
        pub sign_in_url: String,
        /// Until when the link works.
        pub sign_in_expires_at: DateTime<Utc>,
    }

    /// A new sign-in link for a device. Earlier ones stop working.
    pub struct SignInLink {
        /// A link that opens the courier's web app, signed in as this device. It works once, and only for a short time.
        #[cfg_attr(feature = "openapi", schema(format = "uri"))]
        pub sign_in_url: String,
        /// Until when the link works.
        pub sign_in_expires_at: DateTime<Utc>,
    }

    /// A phone or tracker of a courier, as dispatchers and API keys see it.
    pub struct DeviceView {
        /// Its id.
        pub id: DeviceId,
        /// Its name.
        pub label: String,
        /// When it was registered.
        pub created_at: DateTime<Utc>,
        /// When it last connected or reported, to the minute.
        pub last_seen_at: Option<DateTime<Utc>>,
        /// The kind of app that it last reported with.
        #[cfg_attr(feature = "openapi", schema(schema_with = device_client, required = false))]
        pub client: Option<String>,
        /// How far its clock is ahead of the server's, in milliseconds, negative behind, as several reports showed; its
        /// times are corrected by that. Absent while it is near enough.
        pub clock_ahead_ms: Option<i64>,
        /// How many of its points were rejected so far, off duty aside; absent when none were.
        pub rejected_count: Option<u64>,
        /// The last one; absent when none were.
        pub last_rejection: Option<DeviceRejection>,
        /// When it was revoked; absent while it may report.
        pub revoked_at: Option<DateTime<Utc>>,
    }

    /// Why and when a point of a device was rejected.
    pub struct DeviceRejection {
        /// The reason: a code of rejected fixes, such as `time_in_future`, or `unreadable`.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 50, example = "time_in_future"))]
        pub code: String,
        /// When it came.
        pub at: DateTime<Utc>,
    }

    /// An end of a delivery.
    #[derive(Default)]
    pub struct PlaceBody {
        /// Degrees north, ±90.
        #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90, example = 51.5155))]
        pub lat: f64,
        /// Degrees east, ±180.
        #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180, example = 0.0922))]
        pub lon: f64,
        /// The address, as the courier and the customer should read it.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 300, pattern = "printable", example = "12 Market Street, Newtown"))]
        pub address: String,
        /// What the courier should know there.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000, pattern = "printable", example = "ring twice"))]
        pub instructions: Option<String>,
        /// The number of the shop or kitchen; only at the pickup. The customer's is `customer.phone`.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 40, pattern = "printable", example = "+44 20 7946 0002"))]
        pub phone: Option<String>,
    }

    /// The person who gets the order.
    #[derive(Default)]
    pub struct CustomerBody {
        /// Their name.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "printable", example = "Eve Camilleri"))]
        pub name: String,
        /// Their number, which the courier sees while they have the order.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 40, pattern = "printable", example = "+44 20 7946 0001"))]
        pub phone: Option<String>,
        /// Their e-mail address, for notifications.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 254, pattern = "printable", example = "eve@example.org"))]
        pub email: Option<String>,
    }

    /// An order to create.
    #[derive(Default)]
    pub struct CreateOrder {
        /// The merchant's name for it.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "printable", example = "A-1042"))]
        pub reference: String,
        /// Where the courier collects it.
        pub pickup: PlaceBody,
        /// Where it goes.
        pub dropoff: PlaceBody,
        /// Who gets it.
        pub customer: CustomerBody,
        /// Start of the time window that the merchant promised.
        pub promised_from: Option<DateTime<Utc>>,
        /// End of the time window that the merchant promised; not before its start.
        pub promised_until: Option<DateTime<Utc>>,
        /// Which proofs the courier must bring back from the door; none when left out.
        pub proof: Option<Vec<ProofKind>>,
        /// How much of a courier's capacity it takes; 1 when left out.
        #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100000, example = 1))]
        pub size: Option<u32>,
        /// How long the hand-over at the door takes, in seconds; learned when left out.
        #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 14400, example = 120))]
        pub service_s: Option<u32>,
        /// What its courier must have: `van`, `cold`.
        #[cfg_attr(feature = "openapi", schema(max_items = 20, value_type = Option<Vec<String>>))]
        pub requires: Option<Vec<String>>,
        /// The merchant's remark for courier and dispatcher.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000, pattern = "printable", example = "two bags and a box"))]
        pub note: Option<String>,
    }

    /// A new order. This answer alone shows the tracking token, the link and the PIN; the database keeps hashes.
    pub struct OrderCreated {
        /// Its id.
        pub id: OrderId,
        /// The merchant's name for it.
        pub reference: String,
        /// Always `created`.
        pub status: OrderStatus,
        /// The secret at the end of the customer's link.
        pub tracking_token: String,
        /// The link to give to the customer.
        #[cfg_attr(feature = "openapi", schema(format = "uri"))]
        pub tracking_url: String,
        /// The four digits that the customer says at the door, when the order asks for a PIN. The customer's page shows
        /// them, too.
        #[cfg_attr(feature = "openapi", schema(pattern = r"^[0-9]{4}$", example = "4711"))]
        pub delivery_pin: Option<String>,
        /// When it was created.
        pub created_at: DateTime<Utc>,
    }

    /// An order, as dispatchers and API keys see it.
    pub struct OrderView {
        /// Its id.
        pub id: OrderId,
        /// The merchant's name for it.
        pub reference: String,
        /// Its status.
        pub status: OrderStatus,
        /// Since when it has this status.
        pub status_at: DateTime<Utc>,
        /// Where it comes from.
        pub pickup: PlaceBody,
        /// Where it goes.
        pub dropoff: PlaceBody,
        /// Who gets it.
        pub customer: CustomerBody,
        /// The courier who has it.
        pub courier_id: Option<CourierId>,
        /// Start of the time window that the merchant promised.
        pub promised_from: Option<DateTime<Utc>>,
        /// End of the time window that the merchant promised.
        pub promised_until: Option<DateTime<Utc>>,
        /// When it was created.
        pub created_at: DateTime<Utc>,
        /// Which proofs the courier must bring back from the door; left out when none.
        pub proof: Option<Vec<ProofKind>>,
        /// Counts up with every change of the order; `ETag` has it too, and `If-Match` asks for it.
        pub version: u64,
        /// Which attempt to deliver it this is, from 1.
        pub attempt: u32,
        /// How much of a courier's capacity it takes; absent when 1.
        #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100000, example = 1))]
        pub size: Option<u32>,
        /// How long the hand-over at the door takes, in seconds; absent when it is learned.
        #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 14400, example = 120))]
        pub service_s: Option<u32>,
        /// What its courier must have: `van`, `cold`.
        #[cfg_attr(feature = "openapi", schema(max_items = 20, value_type = Option<Vec<String>>))]
        pub requires: Option<Vec<String>>,
        /// The merchant's remark for courier and dispatcher.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000, pattern = "printable", example = "two bags and a box"))]
        pub note: Option<String>,
        /// The courier who has the goods on board: from the pickup until they are handed over or brought back.
        pub carried_by: Option<CourierId>,
        /// The place of its next stop in its courier's plan, from 1.
        pub sequence: Option<u32>,
        /// When the courier's screen first showed the order as it is now.
        pub seen_at: Option<DateTime<Utc>>,
        /// When it should reach the door, by the newest estimate; only for an order that is on its way there.
        pub expected_at: Option<DateTime<Utc>>,
        /// True when its pickup or its door lies where the server knows no streets: arrivals are guesses there. Absent
        /// otherwise.
        pub outside_area: Option<bool>,
        /// What happened so far, oldest first; left out in lists.
        pub timeline: Option<Vec<OrderEventView>>,
        /// The proofs that the courier brought back from the door, oldest first; left out in lists.
        pub proofs: Option<Vec<ProofView>>,
    }

    /// One line of an order's history.
    pub struct OrderEventView {
        /// What happened.
        #[serde(default)]
        pub kind: OrderEventKind,
        /// The status that the order had after it.
        pub status: OrderStatus,
        /// When it happened.
        pub at: DateTime<Utc>,
        /// A remark of the person who did it.
        pub note: Option<String>,
        /// Who did it: `user:`, `key:` or `courier:` with an id, or `system`.
        pub actor: Option<String>,
        /// The person's address, the key's or the courier's name.
        pub actor_name: Option<String>,
        /// The courier whom it concerns: who got the order, or had it.
        pub courier_id: Option<CourierId>,
        /// The courier's name.
        pub courier_name: Option<String>,
        /// What was changed, by the field's dotted path in the order, such as `dropoff.address`; only with `edited`.
        pub changes: Option<BTreeMap<String, FieldChange>>,
    }

    /// The courier who is to bring an order.
    pub struct Assign {
        /// The courier.
        pub courier_id: CourierId,
        /// The order's version that the caller saw; without it the caller wins over changes that they did not see.
        pub version: Option<u64>,
    }

    /// The next status of an order.
    pub struct SetStatus {
        /// The status that it is to take.
        pub status: OrderStatus,
        /// A remark for the timeline.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000, pattern = "printable", example = "left with the concierge"))]
        pub note: Option<String>,
        /// The order's version that the caller saw; without it the caller wins over changes that they did not see.
        pub version: Option<u64>,
    }

    /// The credentials of a dispatcher or admin.
    pub struct SignIn {
        /// Their e-mail address; letter case does not matter.
        #[cfg_attr(feature = "openapi", schema(max_length = 254, example = "dispatch@example.org"))]
        pub email: String,
        /// Their password.
        #[cfg_attr(feature = "openapi", schema(max_length = 1024, format = Password))]
        pub password: String,
    }

    /// The person who is signed in.
    pub struct SessionView {
        /// Their e-mail address.
        pub email: String,
        /// What they may do.
        #[cfg_attr(feature = "openapi", schema(schema_with = role))]
        pub role: String,
        /// When the session ends at the latest; one that is not used ends earlier.
        pub expires_at: DateTime<Utc>,
    }
}

impl CreateCourier {
    /// A courier without capacity, skills, shift and depot.
    pub fn plain(name: impl Into<String>, phone: Option<String>, vehicle: Vehicle) -> Self {
        Self { name: name.into(), phone, vehicle, capacity: None, skills: None, shift: None, depot: None }
    }
}

/// The schema of [`DeviceView::client`].
#[cfg(feature = "openapi")]
fn device_client() -> utoipa::openapi::Object {
    crate::openapi::words(
        ["web", "native", "traccar", "owntracks", "overland"],
        "The kind of app that it last reported with: Doorstep's web app, another app on the courier's socket, or a tracker's.",
    )
}

/// The schema of [`SessionView::role`].
#[cfg(feature = "openapi")]
fn role() -> utoipa::openapi::Object {
    crate::openapi::words(["admin", "dispatcher"], "What they may do.")
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListPage<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The `cursor` of the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
