//! Calls of the REST API, without a socket: what the console asks, as an HTTP request, and what the reply means.

mod reply;
mod request;

use doorstep_shared::{
    CourierId, DeviceId, ExceptionId, OrderId, OrderStatus, PinId,
    api::{
        CreateCourier, CreateOrder,
        area::AreaId,
        change::NextAttempt,
        console::{EditCourier, SavePickup},
        exception::ExceptionState,
        pins::PinAddress,
        plan::PutPlan,
    },
};

pub use reply::{ApiError, ApiReply};
pub use request::{Request, fixes_export, orders_export};

use uuid::Uuid;

use super::{arrivals::By, draft::StopKind, route::Tab};

/// From one moment to another, Unix epoch milliseconds.
pub type TimeSpan = (i64, i64);

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiCall {
    /// Whether the session still holds.
    Session,
    /// A page of a list of orders.
    Orders { tab: Tab, query: String, span: Option<TimeSpan>, cursor: Option<String> },
    /// How many orders each list holds; with `days` how many of that list's orders are of these days.
    Counts { query: String, days: Option<(Tab, TimeSpan)> },
    /// An order with its timeline and proofs.
    Order(OrderId),
    /// The couriers who could take an order.
    Suggestions(OrderId),
    /// Gives an order to a courier.
    Assign { order: OrderId, courier: CourierId, version: Option<u64> },
    /// Sets the status of an order.
    SetStatus { order: OrderId, status: OrderStatus, note: Option<String>, version: Option<u64> },
    /// Changes fields of an order; `changes` is the body of the `PATCH`.
    EditOrder { order: OrderId, version: u64, changes: serde_json::Value },
    /// Takes an order from its courier.
    Unassign { order: OrderId, reason: Option<String>, version: Option<u64> },
    /// Begins another attempt at a failed order.
    Attempt { order: OrderId, attempt: NextAttempt },
    /// Corrects a final status.
    Reopen { order: OrderId, reason: String, version: Option<u64> },
    /// Another tracking link.
    TrackingLink(OrderId),
    /// A new order; the idempotency key makes a repeat harmless.
    Create { order: Box<CreateOrder>, key: String },
    /// Addresses with this name, near `[lon, lat]` first.
    Addresses { kind: StopKind, query: String, near: Option<[f64; 2]> },
    /// The address at `[lon, lat]`.
    AddressAt { kind: StopKind, at: [f64; 2] },
    /// A file of orders; a preview writes nothing.
    Import { csv: Vec<u8>, columns: Option<String>, is_preview: bool, key: String },
    /// A courier with their phone number.
    Courier(CourierId),
    /// A courier's phones and trackers.
    Devices(CourierId),
    /// A new courier.
    CreateCourier { courier: CreateCourier, key: String },
    /// Changes a courier.
    EditCourier { courier: CourierId, edit: EditCourier },
    /// A new phone, with its sign-in link.
    Invite { courier: CourierId, label: String, key: String },
    /// Signs a phone out for good.
    Revoke { courier: CourierId, device: DeviceId },
    /// A courier's positions since a moment, for the trail.
    Trail { courier: CourierId, from_ms: i64 },
    /// A page of a courier's positions, for the replay.
    Day { courier: CourierId, from_ms: i64, until_ms: i64, cursor: Option<String> },
    /// A page of exceptions.
    Exceptions { state: ExceptionState, cursor: Option<String> },
    /// Acknowledges an exception.
    Acknowledge { id: ExceptionId, note: Option<String> },
    /// Takes the door that a courier proposed, which acknowledges it.
    TakeDoor { id: ExceptionId },
    /// Pins the address of a stop to its point.
    PinAddress { kind: StopKind, id: PinId, pin: PinAddress },
    /// Leaves it to the map again where the address of a stop is.
    UnpinAddress { kind: StopKind, id: PinId },
    /// A page of the pinned addresses.
    Pinned { cursor: Option<String> },
    /// Removes a pinned address.
    RemovePinned(PinId),
    /// A courier's plan.
    Plan(CourierId),
    /// Another order of a courier's stops.
    PutPlan { courier: CourierId, plan: PutPlan },
    /// The saved pickups.
    Pickups,
    /// Saves a pickup under a name.
    SavePickup(Box<SavePickup>),
    /// Forgets a saved pickup.
    ForgetPickup(Uuid),
    /// Addresses for a courier's depot.
    Depots { query: String },
    /// The couriers who work here no longer.
    Archived,
    /// Archives a courier, or brings them back.
    Archive { courier: CourierId, is_archived: bool },
    /// How good the arrivals were that customers were told.
    Scores(By),
    /// How long couriers wait at pickups.
    Waits,
    /// The areas that the server has, and the import that goes on.
    Areas,
    /// A new area from the extract that was chosen; an empty name is taken from the file's. Sent by the browser itself.
    UploadArea { name: String },
    /// Stops the import.
    StopImport,
    /// Uses this area from now on.
    UseArea(AreaId),
    /// Removes an area that is not in use.
    RemoveArea(AreaId),
    /// Ends the session.
    SignOut,
}
