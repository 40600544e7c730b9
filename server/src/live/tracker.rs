//! The live state of every courier on this instance, and the only place where fixes become live events.
//!
//! Keeps a [`Track`] and the open orders of each courier in memory, behind sharded locks that are never held
//! across an await. A courier's events are published under their shard's lock, so viewers get them in the
//! order in which they were decided; the lock order is tracker, then hub, then outbox.
//! Arrival estimates are not made here, because planning a route takes milliseconds: see [`crate::service::arrival`].
//! With several instances each that shows a courier to somebody takes in all their fixes, its own and those that others
//! heard, and decides for itself what they mean; what costs more, like an estimate, is done where the courier reports.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use doorstep_shared::{
    CourierId, DeviceId, Fix, OrderId, Position, RawFix, Vehicle,
    geo::distance::haversine_m,
    protocol::{
        PresenceState,
        courier::{Stop, Stops},
        customer::{CustomerEvent, Eta, MAX_SKIPPED, OrderUpdate, Presence},
    },
};
use tokio::sync::Notify;

use crate::{
    domain::{
        fleet::FleetChange,
        order::{Order, stops::stops_of, visibility},
        track::{Track, Update, duty::OffDuty, progress::PlannedRoute},
    },
    live::{
        broker::{Broker, Fact, fact::Movement},
        hub::LiveEvent,
        outbox::Outbox,
    },
};

const SHARDS: usize = 64;

/// A phone's clock may run this far behind ours: its first fix after the feed opened must not be taken for
/// one from before.
const CLOCK_SLACK_MS: i64 = 120_000;

/// A courier who reported to an instance this lately is still at home there, as far as anybody can tell.
const AT_HOME_MS: i64 = 2 * 60_000;

/// A courier without an open order is forgotten after this long without a fix.
const FORGET_AFTER_MS: i64 = 30 * 60_000;

/// Everything the server knows of a courier right now.
#[derive(Debug)]
struct Tracked {
    track: Track,
    /// In serving order.
    open: Vec<Order>,
    /// The open orders as their viewers were last told, which [`Tracker::detach`] leaves alone: when the first
    /// order is taken out, the second is still one that waits for it.
    told: Vec<OrderId>,
    /// The stops as the courier's phones were last told.
    stops: Vec<Stop>,
    plan_ticket: u64,
    vehicle: Option<Vehicle>,
    presence: Option<Presence>,
    off_duty: OffDuty,
    route: Option<Arc<PlannedRoute>>,
    eta: Option<(OrderId, Eta)>,
    /// When the last fix came in, whatever it was good for.
    heard_ms: Option<i64>,
    touched_ms: i64,
    /// When they last reported to this instance.
    heard_here_ms: Option<i64>,
    /// When a report to this instance last moved them, and one to another.
    moved_here_ms: Option<i64>,
    moved_elsewhere_ms: Option<i64>,
}

impl Tracked {
    fn new(now_ms: i64) -> Self {
        Self {
            track: Track::default(),
            open: Vec::new(),
            told: Vec::new(),
            stops: Vec::new(),
            plan_ticket: 0,
            vehicle: None,
            presence: None,
            off_duty: OffDuty::default(),
            route: None,
            eta: None,
            heard_ms: None,
            touched_ms: now_ms,
            heard_here_ms: None,
            moved_here_ms: None,
            moved_elsewhere_ms: None,
        }
    }

    fn note_presence(&mut self, presence: Presence) {
        self.presence = Some(presence);
        match presence.state {
            PresenceState::OffDuty => self.off_duty.begin(presence.since_ms),
            _ => self.off_duty.end(presence.since_ms),
        }
    }

    fn is_elsewhere(&self, now_ms: i64) -> bool {
        self.moved_elsewhere_ms.is_some_and(|elsewhere_ms| {
            now_ms - elsewhere_ms < AT_HOME_MS && self.moved_here_ms.is_none_or(|here_ms| here_ms < elsewhere_ms)
        })
    }

    /// The order whose customer sees this courier.
    fn visible(&self) -> Option<&Order> {
        self.open.first().filter(|order| order.feed_from.is_some())
    }
}

/// Whose words these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A client's of this instance. The others are told.
    Here,
    /// Another instance's.
    Elsewhere,
}

/// What a customer may see of their courier.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// How many of the courier's orders come before this one.
    pub stops_before: u32,
    /// Where the courier is.
    pub position: Option<Position>,
    /// Where they came along on this leg, `[lon, lat]`.
    pub trail: Vec<[f64; 2]>,
    /// When they arrive.
    pub eta: Option<Eta>,
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

/// What a tour is worked out from.
#[derive(Clone, Debug, Default)]
pub struct OnTour {
    /// The courier's open orders, in serving order.
    pub open: Vec<Order>,
    /// What they ride.
    pub vehicle: Option<Vehicle>,
    /// Where they are.
    pub position: Option<Position>,
    /// The way planned last.
    pub route: Option<Arc<PlannedRoute>>,
    /// The newest estimate that a customer was told, with their order.
    pub eta: Option<(OrderId, Eta)>,
}

/// How a courier stands, for their pace.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// The order whose customer sees them.
    pub shown_to: Option<OrderId>,
    /// Metres to their next stop as the crow flies.
    pub to_next_stop_m: Option<f64>,
    /// They have not moved for a while.
    pub is_stationary: bool,
    /// Charge of their device, 0 to 1.
    pub battery: Option<f32>,
}

/// Where a courier is and what they have to do, for dispatchers.
#[derive(Clone, Debug)]
pub struct Whereabouts {
    /// Where they are.
    pub position: Option<Position>,
    /// Whether they share their position.
    pub presence: Option<Presence>,
    /// What they ride.
    pub vehicle: Vehicle,
    /// Their open orders, in serving order.
    pub open: Vec<Order>,
    /// When the first of these should be handed over by the newest estimate, Unix epoch milliseconds.
    pub first_handover_ms: Option<i64>,
}

/// A courier who has orders, as those see them who watch over the fleet.
#[derive(Clone, Debug)]
pub struct AtWork {
    /// Who.
    pub courier: CourierId,
    /// What they ride.
    pub vehicle: Option<Vehicle>,
    /// Whether they share their position.
    pub presence: Option<Presence>,
    /// Where they are.
    pub position: Option<Position>,
    /// When a fix of theirs last came in, here or elsewhere, Unix epoch milliseconds.
    pub heard_ms: Option<i64>,
    /// Since when they stand still, if they do.
    pub still_since_ms: Option<i64>,
    /// The way planned last.
    pub route: Option<Arc<PlannedRoute>>,
    /// Their open orders, in serving order; never empty.
    pub open: Vec<Order>,
}

/// What dispatchers see of a courier, beyond who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LastSeen {
    /// Where they are.
    pub position: Option<Position>,
    /// Charge of their device, 0 to 1.
    pub battery: Option<f32>,
    /// Whether they share their position.
    pub presence: Option<Presence>,
}

/// What an arrival estimate needs.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The order being served.
    pub order: Order,
    /// What the courier rides.
    pub vehicle: Vehicle,
    /// Where they are.
    pub position: Position,
    /// The way planned last.
    pub route: Option<Arc<PlannedRoute>>,
    /// The newest estimate for this order.
    pub eta: Option<Eta>,
}

/// Couriers whose orders need another look by the arrival task.
#[derive(Debug, Default)]
struct Dirty {
    /// The position changed.
    moved: HashSet<CourierId>,
    /// Viewers need a fresh snapshot: history filled in behind the position, or the feed just opened.
    outdated: HashSet<OrderId>,
}

/// The live state of every courier. Shared by reference.
#[derive(Debug)]
pub struct Tracker {
    shards: Box<[Mutex<HashMap<CourierId, Tracked>>]>,
    hasher: RandomState,
    broker: Arc<dyn Broker>,
    dirty: Mutex<Dirty>,
    woken: Notify,
    plan_tickets: AtomicU64,
}

impl Tracker {
    /// A tracker that publishes through `broker` and knows nobody yet.
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            broker,
            dirty: Mutex::default(),
            woken: Notify::new(),
            plan_tickets: AtomicU64::new(0),
        }
    }

    /// Takes in the fixes of one of a courier's devices and shows the newest to whoever may see it, at once. Does
    /// nothing while nothing is known of the courier: what they said of themselves must be known first.
    pub fn apply(&self, courier: CourierId, device: DeviceId, fixes: &[Fix], now_ms: i64) {
        let mut shard = self.shard(courier);
        let Some(tracked) = shard.get_mut(&courier) else { return };
        tracked.touched_ms = now_ms;
        tracked.heard_ms = tracked.heard_ms.max(Some(now_ms));
        tracked.heard_here_ms = Some(now_ms);
        // Under the lock, so that others hear a courier in the same order.
        if self.broker.has_peers() {
            let fixes = fixes.iter().map(Fix::to_raw).collect();
            self.broker.tell(Fact::Heard { courier, device, fixes });
        }
        let led_before = tracked.track.leader();
        let update = tracked.track.hear(device, fixes);
        if led_before.is_some_and(|leader| tracked.track.leader() != Some(leader)) {
            metrics::counter!("doorstep_source_changes_total").increment(1);
        }
        for reason in &update.off_map {
            metrics::counter!("doorstep_fixes_off_map_total", "reason" => reason.as_str()).increment(1);
        }
        if let Some(position) = update.moved.last().copied() {
            tracked.moved_here_ms = Some(now_ms);
            self.broker.publish_fleet(FleetChange::Moved { courier, position, battery: tracked.track.battery() });
        }
        let Some(order) = self.show(tracked, &update) else { return };
        drop(shard);
        let mut dirty = self.dirty();
        let woken = match (update.moved.is_empty(), update.filled_in) {
            (true, 0) => false,
            (_, filled_in) => {
                dirty.moved.insert(courier);
                if filled_in > 0 {
                    dirty.outdated.insert(order);
                }
                true
            }
        };
        drop(dirty);
        if woken {
            self.woken.notify_one();
        }
    }

    /// Takes in the fixes that one of a courier's devices reported to another instance. Nothing happens while
    /// nothing is known of the courier: what is then read from the database has them.
    pub fn apply_elsewhere(&self, courier: CourierId, device: DeviceId, fixes: &[Fix], now_ms: i64) {
        let mut shard = self.shard(courier);
        let Some(tracked) = shard.get_mut(&courier) else { return };
        tracked.touched_ms = now_ms;
        tracked.heard_ms = tracked.heard_ms.max(Some(now_ms));
        let update = tracked.track.hear(device, fixes);
        if !update.moved.is_empty() {
            tracked.moved_elsewhere_ms = Some(now_ms);
        }
        let order = self.show(tracked, &update);
        drop(shard);
        // The estimate comes from where they report; a trail that filled in from behind is ours to show.
        if let Some(order) = order.filter(|_| update.filled_in > 0) {
            self.dirty().outdated.insert(order);
            self.woken.notify_one();
        }
    }

    /// Takes in where another instance says that a courier is. `false` when nothing is known of them: load them first.
    pub fn move_elsewhere(&self, movement: &Movement, now_ms: i64) -> bool {
        let Movement { courier, position, battery } = *movement;
        let mut shard = self.shard(courier);
        let Some(tracked) = shard.get_mut(&courier) else { return false };
        tracked.touched_ms = now_ms;
        // Whoever is followed was heard before; this is for all others, and for what got lost.
        if tracked.track.position().is_none_or(|known| known.time_ms < position.time_ms) {
            let raw = RawFix {
                time_ms: position.time_ms,
                lat: position.lat,
                lon: position.lon,
                accuracy_m: position.accuracy_m,
                speed_mps: position.speed_mps,
                heading_deg: position.heading_deg,
                altitude_m: None,
                battery,
            };
            if let Ok(fix) = Fix::try_new(&raw) {
                tracked.moved_elsewhere_ms = Some(now_ms);
                tracked.heard_ms = tracked.heard_ms.max(Some(now_ms));
                let update = tracked.track.apply(&[fix]);
                self.show(tracked, &update);
            }
        }
        true
    }

    /// Shows new positions to whoever may see the courier, and gives the order whose viewers those are.
    fn show(&self, tracked: &Tracked, update: &Update) -> Option<OrderId> {
        let (order, from_ms) = tracked.visible().map(|order| (order.id, shown_from_ms(order)))?;
        if let Some((newest, before)) = update.moved.split_last()
            && newest.time_ms >= from_ms
        {
            let before: Vec<_> = before.iter().filter(|earlier| earlier.time_ms >= from_ms).collect();
            let missed = &before[before.len().saturating_sub(MAX_SKIPPED)..];
            let skipped = missed.iter().map(|earlier| [earlier.lon, earlier.lat]).collect();
            self.broker.publish(order, LiveEvent::Moved { position: *newest, skipped });
        }
        Some(order)
    }

    /// Whether a courier reports to another instance, which then does for them what only one should do.
    pub fn is_elsewhere(&self, courier: CourierId, now_ms: i64) -> bool {
        self.shard(courier).get(&courier).is_some_and(|tracked| tracked.is_elsewhere(now_ms))
    }

    /// Every courier of whom something is known, in any order.
    pub fn known(&self) -> Vec<CourierId> {
        let shards = self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner));
        shards.flat_map(|shard| shard.keys().copied().collect::<Vec<_>>()).collect()
    }

    /// Every courier who reported to this instance lately, or for one of whose orders `is_watched` says yes.
    pub fn concerns(&self, now_ms: i64, is_watched: impl Fn(OrderId) -> bool) -> HashSet<CourierId> {
        let mut concerns = HashSet::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let of_concern = |tracked: &Tracked| {
                tracked.heard_here_ms.is_some_and(|here_ms| now_ms - here_ms < AT_HOME_MS)
                    || tracked.open.iter().any(|order| is_watched(order.id))
            };
            concerns.extend(shard.iter().filter(|(_, tracked)| of_concern(tracked)).map(|(courier, _)| *courier));
        }
        concerns
    }

    /// Marks an order whose viewers need a fresh snapshot.
    pub fn outdate(&self, orders: impl IntoIterator<Item = OrderId>) {
        self.dirty().outdated.extend(orders);
        self.woken.notify_one();
    }

    /// Fills in what the database knows of a courier, after a restart or an outage. Tells viewers a presence that is
    /// news, and nothing else.
    pub fn seed(&self, courier: CourierId, known: Known, now_ms: i64) {
        let mut shard = self.shard(courier);
        let tracked = shard.entry(courier).or_insert_with(|| Tracked::new(now_ms));
        tracked.track.apply(&known.fixes);
        let newest_ms = known.fixes.iter().map(|fix| fix.recorded_at_ms().min(now_ms)).max();
        tracked.heard_ms = tracked.heard_ms.max(newest_ms);
        match (tracked.presence, known.presence) {
            (None, presence) => {
                tracked.off_duty = known.off_duty;
                if let Some(presence) = presence {
                    tracked.note_presence(presence);
                }
            }
            (Some(before), Some(presence)) if replaces(&before, &presence) => {
                tracked.off_duty = known.off_duty;
                self.change_presence(tracked, presence);
            }
            _ => {}
        }
        drop(shard);
        self.dirty().moved.insert(courier);
        self.woken.notify_one();
    }

    /// Whether anything is known of a courier; when not, [`Tracker::seed`] should be called first.
    pub fn knows(&self, courier: CourierId) -> bool {
        self.shard(courier).contains_key(&courier)
    }

    /// The same; and whoever is known is not forgotten for a while, so that what follows can rely on it.
    pub fn keep(&self, courier: CourierId, now_ms: i64) -> bool {
        let mut shard = self.shard(courier);
        let known = shard.get_mut(&courier);
        known.map(|tracked| tracked.touched_ms = tracked.touched_ms.max(now_ms)).is_some()
    }

    /// A number to take before reading a courier's open orders from the database: of two readers the one who
    /// asked later wins.
    pub fn plan_ticket(&self) -> u64 {
        self.plan_tickets.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Replaces a courier's open orders, tells every customer whose place in the tour changed, and hands the stops
    /// to `tell` if they differ from what the courier's phones know. All of it under the courier's lock, so that
    /// phones too hear of plans in the order in which they were decided; `tell` must not come back here.
    pub fn set_plan(
        &self,
        courier: CourierId,
        ticket: u64,
        open: Vec<Order>,
        vehicle: Vehicle,
        now_ms: i64,
        tell: impl FnOnce(Stops),
    ) {
        let mut shard = self.shard(courier);
        let tracked = shard.entry(courier).or_insert_with(|| Tracked::new(now_ms));
        if tracked.plan_ticket >= ticket {
            return;
        }
        tracked.plan_ticket = ticket;
        tracked.vehicle = Some(vehicle);
        tracked.open = open;
        let stops = stops_of(&tracked.open);
        if stops != tracked.stops {
            tracked.stops.clone_from(&stops);
            tell(Stops { stops });
        }
        let told = std::mem::replace(&mut tracked.told, tracked.open.iter().map(|order| order.id).collect());
        let opened = tracked.visible().filter(|order| told.first() != Some(&order.id));
        let opened = opened.map(|order| order.id);
        // Their viewers have another courier's name on the page, or none.
        let is_new = |order: &&Order| !told.contains(&order.id);
        let outdated: Vec<_> = tracked.open.iter().filter(is_new).map(|order| order.id).chain(opened).collect();
        for (place, order) in tracked.open.iter().enumerate() {
            let place_told = told.iter().position(|known| *known == order.id);
            if place_told.is_some_and(|known| known != place) {
                let update = OrderUpdate {
                    status: order.status,
                    status_at_ms: order.status_at.timestamp_millis(),
                    stops_before: place as u32,
                };
                self.broker.publish(order.id, LiveEvent::Tell(CustomerEvent::Order(update)));
            }
        }
        drop(shard);
        let mut dirty = self.dirty();
        dirty.moved.insert(courier);
        dirty.outdated.extend(outdated);
        drop(dirty);
        self.woken.notify_one();
    }

    /// A courier's open orders in serving order, as of the newest plan.
    pub fn open_orders(&self, courier: CourierId) -> Vec<Order> {
        self.shard(courier).get(&courier).map(|tracked| tracked.open.clone()).unwrap_or_default()
    }

    /// What a courier's tour is worked out from.
    pub fn on_tour(&self, courier: CourierId) -> OnTour {
        let shard = self.shard(courier);
        let Some(tracked) = shard.get(&courier) else { return OnTour::default() };
        OnTour {
            open: tracked.open.clone(),
            vehicle: tracked.vehicle,
            position: tracked.track.position(),
            route: tracked.route.clone(),
            eta: tracked.eta,
        }
    }

    /// What a courier's pace depends on.
    pub fn standing(&self, courier: CourierId) -> Standing {
        let shard = self.shard(courier);
        let Some(tracked) = shard.get(&courier) else { return Standing::default() };
        let here = tracked.track.position().and_then(|position| position.point());
        let next = tracked.open.first().and_then(Order::next_place);
        Standing {
            shown_to: tracked.visible().map(|order| order.id),
            to_next_stop_m: here.zip(next).map(|(here, next)| haversine_m(here, next.point)),
            is_stationary: tracked.track.stationary_since_ms().is_some(),
            battery: tracked.track.battery(),
        }
    }

    /// Takes an order off a courier at once, before the database is asked for the new plan: from here on its
    /// viewers see nothing more of them.
    pub fn detach(&self, courier: CourierId, order: OrderId) {
        if let Some(tracked) = self.shard(courier).get_mut(&courier) {
            tracked.open.retain(|open| open.id != order);
        }
    }

    /// Notes whether a courier shares their position, and tells whoever watches them. What is older than what
    /// is known changes nothing, and nobody is told twice. `false` when nothing is known of the courier: load
    /// them first. Not for callers who want it stored: see [`crate::service::presence::Presences`].
    pub fn set_presence(&self, courier: CourierId, presence: Presence, heard: Heard, now_ms: i64) -> bool {
        let mut shard = self.shard(courier);
        let Some(tracked) = shard.get_mut(&courier) else { return false };
        tracked.touched_ms = now_ms;
        if !tracked.presence.is_none_or(|known| replaces(&known, &presence)) {
            return true;
        }
        if heard == Heard::Here {
            self.broker.publish_fleet(FleetChange::Presence { courier, presence });
        }
        self.change_presence(tracked, presence);
        true
    }

    fn change_presence(&self, tracked: &mut Tracked, presence: Presence) {
        tracked.note_presence(presence);
        if let Some(order) = tracked.visible() {
            self.broker.publish(order.id, LiveEvent::Tell(CustomerEvent::Presence(presence)));
        }
    }

    /// Where a courier is and what is known of their device; `None` when nothing is known of them.
    pub fn last_seen(&self, courier: CourierId) -> Option<LastSeen> {
        let shard = self.shard(courier);
        let tracked = shard.get(&courier)?;
        let (position, battery) = (tracked.track.position(), tracked.track.battery());
        Some(LastSeen { position, battery, presence: tracked.presence })
    }

    /// Whether a courier shares their position; `None` until they ever said, or when nothing is known of them.
    pub fn presence(&self, courier: CourierId) -> Option<Presence> {
        self.shard(courier).get(&courier)?.presence
    }

    /// Shows the courier's presence to one more viewer of `order`, if its customer may see the courier: in order
    /// with what all viewers are told.
    pub fn greet(&self, courier: CourierId, order: OrderId, outbox: &Outbox) {
        let shard = self.shard(courier);
        let visible = shard.get(&courier).filter(|tracked| tracked.visible().is_some_and(|open| open.id == order));
        if let Some(presence) = visible.and_then(|tracked| tracked.presence) {
            outbox.push(outbox.wire().customer(&CustomerEvent::Presence(presence)));
        }
    }

    /// Tells the viewers of `order` the presence of its courier: after a snapshot, which does not hold it.
    pub fn tell_presence(&self, courier: CourierId, order: OrderId) {
        let shard = self.shard(courier);
        let visible = shard.get(&courier).filter(|tracked| tracked.visible().is_some_and(|open| open.id == order));
        if let Some(presence) = visible.and_then(|tracked| tracked.presence) {
            self.broker.publish(order, LiveEvent::Tell(CustomerEvent::Presence(presence)));
        }
    }

    /// The times at which a courier's fixes are refused.
    pub fn off_duty(&self, courier: CourierId) -> OffDuty {
        self.shard(courier).get(&courier).map(|tracked| tracked.off_duty.clone()).unwrap_or_default()
    }

    /// What the customer of `order` may see of `courier`. `trail_since_ms` leaves out older points.
    pub fn sight(&self, courier: CourierId, order: OrderId, trail_since_ms: Option<i64>) -> Sight {
        let shard = self.shard(courier);
        let Some(tracked) = shard.get(&courier) else { return Sight::default() };
        let Some(place) = tracked.open.iter().position(|open| open.id == order) else { return Sight::default() };
        let mut sight = Sight { stops_before: place as u32, ..Sight::default() };
        if let Some(visible) = tracked.visible().filter(|visible| visible.id == order) {
            sight.position = tracked.track.position().filter(|position| position.time_ms >= shown_from_ms(visible));
            if let Some(from) = visibility::trail_from(visible) {
                let from_ms =
                    from.timestamp_millis().max(trail_since_ms.map_or(i64::MIN, |since| since.saturating_add(1)));
                sight.trail = tracked.track.trail_since(from_ms);
            }
            sight.eta = tracked.eta.filter(|(known, _)| *known == order).map(|(_, eta)| eta);
        }
        sight
    }

    /// The route planned last for a courier, with where they are on it.
    pub fn heading(&self, courier: CourierId) -> Option<Heading> {
        let shard = self.shard(courier);
        let tracked = shard.get(&courier)?;
        let order = tracked.visible()?.clone();
        let position = tracked.track.position().filter(|position| position.time_ms >= shown_from_ms(&order))?;
        let eta = tracked.eta.filter(|(known, _)| *known == order.id).map(|(_, eta)| eta);
        Some(Heading { vehicle: tracked.vehicle?, position, route: tracked.route.clone(), eta, order })
    }

    /// Where a courier is and what they have to do; `None` when nothing is known of them.
    pub fn whereabouts(&self, courier: CourierId) -> Option<Whereabouts> {
        let shard = self.shard(courier);
        let tracked = shard.get(&courier)?;
        let first = tracked.open.first().map(|order| order.id);
        let eta = tracked.eta.filter(|(order, _)| Some(*order) == first);
        Some(Whereabouts {
            position: tracked.track.position(),
            presence: tracked.presence,
            vehicle: tracked.vehicle?,
            open: tracked.open.clone(),
            first_handover_ms: eta.map(|(_, eta)| i64::midpoint(eta.earliest_ms, eta.latest_ms)),
        })
    }

    /// Everybody who has orders and does not report to another instance, which looks after them. A few milliseconds for
    /// thousands; each shard's lock is held for its own part only.
    pub fn at_work(&self, now_ms: i64) -> Vec<AtWork> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let working = shard.iter().filter(|(_, tracked)| !tracked.open.is_empty() && !tracked.is_elsewhere(now_ms));
            all.extend(working.map(|(courier, tracked)| AtWork {
                courier: *courier,
                vehicle: tracked.vehicle,
                presence: tracked.presence,
                position: tracked.track.position(),
                heard_ms: tracked.heard_ms,
                still_since_ms: tracked.track.stationary_since_ms(),
                route: tracked.route.clone(),
                open: tracked.open.clone(),
            }));
        }
        all
    }

    /// Everybody whose position is known, with that position.
    pub fn positions(&self) -> Vec<(CourierId, Position)> {
        let mut known = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            known.extend(shard.iter().filter_map(|(courier, tracked)| Some((*courier, tracked.track.position()?))));
        }
        known
    }

    /// Keeps a planned route.
    pub fn set_route(&self, courier: CourierId, route: Arc<PlannedRoute>) {
        if let Some(tracked) = self.shard(courier).get_mut(&courier) {
            tracked.route = Some(route);
        }
    }

    /// Keeps an estimate and shows it, unless the order is no longer the one being served.
    pub fn set_eta(&self, courier: CourierId, order: OrderId, eta: Eta, heard: Heard) {
        let mut shard = self.shard(courier);
        let Some(tracked) = shard.get_mut(&courier) else { return };
        let is_newer = tracked.eta.is_none_or(|(of, known)| of != order || known.computed_at_ms <= eta.computed_at_ms);
        if is_newer && tracked.visible().is_some_and(|visible| visible.id == order) {
            tracked.eta = Some((order, eta));
            if heard == Heard::Here && self.broker.has_peers() {
                self.broker.tell(Fact::Eta { courier, order, eta });
            }
            self.broker.publish(order, LiveEvent::Tell(CustomerEvent::Eta(eta)));
        }
    }

    /// Waits until some courier moved or some order's viewers need a snapshot, and takes both lists.
    /// # Cancel safety
    /// Safe while waiting; what was taken is gone.
    pub async fn changes(&self) -> (Vec<CourierId>, Vec<OrderId>) {
        loop {
            let taken = std::mem::take(&mut *self.dirty());
            if !taken.moved.is_empty() || !taken.outdated.is_empty() {
                return (taken.moved.into_iter().collect(), taken.outdated.into_iter().collect());
            }
            self.woken.notified().await;
        }
    }

    /// Forgets couriers that have nothing to deliver and were not heard of for half an hour, but none who are
    /// `connected`.
    pub fn forget_idle(&self, connected: &[CourierId], now_ms: i64) {
        let connected: HashSet<_> = connected.iter().copied().collect();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            // An off-duty courier stays: their fixes must go on being refused.
            shard.retain(|courier, tracked| {
                !tracked.open.is_empty()
                    || connected.contains(courier)
                    || now_ms - tracked.touched_ms < FORGET_AFTER_MS
                    || tracked.presence.is_some_and(|presence| presence.state == PresenceState::OffDuty)
            });
        }
    }

    fn shard(&self, courier: CourierId) -> MutexGuard<'_, HashMap<CourierId, Tracked>> {
        let index = self.hasher.hash_one(courier) as usize % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dirty(&self) -> MutexGuard<'_, Dirty> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `said` is news to somebody who knows `known`. The same said again, later, is not: it has been so since
/// the earlier time, and an off-duty courier's fixes are refused from then on.
fn replaces(known: &Presence, said: &Presence) -> bool {
    said.since_ms >= known.since_ms && (said.state, said.reason) != (known.state, known.reason)
}

/// The oldest fix that the customer of an order may see as the courier's position.
pub fn shown_from_ms(order: &Order) -> i64 {
    order.feed_from.map_or(i64::MAX, |feed_from| feed_from.timestamp_millis() - CLOCK_SLACK_MS)
}
