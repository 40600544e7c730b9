//! Where the courier of what is open was during the last half hour: fetched once, then continued by the feed.

use doorstep_shared::{CourierId, RawFix};

use super::{ApiCall, Console, Effect};
use crate::{map::plane::LonLat, ui::time::MINUTE_MS};

/// The trail begins this long ago.
const TRAIL_MS: i64 = 30 * MINUTE_MS;

/// The trail has at most this many points; the oldest are dropped.
pub(super) const MAX_TRAIL: usize = 2_000;

/// The way that lies behind a courier. Only the map draws it.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    pub courier: Option<CourierId>,
    /// Oldest first.
    pub points: Vec<LonLat>,
}

impl Trail {
    /// Adds the newest point; answers whether it differs from the last.
    fn extend(&mut self, at: LonLat) -> bool {
        if self.points.last() == Some(&at) {
            return false;
        }
        self.points.push(at);
        let surplus = self.points.len().saturating_sub(MAX_TRAIL);
        self.points.drain(..surplus);
        true
    }
}

impl Console {
    /// Begins the trail of the courier of what is open, unless it is there already.
    pub(super) fn begin_trail(&mut self, effects: &mut Vec<Effect>) {
        let courier = self.courier_of_open();
        if self.trail.courier == courier {
            return;
        }
        self.trail = Trail { courier, points: Vec::new() };
        if let Some(courier) = courier {
            effects.push(Effect::Call(ApiCall::Trail { courier, from_ms: self.at_ms - TRAIL_MS }));
        }
    }

    /// Puts the fetched part before what the feed brought meanwhile.
    pub(super) fn trail_fetched(&mut self, courier: CourierId, fixes: &[RawFix]) {
        if self.trail.courier == Some(courier) {
            self.trail.points.splice(..0, fixes.iter().map(|fix| [fix.lon, fix.lat]));
        }
    }

    /// Continues the trail with the courier's newest position.
    pub(super) fn extend_trail(&mut self, effects: &mut Vec<Effect>) {
        let Some(courier) = self.trail.courier.and_then(|id| self.fleet.couriers.get(&id)) else { return };
        let Some(at) = courier.position.map(|position| [position.lon, position.lat]) else { return };
        if self.trail.extend(at) && self.drawer.is_following {
            effects.push(Effect::Fit { points: vec![at] });
        }
    }
}
