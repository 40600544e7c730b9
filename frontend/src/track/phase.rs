//! Which phase of the delivery the page shows, and how far its progress bar is filled.

use doorstep_shared::OrderStatus;

use super::page::Page;
use crate::map::plane::distance_m;

/// From this distance the courier is "almost there": one or two streets.
pub const NEAR_M: u32 = 300;

/// The states of an order as its customer lives through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The merchant has it; no courier is assigned.
    Received,
    /// A courier is heading to the pickup.
    Assigned,
    /// The courier is at the pickup.
    AtPickup,
    /// The courier is heading to the door.
    OnTheWay,
    /// The courier is a street or two away.
    Near,
    /// The courier is at the door.
    Outside,
    /// Handed over.
    Delivered,
    /// Could not be handed over.
    Failed,
    /// Brought back.
    Returned,
    /// Called off.
    Cancelled,
}

impl Phase {
    /// The phase for what the page knows.
    pub fn of(page: &Page) -> Self {
        match page.status() {
            OrderStatus::Created => Self::Received,
            OrderStatus::Assigned => Self::Assigned,
            OrderStatus::AtPickup => Self::AtPickup,
            OrderStatus::PickedUp if is_near(page) => Self::Near,
            OrderStatus::PickedUp => Self::OnTheWay,
            OrderStatus::AtDropoff => Self::Outside,
            OrderStatus::Delivered => Self::Delivered,
            OrderStatus::Failed => Self::Failed,
            OrderStatus::Returned => Self::Returned,
            OrderStatus::Cancelled => Self::Cancelled,
        }
    }

    /// Whether it did not end at the door.
    pub fn went_wrong(self) -> bool {
        matches!(self, Self::Failed | Self::Returned | Self::Cancelled)
    }
}

fn is_near(page: &Page) -> bool {
    let eta = page.snapshot().eta;
    page.is_next() && page.drawn_position().is_some() && eta.is_some_and(|eta| eta.remaining_m <= NEAR_M)
}

/// The segments of the progress bar.
pub const STEPS: usize = 4;

/// One of the segments of the progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How much of it is done, in percent.
    pub filled_pct: u8,
    /// Where the order stands.
    pub is_current: bool,
    /// It ended here, and not as hoped.
    pub is_bad: bool,
}

/// The segment `index` (0 Received, 1 Picked up, 2 On the way, 3 how it ends).
pub fn step(page: &Page, index: usize) -> Step {
    let (current, filled_pct) = match Phase::of(page) {
        Phase::Received => (0, 100),
        Phase::Assigned => (1, 35),
        Phase::AtPickup => (1, 75),
        Phase::OnTheWay | Phase::Near => (2, way_done_pct(page)),
        Phase::Outside => (2, 100),
        Phase::Delivered | Phase::Failed | Phase::Returned | Phase::Cancelled => (3, 100),
    };
    let was_reached = match index {
        1 => page.reached_at_ms(OrderStatus::PickedUp).is_some(),
        2 => page.reached_at_ms(OrderStatus::PickedUp).is_some(),
        _ => true,
    };
    let is_bad = current == 3 && index == 3 && Phase::of(page).went_wrong();
    // An order that went wrong may have skipped steps; one that was delivered went through all of them.
    let skipped = Phase::of(page).went_wrong() && !was_reached;
    let filled_pct = match index {
        _ if skipped => 0,
        _ if index < current => 100,
        _ if index == current => filled_pct,
        _ => 0,
    };
    Step { filled_pct, is_current: index == current, is_bad }
}

/// How much of the way from the pickup to the door is behind the courier, in steps of 5 %.
fn way_done_pct(page: &Page) -> u8 {
    const UNKNOWN_PCT: u8 = 50;
    let Some(eta) = page.snapshot().eta.filter(|_| page.is_next()) else { return UNKNOWN_PCT };
    let whole_m = way_m(page).max(1.0);
    let done = 1.0 - f64::from(eta.remaining_m) / whole_m;
    // Never empty and never full: the courier has left, and is not there.
    ((done * 20.0) as i32).clamp(1, 19) as u8 * 5
}

/// The way from the pickup to the door along streets, guessed: they are about a third longer than the beeline.
fn way_m(page: &Page) -> f64 {
    let order = &page.snapshot().order;
    let beeline_m = distance_m([order.pickup.lon, order.pickup.lat], [order.dropoff.lon, order.dropoff.lat]);
    beeline_m * 1.33
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::page::tests::{in_status, on_the_way};

    fn remaining(remaining_m: u32) -> Page {
        let mut page = on_the_way();
        page.order.snapshot.eta.as_mut().expect("the example has an arrival").remaining_m = remaining_m;
        page
    }

    #[test]
    fn almost_there_begins_at_300_metres_and_only_with_a_courier_in_sight() {
        assert_eq!(Phase::of(&remaining(301)), Phase::OnTheWay);
        assert_eq!(Phase::of(&remaining(300)), Phase::Near);
        let mut unseen = remaining(100);
        unseen.order.snapshot.position = None;
        assert_eq!(Phase::of(&unseen), Phase::OnTheWay);
    }

    #[test]
    fn the_bar_fills_with_the_way_and_is_never_full_before_the_door() {
        let fill = |remaining_m| step(&remaining(remaining_m), 2).filled_pct;
        assert_eq!((fill(9_000), fill(1_100), fill(0)), (5, 45, 95));
        assert_eq!(step(&in_status(OrderStatus::AtDropoff), 2).filled_pct, 100);
    }

    #[test]
    fn exactly_one_step_is_current_in_every_state() {
        for status in OrderStatus::ALL {
            let page = in_status(status);
            let current = (0..STEPS).filter(|index| step(&page, *index).is_current).count();
            assert_eq!(current, 1, "{status}");
        }
    }

    #[test]
    fn a_cancelled_order_shows_only_the_steps_it_went_through() {
        let mut page = in_status(OrderStatus::Cancelled);
        page.order.snapshot.order.timeline.retain(|entry| entry.status != OrderStatus::PickedUp);
        let filled: Vec<_> = (0..STEPS).map(|index| step(&page, index).filled_pct).collect();
        assert_eq!(filled, [100, 0, 0, 100]);
        assert!(step(&page, 3).is_bad);
    }
}
