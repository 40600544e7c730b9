//! What the tracking page knows at one moment, and how each message of the feed changes it.
//!
//! One value holds everything the page shows, so that its render on the server, its hydration and every later change
//! are the same function of the same data. It reads no clock: its owner sets [`Page::now_ms`].

use doorstep_shared::{
    OrderStatus, Position,
    protocol::{
        PresenceState,
        customer::{CustomerEvent, Ended, OrderUpdate, Presence, Snapshot, TimelineEntry},
    },
};

use super::feed::{FeedState, Transport};
use crate::{
    data::{Locale, OrderPage},
    live::connection::Health,
    ui::time,
};

/// A position older than this is shown as the last one seen.
pub const STALE_AFTER_MS: i64 = 60_000;

/// A position older than this says nothing about where the courier is now: no marker.
pub const LOST_AFTER_MS: i64 = 5 * 60_000;

/// The most points kept of the trail that the sketch draws: about an hour at one a second, thinned after that.
const MAX_TRAIL: usize = 4_000;

/// Everything the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The order and its live data.
    pub order: OrderPage,
    /// How to write times and distances.
    pub locale: Locale,
    /// The server's clock now, Unix epoch milliseconds.
    pub now_ms: i64,
    /// Whether news arrives.
    pub feed: FeedState,
    /// By which way news arrives; `None` while none does.
    pub transport: Option<Transport>,
    /// What a screen reader says when it changes.
    pub spoken: String,
}

/// How old the newest position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// There is none to be had in this state of the order.
    Hidden,
    /// There may be one, but none has come yet.
    Waiting,
    /// Where the courier is.
    Fresh {
        /// Milliseconds since it was recorded.
        age_ms: i64,
    },
    /// Where the courier was last seen.
    Stale {
        /// Milliseconds since it was recorded.
        age_ms: i64,
    },
    /// Too old to draw.
    Lost {
        /// Milliseconds since it was recorded.
        age_ms: i64,
    },
}

impl Page {
    /// The page as the server hands it over, before any connection.
    pub fn new(order: OrderPage, locale: Locale, now_ms: i64) -> Self {
        let is_final = order.snapshot.order.status.is_final();
        let feed = if is_final { FeedState::Ended } else { FeedState::Following(Health::Connecting) };
        Self { order, locale, now_ms, feed, transport: None, spoken: String::new() }
    }

    /// The feed's newest picture.
    pub fn snapshot(&self) -> &Snapshot {
        &self.order.snapshot
    }

    /// How far the order is.
    pub fn status(&self) -> OrderStatus {
        self.order.snapshot.order.status
    }

    /// Whether the courier serves this order now, and this page may therefore see them.
    pub fn is_next(&self) -> bool {
        self.status().is_active() && self.order.snapshot.order.stops_before == 0 && !self.is_for_later()
    }

    /// Whether the order has a courier and is to be brought hours from now, or on another day: nobody is shown yet.
    pub fn is_for_later(&self) -> bool {
        let is_collected = matches!(self.status(), OrderStatus::PickedUp | OrderStatus::AtDropoff);
        !is_collected && self.order.feed_opens_ms.is_some_and(|opens_ms| self.now_ms < opens_ms)
    }

    /// When the order reached `status`; `None` when it did not.
    pub fn reached_at_ms(&self, status: OrderStatus) -> Option<i64> {
        let timeline = &self.order.snapshot.order.timeline;
        let entry = timeline.iter().rev().find(|entry| entry.status == status);
        entry.map(|entry| entry.at_ms)
    }

    /// Whether it failed before and is tried again.
    pub fn is_next_attempt(&self) -> bool {
        self.status() != OrderStatus::Failed && self.reached_at_ms(OrderStatus::Failed).is_some()
    }

    /// Whether it waits for another courier than the one who had taken it.
    pub fn lost_its_courier(&self) -> bool {
        self.status() == OrderStatus::Created && self.reached_at_ms(OrderStatus::Assigned).is_some()
    }

    /// Whether a courier had the goods before the timeline's entry `index`.
    pub fn was_collected_before(&self, index: usize) -> bool {
        let mut timeline = self.order.snapshot.order.timeline.iter().take(index);
        timeline.any(|entry| matches!(entry.status, OrderStatus::PickedUp | OrderStatus::AtDropoff))
    }

    /// Whether a courier had the goods at some time.
    pub fn was_collected(&self) -> bool {
        self.was_collected_before(usize::MAX)
    }

    /// A moment as a clock time, behind the name of its day where it is not today.
    pub fn moment(&self, at_ms: i64) -> String {
        time::moment(at_ms, self.now_ms, &self.locale)
    }

    /// A moment in a sentence: `at 18:42`, `on 21 November at 18:42`.
    pub fn at(&self, at_ms: i64) -> String {
        time::at(at_ms, self.now_ms, &self.locale)
    }

    /// How old the newest position is.
    pub fn freshness(&self) -> Freshness {
        if !self.is_next() {
            return Freshness::Hidden;
        }
        let Some(position) = self.order.snapshot.position else { return Freshness::Waiting };
        // A phone's clock may run ahead of the server's by up to two minutes.
        let age_ms = (self.now_ms - position.time_ms).max(0);
        match age_ms {
            LOST_AFTER_MS.. => Freshness::Lost { age_ms },
            STALE_AFTER_MS.. => Freshness::Stale { age_ms },
            _ => Freshness::Fresh { age_ms },
        }
    }

    /// The position to draw: none once it is too old.
    pub fn drawn_position(&self) -> Option<Position> {
        let is_lost = matches!(self.freshness(), Freshness::Hidden | Freshness::Lost { .. });
        self.order.snapshot.position.filter(|_| !is_lost)
    }

    /// Why no positions come, while the courier's phone says that none will. A newer position disproves it.
    pub fn pause(&self) -> Option<Presence> {
        let newest_ms = self.order.snapshot.position.map_or(i64::MIN, |position| position.time_ms);
        let paused = |presence: &Presence| presence.state != PresenceState::Tracking && presence.since_ms >= newest_ms;
        self.order.presence.filter(|presence| self.is_next() && paused(presence))
    }

    /// Takes a message of the feed into account. `resumed` says that a snapshot's trail holds only what is new.
    pub fn apply(&mut self, event: &CustomerEvent, resumed: bool) {
        match event {
            CustomerEvent::Snapshot(snapshot) => self.apply_snapshot(snapshot, resumed),
            CustomerEvent::Position(update) => {
                let snapshot = &mut self.order.snapshot;
                snapshot.trail.extend_from_slice(update.skipped.as_deref().unwrap_or_default());
                snapshot.trail.push([update.lon, update.lat]);
                snapshot.position = Some(update.position());
                thin(&mut snapshot.trail);
            }
            CustomerEvent::Order(update) => self.apply_order(update),
            CustomerEvent::Eta(eta) => self.order.snapshot.eta = Some(*eta),
            CustomerEvent::Presence(presence) => self.order.presence = Some(*presence),
            CustomerEvent::Ended(Ended { status, at_ms }) => {
                self.apply_order(&OrderUpdate { status: *status, status_at_ms: *at_ms, stops_before: 0 });
            }
            CustomerEvent::Heartbeat(_) | CustomerEvent::Pong(_) | CustomerEvent::Area(_) => {}
        }
    }

    /// Takes the page as the server would render it now, when the feed does not say enough.
    ///
    /// It was asked for a moment ago, so positions that came since stay.
    pub fn replace_order(&mut self, mut order: OrderPage) {
        let newest_ms = |snapshot: &Snapshot| snapshot.position.map(|position| position.time_ms);
        if order.snapshot.position.is_some() && newest_ms(&order.snapshot) < newest_ms(self.snapshot()) {
            let known = &mut self.order.snapshot;
            (order.snapshot.position, order.snapshot.eta) = (known.position, known.eta);
            order.snapshot.trail = std::mem::take(&mut known.trail);
        }
        self.order = order;
    }

    fn apply_snapshot(&mut self, snapshot: &Snapshot, resumed: bool) {
        let mut trail = snapshot.trail.clone();
        if resumed {
            trail = std::mem::take(&mut self.order.snapshot.trail);
            trail.extend(&snapshot.trail);
            thin(&mut trail);
        }
        if snapshot.order.status != self.status() {
            self.order.note = None;
        }
        self.order.snapshot = snapshot.clone();
        self.order.snapshot.trail = trail;
    }

    fn apply_order(&mut self, update: &OrderUpdate) {
        if update.status != self.status() {
            self.order.note = None;
        }
        let snapshot = &mut self.order.snapshot;
        let order = &mut snapshot.order;
        let starts_leg = update.status == OrderStatus::PickedUp && order.status != update.status;
        (order.status, order.status_at_ms) = (update.status, update.status_at_ms);
        order.stops_before = update.stops_before;
        if order.timeline.last().is_none_or(|last| last.status != update.status) {
            order.timeline.push(TimelineEntry { status: update.status, at_ms: update.status_at_ms });
        }
        if starts_leg {
            snapshot.trail.clear();
        }
        if !update.status.is_active() {
            (snapshot.position, snapshot.eta) = (None, None);
            snapshot.trail.clear();
        } else if update.stops_before > 0 {
            snapshot.position = None;
            snapshot.trail.clear();
        }
    }
}

/// Keeps every second point when there are too many; the first and the newest stay.
fn thin(trail: &mut Vec<[f64; 2]>) {
    if trail.len() > MAX_TRAIL {
        let last = trail.len() - 1;
        let mut index = 0;
        trail.retain(|_| {
            index += 1;
            (index - 1) % 2 == 0 || index - 1 == last
        });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use doorstep_shared::{
        Vehicle,
        protocol::{
            PresenceReason,
            customer::{CourierCard, Eta, Place, PositionUpdate, TrackedOrder},
        },
    };
    use proptest::prelude::*;

    use super::*;

    // 21 November 2026, 18:31 at a door one hour east of UTC.
    pub(crate) const NOW_MS: i64 = 1_795_282_260_000;

    /// An order as the tests of this crate start from: on its way, 1.1 km from the door, seen 4 s ago.
    pub(crate) fn on_the_way() -> Page {
        let entry = |status, minutes_ago: i64| TimelineEntry { status, at_ms: NOW_MS - minutes_ago * 60_000 };
        let snapshot = Snapshot {
            server_time_ms: NOW_MS,
            order: TrackedOrder {
                reference: "A-1042".into(),
                status: OrderStatus::PickedUp,
                status_at_ms: NOW_MS - 4 * 60_000,
                stops_before: 0,
                pickup: Place { lat: 35.893, lon: 14.496, label: "Harbour Kitchen".into() },
                dropoff: Place { lat: 35.8985, lon: 14.5125, label: "12 Triq il-Merkanti".into() },
                timeline: vec![
                    entry(OrderStatus::Created, 29),
                    entry(OrderStatus::Assigned, 20),
                    entry(OrderStatus::AtPickup, 8),
                    entry(OrderStatus::PickedUp, 4),
                ],
            },
            courier: Some(CourierCard { name: "Ana".into(), vehicle: Vehicle::Scooter }),
            position: Some(position(NOW_MS - 4_000)),
            trail: vec![[14.496, 35.893], [14.503, 35.897]],
            eta: Some(Eta {
                earliest_ms: NOW_MS + 11 * 60_000,
                latest_ms: NOW_MS + 19 * 60_000,
                computed_at_ms: NOW_MS - 4_000,
                remaining_m: 1_100,
                expected_ms: None,
                coverage: None,
                why: None,
            }),
        };
        let order = OrderPage {
            snapshot,
            presence: None,
            promised: None,
            feed_opens_ms: None,
            note: None,
            instructions: None,
            pin: None,
            proofs: vec![],
            outside_area: false,
        };
        let locale = Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false };
        Page::new(order, locale, NOW_MS)
    }

    pub(crate) fn position(time_ms: i64) -> Position {
        Position {
            time_ms,
            lat: 35.897,
            lon: 14.503,
            accuracy_m: Some(6.0),
            speed_mps: Some(4.2),
            heading_deg: Some(80.0),
        }
    }

    /// The same order in another state.
    pub(crate) fn in_status(status: OrderStatus) -> Page {
        let mut page = on_the_way();
        page.apply(&CustomerEvent::Order(OrderUpdate { status, status_at_ms: NOW_MS, stops_before: 0 }), false);
        page
    }

    #[test]
    fn a_position_ages_from_fresh_to_stale_to_lost() {
        for (age_ms, expected) in [
            (-30_000, Freshness::Fresh { age_ms: 0 }),
            (59_999, Freshness::Fresh { age_ms: 59_999 }),
            (60_000, Freshness::Stale { age_ms: 60_000 }),
            (299_999, Freshness::Stale { age_ms: 299_999 }),
            (300_000, Freshness::Lost { age_ms: 300_000 }),
        ] {
            let mut page = on_the_way();
            page.order.snapshot.position = Some(position(NOW_MS - age_ms));
            assert_eq!(page.freshness(), expected);
            assert_eq!(page.drawn_position().is_none(), matches!(expected, Freshness::Lost { .. }));
        }
    }

    #[test]
    fn nobody_is_seen_before_the_day_of_the_order_unless_it_is_picked_up() {
        let mut page = in_status(OrderStatus::Assigned);
        page.order.feed_opens_ms = Some(NOW_MS + 1);
        assert!(page.is_for_later() && !page.is_next());
        assert_eq!((page.freshness(), page.drawn_position()), (Freshness::Hidden, None));
        page.now_ms += 1;
        assert!(page.is_next() && page.drawn_position().is_some(), "its time has come");
        let mut collected = in_status(OrderStatus::PickedUp);
        collected.order.feed_opens_ms = Some(NOW_MS + 1);
        assert!(collected.is_next());
    }

    #[test]
    fn nobody_is_seen_while_other_stops_come_first_or_once_it_is_over() {
        let mut waiting = on_the_way();
        let update = OrderUpdate { status: OrderStatus::PickedUp, status_at_ms: NOW_MS, stops_before: 2 };
        waiting.apply(&CustomerEvent::Order(update), false);
        assert_eq!((waiting.freshness(), waiting.snapshot().position), (Freshness::Hidden, None));
        let mut over = on_the_way();
        over.apply(&CustomerEvent::Ended(Ended { status: OrderStatus::Delivered, at_ms: NOW_MS }), false);
        assert_eq!((over.freshness(), over.snapshot().position), (Freshness::Hidden, None));
        assert!(over.snapshot().trail.is_empty());
        assert_eq!(over.reached_at_ms(OrderStatus::Delivered), Some(NOW_MS));
    }

    #[test]
    fn a_position_newer_than_a_pause_ends_it() {
        let mut page = on_the_way();
        let pause = Presence {
            state: PresenceState::Paused,
            reason: Some(PresenceReason::ScreenLocked),
            since_ms: NOW_MS - 1_000,
        };
        page.apply(&CustomerEvent::Presence(pause), false);
        assert_eq!(page.pause(), Some(pause));
        let update = PositionUpdate::new(&position(NOW_MS), vec![]);
        page.apply(&CustomerEvent::Position(update), false);
        assert_eq!(page.pause(), None);
    }

    #[test]
    fn a_snapshot_that_resumes_adds_to_the_trail_and_a_whole_one_replaces_it() {
        let mut page = on_the_way();
        let mut next = page.snapshot().clone();
        next.trail = vec![[14.504, 35.898]];
        page.apply(&CustomerEvent::Snapshot(next.clone()), true);
        assert_eq!(page.snapshot().trail.len(), 3);
        page.apply(&CustomerEvent::Snapshot(next), false);
        assert_eq!(page.snapshot().trail.len(), 1);
    }

    #[test]
    fn a_page_asked_for_anew_does_not_take_back_a_newer_position() {
        let mut page = on_the_way();
        let mut fetched = page.order.clone();
        fetched.note = Some("mind the dog".into());
        page.apply(&CustomerEvent::Position(PositionUpdate::new(&position(NOW_MS), vec![])), false);
        page.replace_order(fetched);
        assert_eq!(page.order.note.as_deref(), Some("mind the dog"));
        assert_eq!(page.snapshot().position.map(|position| position.time_ms), Some(NOW_MS));
    }

    #[test]
    fn picking_up_starts_a_new_trail() {
        let mut page = in_status(OrderStatus::AtPickup);
        assert!(!page.snapshot().trail.is_empty());
        let update = OrderUpdate { status: OrderStatus::PickedUp, status_at_ms: NOW_MS, stops_before: 0 };
        page.apply(&CustomerEvent::Order(update), false);
        assert!(page.snapshot().trail.is_empty());
    }

    proptest! {
        #[test]
        fn a_page_left_open_all_day_does_not_grow(points in 1usize..20_000) {
            let mut page = on_the_way();
            for step in 0..points {
                let at = Position { time_ms: NOW_MS + step as i64, ..position(0) };
                page.apply(&CustomerEvent::Position(PositionUpdate::new(&at, vec![])), false);
            }
            let trail = &page.snapshot().trail;
            prop_assert!(trail.len() <= MAX_TRAIL + 1);
            prop_assert_eq!(trail.last(), Some(&[14.503, 35.897]));
        }
    }
}
