//! A courier as the server knows them.
//!
//! [`crate::store::couriers`] reads and writes it; its devices and sessions are the store's own types.

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, Vehicle,
    api::plan::{CourierShift, Depot},
    protocol::customer::Presence,
};

/// A courier as the database has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Courier {
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
    /// Whether they share their position; `None` before the first report.
    pub presence: Option<Presence>,
    /// How and when they work.
    pub work: Work,
}

/// The largest [`Work::capacity`].
pub const MAX_CAPACITY: u32 = 100_000;

/// How and when a courier works, as dispatchers set it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// How much they can carry at once; `None` without a limit.
    pub capacity: Option<u32>,
    /// What they can do, matched with what orders require.
    pub skills: Vec<String>,
    /// When they work.
    pub shift: Option<CourierShift>,
    /// Where their tours begin and end.
    pub depot: Option<Depot>,
    /// Since when they work here no longer.
    pub archived_at: Option<DateTime<Utc>>,
}

impl Work {
    /// What an order requires that a courier with this work and vehicle does not have. A vehicle's word is a skill.
    pub fn lacks(&self, requires: &[String], vehicle: Vehicle) -> Vec<String> {
        let has = |wanted: &String| {
            let wanted = wanted.to_lowercase();
            wanted == vehicle.as_str() || self.skills.iter().any(|skill| skill.to_lowercase() == wanted)
        };
        requires.iter().filter(|wanted| !has(wanted)).cloned().collect()
    }

    /// Whether `load` and `more` together are more than they can carry.
    pub fn is_over_capacity(&self, load: u32, more: u32) -> bool {
        self.capacity.is_some_and(|capacity| load.saturating_add(more) > capacity)
    }

    /// Whether they have a shift that does not cover a time.
    pub fn is_off_shift(&self, at: DateTime<Utc>) -> bool {
        self.shift.is_some_and(|shift| !(shift.from..shift.until).contains(&at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clock::from_ms;

    #[test]
    fn a_vehicle_is_a_skill_and_case_does_not_matter() {
        let work = Work { skills: vec!["cold".into()], ..Work::default() };
        let requires = ["Van".to_owned(), "COLD".to_owned(), "piano".to_owned()];
        assert_eq!(work.lacks(&requires, Vehicle::Van), ["piano"]);
        assert_eq!(work.lacks(&requires, Vehicle::Bicycle), ["Van", "piano"]);
        assert!(work.lacks(&[], Vehicle::Foot).is_empty());
    }

    #[test]
    fn without_a_capacity_or_a_shift_nothing_is_too_much_or_too_late() {
        let none = Work::default();
        assert!(!none.is_over_capacity(u32::MAX, u32::MAX) && !none.is_off_shift(from_ms(0)));
        let (from, until) = (from_ms(1_000), from_ms(2_000));
        let work = Work { capacity: Some(10), shift: Some(CourierShift { from, until, r#break: None }), ..none };
        assert!(!work.is_over_capacity(7, 3) && work.is_over_capacity(7, 4));
        let off = [999, 1_000, 1_999, 2_000].map(|ms| work.is_off_shift(from_ms(ms)));
        assert_eq!(off, [true, false, false, true]);
    }
}
