//! Couriers' plans and recent fixes, read from the database into the live view.
//!
//! A plan is a courier's open orders in serving order. It is read when a courier first concerns this instance and
//! again whenever one of their orders changes; a plan that the database could not give is read again a second later,
//! so a committed change always reaches the live view and the courier's phones. Ingest, presence, the sessions of
//! customers and couriers, and [`super::lifecycle`] call this module. It changes no order.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doorstep_shared::{CourierId, Fix, Vehicle, protocol::courier::CourierEvent};
use tokio::sync::Notify;

use crate::{
    domain::{courier::Courier, order::Order, track::duty::OffDuty},
    live::{
        connections::Connections,
        following::Following,
        tracker::{Known, Tracker, shown_from_ms},
    },
    platform::{
        clock::{Clock, from_ms},
        tasks::Tasks,
    },
    store::{
        Store, StoreError,
        batch_loader::{BatchLimits, BatchLoader},
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
    /// Reads the couriers of many viewers together.
    together: BatchLoader<CourierId, ()>,
    outdated: Outdated,
}

impl Plans {
    /// Plans that are read from `store` into `tracker`, and sent to couriers' phones through `connections`.
    pub fn new(
        store: Store,
        tracker: Arc<Tracker>,
        following: Arc<Following>,
        connections: Arc<Connections>,
        clock: Clock,
        tasks: &Tasks,
    ) -> Self {
        let reader = Reader { store, tracker, connections, clock };
        let together = reader.clone().into_batch_loader(tasks);
        Self { reader, following, together, outdated: Outdated::default() }
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

    /// The open orders of a courier whose phone connects, in serving order, read from the database once. Register the
    /// phone first: a change that the answer lacks is then sent to it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_of(&self, courier: &Courier) -> Result<Vec<Order>, StoreError> {
        let reader = &self.reader;
        if reader.is_known(courier.id) {
            let ticket = reader.tracker.plan_ticket();
            let open = reader.store.open_orders_of(courier.id).await?;
            reader.set_plan(courier.id, ticket, open, courier.vehicle);
        } else {
            reader.read(&[courier.id]).await?;
        }
        // Not the orders just read: a newer plan may have come in between.
        Ok(reader.tracker.open_orders(courier.id))
    }

    /// Reads a courier's open orders anew, for the live view and for the courier's own screen. When the database is
    /// away, [`Plans::retry_outdated`] reads them later.
    pub async fn refresh(&self, courier: CourierId) {
        if let Err(error) = self.read_plan(courier).await {
            tracing::warn!(courier.id = %courier, error = %error, "could not read a courier's open orders; trying again");
            self.outdated.add(courier);
        }
    }

    async fn read_plan(&self, courier: CourierId) -> Result<(), StoreError> {
        // A courier must not enter the live view without what the database knows of them: that they are off duty,
        // for one.
        self.load(courier).await?;
        let reader = &self.reader;
        let ticket = reader.tracker.plan_ticket();
        let open = reader.store.open_orders_of(courier).await?;
        if let Some(known) = reader.store.courier(courier).await? {
            reader.set_plan(courier, ticket, open, known.vehicle);
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
    open: HashMap<CourierId, Vec<Order>>,
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
        let open = self.store.open_orders_of_each(couriers).await?;
        let shown_from = |open: &[Order]| open.iter().map(shown_from_ms).min().filter(|from_ms| *from_ms != i64::MAX);
        let since = open.iter().filter_map(|(courier, open)| Some((*courier, from_ms(shown_from(open)?))));
        let since: Vec<_> = since.collect();
        let fixes = self.store.newest_fixes_of_each(&since, SEED_FIXES).await?;
        let off_duty = self.store.off_duty_spans_of_each(couriers).await?;
        Ok(Read { couriers: known, open, fixes, off_duty })
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
            let open = read.open.remove(&courier.id).unwrap_or_default();
            self.set_plan(courier.id, ticket, open, courier.vehicle);
        }
    }

    fn set_plan(&self, courier: CourierId, ticket: u64, open: Vec<Order>, vehicle: Vehicle) {
        let tell = |stops| self.connections.tell(courier, &CourierEvent::Stops(stops));
        self.tracker.set_plan(courier, ticket, open, vehicle, self.clock.now_ms(), tell);
    }
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
