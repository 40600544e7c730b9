//! Couriers' plans and recent fixes, read from the database into the live view.
//!
//! A plan is read when a courier first concerns this instance and again whenever it or one of its orders changes; a plan
//! that the database could not give is read again a second later, so a committed change always reaches the live view,
//! the courier's phones and the consoles. Ingest, presence, the sessions of customers and couriers, and
//! [`super::lifecycle`] call this module. It changes no order; people's and couriers' wishes for the order of stops, and
//! what their screens have shown, come in through it.

mod outdated;
mod reader;

use std::{sync::Arc, time::Duration};

use doorstep_shared::{CourierId, protocol::courier::Stops};

use self::{
    outdated::Outdated,
    reader::{LOAD_AT_ONCE, Reader},
};
use super::waits::UsualWaits;
use crate::{
    domain::{
        courier::Courier,
        fleet::{FleetChange, PlanPlaces},
        order::{Actor, stops::stops_of},
    },
    live::{
        broker::{Broker, Fact},
        connections::Connections,
        following::Following,
        tracker::{Heard, Tracker},
    },
    platform::{clock::Clock, tasks::Tasks},
    store::{
        Store, StoreError,
        batch_loader::BatchLoader,
        plans::{NotReordered, WantedPlan},
    },
};

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

    /// Opens the feeds whose window has come near. The plan has the version that it had, so the other servers are told of
    /// the feed itself ([`Fact::FeedOpened`]), and tell their customers.
    ///
    /// # Errors
    /// When the database is away; some feeds may be open. Call it again.
    /// # Cancel safety
    /// A future that is dropped after a commit tells nobody of that feed; it is told with the plan's next change.
    pub async fn open_feeds(&self) -> Result<(), StoreError> {
        let (store, now) = (&self.reader.store, self.reader.clock.now());
        for courier in store.couriers_with_a_feed_to_open(now).await? {
            if store.open_feed(courier, now).await? {
                self.broker.tell(Fact::FeedOpened { courier });
                self.refresh(courier).await;
            }
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
