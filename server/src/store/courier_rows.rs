//! Rows of `couriers`, alone or beside a device, and the domain types that they become.
//!
//! A row that the columns' checks allow always becomes a valid courier.

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId,
    api::plan::{CourierShift, Depot, Span},
    protocol::{PresenceReason, PresenceState, customer::Presence},
};
use uuid::Uuid;

use crate::domain::courier::{Courier, Work};

/// A row of `couriers`.
pub(super) struct CourierRow {
    pub id: Uuid,
    pub name: String,
    pub phone: Option<String>,
    pub vehicle: String,
    pub created_at: DateTime<Utc>,
    pub presence_state: Option<String>,
    pub presence_reason: Option<String>,
    pub presence_since: Option<DateTime<Utc>>,
    pub capacity: Option<i32>,
    pub skills: Vec<String>,
    pub shift_from: Option<DateTime<Utc>>,
    pub shift_until: Option<DateTime<Utc>>,
    pub break_from: Option<DateTime<Utc>>,
    pub break_until: Option<DateTime<Utc>>,
    pub depot_lat: Option<f64>,
    pub depot_lon: Option<f64>,
    pub depot_address: Option<String>,
    pub archived_at: Option<DateTime<Utc>>,
}

impl From<CourierRow> for Courier {
    fn from(row: CourierRow) -> Self {
        Self {
            id: CourierId::from_uuid(row.id),
            presence: row.presence(),
            work: Work {
                capacity: row.capacity.map(i32::cast_unsigned),
                shift: row.shift(),
                depot: row.depot(),
                skills: row.skills,
                archived_at: row.archived_at,
            },
            name: row.name,
            phone: row.phone,
            vehicle: row.vehicle.parse().expect("the column's check allows only vehicles"),
            created_at: row.created_at,
        }
    }
}

impl CourierRow {
    fn presence(&self) -> Option<Presence> {
        let state = self.presence_state.as_deref().and_then(PresenceState::from_word);
        state.zip(self.presence_since).map(|(state, since)| Presence {
            state,
            reason: self.presence_reason.as_deref().and_then(PresenceReason::from_word),
            since_ms: since.timestamp_millis(),
        })
    }

    fn shift(&self) -> Option<CourierShift> {
        let r#break = self.break_from.zip(self.break_until).map(|(from, until)| Span { from, until });
        self.shift_from.zip(self.shift_until).map(|(from, until)| CourierShift { from, until, r#break })
    }

    fn depot(&self) -> Option<Depot> {
        let address = self.depot_address.clone()?;
        self.depot_lat.zip(self.depot_lon).map(|(lat, lon)| Depot { lat, lon, address })
    }
}

/// A [`SignedInDevice`] from a row that has a courier's columns beside those of its device. The query
/// macros read flat rows only, so this names each column once for all queries.
macro_rules! signed_in_device {
    ($row:ident, $session:expr) => {
        $crate::store::couriers::SignedInDevice {
            device: doorstep_shared::DeviceId::from_uuid($row.device_id),
            label: $row.label,
            is_tracker: $row.is_tracker,
            clock_ahead_ms: $row.clock_ahead_ms,
            is_rejected: $row.is_rejected,
            session: $session,
            courier: $crate::store::courier_rows::CourierRow {
                id: $row.id,
                name: $row.name,
                phone: $row.phone,
                vehicle: $row.vehicle,
                created_at: $row.created_at,
                presence_state: $row.presence_state,
                presence_reason: $row.presence_reason,
                presence_since: $row.presence_since,
                capacity: $row.capacity,
                skills: $row.skills,
                shift_from: $row.shift_from,
                shift_until: $row.shift_until,
                break_from: $row.break_from,
                break_until: $row.break_until,
                depot_lat: $row.depot_lat,
                depot_lon: $row.depot_lon,
                depot_address: $row.depot_address,
                archived_at: $row.archived_at,
            }
            .into(),
        }
    };
}
pub(super) use signed_in_device;
