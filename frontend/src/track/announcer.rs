//! When a screen reader speaks: on a change of state, and at 15, 10, 5, 2 and 0 minutes before the arrival.
//!
//! Everything else changes silently. A page that spoke with every position could not be left open.

use super::{
    arrival::Arrival,
    page::Page,
    phase::Phase,
    text::spoken::{spoken_minutes, spoken_status},
};
use crate::ui::time::MINUTE_MS;

/// Minutes before the arrival's end at which it is spoken.
const MINUTES: [i64; 5] = [15, 10, 5, 2, 0];

/// Remembers what was said.
#[derive(Clone, Copy, Debug)]
pub struct Announcer {
    phase: Phase,
    /// How many of [`MINUTES`] are behind.
    passed: usize,
}

impl Announcer {
    /// A person who opens the page reads it; only what changes after that is spoken.
    pub fn new(page: &Page) -> Self {
        Self { phase: Phase::of(page), passed: passed(page) }
    }

    /// What to say now, if anything.
    pub fn say(&mut self, page: &Page) -> Option<String> {
        let (phase, passed) = (Phase::of(page), passed(page));
        let before = std::mem::replace(self, Self { phase, passed });
        if phase != before.phase {
            return Some(spoken_status(page));
        }
        // A new, later arrival makes the marks ahead speak again; going back says nothing by itself.
        (passed > before.passed).then(|| spoken_minutes(page, MINUTES[passed - 1]))
    }
}

/// How many marks are behind, counted by the arrival that was worked out, not by the one that moves with lateness.
fn passed(page: &Page) -> usize {
    let is_expected = !matches!(Arrival::of(page), Arrival::Unknown | Arrival::Promised { .. });
    let Some(eta) = page.snapshot().eta.filter(|_| is_expected && Phase::of(page) != Phase::Outside) else { return 0 };
    let left_ms = eta.latest_ms - page.now_ms;
    MINUTES.iter().filter(|minutes| left_ms < **minutes * MINUTE_MS).count()
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{
        OrderStatus,
        protocol::customer::{CustomerEvent, OrderUpdate},
    };

    use super::*;
    use crate::track::page::tests::{NOW_MS, on_the_way};

    #[test]
    fn an_hour_of_seconds_is_spoken_five_times() {
        let mut page = on_the_way();
        let mut announcer = Announcer::new(&page);
        let mut said = vec![];
        for _ in 0..3_600 {
            page.now_ms += 1_000;
            said.extend(announcer.say(&page));
        }
        assert_eq!(
            said,
            [
                "Arriving within 15 minutes.",
                "Arriving within 10 minutes.",
                "Arriving within 5 minutes.",
                "Arriving within 2 minutes.",
                "A few minutes late. 18:51–19:03.",
            ]
        );
    }

    #[test]
    fn a_change_of_state_is_spoken_once() {
        let mut page = on_the_way();
        let mut announcer = Announcer::new(&page);
        let outside = OrderUpdate { status: OrderStatus::AtDropoff, status_at_ms: NOW_MS, stops_before: 0 };
        page.apply(&CustomerEvent::Order(outside), false);
        assert_eq!(announcer.say(&page).as_deref(), Some("Ana is outside."));
        assert_eq!(announcer.say(&page), None);
    }

    #[test]
    fn marks_already_behind_on_opening_are_not_spoken() {
        let mut page = on_the_way();
        page.now_ms += 12 * MINUTE_MS;
        let mut announcer = Announcer::new(&page);
        assert_eq!(announcer.say(&page), None);
    }
}
