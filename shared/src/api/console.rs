//! Bodies that the dispatcher's console asks for beyond orders and couriers themselves.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    CreateOrder, PlaceBody, PresenceView,
    plan::{CourierShift, Depot},
};
use crate::{CourierId, OrderId, OrderStatus, PinId, Vehicle};

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
    /// How many orders each tab of the console holds. Counting stops at 100 001, which stands for "more than 100 000".
    #[derive(Copy, Eq, Default)]
    pub struct OrderCounts {
        /// Orders that no courier has yet.
        #[cfg_attr(feature = "openapi", schema(maximum = 100001))]
        pub unassigned: u32,
        /// Orders that a courier has, and failed ones that wait for a decision.
        #[cfg_attr(feature = "openapi", schema(maximum = 100001))]
        pub active: u32,
        /// Orders that are delivered, returned or cancelled.
        #[cfg_attr(feature = "openapi", schema(maximum = 100001))]
        pub done: u32,
    }

    /// Changes to a courier. A field that is left out stays as it is.
    #[derive(Default)]
    pub struct EditCourier {
        /// Their name, as customers and dispatchers see it.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "printable", example = "Ana Berg"))]
        pub name: Option<String>,
        /// Their number, which only dispatchers see; the empty text removes it.
        #[cfg_attr(feature = "openapi", schema(max_length = 40, pattern = "printable or empty", example = "+44 20 7946 0000"))]
        pub phone: Option<String>,
        /// What they ride.
        pub vehicle: Option<Vehicle>,
        /// How much they can carry at once; `null` removes the limit.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, minimum = 1, maximum = 100000, example = 10))]
        pub capacity: Option<Option<u32>>,
        /// What they can do, matched with what orders require; the empty list removes it.
        #[cfg_attr(feature = "openapi", schema(max_items = 20, value_type = Option<Vec<String>>))]
        pub skills: Option<Vec<String>>,
        /// When they work; `null` removes it.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<CourierShift>))]
        pub shift: Option<Option<CourierShift>>,
        /// Where their tours begin and end; `null` removes it.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<Depot>))]
        pub depot: Option<Option<Depot>>,
        /// Whether they work here no longer. Archiving asks that they have no open order, and revokes their devices.
        pub archived: Option<bool>,
    }

    /// A pickup to choose from when an order is created.
    pub struct SavePickup {
        /// What people call it.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "printable", example = "Harbour Kitchen"))]
        pub name: String,
        /// Where it is, and whom to call there.
        pub place: PlaceBody,
    }

    /// A saved pickup.
    pub struct SavedPickup {
        /// Its id.
        pub id: Uuid,
        /// What people call it.
        pub name: String,
        /// Where it is, and whom to call there.
        pub place: PlaceBody,
    }

    /// A courier who could take an order.
    pub struct CourierSuggestion {
        /// The courier.
        pub courier_id: CourierId,
        /// Their name.
        pub name: String,
        /// What they ride.
        pub vehicle: Vehicle,
        /// Whether they are on duty and reported lately.
        pub on_duty: bool,
        /// Whether they share their position, as their phone last said.
        pub presence: Option<PresenceView>,
        /// Metres from their position to the pickup, along the streets where these are known.
        pub distance_m: Option<u32>,
        /// When their phone recorded that position.
        pub position_at: Option<DateTime<Utc>>,
        /// How many orders they have that are not final.
        pub open_orders: u32,
        /// What the order requires and the courier lacks; absent when nothing.
        pub lacks: Option<Vec<String>>,
        /// The order does not fit beside what the courier has, even at the best place in their plan.
        pub over_capacity: Option<bool>,
        /// They would be at the pickup outside of their shift; absent when not, or when they have none.
        pub off_shift: Option<bool>,
        /// When they should be done with those orders; absent when they are free now, or when no estimate is possible.
        pub free_at: Option<DateTime<Utc>>,
        /// When they should reach this order's pickup after the orders that they have; absent when no estimate is possible.
        pub arrives_at: Option<DateTime<Utc>>,
    }

    /// A further tracking link of an order. This answer alone shows the token; earlier links go on working.
    pub struct TrackingLink {
        /// The secret at the end of the link.
        pub tracking_token: String,
        /// The link to give to the customer.
        #[cfg_attr(feature = "openapi", schema(format = "uri"))]
        pub tracking_url: String,
        /// The link as a QR code, an SVG document.
        pub qr_svg: String,
    }

    /// What the server reads in a file of orders. It has created nothing.
    #[derive(Default)]
    pub struct ImportPreview {
        /// All rows, in the file's order.
        #[cfg_attr(feature = "openapi", schema(max_items = 2000))]
        pub rows: Vec<ImportRow>,
        /// How many rows can become orders.
        #[cfg_attr(feature = "openapi", schema(maximum = 2000))]
        pub valid: u32,
        /// How many rows cannot.
        #[cfg_attr(feature = "openapi", schema(maximum = 2000))]
        pub invalid: u32,
        /// Names of columns that the server does not know and ignores.
        pub ignored_columns: Vec<String>,
        /// Every column of the file, in its order, and what the server takes it for.
        #[serde(default)]
        pub columns: Vec<ImportColumn>,
        /// Columns that must be there and that no heading names; while there are any, no row is read.
        pub missing_columns: Option<Vec<String>>,
        /// How the file's letters are written, such as `UTF-8`, `UTF-16LE` or `windows-1252`. The server guesses
        /// `windows-1252` when the request names none and the file is no UTF-8.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(example = "UTF-8"))]
        pub encoding: String,
    }

    /// One column of a file of orders.
    pub struct ImportColumn {
        /// Its place, counted from 1.
        pub position: u32,
        /// Its heading, as the file has it.
        pub heading: String,
        /// Our name for what it holds, such as `customer_name`; absent when the server ignores it.
        pub column: Option<String>,
        /// The first few cells in it that differ, cut to 100 characters.
        #[cfg_attr(feature = "openapi", schema(max_items = 3))]
        pub samples: Vec<String>,
    }

    /// One row of a file of orders.
    pub struct ImportRow {
        /// The line on which the row begins; the header is on line 1.
        pub line: u32,
        /// The merchant's name for the order, as far as the server could read it.
        pub reference: String,
        /// The order that the row describes; absent when the row has errors.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<CreateOrder>))]
        pub order: Option<Box<CreateOrder>>,
        /// Why the row cannot become an order.
        #[serde(default)]
        pub errors: Vec<ImportNote>,
        /// What a dispatcher should check, though the row can become an order.
        #[serde(default)]
        pub warnings: Vec<ImportNote>,
    }

    /// A remark about one cell of a file.
    pub struct ImportNote {
        /// Our name for the column.
        pub column: String,
        /// The column's heading, as the file has it, or as our template does when the file lacks the column.
        pub heading: Option<String>,
        /// The column's place, counted from 1; absent when the file has no such column.
        pub position: Option<u32>,
        /// The remark, a sentence for people.
        pub message: String,
    }

    /// What the server created from a file of orders.
    pub struct Imported {
        /// The new orders, in the file's order.
        #[cfg_attr(feature = "openapi", schema(max_items = 2000))]
        pub created: Vec<ImportedOrder>,
        /// The rows with errors; always empty without `only_valid=true`.
        #[cfg_attr(feature = "openapi", schema(max_items = 2000))]
        pub skipped: Vec<ImportRow>,
        /// Names of columns that the server does not know and ignored.
        #[serde(default)]
        pub ignored_columns: Vec<String>,
        /// How the file's letters are written, as in a preview.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(example = "UTF-8"))]
        pub encoding: String,
    }

    /// An order that a file created.
    pub struct ImportedOrder {
        /// The line of the file on which its row begins.
        pub line: u32,
        /// Its id.
        pub id: OrderId,
        /// The merchant's name for it.
        pub reference: String,
        /// The link to give to the customer; this answer alone shows it.
        #[cfg_attr(feature = "openapi", schema(format = "uri"))]
        pub tracking_url: String,
        /// The four digits that the customer says at the door, when the order asks for a PIN; this answer alone shows them.
        #[cfg_attr(feature = "openapi", schema(pattern = r"^[0-9]{4}$", example = "4711"))]
        pub delivery_pin: Option<String>,
        /// What a dispatcher should check, as a preview of the same file says it.
        #[serde(default)]
        pub warnings: Vec<ImportNote>,
    }

    /// A place that an address search found.
    pub struct PlaceFound {
        /// Its name, as an address begins: "12 Market Street".
        pub name: String,
        /// The town, village or quarter that it is in; absent when it is one itself.
        pub town: Option<String>,
        /// Name and town on one line, as an address.
        pub address: String,
        /// What kind of place it is.
        pub kind: PlaceKind,
        /// Degrees north.
        #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90))]
        pub lat: f64,
        /// Degrees east.
        #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180))]
        pub lon: f64,
        /// Metres from the point of the query, `near` or `at`; absent without one.
        pub distance_m: Option<u32>,
        /// The pin that says where it is; absent for what only the map says.
        pub pin_id: Option<PinId>,
    }

    /// An entry of the access log: a caller saw where a courier or an order is.
    pub struct AccessView {
        /// The entry's number; later entries have higher numbers.
        pub id: i64,
        /// When the caller saw it.
        pub at: DateTime<Utc>,
        /// The caller: `user:` or `key:` with an id, or `system` where the log has a gap.
        pub actor: String,
        /// The person's address or the key's name.
        pub actor_name: Option<String>,
        /// What the caller saw.
        pub what: AccessKind,
        /// The courier or order; absent for the whole fleet.
        pub subject_id: Option<Uuid>,
        /// The courier's name or the order's reference, as it is now.
        pub subject_name: Option<String>,
        /// The caller's network address.
        pub address: Option<String>,
        /// How many entries the server could not write before this one; only with `gap`.
        pub lost: Option<u32>,
    }
}

/// What kind of place a found place is.
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
    /// A shop, an office, a hotel, a church: anything with a name of its own.
    Poi,
}

/// What the caller of an access log entry saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    /// The list of couriers with their positions.
    Couriers,
    /// One courier with their position.
    Courier,
    /// Where a courier was, as JSON.
    Fixes,
    /// Where a courier was, as a file; without a subject, a file of orders.
    Export,
    /// An order with where its courier is.
    Order,
    /// The picture of a proof of delivery.
    Proof,
    /// The live fleet, or the exceptions noticed in it.
    Fleet,
    /// Entries that the server could not write.
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

/// How a list of orders is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderSort {
    /// The last created first.
    #[default]
    Newest,
    /// Open orders only, the most urgent first: by the promise, less the time that is still needed.
    LateRisk,
}
