//! Bodies of what the dispatcher's console asks for beyond orders and couriers themselves.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CreateOrder, PresenceView};
use crate::{CourierId, OrderId, OrderStatus, Vehicle};

/// The statuses behind the console's tab "Unassigned".
pub const UNASSIGNED: [OrderStatus; 1] = [OrderStatus::Created];

/// The statuses behind the tab "Active": on the way, or failed and waiting for a decision.
pub const ACTIVE: [OrderStatus; 5] =
    [OrderStatus::Assigned, OrderStatus::AtPickup, OrderStatus::PickedUp, OrderStatus::AtDropoff, OrderStatus::Failed];

/// The statuses behind the tab "Done".
pub const DONE: [OrderStatus; 3] = [OrderStatus::Delivered, OrderStatus::Returned, OrderStatus::Cancelled];

/// Counts of orders go no further; a count one higher means "more".
pub const MAX_COUNT: u32 = 100_000;

/// The largest file of orders, in bytes.
pub const MAX_IMPORT_BYTES: usize = 1024 * 1024;

/// The most orders in one file.
pub const MAX_IMPORT_ROWS: usize = 2_000;

body! {
    /// How many orders each tab holds: `GET /api/v1/orders/counts`, with the list's own `q` and `courier_id`.
    /// No count is higher than [`MAX_COUNT`] + 1, which stands for "more".
    #[derive(Copy, Eq, Default)]
    pub struct OrderCounts {
        /// Created, and nobody has them.
        pub unassigned: u32,
        /// On the way, or failed and waiting for a decision.
        pub active: u32,
        /// Delivered, returned or cancelled.
        pub done: u32,
    }

    /// Changes a courier: `PATCH /api/v1/couriers/{id}`. What is left out stays.
    #[derive(Default)]
    pub struct EditCourier {
        /// What customers and dispatchers call them; 1 to 100 characters.
        pub name: Option<String>,
        /// For dispatchers only; the empty text removes it.
        pub phone: Option<String>,
        /// What they ride.
        pub vehicle: Option<Vehicle>,
    }

    /// Who could take an order, the best first: `GET /api/v1/orders/{id}/suggestions`.
    pub struct CourierSuggestion {
        /// Who.
        pub courier_id: CourierId,
        /// Their name.
        pub name: String,
        /// What they ride.
        pub vehicle: Vehicle,
        /// Whether they share their position now: they are on duty and were heard of lately.
        pub on_duty: bool,
        /// Whether they share their position, as they last said.
        pub presence: Option<PresenceView>,
        /// Metres from where they are to the pickup, along the streets where these are known.
        pub distance_m: Option<u32>,
        /// When their position was recorded.
        pub position_at: Option<DateTime<Utc>>,
        /// How many of their orders are still open.
        pub open_orders: u32,
        /// When they should be done with those; absent when they are free now, or nothing can be said.
        pub free_at: Option<DateTime<Utc>>,
        /// When they should reach this order's pickup, after what they already have.
        pub arrives_at: Option<DateTime<Utc>>,
    }

    /// A new tracking link of an order; the token is shown this once. Links given out before go on working.
    pub struct TrackingLink {
        /// The secret part of the link.
        pub tracking_token: String,
        /// The customer's link.
        pub tracking_url: String,
        /// The same as a QR code, as SVG.
        pub qr_svg: String,
    }

    /// What a file of orders holds: `POST /api/v1/orders/import?preview=true`.
    pub struct ImportPreview {
        /// Every row, in the file's order.
        pub rows: Vec<ImportRow>,
        /// How many of them can become orders.
        pub valid: u32,
        /// How many cannot.
        pub invalid: u32,
        /// Columns whose names mean nothing here; they are left out.
        pub ignored_columns: Vec<String>,
    }

    /// One row of a file of orders.
    pub struct ImportRow {
        /// The line it begins on; the header is on line 1.
        pub line: u32,
        /// The merchant's name for it, as far as it could be read.
        pub reference: String,
        /// The order as it would be created; absent when something is wrong.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<CreateOrder>))]
        pub order: Option<Box<CreateOrder>>,
        /// What is wrong with it.
        #[serde(default)]
        pub errors: Vec<ImportNote>,
        /// What somebody should look at, and which does not stand in the way.
        #[serde(default)]
        pub warnings: Vec<ImportNote>,
    }

    /// A remark about one field of a file.
    pub struct ImportNote {
        /// The column's name.
        pub column: String,
        /// Which column it is, counted from 1; absent when the file has no such column.
        pub position: Option<u32>,
        /// In words.
        pub message: String,
    }

    /// What became of a file of orders: `POST /api/v1/orders/import`.
    pub struct Imported {
        /// The new orders, in the file's order.
        pub created: Vec<ImportedOrder>,
        /// The rows that were left out; always empty without `only_valid=true`.
        pub skipped: Vec<ImportRow>,
    }

    /// An order that a file created.
    pub struct ImportedOrder {
        /// The line of the file.
        pub line: u32,
        /// Its id.
        pub id: OrderId,
        /// The merchant's name for it.
        pub reference: String,
        /// The customer's link, shown this once.
        pub tracking_url: String,
        /// The digits that the customer says at the door, when the order asks for them; shown this once.
        pub delivery_pin: Option<String>,
    }

    /// Somewhere that an address search found: `GET /api/v1/places`.
    pub struct PlaceFound {
        /// What it is called, as an address begins: "12 Triq il-Merkanti".
        pub name: String,
        /// The town, village or quarter it is in; absent when it is one.
        pub town: Option<String>,
        /// Name and town on one line, as an address.
        pub address: String,
        /// What it is.
        pub kind: PlaceKind,
        /// Degrees north.
        pub lat: f64,
        /// Degrees east.
        pub lon: f64,
        /// Metres from the point that was asked about; absent without one.
        pub distance_m: Option<u32>,
    }

    /// An entry of the access log: an access to where a courier or an order is. `GET /api/v1/audit`, for admins.
    pub struct AccessView {
        /// Number in the log; later entries have higher ones.
        pub id: i64,
        /// When.
        pub at: DateTime<Utc>,
        /// Who saw it: `user:…`, `key:…`, or `system` where the log has a gap.
        pub actor: String,
        /// The person's address or the key's name.
        pub actor_name: Option<String>,
        /// What they saw.
        pub what: AccessKind,
        /// Which courier or order; absent for the whole fleet.
        pub subject_id: Option<Uuid>,
        /// The courier's name or the order's reference, as it is now.
        pub subject_name: Option<String>,
        /// The network address they came from.
        pub address: Option<String>,
        /// How many entries before this one could not be written; only with `gap`.
        pub lost: Option<u32>,
    }
}

/// What a found place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// A street.
    Street,
    /// A house with a number.
    House,
    /// A town, a village or a quarter.
    Town,
    /// A shop, an office, a hotel, a church: whatever has a name of its own.
    Poi,
}

/// What an access showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    /// The list of couriers with their positions.
    Couriers,
    /// One courier with their position.
    Courier,
    /// Where a courier was.
    Fixes,
    /// The same as a file.
    Export,
    /// An order with where its courier is.
    Order,
    /// The picture of a proof of delivery.
    Proof,
    /// The live fleet, or what is noticed in it.
    Fleet,
    /// Entries that could not be written.
    Gap,
}

impl AccessKind {
    /// Every kind.
    pub const ALL: [Self; 8] =
        [Self::Couriers, Self::Courier, Self::Fixes, Self::Export, Self::Order, Self::Proof, Self::Fleet, Self::Gap];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Couriers => "couriers",
            Self::Courier => "courier",
            Self::Fixes => "fixes",
            Self::Export => "export",
            Self::Order => "order",
            Self::Proof => "proof",
            Self::Fleet => "fleet",
            Self::Gap => "gap",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// In which order a list of orders comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderSort {
    /// The last created first.
    #[default]
    Newest,
    /// Open orders only, the one that must be hurried most first: by the promise, less the time that is still needed.
    LateRisk,
}
