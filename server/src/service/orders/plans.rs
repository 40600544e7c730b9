//! Couriers' plans and recent fixes, read from the database into the live view.
//!
//! A plan is read when a courier first concerns this instance and again whenever it or one of its orders changes; a plan
//! that the database could not give is read again a second later, so a committed change always reaches the live view,
//! the courier's phones and the consoles. Ingest, presence, the sessions of customers and couriers, and
//! [`super::lifecycle`] call this module. It changes no order; people's and couriers' wishes for the order of stops, and
//! what their screens have shown, come in through it.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doorstep_shared::{
    CourierId, Fix, Vehicle,
    protocol::courier::{CourierEvent, Stops},
};
use tokio::sync::Notify;

use super::waits::UsualWaits;
use crate::{
    domain::{
        courier::Courier,
        fleet::{FleetChange, PlanPlaces},
        order::{
            Actor, Order,
            stops::{guessed_arrivals, stops_of, with_arrivals},
        },
        plan::Planned,
        track::duty::OffDuty,
    },
    live::{
        broker::Broker,
        connections::Connections,
        following::Following,
        tracker::{Heard, Known, Tracker, shown_from_ms},
    },
    platform::{
        clock::{Clock, from_ms},
        tasks::Tasks,
    },
    store::{
        Store, StoreError,
        batch_loader::{BatchLimits, BatchLoader},
        plans::{NotReordered, WantedPlan},
    },
};

/// How many fixes are read back for one courier.
const SEED_FIXES: i64 = 2_000;

/// How viewers' couriers are read together. One batch at a time: its 500 couriers bring up to a million fixes, and a
/// second batch would double that memory. A batch is five statements, each of which Postgres ends after 5 s.
const BATCHES: BatchLimits =
    BatchLimits { concurrent_queries: 1, max_keys: LOAD_AT_ONCE, timeout: Duration::from_secs(25) };

/// Couriers that are read back at once: few queries, and a bounded number of fixes in memory.
const LOAD_AT_ONCE: usize = 500;

/// Couriers whose plan could not be read. More than any company has. Overflow policy: the courier is not added, and
/// their plan is read with their next change.
const MAX_OUTDATED_PLANS: usize = 10_000;

/// How long after a plan could not be read it is read again.
const RETRY_PLAN_AFTER: Duration = Duration::from_secs(1);

/// Reads plans and fixes. Shared by reference.
#[derive(Debug)]
pub struct Plans {
    reader: Reader,
    following: Arc<Following>,
    broker: Arc<dyn Broker>,
    /// Reads the couriers of many viewers together.
    together: BatchLoader<CourierId, ()>,
    waits: UsualWaits,
    outdated: Outdated,
}

impl Plans {
    /// Plans that are read from `store` into `tracker`, sent to couriers' phones through `connections` and to consoles
    /// through `broker`.
    pub fn new(
        store: Store,
        tracker: Arc<Tracker>,
        following: Arc<Following>,
        (broker, connections): (Arc<dyn Broker>, Arc<Connections>),
        clock: Clock,
        tasks: &Tasks,
    ) -> Self {
        let reader = Reader { store, tracker, connections, clock };
        let together = reader.clone().into_batch_loader(tasks);
        Self { reader, following, broker, together, waits: UsualWaits::default(), outdated: Outdated::default() }
    }

    /// Makes sure that the live view knows a courier: reads their plan and recent fixes once.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn load(&self, courier: CourierId) -> Result<(), StoreError> {
        if self.reader.is_known(courier) {
            return Ok(());
        }
        // Boxed: a caller whose courier is known already should not make room for reading one.
        Box::pin(self.reader.read(&[courier])).await
    }

    /// As [`Plans::load`], for a viewer who is about to watch the courier: also asks the other instances for every fix
    /// that they receive.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn load_to_watch(&self, courier: CourierId) -> Result<(), StoreError> {
        // In this order: no fix is missed from here on, and every earlier one is in the database.
        let Some(pending) = self.following.follow(courier).await else { return self.load(courier).await };
        self.load_together(courier).await?;
        pending.done();
        Ok(())
    }

    /// Reads a courier anew, together with all others who are asked for meanwhile: after a restart thousands of
    /// customers come at once.
    async fn load_together(&self, courier: CourierId) -> Result<(), StoreError> {
        self.together.get(courier).await.map(drop)
    }

    /// Reads couriers' plans and recent fixes anew, whether the live view knows them or not, 500 couriers at a time.
    ///
    /// # Errors
    /// When the database is away; some may have been read.
    pub async fn reload(&self, couriers: &[CourierId]) -> Result<(), StoreError> {
        for some in couriers.chunks(LOAD_AT_ONCE) {
            self.reader.read(some).await?;
        }
        Ok(())
    }

    /// Reads every courier who has an open order, after a restart. Returns how many there are.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn load_open(&self) -> Result<usize, StoreError> {
        let couriers = self.reader.store.couriers_with_open_orders().await?;
        self.reload(&couriers).await?;
        Ok(couriers.len())
    }

    /// The stops of a courier whose phone connects, read from the database once. Register the phone first: a change that
    /// the answer lacks is then sent to it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn stops_of(&self, courier: &Courier) -> Result<Stops, StoreError> {
        let reader = &self.reader;
        if reader.is_known(courier.id) {
            let ticket = reader.tracker.plan_ticket();
            let planned = reader.store.open_orders_of(courier.id).await?;
            reader.set_plan(courier.id, ticket, planned, courier.vehicle);
        } else {
            reader.read(&[courier.id]).await?;
        }
        // Not the plan just read: a newer one may have come in between.
        let planned = reader.tracker.planned(courier.id);
        let mut stops = reader.with_times(courier.id, &planned, courier.vehicle, stops_of(&planned));
        self.waits.complete(&mut stops, &planned, &reader.store, reader.clock.now()).await;
        Ok(stops)
    }

    /// After a change that this instance made: reads a courier's plan anew, for the live view and for the courier's own
    /// screen, and tells all consoles the places of its orders. When the database is away, [`Plans::retry_outdated`]
    /// does so later.
    pub async fn refresh(&self, courier: CourierId) {
        self.read_or_retry(courier, Heard::Here).await;
    }

    /// After a change that another instance made: the same for this instance alone.
    pub async fn follow(&self, courier: CourierId) {
        self.read_or_retry(courier, Heard::Elsewhere).await;
    }

    async fn read_or_retry(&self, courier: CourierId, changed: Heard) {
        if let Err(error) = self.read_plan(courier, changed).await {
            tracing::warn!(courier.id = %courier, error = %error, "could not read a courier's open orders; trying again");
            self.outdated.add(courier);
        }
    }

    async fn read_plan(&self, courier: CourierId, changed: Heard) -> Result<(), StoreError> {
        // A courier must not enter the live view without what the database knows of them: that they are off duty,
        // for one.
        self.load(courier).await?;
        let reader = &self.reader;
        let ticket = reader.tracker.plan_ticket();
        let planned = reader.store.open_orders_of(courier).await?;
        if changed == Heard::Here {
            self.broker.publish_fleet(FleetChange::Plan(PlanPlaces::of(courier, &planned)));
        }
        if let Some(known) = reader.store.courier(courier).await? {
            let mut stops = stops_of(&planned);
            if reader.connections.has_phones(courier) {
                self.waits.complete(&mut stops, &planned, &reader.store, reader.clock.now()).await;
            }
            reader.set_plan_with_stops(courier, ticket, planned, known.vehicle, stops);
        }
        Ok(())
    }

    /// Puts a courier's stops in another order; then phones, customers and consoles hear of it.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    /// # Cancel safety
    /// A future that is dropped after its commit publishes nothing: run it to its end, see
    /// [`crate::platform::tasks::Tasks::complete`].
    pub async fn reorder(
        &self,
        courier: CourierId,
        wanted: &WantedPlan,
        by: &Actor,
    ) -> Result<Result<(), NotReordered>, StoreError> {
        let outcome = self.reader.store.reorder_plan(courier, wanted, by, self.reader.clock.now()).await?;
        if outcome.is_ok() {
            self.refresh(courier).await;
        }
        Ok(outcome)
    }

    /// Notes that a courier's screen shows a version of their plan, and tells the consoles when that is news.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn note_seen(&self, courier: CourierId, version: u64) -> Result<(), StoreError> {
        if self.reader.store.note_seen(courier, version, self.reader.clock.now()).await? {
            self.refresh(courier).await;
        }
        Ok(())
    }

    /// Reads the plans that could not be read when an order changed, as soon as the database answers. Never returns.
    pub async fn retry_outdated(&self) {
        loop {
            self.outdated.more.notified().await;
            tokio::time::sleep(RETRY_PLAN_AFTER).await;
            // Taken before the plans are read: a change that fails meanwhile adds its courier again.
            for courier in self.outdated.take() {
                self.refresh(courier).await;
            }
        }
    }
}

/// Reads from the database into the live view. Cheap to clone.
#[derive(Clone, Debug)]
struct Reader {
    store: Store,
    tracker: Arc<Tracker>,
    connections: Arc<Connections>,
    clock: Clock,
}

/// What the database knows of several couriers.
struct Read {
    couriers: Vec<Courier>,
    planned: HashMap<CourierId, Planned>,
    fixes: HashMap<CourierId, Vec<Fix>>,
    off_duty: HashMap<CourierId, Vec<Range<i64>>>,
}

impl Reader {
    fn into_batch_loader(self, tasks: &Tasks) -> BatchLoader<CourierId, ()> {
        BatchLoader::with_limits(BATCHES, "couriers", tasks, move |couriers: Vec<CourierId>| {
            let reader = self.clone();
            async move {
                reader.read(&couriers).await?;
                Ok(couriers.into_iter().map(|courier| (courier, ())).collect())
            }
        })
    }

    /// Whether the live view knows a courier, who is then not forgotten for a while.
    fn is_known(&self, courier: CourierId) -> bool {
        self.tracker.keep(courier, self.clock.now_ms())
    }

    async fn read(&self, couriers: &[CourierId]) -> Result<(), StoreError> {
        // Taken before the database is asked: a plan read later replaces this one, however late this one arrives.
        let ticket = self.tracker.plan_ticket();
        let read = self.query(couriers).await?;
        self.show(read, ticket);
        Ok(())
    }

    async fn query(&self, couriers: &[CourierId]) -> Result<Read, StoreError> {
        let known = self.store.couriers(couriers).await?;
        let planned = self.store.open_orders_of_each(couriers).await?;
        let shown_from =
            |orders: &[Order]| orders.iter().map(shown_from_ms).min().filter(|from_ms| *from_ms != i64::MAX);
        let since =
            planned.iter().filter_map(|(courier, planned)| Some((*courier, from_ms(shown_from(&planned.orders)?))));
        let since: Vec<_> = since.collect();
        let fixes = self.store.newest_fixes_of_each(&since, SEED_FIXES).await?;
        let off_duty = self.store.off_duty_spans_of_each(couriers).await?;
        Ok(Read { couriers: known, planned, fixes, off_duty })
    }

    fn show(&self, mut read: Read, ticket: u64) {
        let now_ms = self.clock.now_ms();
        for courier in read.couriers {
            let known = Known {
                fixes: read.fixes.remove(&courier.id).unwrap_or_default(),
                presence: courier.presence,
                off_duty: OffDuty::of_spans(read.off_duty.remove(&courier.id).unwrap_or_default()),
            };
            // Presence and time off first: from the moment the live view knows a courier, it judges fixes by them.
            self.tracker.seed(courier.id, known, now_ms);
            let planned = read.planned.remove(&courier.id).unwrap_or_default();
            self.set_plan(courier.id, ticket, planned, courier.vehicle);
        }
    }

    fn set_plan(&self, courier: CourierId, ticket: u64, planned: Planned, vehicle: Vehicle) {
        let stops = stops_of(&planned);
        self.set_plan_with_stops(courier, ticket, planned, vehicle, stops);
    }

    fn set_plan_with_stops(&self, courier: CourierId, ticket: u64, planned: Planned, vehicle: Vehicle, stops: Stops) {
        let for_phones = self.with_times(courier, &planned, vehicle, stops.clone());
        let tell = || self.connections.tell(courier, &CourierEvent::Stops(for_phones));
        self.tracker.set_plan((courier, ticket), planned, vehicle, comparable(stops), self.clock.now_ms(), tell);
    }

    /// The stops with the times that can be guessed from what is at hand.
    fn with_times(&self, courier: CourierId, planned: &Planned, vehicle: Vehicle, stops: Stops) -> Stops {
        let whence = self.tracker.whence(courier, vehicle);
        match guessed_arrivals(planned, &whence, self.clock.now_ms()) {
            Some(arrivals) => with_arrivals(stops, &arrivals),
            None => stops,
        }
    }
}

/// The stops without what is no reason to tell a phone: that it showed a change itself, and what is learned meanwhile.
fn comparable(mut stops: Stops) -> Stops {
    stops.stops.iter_mut().for_each(|stop| (stop.changed, stop.usual_wait_s) = (None, None));
    stops
}

/// Couriers whose plan could not be read.
#[derive(Debug, Default)]
struct Outdated {
    couriers: Mutex<HashSet<CourierId>>,
    more: Notify,
}

impl Outdated {
    fn add(&self, courier: CourierId) {
        let mut couriers = self.couriers();
        if couriers.len() < MAX_OUTDATED_PLANS {
            couriers.insert(courier);
        }
        drop(couriers);
        self.more.notify_one();
    }

    fn take(&self) -> HashSet<CourierId> {
        std::mem::take(&mut *self.couriers())
    }

    fn couriers(&self) -> MutexGuard<'_, HashSet<CourierId>> {
        self.couriers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
