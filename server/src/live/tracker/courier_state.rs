//! Everything this instance knows of one courier right now. Plain values: no lock, no clock, nothing is published.

use std::{collections::HashMap, sync::Arc};

use doorstep_shared::{
    Fix, OrderId, Vehicle,
    protocol::{
        PresenceState,
        courier::Stops,
        customer::{Eta, OrderUpdate, Presence},
    },
};

use super::marks::Marks;
use crate::domain::{
    order::Order,
    plan::Planned,
    track::{Track, Update, duty::OffDuty, progress::PlannedRoute},
};

/// A phone's clock may run this far behind ours: its first fix after the feed opened must not be taken for
/// one from before.
const CLOCK_SLACK_MS: i64 = 120_000;

/// The live state of a courier.
#[derive(Debug)]
pub(super) struct CourierState {
    pub(super) track: Track,
    pub(super) planned: Planned,
    /// The orders as their viewers were last told, which [`CourierState::detach`] leaves alone: when the first order is
    /// taken out, the second is still one that waits for it.
    told: Vec<OrderId>,
    /// The order whose viewers were last told that they see the courier.
    shown_to: Option<OrderId>,
    /// The stops as the courier's phones were last told, without what moves with time or with their own screen.
    stops: Option<Stops>,
    plan_ticket: u64,
    pub(super) vehicle: Option<Vehicle>,
    pub(super) presence: Option<Presence>,
    pub(super) off_duty: OffDuty,
    pub(super) route: Option<Arc<PlannedRoute>>,
    /// The newest estimate, with the order that it is for.
    pub(super) eta: Option<(OrderId, Eta)>,
    /// The newest estimates of orders that wait for others; few customers look that early.
    pub(super) later_etas: HashMap<OrderId, Eta>,
    pub(super) marks: Marks,
}

/// What the database knows of a courier.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Their recent fixes, in any order.
    pub fixes: Vec<Fix>,
    /// Whether they share their position.
    pub presence: Option<Presence>,
    /// Time off that is over.
    pub off_duty: OffDuty,
}

/// What the database knew that was news here.
#[derive(Debug)]
pub(super) struct FilledIn {
    /// What the fixes changed.
    pub(super) update: Update,
    /// A presence that replaces the one known until now: note it and tell the viewers.
    pub(super) presence: Option<Presence>,
}

/// What a new plan changes for others.
#[derive(Debug, Default)]
pub(super) struct PlanChange {
    /// The courier's phones know other stops than these.
    pub(super) has_news_for_phones: bool,
    /// Orders whose place in the tour changed.
    pub(super) places: Vec<(OrderId, OrderUpdate)>,
    /// Orders whose viewers have another courier's name on the page, or none, or whose feed opens, or closes while their
    /// stop is still the first.
    pub(super) outdated: Vec<OrderId>,
}

impl CourierState {
    pub(super) fn new(now_ms: i64) -> Self {
        Self {
            track: Track::default(),
            planned: Planned::default(),
            told: Vec::new(),
            shown_to: None,
            stops: None,
            plan_ticket: 0,
            vehicle: None,
            presence: None,
            off_duty: OffDuty::default(),
            route: None,
            eta: None,
            later_etas: HashMap::new(),
            marks: Marks::new(now_ms),
        }
    }

    /// The order whose customer sees this courier.
    pub(super) fn visible(&self) -> Option<&Order> {
        self.planned.visible().filter(|order| order.feed_from.is_some())
    }

    /// Whether the customer of `order` sees this courier.
    pub(super) fn is_visible_to(&self, order: OrderId) -> bool {
        self.visible().is_some_and(|visible| visible.id == order)
    }

    /// The newest estimate, if it is for `order`.
    pub(super) fn eta_of(&self, order: OrderId) -> Option<Eta> {
        self.eta.filter(|(of, _)| *of == order).map(|(_, eta)| eta)
    }

    /// The newest estimate for `order`, whether its customer sees the courier or waits for others.
    pub(super) fn any_eta_of(&self, order: OrderId) -> Option<Eta> {
        self.eta_of(order).or_else(|| self.later_etas.get(&order).copied())
    }

    /// Keeps an estimate, unless a newer one is known or the order is not the courier's. Says whether it did.
    pub(super) fn keep_eta(&mut self, order: OrderId, eta: Eta) -> bool {
        let is_newer = self.any_eta_of(order).is_none_or(|known| known.computed_at_ms <= eta.computed_at_ms);
        if is_newer && self.is_visible_to(order) {
            self.later_etas.remove(&order);
            self.eta = Some((order, eta));
            return true;
        }
        let waits = self.planned.orders.iter().any(|known| known.id == order && known.status.is_active());
        if is_newer && waits {
            self.later_etas.insert(order, eta);
        }
        is_newer && waits
    }

    /// Notes what the courier said of themselves, and from when on their fixes are refused or accepted.
    pub(super) fn note_presence(&mut self, presence: Presence) {
        self.presence = Some(presence);
        match presence.state {
            PresenceState::OffDuty => self.off_duty.begin(presence.since_ms),
            _ => self.off_duty.end(presence.since_ms),
        }
    }

    /// Fills in what the database knows.
    pub(super) fn fill_in(&mut self, known: Known, now_ms: i64) -> FilledIn {
        let update = self.track.apply(&known.fixes);
        if let Some(newest_ms) = known.fixes.iter().map(|fix| fix.recorded_at_ms().min(now_ms)).max() {
            self.marks.note_stored(newest_ms);
        }
        FilledIn { update, presence: self.fill_in_presence(known.presence, known.off_duty) }
    }

    fn fill_in_presence(&mut self, known: Option<Presence>, off_duty: OffDuty) -> Option<Presence> {
        match (self.presence, known) {
            (None, presence) => {
                self.off_duty = off_duty;
                presence.iter().for_each(|presence| self.note_presence(*presence));
                None
            }
            (Some(before), Some(presence)) if replaces(&before, &presence) => {
                self.off_duty = off_duty;
                Some(presence)
            }
            _ => None,
        }
    }

    /// Replaces the plan and the vehicle, unless a plan with a later ticket did so already. `stops` are those of the
    /// plan.
    pub(super) fn replace_plan(
        &mut self,
        ticket: u64,
        planned: Planned,
        vehicle: Vehicle,
        stops: Stops,
    ) -> Option<PlanChange> {
        if self.plan_ticket >= ticket {
            return None;
        }
        self.plan_ticket = ticket;
        self.vehicle = Some(vehicle);
        self.planned = planned;
        let has_news_for_phones = !self.stops.as_ref().is_some_and(|known| *known == stops);
        // A phone that has not been told of any stop has been told of none.
        let is_first = self.stops.is_none() && stops.stops.is_empty();
        self.stops = Some(stops);
        let visible = self.visible().map(|order| order.id);
        self.eta = self.eta.filter(|(of, _)| visible == Some(*of));
        let planned = &self.planned;
        self.later_etas.retain(|of, _| planned.orders.iter().any(|order| order.id == *of && order.status.is_active()));
        let shown_before = std::mem::replace(&mut self.shown_to, visible);
        let told = std::mem::replace(&mut self.told, self.planned.orders.iter().map(|order| order.id).collect());
        Some(PlanChange {
            has_news_for_phones: has_news_for_phones && !is_first,
            places: self.places_other_than(&told),
            outdated: self.outdated_since(&told, shown_before),
        })
    }

    fn places_other_than(&self, told: &[OrderId]) -> Vec<(OrderId, OrderUpdate)> {
        let place_told = |order: &Order| told.iter().position(|known| *known == order.id);
        let served = self.planned.orders.iter().enumerate().filter(|(_, order)| order.status.is_active());
        let moved = served.filter(|(place, order)| place_told(order).is_some_and(|at| at != *place));
        moved.map(|(place, order)| (order.id, update_of(order, place))).collect()
    }

    fn outdated_since(&self, told: &[OrderId], shown_before: Option<OrderId>) -> Vec<OrderId> {
        let served = self.planned.orders.iter().filter(|order| order.status.is_active());
        let new = served.filter(|order| !told.contains(&order.id)).map(|order| order.id);
        let opened = self.shown_to;
        let first = self.planned.orders.first().filter(|order| order.status.is_active()).map(|order| order.id);
        let closed = shown_before.filter(|_| shown_before == first);
        new.chain(opened.into_iter().chain(closed).filter(|_| opened != shown_before)).collect()
    }

    /// Takes an order out, before the database is asked for the new plan.
    pub(super) fn detach(&mut self, order: OrderId) {
        self.planned.remove(order);
        self.later_etas.remove(&order);
    }

    /// Whether the courier may be forgotten: nothing to deliver, and nothing heard of for half an hour.
    pub(super) fn is_forgettable(&self, now_ms: i64) -> bool {
        // An off-duty courier stays: their fixes must go on being refused.
        let is_off_duty = self.presence.is_some_and(|presence| presence.state == PresenceState::OffDuty);
        self.planned.orders.is_empty() && !is_off_duty && self.marks.is_idle(now_ms)
    }
}

fn update_of(order: &Order, place: usize) -> OrderUpdate {
    OrderUpdate { status: order.status, status_at_ms: order.status_at.timestamp_millis(), stops_before: place as u32 }
}

/// Whether `said` is news when `known` is known. The same presence said again, later, is not: it has been so since the
/// earlier time, and an off-duty courier's fixes are refused from then on.
pub(super) fn replaces(known: &Presence, said: &Presence) -> bool {
    said.since_ms >= known.since_ms && (said.state, said.reason) != (known.state, known.reason)
}

/// The oldest fix that the customer of an order may see as the courier's position, Unix epoch milliseconds.
pub fn shown_from_ms(order: &Order) -> i64 {
    order.feed_from.map_or(i64::MAX, |feed_from| feed_from.timestamp_millis() - CLOCK_SLACK_MS)
}
