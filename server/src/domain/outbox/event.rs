//! Events: one for each change that people outside may want to know of.
//!
//! An event holds its subject as it was at the change, so a message that is sent hours later still says what happened
//! then. Customers' numbers and e-mail addresses stand apart, because few receivers should have them; nobody's position
//! is in any event.

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, EventId, ExceptionId, OrderId, OrderStatus,
    api::{change::OrderEventKind, exception::ExceptionCode},
    protocol::{PresenceReason, PresenceState},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::order::{Actor, Order, editing::Changes};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// An order is new.
    OrderCreated,
    /// An order's fields changed.
    OrderUpdated,
    /// An order went to a courier, also for another attempt.
    OrderAssigned,
    /// An order was taken from its courier, or given back.
    OrderUnassigned,
    /// Its courier is at the pickup.
    OrderAtPickup,
    /// Its goods are on board.
    OrderPickedUp,
    /// It is its courier's next stop: the customer may see the courier from now on.
    OrderNext,
    /// Its courier is near the door; once for an attempt.
    OrderApproaching,
    /// Its courier is at the door.
    OrderAtDropoff,
    /// It was handed over.
    OrderDelivered,
    /// It could not be handed over.
    OrderFailed,
    /// Its goods are back.
    OrderReturned,
    /// It will not be delivered.
    OrderCancelled,
    /// A final status was corrected.
    OrderReopened,
    /// It is later than promised, or surely will be.
    OrderLate,
    /// Customer and courier exchanged a message.
    OrderMessage,
    /// The customer rated it.
    OrderRated,
    /// A courier begins, pauses or ends sharing their position.
    CourierPresence,
    /// Something needs a dispatcher's attention.
    ExceptionOpened,
    /// That ended by itself.
    ExceptionClosed,
    /// A person tries an endpoint. No endpoint needs to ask for it, and it is in no outbox.
    WebhookTest,
}

impl EventType {
    /// Every type that an endpoint may ask for.
    pub const ALL: [Self; 20] = [
        Self::OrderCreated,
        Self::OrderUpdated,
        Self::OrderAssigned,
        Self::OrderUnassigned,
        Self::OrderAtPickup,
        Self::OrderPickedUp,
        Self::OrderNext,
        Self::OrderApproaching,
        Self::OrderAtDropoff,
        Self::OrderDelivered,
        Self::OrderFailed,
        Self::OrderReturned,
        Self::OrderCancelled,
        Self::OrderReopened,
        Self::OrderLate,
        Self::OrderMessage,
        Self::OrderRated,
        Self::CourierPresence,
        Self::ExceptionOpened,
        Self::ExceptionClosed,
    ];

    /// The word in messages and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderCreated => "order.created",
            Self::OrderUpdated => "order.updated",
            Self::OrderAssigned => "order.assigned",
            Self::OrderUnassigned => "order.unassigned",
            Self::OrderAtPickup => "order.at_pickup",
            Self::OrderPickedUp => "order.picked_up",
            Self::OrderNext => "order.next",
            Self::OrderApproaching => "order.approaching",
            Self::OrderAtDropoff => "order.at_dropoff",
            Self::OrderDelivered => "order.delivered",
            Self::OrderFailed => "order.failed",
            Self::OrderReturned => "order.returned",
            Self::OrderCancelled => "order.cancelled",
            Self::OrderReopened => "order.reopened",
            Self::OrderLate => "order.late",
            Self::OrderMessage => "order.message",
            Self::OrderRated => "order.rated",
            Self::CourierPresence => "courier.presence",
            Self::ExceptionOpened => "exception.opened",
            Self::ExceptionClosed => "exception.closed",
            Self::WebhookTest => "webhook.test",
        }
    }

    /// The family's pattern: `order.*` of `order.created`.
    pub fn family(self) -> String {
        let word = self.as_str();
        let family = word.split_once('.').map_or(word, |(family, _)| family);
        format!("{family}.*")
    }

    /// What a change of an order is to others; `None` when it changed nothing about the order.
    pub const fn of_change(kind: OrderEventKind, before: OrderStatus, after: OrderStatus) -> Option<Self> {
        match kind {
            OrderEventKind::Status => Some(Self::of_status(after)),
            OrderEventKind::Assigned | OrderEventKind::Attempt => Some(Self::OrderAssigned),
            OrderEventKind::Unassigned | OrderEventKind::GivenBack => Some(Self::OrderUnassigned),
            OrderEventKind::Reopened => Some(Self::OrderReopened),
            OrderEventKind::NotReady if !matches!(before, OrderStatus::AtPickup) => Some(Self::OrderAtPickup),
            OrderEventKind::Edited | OrderEventKind::NotReady | OrderEventKind::GoodsReturned => {
                Some(Self::OrderUpdated)
            }
            OrderEventKind::LateReport => None,
        }
    }

    const fn of_status(status: OrderStatus) -> Self {
        match status {
            OrderStatus::Created => Self::OrderCreated,
            OrderStatus::Assigned => Self::OrderAssigned,
            OrderStatus::AtPickup => Self::OrderAtPickup,
            OrderStatus::PickedUp => Self::OrderPickedUp,
            OrderStatus::AtDropoff => Self::OrderAtDropoff,
            OrderStatus::Delivered => Self::OrderDelivered,
            OrderStatus::Failed => Self::OrderFailed,
            OrderStatus::Returned => Self::OrderReturned,
            OrderStatus::Cancelled => Self::OrderCancelled,
        }
    }
}

/// An event that is not written yet.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Its id, the `webhook-id` of every try to tell it.
    pub id: EventId,
    /// What happened.
    pub kind: EventType,
    /// The order or the courier: of one subject each receiver hears one thing after the other.
    pub subject: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The subject as it was then.
    pub data: Value,
    /// What only those get who ask for it, of the shape of `data`; `Null` for nothing.
    pub personal: Value,
}

/// What an order's event says besides the order.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// Who did it; nobody did what time brings.
    pub by: Option<&'a Actor>,
    /// Their remark.
    pub remark: Option<&'a str>,
    /// Whose the order was.
    pub former_courier: Option<CourierId>,
    /// Which fields changed. Their values are in the order; a former one may be what a receiver must not have.
    pub changes: Option<&'a Changes>,
}

impl NewEvent {
    /// What happened at `at` to an order that is `order` now.
    pub fn of_order(kind: EventType, order: &Order, at: DateTime<Utc>, about: About<'_>) -> Self {
        let mut view = order.to_view(None);
        let (phone, email) = (view.customer.phone.take(), view.customer.email.take());
        let mut data = object(serde_json::to_value(view).expect("a view is plain values"));
        insert(&mut data, "actor", about.by.map(Actor::to_string));
        insert(&mut data, "remark", about.remark);
        insert(&mut data, "former_courier_id", about.former_courier);
        insert(&mut data, "changed", about.changes.map(|changes| changes.keys().collect::<Vec<_>>()));
        let mut customer = Map::new();
        insert(&mut customer, "phone", phone);
        insert(&mut customer, "email", email);
        let personal = if customer.is_empty() { Value::Null } else { json!({ "customer": customer }) };
        Self { id: EventId::new(), kind, subject: *order.id.as_uuid(), at, data: data.into(), personal }
    }

    /// A courier, named `name`, shares their position, or does so no longer.
    pub fn of_presence(courier: CourierId, name: &str, presence: &PresenceChange) -> Self {
        let mut data = object(json!({
            "courier_id": courier,
            "name": name,
            "state": presence.state.as_str(),
            "since_at": presence.since,
            // A presence that replaces another one began later.
            "version": presence.since.timestamp_millis(),
        }));
        insert(&mut data, "reason", presence.reason.map(PresenceReason::as_str));
        let subject = *courier.as_uuid();
        let (kind, at) = (EventType::CourierPresence, presence.since);
        Self { id: EventId::new(), kind, subject, at, data: data.into(), personal: Value::Null }
    }

    /// An exception began, or ended by itself.
    pub fn of_exception(kind: EventType, exception: &ExceptionNow, at: DateTime<Utc>) -> Self {
        let mut data = object(json!({
            "id": exception.id,
            "code": exception.code.as_str(),
            "since_at": exception.since,
            "version": if kind == EventType::ExceptionClosed { 2 } else { 1 },
        }));
        insert(&mut data, "ended_at", exception.ended);
        insert(&mut data, "courier_id", exception.courier);
        insert(&mut data, "order_id", exception.order);
        insert(&mut data, "late_by_s", exception.late_by_s);
        insert(&mut data, "distance_m", exception.distance_m);
        let subject = exception.order.map(|order| *order.as_uuid());
        let subject = subject.or(exception.courier.map(|courier| *courier.as_uuid()));
        let subject = subject.unwrap_or(*exception.id.as_uuid());
        Self { id: EventId::new(), kind, subject, at, data: data.into(), personal: Value::Null }
    }
}

/// A presence that a courier took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceChange {
    /// Whether they share their position.
    pub state: PresenceState,
    /// Why they do not.
    pub reason: Option<PresenceReason>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// An exception as its event tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionNow {
    /// Its id.
    pub id: ExceptionId,
    /// What it is about.
    pub code: ExceptionCode,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// The courier it is about.
    pub courier: Option<CourierId>,
    /// The order it is about.
    pub order: Option<OrderId>,
    /// Seconds behind the promise.
    pub late_by_s: Option<i32>,
    /// Metres from where they should be.
    pub distance_m: Option<i32>,
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => unreachable!("bodies are objects"),
    }
}

/// Adds a field, unless it is absent.
fn insert<T: serde::Serialize>(map: &mut Map<String, Value>, field: &str, value: Option<T>) {
    if let Some(value) = value {
        map.insert(field.to_owned(), serde_json::to_value(value).expect("fields are plain values"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::order::{editing::edit, visibility::tests::order},
        platform::clock::from_ms,
    };
    use doorstep_shared::api::{
        CustomerBody,
        change::{EditCustomer, EditOrder},
    };

    fn with_customer() -> Order {
        let customer = CustomerBody {
            name: "Eve".into(),
            phone: Some("+356 2122 0000".into()),
            email: Some("eve@example.com".into()),
        };
        Order { customer, ..order(OrderStatus::Created, 0) }
    }

    #[test]
    fn every_type_has_a_word_of_its_own_in_one_of_the_families() {
        let words: std::collections::BTreeSet<_> = EventType::ALL.into_iter().map(EventType::as_str).collect();
        assert_eq!(words.len(), EventType::ALL.len());
        for kind in EventType::ALL {
            assert!(["order.*", "courier.*", "exception.*"].contains(&&*kind.family()), "{kind:?}");
        }
    }

    #[test]
    fn each_kind_of_change_is_told_as_one_type() {
        use OrderEventKind as Kind;
        use OrderStatus::{Assigned, AtPickup, Cancelled, Created, Delivered, Failed};
        for (kind, before, after, told) in [
            (Kind::Status, Created, Created, Some("order.created")),
            (Kind::Status, AtPickup, Delivered, Some("order.delivered")),
            (Kind::Status, Assigned, Cancelled, Some("order.cancelled")),
            (Kind::Assigned, Created, Assigned, Some("order.assigned")),
            (Kind::Assigned, AtPickup, AtPickup, Some("order.assigned")),
            (Kind::Attempt, Failed, Assigned, Some("order.assigned")),
            (Kind::Unassigned, AtPickup, Created, Some("order.unassigned")),
            (Kind::GivenBack, Assigned, Created, Some("order.unassigned")),
            (Kind::Reopened, Delivered, Created, Some("order.reopened")),
            (Kind::Edited, Assigned, Assigned, Some("order.updated")),
            (Kind::NotReady, Assigned, AtPickup, Some("order.at_pickup")),
            (Kind::NotReady, AtPickup, AtPickup, Some("order.updated")),
            (Kind::GoodsReturned, Cancelled, Cancelled, Some("order.updated")),
            (Kind::LateReport, Delivered, Delivered, None),
        ] {
            assert_eq!(EventType::of_change(kind, before, after).map(EventType::as_str), told, "{kind:?}");
        }
    }

    #[test]
    fn a_customers_number_and_address_stand_apart() {
        let order = with_customer();
        let event = NewEvent::of_order(EventType::OrderCreated, &order, from_ms(7), About::default());
        assert_eq!(event.data["customer"], json!({ "name": "Eve" }));
        assert_eq!(event.personal, json!({ "customer": { "phone": "+356 2122 0000", "email": "eve@example.com" } }));
        assert_eq!((event.data["version"].as_u64(), event.subject), (Some(1), *order.id.as_uuid()));
        let nobody = NewEvent::of_order(EventType::OrderCreated, &bare(), from_ms(7), About::default());
        assert_eq!(nobody.personal, Value::Null);
    }

    fn bare() -> Order {
        order(OrderStatus::Created, 0)
    }

    #[test]
    fn an_edit_names_the_fields_and_none_of_their_former_values() {
        let before = with_customer();
        let customer = EditCustomer { phone: Some(Some("+356 9999 1111".into())), ..EditCustomer::default() };
        let wanted = EditOrder { customer: Some(customer), ..EditOrder::default() };
        let edited = edit(&before, &[], &wanted).expect("it may be changed");
        let about = About { changes: Some(&edited.changes), ..About::default() };
        let event = NewEvent::of_order(EventType::OrderUpdated, &edited.order, from_ms(7), about);
        assert_eq!(event.data["changed"], json!(["customer.phone"]));
        let text = event.data.to_string();
        assert!(!text.contains("2122") && !text.contains("9999"), "{text}");
        assert_eq!(event.personal["customer"]["phone"], "+356 9999 1111");
    }

    #[test]
    fn an_event_of_an_exception_follows_those_of_its_order() {
        let (order, courier) = (OrderId::new(), CourierId::new());
        let exception = ExceptionNow {
            id: ExceptionId::new(),
            code: ExceptionCode::Late,
            since: from_ms(1),
            ended: None,
            courier: Some(courier),
            order: Some(order),
            late_by_s: Some(60),
            distance_m: None,
        };
        let opened = NewEvent::of_exception(EventType::ExceptionOpened, &exception, from_ms(2));
        assert_eq!(opened.subject, *order.as_uuid());
        assert_eq!((&opened.data["version"], &opened.data["late_by_s"]), (&json!(1), &json!(60)));
        let silent = ExceptionNow { order: None, ended: Some(from_ms(9)), ..exception };
        let closed = NewEvent::of_exception(EventType::ExceptionClosed, &silent, from_ms(9));
        assert_eq!((closed.subject, &closed.data["version"]), (*courier.as_uuid(), &json!(2)));
        assert!(closed.data.get("order_id").is_none(), "{}", closed.data);
    }
}
