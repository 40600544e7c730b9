//! When the courier comes, as a range that is never in the past.
//!
//! The server works the arrival out anew with every position. When positions stop, the last one ages here: its lower
//! end moves with the clock, and once its upper end has passed the page says so and widens the range, since what is
//! known gets less. It does not count down to zero and stall.

use doorstep_shared::protocol::customer::Eta;

use super::page::{Freshness, Page};
use crate::ui::time::{MINUTE_MS, ceil_minute, floor_minute};

/// Narrower than this, a range promises more than is known.
const LEAST_WIDTH_MS: i64 = 5 * MINUTE_MS;

/// An overdue range grows in steps of this, so that its upper end rests.
const OVERDUE_STEP_MS: i64 = 5 * MINUTE_MS;

/// What the page can say about the arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing.
    Unknown,
    /// What the merchant promised; at least one end is set.
    Promised {
        /// Not before, Unix epoch milliseconds.
        from_ms: Option<i64>,
        /// Not after, Unix epoch milliseconds.
        until_ms: Option<i64>,
    },
    /// What the courier's position says.
    Expected {
        /// Not before, on a whole minute, Unix epoch milliseconds.
        from_ms: i64,
        /// Not after, on a whole minute, Unix epoch milliseconds.
        until_ms: i64,
        /// Against what the merchant promised.
        punctuality: Punctuality,
        /// Set when positions stopped: when this was worked out, Unix epoch milliseconds.
        as_of_ms: Option<i64>,
    },
    /// The last range has passed.
    Overdue {
        /// Not before, on a whole minute, Unix epoch milliseconds.
        from_ms: i64,
        /// Not after, on a whole minute, Unix epoch milliseconds.
        until_ms: i64,
        /// How long ago the range passed, in milliseconds.
        overdue_ms: i64,
    },
}

/// An arrival against the merchant's promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Punctuality {
    /// As promised, or nothing was.
    OnTime,
    /// Part of the range lies behind the promise.
    MayBeLate,
    /// All of it does.
    WillBeLate,
}

impl Arrival {
    /// What can be said now.
    pub fn of(page: &Page) -> Self {
        let is_open = page.status().is_active() || page.status().step() == Some(0);
        if !is_open {
            return Self::Unknown;
        }
        // What tonight's positions say is no arrival of tomorrow.
        match page.snapshot().eta.filter(|_| !page.is_for_later()) {
            Some(eta) if page.now_ms <= eta.latest_ms => expected(page, &eta),
            Some(eta) => overdue(page, &eta),
            None => promised(page),
        }
    }

    /// The end by which it should have arrived, Unix epoch milliseconds.
    pub fn until_ms(self) -> Option<i64> {
        match self {
            Self::Unknown => None,
            Self::Promised { until_ms, .. } => until_ms,
            Self::Expected { until_ms, .. } | Self::Overdue { until_ms, .. } => Some(until_ms),
        }
    }
}

fn expected(page: &Page, eta: &Eta) -> Arrival {
    let is_lost = matches!(page.freshness(), Freshness::Lost { .. });
    Arrival::Expected {
        from_ms: floor_minute(eta.earliest_ms.max(page.now_ms)),
        until_ms: ceil_minute(eta.latest_ms),
        punctuality: punctuality(page, eta),
        as_of_ms: is_lost.then_some(eta.computed_at_ms),
    }
}

fn punctuality(page: &Page, eta: &Eta) -> Punctuality {
    let promised_until_ms = page.order.promised.and_then(|promised| promised.until_ms);
    match promised_until_ms {
        Some(until_ms) if floor_minute(eta.earliest_ms) > until_ms => Punctuality::WillBeLate,
        Some(until_ms) if ceil_minute(eta.latest_ms) > ceil_minute(until_ms) => Punctuality::MayBeLate,
        _ => Punctuality::OnTime,
    }
}

fn overdue(page: &Page, eta: &Eta) -> Arrival {
    let overdue_ms = page.now_ms - eta.latest_ms;
    let width_ms = (eta.latest_ms - eta.earliest_ms).max(LEAST_WIDTH_MS);
    let steps = overdue_ms / OVERDUE_STEP_MS + 1;
    // The longer nothing is known, the wider: a quarter of an hour late is worth as much doubt again.
    let until_ms = eta.latest_ms + steps * OVERDUE_STEP_MS + width_ms + (steps - 1) * OVERDUE_STEP_MS;
    Arrival::Overdue { from_ms: ceil_minute(page.now_ms), until_ms: ceil_minute(until_ms), overdue_ms }
}

fn promised(page: &Page) -> Arrival {
    match page.order.promised {
        // A promise that has passed is no arrival any more.
        Some(window) if window.until_ms.is_none_or(|until_ms| until_ms > page.now_ms) => {
            Arrival::Promised { from_ms: window.from_ms, until_ms: window.until_ms }
        }
        _ => Arrival::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::OrderStatus;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        data::PromisedWindow,
        track::page::tests::{NOW_MS, in_status, on_the_way, position},
    };

    fn promised_until(minutes: i64) -> Page {
        let mut page = on_the_way();
        page.order.promised = Some(PromisedWindow { from_ms: None, until_ms: Some(NOW_MS + minutes * MINUTE_MS) });
        page
    }

    fn punctuality_of(page: &Page) -> Punctuality {
        match Arrival::of(page) {
            Arrival::Expected { punctuality, .. } => punctuality,
            other => panic!("the example has an arrival, not {other:?}"),
        }
    }

    #[test]
    fn a_missed_promise_is_told_before_it_is_missed() {
        assert_eq!(punctuality_of(&promised_until(20)), Punctuality::OnTime);
        assert_eq!(punctuality_of(&promised_until(19)), Punctuality::OnTime);
        assert_eq!(punctuality_of(&promised_until(15)), Punctuality::MayBeLate);
        assert_eq!(punctuality_of(&promised_until(5)), Punctuality::WillBeLate);
    }

    #[test]
    fn an_arrival_from_an_old_position_says_when_it_was_made() {
        let mut page = on_the_way();
        page.order.snapshot.position = Some(position(NOW_MS - 6 * MINUTE_MS));
        let arrival = Arrival::of(&page);
        assert!(matches!(arrival, Arrival::Expected { as_of_ms: Some(at_ms), .. } if at_ms == NOW_MS - 4_000));
    }

    #[test]
    fn a_promise_is_shown_until_there_is_an_arrival_and_not_once_it_has_passed() {
        let mut page = promised_until(30);
        page.order.snapshot.eta = None;
        let until_ms = Some(NOW_MS + 30 * MINUTE_MS);
        assert_eq!(Arrival::of(&page), Arrival::Promised { from_ms: None, until_ms });
        page.now_ms += 31 * MINUTE_MS;
        assert_eq!(Arrival::of(&page), Arrival::Unknown);
    }

    #[test]
    fn nothing_arrives_any_more_once_it_failed_or_ended() {
        for status in [OrderStatus::Failed, OrderStatus::Cancelled, OrderStatus::Returned, OrderStatus::Delivered] {
            let mut page = in_status(status);
            page.order.snapshot.eta = on_the_way().order.snapshot.eta;
            assert_eq!(Arrival::of(&page), Arrival::Unknown);
        }
    }

    proptest! {
        #[test]
        fn no_arrival_is_ever_in_the_past(later_ms in 0i64..8 * 3_600_000) {
            let mut page = on_the_way();
            page.now_ms += later_ms;
            let (from_ms, until_ms) = match Arrival::of(&page) {
                Arrival::Expected { from_ms, until_ms, .. } | Arrival::Overdue { from_ms, until_ms, .. } => (from_ms, until_ms),
                other => panic!("an order on its way has an arrival, not {other:?}"),
            };
            prop_assert!(until_ms >= page.now_ms, "the end is ahead");
            prop_assert!(from_ms >= floor_minute(page.now_ms), "the start reads as now or later");
            prop_assert!(from_ms <= until_ms);
        }

        #[test]
        fn an_overdue_range_never_gets_narrower_than_five_minutes(later_ms in 20i64 * MINUTE_MS..8 * 60 * MINUTE_MS) {
            let mut page = on_the_way();
            page.now_ms += later_ms;
            let Arrival::Overdue { from_ms, until_ms, .. } = Arrival::of(&page) else { panic!("the range has passed") };
            prop_assert!(until_ms - from_ms >= 4 * MINUTE_MS);
        }
    }
}
