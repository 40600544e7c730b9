//! Reads couriers' plans and recent fixes from the database into the live view, many couriers with few queries.

use std::{collections::HashMap, ops::Range, sync::Arc, time::Duration};

use doorstep_shared::{
    CourierId, Fix, Vehicle,
    protocol::courier::{CourierEvent, Stops},
};

use crate::{
    domain::{
        courier::Courier,
        order::{
            Order,
            stops::{guessed_arrivals, stops_of, with_arrivals},
        },
        plan::Planned,
        track::duty::OffDuty,
    },
    live::{
        connections::Connections,
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
pub(super) const LOAD_AT_ONCE: usize = 500;

/// Reads from the database into the live view. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) store: Store,
    pub(super) tracker: Arc<Tracker>,
    pub(super) connections: Arc<Connections>,
    pub(super) clock: Clock,
}

/// What the database knows of several couriers.
struct Read {
    couriers: Vec<Courier>,
    planned: HashMap<CourierId, Planned>,
    fixes: HashMap<CourierId, Vec<Fix>>,
    off_duty: HashMap<CourierId, Vec<Range<i64>>>,
}

impl Reader {
    pub(super) fn into_batch_loader(self, tasks: &Tasks) -> BatchLoader<CourierId, ()> {
        BatchLoader::with_limits(BATCHES, "couriers", tasks, move |couriers: Vec<CourierId>| {
            let reader = self.clone();
            async move {
                reader.read(&couriers).await?;
                Ok(couriers.into_iter().map(|courier| (courier, ())).collect())
            }
        })
    }

    /// Whether the live view knows a courier, who is then not forgotten for a while.
    pub(super) fn is_known(&self, courier: CourierId) -> bool {
        self.tracker.keep(courier, self.clock.now_ms())
    }

    pub(super) async fn read(&self, couriers: &[CourierId]) -> Result<(), StoreError> {
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
            let update = self.tracker.seed(courier.id, known, now_ms);
            let planned = read.planned.remove(&courier.id).unwrap_or_default();
            self.set_plan(courier.id, ticket, planned, courier.vehicle);
            self.tracker.show_filled_in(courier.id, &update);
        }
    }

    pub(super) fn set_plan(&self, courier: CourierId, ticket: u64, planned: Planned, vehicle: Vehicle) {
        let stops = stops_of(&planned);
        self.set_plan_with_stops(courier, ticket, planned, vehicle, stops);
    }

    pub(super) fn set_plan_with_stops(
        &self,
        courier: CourierId,
        ticket: u64,
        planned: Planned,
        vehicle: Vehicle,
        stops: Stops,
    ) {
        let for_phones = self.with_times(courier, &planned, vehicle, stops.clone());
        let tell = || self.connections.tell(courier, &CourierEvent::Stops(for_phones));
        self.tracker.set_plan((courier, ticket), planned, vehicle, comparable(stops), self.clock.now_ms(), tell);
    }

    /// The stops with the times that can be guessed from what is at hand.
    pub(super) fn with_times(&self, courier: CourierId, planned: &Planned, vehicle: Vehicle, stops: Stops) -> Stops {
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
