//! A courier, and whether they are at work and heard from.

use doorstep_shared::{
    CourierId, OrderId, Position, Vehicle,
    protocol::{
        PresenceReason, PresenceState,
        customer::Presence,
        fleet::{FleetCourier, FleetFix},
    },
};

use crate::ui::time::MINUTE_MS;

/// A courier at work without a position for this long is silent.
pub(super) const SILENT_AFTER_MS: i64 = 3 * MINUTE_MS;

/// A courier whose app never said whether they work, and who was last seen longer ago than this, does not.
const GONE_AFTER_MS: i64 = 30 * MINUTE_MS;

/// A courier as the console knows them.
#[derive(Clone, Debug, PartialEq)]
pub struct Courier {
    pub id: CourierId,
    pub name: String,
    pub vehicle: Vehicle,
    pub position: Option<Position>,
    pub battery: Option<f32>,
    pub presence: Option<Presence>,
    /// Under which the map knows them.
    pub number: u32,
    /// Orders that are not over.
    pub orders: Vec<OrderId>,
}

/// Why a courier at work needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CourierIssue {
    /// No position since then, for no known reason.
    Silent { since_ms: i64 },
    /// Sharing paused since then.
    Paused { since_ms: i64, reason: Option<PresenceReason> },
}

impl CourierIssue {
    pub(super) const fn since_ms(self) -> i64 {
        match self {
            Self::Silent { since_ms } | Self::Paused { since_ms, .. } => since_ms,
        }
    }
}

impl Courier {
    /// A courier as the feed sends them, with what was `known` and is newer or not in the message.
    pub(super) fn new(courier: FleetCourier, known: Option<Self>, number: u32) -> Self {
        let (before, orders) = known.map_or_else(Default::default, |known| (known.position, known.orders));
        let FleetCourier { id, name, vehicle, battery, presence, position, .. } = courier;
        let position = match (before, position) {
            (Some(before), Some(now)) if now.time_ms < before.time_ms => Some(before),
            (before, now) => now.or(before),
        };
        Self { id, name, vehicle, position, battery, presence, number, orders }
    }

    /// Takes a position; answers whether it is newer than the known one.
    pub(super) fn take_position(&mut self, fix: &FleetFix) -> bool {
        if self.position.is_some_and(|known| known.time_ms >= fix.time_ms) {
            return false;
        }
        self.position = Some(Position {
            time_ms: fix.time_ms,
            lat: fix.lat,
            lon: fix.lon,
            accuracy_m: None,
            speed_mps: fix.speed_mps,
            heading_deg: fix.heading_deg,
        });
        self.battery = fix.battery.or(self.battery);
        true
    }

    /// Why a courier at work needs attention, if they do.
    pub fn issue(&self, at_ms: i64) -> Option<CourierIssue> {
        match self.presence.map(|presence| presence.state) {
            Some(PresenceState::OffDuty) => None,
            Some(PresenceState::Paused) => self
                .presence
                .map(|presence| CourierIssue::Paused { since_ms: presence.since_ms, reason: presence.reason }),
            Some(PresenceState::Tracking) | None => {
                let since_ms = self.position?.time_ms;
                (at_ms - since_ms > SILENT_AFTER_MS).then_some(CourierIssue::Silent { since_ms })
            }
        }
    }
}

/// Whether a courier does not work now.
pub fn is_away(courier: &Courier, at_ms: i64) -> bool {
    match courier.presence.map(|presence| presence.state) {
        Some(PresenceState::OffDuty) => true,
        Some(_) => false,
        None => courier.position.is_none_or(|position| at_ms - position.time_ms > GONE_AFTER_MS),
    }
}

/// Whether positions arrive right now.
pub fn is_live(courier: &Courier, at_ms: i64) -> bool {
    !is_away(courier, at_ms) && courier.position.is_some_and(|position| at_ms - position.time_ms <= SILENT_AFTER_MS)
}
