//! Rows of `orders` and the domain types that they become, for every module that reads orders.
//!
//! A row that the columns' checks allow always becomes a valid order.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, LatLon, OrderId, OrderStatus, api::CustomerBody};
use uuid::Uuid;

use crate::domain::order::{Demands, OpenOrder, Order, Seen, Waypoint};

/// The columns of [`OrderRow`], for queries that are put together at run time.
pub(super) const ORDER_COLUMNS: &str = "id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, pickup_instructions, \
     dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, customer_phone, \
     customer_email, promised_from, promised_until, courier_id, assigned_at, feed_from, leg_from, created_at, \
     version, attempt, size, service_s, requires, note, pickup_phone, carried_by, plan_version, seen_at, unseen_changes";

/// A row of `orders`, with every column the domain uses.
#[derive(sqlx::FromRow)]
pub(super) struct OrderRow {
    pub(super) id: Uuid,
    pub(super) reference: String,
    pub(super) status: String,
    pub(super) status_at: DateTime<Utc>,
    pub(super) pickup_lat: f64,
    pub(super) pickup_lon: f64,
    pub(super) pickup_address: String,
    pub(super) pickup_instructions: Option<String>,
    pub(super) dropoff_lat: f64,
    pub(super) dropoff_lon: f64,
    pub(super) dropoff_address: String,
    pub(super) dropoff_instructions: Option<String>,
    pub(super) customer_name: String,
    pub(super) customer_phone: Option<String>,
    pub(super) customer_email: Option<String>,
    pub(super) promised_from: Option<DateTime<Utc>>,
    pub(super) promised_until: Option<DateTime<Utc>>,
    pub(super) courier_id: Option<Uuid>,
    pub(super) assigned_at: Option<DateTime<Utc>>,
    pub(super) feed_from: Option<DateTime<Utc>>,
    pub(super) leg_from: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) version: i64,
    pub(super) attempt: i32,
    pub(super) size: i32,
    pub(super) service_s: Option<i32>,
    pub(super) requires: Vec<String>,
    pub(super) note: Option<String>,
    pub(super) pickup_phone: Option<String>,
    pub(super) carried_by: Option<Uuid>,
    pub(super) plan_version: Option<i64>,
    pub(super) seen_at: Option<DateTime<Utc>>,
    pub(super) unseen_changes: Vec<String>,
}

impl From<OrderRow> for Order {
    fn from(row: OrderRow) -> Self {
        Self {
            id: OrderId::from_uuid(row.id),
            reference: row.reference,
            status: status_of(&row.status),
            status_at: row.status_at,
            pickup: Waypoint {
                point: point_of(row.pickup_lat, row.pickup_lon),
                address: row.pickup_address,
                instructions: row.pickup_instructions,
                phone: row.pickup_phone,
            },
            dropoff: Waypoint {
                point: point_of(row.dropoff_lat, row.dropoff_lon),
                address: row.dropoff_address,
                instructions: row.dropoff_instructions,
                phone: None,
            },
            customer: CustomerBody { name: row.customer_name, phone: row.customer_phone, email: row.customer_email },
            promised_from: row.promised_from,
            promised_until: row.promised_until,
            courier_id: row.courier_id.map(CourierId::from_uuid),
            assigned_at: row.assigned_at,
            feed_from: row.feed_from,
            leg_from: row.leg_from,
            created_at: row.created_at,
            version: row.version.cast_unsigned(),
            attempt: row.attempt.cast_unsigned(),
            demands: Demands {
                size: row.size.cast_unsigned(),
                service_s: row.service_s.map(i32::cast_unsigned),
                requires: row.requires,
                note: row.note,
            },
            carried_by: row.carried_by.map(CourierId::from_uuid),
            seen: Seen {
                plan_version: row.plan_version.map(i64::cast_unsigned),
                at: row.seen_at,
                unseen_changes: row.unseen_changes,
            },
        }
    }
}

pub(super) fn status_of(word: &str) -> OrderStatus {
    word.parse().expect("the column's check allows only statuses")
}

pub(super) fn point_of(lat: f64, lon: f64) -> LatLon {
    LatLon::try_new(lat, lon).expect("the columns' checks allow only coordinates")
}

#[derive(sqlx::FromRow)]
pub(super) struct OpenRow {
    id: Uuid,
    status: String,
    courier_id: Option<Uuid>,
    pickup_lat: f64,
    pickup_lon: f64,
    dropoff_lat: f64,
    dropoff_lon: f64,
    promised_until: Option<DateTime<Utc>>,
}

impl From<OpenRow> for OpenOrder {
    fn from(row: OpenRow) -> Self {
        Self {
            id: OrderId::from_uuid(row.id),
            status: status_of(&row.status),
            courier: row.courier_id.map(CourierId::from_uuid),
            pickup: point_of(row.pickup_lat, row.pickup_lon),
            dropoff: point_of(row.dropoff_lat, row.dropoff_lon),
            promised_until: row.promised_until,
        }
    }
}
