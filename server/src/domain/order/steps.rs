//! What an order becomes when it moves on, changes hands, goes back, begins again or is corrected.
//!
//! Pure functions from the order before to the order after; `None` says that the step is not possible. They alone decide
//! who carries the goods: the order's courier from the moment it is picked up, until it is handed over, brought back or
//! taken from them. A loaded order that changes hands takes its goods along, so the carrier is the order's courier or
//! nobody. The use cases in [`crate::service::orders`] call them under the order's lock; feeds and plans follow from the
//! result elsewhere.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, OrderStatus, api::change::OrderEventKind};

use super::{Order, Seen, visibility};

/// The most attempts to deliver one order.
pub const MAX_ATTEMPTS: u32 = 1_000;

/// The order after it took the status `to` at `at`. The caller has asked [`OrderStatus::can_become`].
pub fn moved_on(before: Order, to: OrderStatus, at: DateTime<Utc>) -> Order {
    let leg_from = if visibility::starts_leg(to) { Some(at) } else { before.leg_from };
    let feed_from = before.feed_from.filter(|_| to.is_active());
    let carried_by = match to {
        to if is_on_the_way(to) => before.courier_id,
        OrderStatus::Delivered | OrderStatus::Returned => None,
        _ => before.carried_by,
    };
    Order { status: to, status_at: at, leg_from, feed_from, carried_by, ..before }
}

/// The order after `courier` got it. Goods on board come along: the couriers meet.
pub fn assigned(before: &Order, courier: CourierId, now: DateTime<Utc>) -> Option<Order> {
    let is_new = before.status == OrderStatus::Created;
    (is_new || before.status.is_active()).then(|| Order {
        status: if is_new { OrderStatus::Assigned } else { before.status },
        status_at: if is_new { now } else { before.status_at },
        carried_by: (before.carried_by.is_some() || is_on_the_way(before.status)).then_some(courier),
        ..given_to(before, courier, now)
    })
}

/// The order after it was taken from its courier, or given back by them, before they collected it.
pub fn taken_back(before: &Order, now: DateTime<Utc>) -> Option<Order> {
    is_uncollected(before.status).then(|| without_courier(before, now))
}

/// The same, when the courier gives it back: they cannot while they have the goods.
pub fn given_back(before: &Order, now: DateTime<Utc>) -> Option<Order> {
    taken_back(before, now).filter(|_| before.carried_by.is_none())
}

/// The order whose courier waits at the pickup since `at` at the latest.
pub fn waiting(before: &Order, at: DateTime<Utc>) -> Option<Order> {
    match before.status {
        OrderStatus::Assigned if before.carried_by.is_none() => {
            Some(moved_on(before.clone(), OrderStatus::AtPickup, at))
        }
        OrderStatus::AtPickup if before.carried_by.is_none() => Some(before.clone()),
        _ => None,
    }
}

/// A promised window, open at either end.
pub type Window = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// The failed order when `courier` tries again. The old window is over with the old attempt.
pub fn next_attempt(before: &Order, courier: CourierId, window: Window, now: DateTime<Utc>) -> Option<Order> {
    let is_possible = before.status == OrderStatus::Failed && before.attempt < MAX_ATTEMPTS;
    let (promised_from, promised_until) = window;
    is_possible.then(|| Order {
        status: OrderStatus::Assigned,
        status_at: now,
        attempt: before.attempt + 1,
        promised_from,
        promised_until,
        carried_by: before.carried_by.map(|_| courier),
        ..given_to(before, courier, now)
    })
}

/// The cancelled order after its goods were brought back.
pub fn goods_returned(before: &Order) -> Option<Order> {
    let is_on_board = before.status == OrderStatus::Cancelled && before.carried_by.is_some();
    is_on_board.then(|| Order { carried_by: None, ..before.clone() })
}

/// Where an order was before it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeforeEnd {
    /// Its last status that was not final.
    pub status: OrderStatus,
    /// The goods were on board.
    pub is_loaded: bool,
}

impl BeforeEnd {
    /// Reads it from the order's history, oldest first.
    pub fn of(history: impl IntoIterator<Item = (OrderEventKind, OrderStatus)>) -> Self {
        let mut before = Self { status: OrderStatus::Created, is_loaded: false };
        for (kind, status) in history {
            before.follow(kind, status);
        }
        before
    }

    fn follow(&mut self, kind: OrderEventKind, status: OrderStatus) {
        match kind {
            OrderEventKind::LateReport => return,
            OrderEventKind::GoodsReturned | OrderEventKind::Unassigned | OrderEventKind::GivenBack => {
                self.is_loaded = false;
            }
            _ if is_on_the_way(status) => self.is_loaded = true,
            _ if status == OrderStatus::Created => self.is_loaded = false,
            _ => {}
        }
        if !status.is_final() {
            self.status = status;
        }
    }
}

/// The final order after its end turned out to be a mistake: as it was before, with the goods where they were. Without a
/// courier who still works here it waits for one.
pub fn reopened(before: &Order, last: BeforeEnd, courier_works: bool, now: DateTime<Utc>) -> Option<Order> {
    if !before.status.is_final() {
        return None;
    }
    let Some(courier) = before.courier_id.filter(|_| courier_works && last.status != OrderStatus::Created) else {
        return Some(without_courier(before, now));
    };
    let status = match last.status {
        // The goods came back after the order was cancelled, so they must be collected again.
        status if is_on_the_way(status) && !last.is_loaded => OrderStatus::Assigned,
        status => status,
    };
    Some(Order {
        status,
        status_at: now,
        carried_by: last.is_loaded.then_some(courier),
        // The customer sees nothing of what the courier did in between.
        leg_from: Some(now),
        feed_from: None,
        seen: Seen::default(),
        ..before.clone()
    })
}

const fn is_uncollected(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Assigned | OrderStatus::AtPickup)
}

/// The goods left the pickup and are not handed over yet.
const fn is_on_the_way(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::PickedUp | OrderStatus::AtDropoff)
}

fn given_to(before: &Order, courier: CourierId, now: DateTime<Utc>) -> Order {
    Order {
        courier_id: Some(courier),
        assigned_at: Some(now),
        feed_from: None,
        leg_from: Some(now),
        seen: Seen::default(),
        ..before.clone()
    }
}

fn without_courier(before: &Order, now: DateTime<Utc>) -> Order {
    Order {
        status: OrderStatus::Created,
        status_at: now,
        courier_id: None,
        assigned_at: None,
        feed_from: None,
        leg_from: None,
        carried_by: None,
        seen: Seen::default(),
        ..before.clone()
    }
}

/// Whether dispatch should hear that a courier reported `reported` for an order that has the status `now` and cannot take
/// it any more. A step that the order has behind it on its way to the door is no news.
pub fn is_news(now: OrderStatus, reported: OrderStatus) -> bool {
    match (now.step(), reported.step()) {
        (Some(now), Some(reported)) => reported > now,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::{domain::order::visibility::tests::order, platform::clock::from_ms};

    /// What may happen to an order.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Report(OrderStatus),
        Assign(bool),
        TakeBack,
        GiveBack,
        Wait,
        Again(bool),
        BringBack,
        Reopen(bool),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => select(OrderStatus::ALL.to_vec()).prop_map(Step::Report),
            3 => any::<bool>().prop_map(Step::Assign),
            1 => Just(Step::TakeBack),
            1 => Just(Step::GiveBack),
            1 => Just(Step::Wait),
            2 => any::<bool>().prop_map(Step::Again),
            1 => Just(Step::BringBack),
            2 => any::<bool>().prop_map(Step::Reopen),
        ];
        prop::collection::vec(step, 0..40)
    }

    /// An order with its history.
    struct Life {
        order: Order,
        history: Vec<(OrderEventKind, OrderStatus)>,
        couriers: [CourierId; 2],
    }

    impl Life {
        fn begin() -> Self {
            let order = order(OrderStatus::Created, 0);
            let history = vec![(OrderEventKind::Status, OrderStatus::Created)];
            Self { order, history, couriers: [CourierId::new(), CourierId::new()] }
        }

        fn take(&mut self, step: Step, at_ms: i64) -> Option<()> {
            let (before, now) = (&self.order, from_ms(at_ms));
            let courier = |second: bool| self.couriers[usize::from(second)];
            let (kind, after) = match step {
                Step::Report(OrderStatus::Assigned) => return None,
                // A merchant's program may report what nobody carries; there is nothing to say of the goods then.
                Step::Report(to) if is_on_the_way(to) && before.courier_id.is_none() => return None,
                Step::Report(to) => {
                    let after = before.status.can_become(to).then(|| moved_on(before.clone(), to, now));
                    (OrderEventKind::Status, after)
                }
                Step::Assign(second) => (OrderEventKind::Assigned, assigned(before, courier(second), now)),
                Step::TakeBack => (OrderEventKind::Unassigned, taken_back(before, now)),
                Step::GiveBack => (OrderEventKind::GivenBack, given_back(before, now)),
                Step::Wait => (OrderEventKind::NotReady, waiting(before, now)),
                Step::Again(second) => {
                    (OrderEventKind::Attempt, next_attempt(before, courier(second), (None, None), now))
                }
                Step::BringBack => (OrderEventKind::GoodsReturned, goods_returned(before)),
                Step::Reopen(works) => {
                    let last = BeforeEnd::of(self.history.iter().copied());
                    (OrderEventKind::Reopened, reopened(before, last, works, now))
                }
            };
            self.order = after?;
            self.history.push((kind, self.order.status));
            Some(())
        }
    }

    proptest! {
        #[test]
        fn goods_are_with_the_order_s_courier_or_on_no_board_at_all(steps in steps()) {
            use OrderStatus::{AtDropoff, Created, Delivered, PickedUp, Returned};
            let mut life = Life::begin();
            for (at_ms, step) in (1..).zip(steps) {
                let before = life.order.clone();
                life.take(step, at_ms);
                let now = &life.order;
                prop_assert!(now.carried_by.is_none() || now.carried_by == now.courier_id, "{step:?}: {now:?}");
                if matches!(now.status, PickedUp | AtDropoff) {
                    prop_assert_eq!(now.carried_by, now.courier_id, "{:?}", step);
                }
                if matches!(now.status, Created | Delivered | Returned) {
                    prop_assert_eq!(now.carried_by, None, "{:?}", step);
                }
                prop_assert!(now.attempt >= before.attempt && now.attempt <= before.attempt + 1);
                prop_assert!(!now.status.is_final() || now.feed_from.is_none());
            }
        }

        #[test]
        fn the_history_knows_what_the_order_was_before_its_end(steps in steps()) {
            let mut life = Life::begin();
            for (at_ms, step) in (1..).zip(steps) {
                let before = life.order.clone();
                if life.take(step, at_ms).is_none() || before.status.is_final() || !life.order.status.is_final() {
                    continue;
                }
                let last = BeforeEnd::of(life.history.iter().copied());
                prop_assert_eq!(last.status, before.status);
                let reopened = reopened(&life.order, last, true, from_ms(at_ms)).expect("it is over");
                if before.courier_id.is_some() && before.status != OrderStatus::Created {
                    prop_assert_eq!(reopened.status, before.status);
                    prop_assert_eq!(reopened.carried_by, before.carried_by);
                } else {
                    prop_assert_eq!((reopened.status, reopened.courier_id), (OrderStatus::Created, None));
                }
                prop_assert_eq!(reopened.feed_from, None);
            }
        }

        #[test]
        fn every_new_holder_begins_a_trail_of_their_own(steps in steps()) {
            let mut life = Life::begin();
            for (at_ms, step) in (1..).zip(steps) {
                let before = life.order.clone();
                if life.take(step, at_ms).is_some() && life.order.courier_id != before.courier_id {
                    prop_assert_eq!(life.order.feed_from, None);
                    prop_assert_eq!(life.order.leg_from, life.order.courier_id.map(|_| from_ms(at_ms)));
                }
            }
        }
    }

    #[test]
    fn an_order_whose_goods_were_never_collected_is_given_back_and_one_on_board_is_not() {
        let ana = CourierId::new();
        let new = assigned(&order(OrderStatus::Created, 0), ana, from_ms(1)).expect("is new");
        assert_eq!(given_back(&new, from_ms(2)).map(|order| order.status), Some(OrderStatus::Created));
        let failed = moved_on(moved_on(new, OrderStatus::PickedUp, from_ms(2)), OrderStatus::Failed, from_ms(3));
        let again = next_attempt(&failed, ana, (None, None), from_ms(4)).expect("has failed");
        assert_eq!((again.status, again.attempt, again.carried_by), (OrderStatus::Assigned, 2, Some(ana)));
        assert_eq!(given_back(&again, from_ms(5)), None);
        assert_eq!(waiting(&again, from_ms(5)), None, "nothing is to be collected");
        assert_eq!(taken_back(&again, from_ms(5)).map(|order| order.carried_by), Some(None), "dispatch may");
    }

    #[test]
    fn goods_that_came_back_are_collected_again_when_a_cancellation_was_a_mistake() {
        let ana = CourierId::new();
        let loaded = moved_on(
            assigned(&order(OrderStatus::Created, 0), ana, from_ms(1)).expect("is new"),
            OrderStatus::PickedUp,
            from_ms(2),
        );
        let cancelled = moved_on(loaded, OrderStatus::Cancelled, from_ms(3));
        assert_eq!(cancelled.carried_by, Some(ana), "they are still on board");
        let back = goods_returned(&cancelled).expect("are on board");
        assert_eq!((back.status, back.carried_by), (OrderStatus::Cancelled, None));
        assert_eq!(goods_returned(&back), None, "once");
        let history = [
            (OrderEventKind::Status, OrderStatus::Created),
            (OrderEventKind::Assigned, OrderStatus::Assigned),
            (OrderEventKind::Status, OrderStatus::PickedUp),
            (OrderEventKind::Status, OrderStatus::Cancelled),
            (OrderEventKind::GoodsReturned, OrderStatus::Cancelled),
        ];
        let reopened = reopened(&back, BeforeEnd::of(history), true, from_ms(4)).expect("is over");
        assert_eq!((reopened.status, reopened.carried_by), (OrderStatus::Assigned, None));
    }

    #[test]
    fn a_report_is_news_unless_the_order_has_it_behind_it() {
        use OrderStatus::{AtPickup, Cancelled, Created, Delivered, Failed, PickedUp};
        for (now, reported, news) in [
            (Delivered, AtPickup, false),
            (PickedUp, AtPickup, false),
            (Created, PickedUp, true),
            (Cancelled, PickedUp, true),
            (Cancelled, Delivered, true),
            (Delivered, Failed, true),
            (Failed, Delivered, true),
        ] {
            assert_eq!(is_news(now, reported), news, "{reported} when {now}");
        }
    }
}
