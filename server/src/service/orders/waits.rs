//! How long couriers usually wait at the pickups of a plan, for the courier's phone.
//!
//! Learning it reads up to 200 orders for each place, and it changes within days: what is known of a place is kept for a
//! while. It is a help and no more; when the database cannot say, the stops go out without it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use doorstep_shared::{
    LatLon, OrderId,
    protocol::courier::{StopKind, Stops},
};

use crate::{domain::plan::Planned, store::Store};

/// How long what is known of a place is kept.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Places that are kept. More kitchens than a town has. Overflow policy: all are forgotten and learned anew.
const MAX_KEPT: usize = 10_000;

/// Places asked about at once, the first of the plan; the courier hears of the others when they come nearer.
const MAX_ASKED: usize = 20;

/// Usual waits in seconds with the time at which they were read, by the bits of the pickup's latitude and longitude.
type Kept = HashMap<[u64; 2], (Instant, Option<u32>)>;

/// The usual waits, kept for a while. Shared by reference.
#[derive(Debug, Default)]
pub(super) struct UsualWaits {
    kept: Mutex<Kept>,
}

impl UsualWaits {
    /// Adds the usual waits to the stops of the same plan.
    pub(super) async fn complete(&self, stops: &mut Stops, planned: &Planned, store: &Store, now: DateTime<Utc>) {
        let pickups: Vec<_> = pickups(planned).take(MAX_ASKED).collect();
        let new: Vec<_> = pickups.iter().map(|(_, place)| *place).filter(|place| !self.knows(*place)).collect();
        match store.usual_waits(&new, now).await {
            Ok(usual) => self.keep(&new, &usual),
            Err(error) => tracing::warn!(error = %error, "could not read how long couriers usually wait"),
        }
        let kept = self.lock();
        let waits: HashMap<OrderId, u32> =
            pickups.into_iter().filter_map(|(order, place)| Some((order, kept.get(&key(place))?.1?))).collect();
        for stop in stops.stops.iter_mut().filter(|stop| stop.kind == StopKind::Pickup) {
            stop.usual_wait_s = waits.get(&stop.order_id).copied();
        }
    }

    fn knows(&self, place: LatLon) -> bool {
        self.lock().get(&key(place)).is_some_and(|(at, _)| at.elapsed() < KEPT_FOR)
    }

    fn keep(&self, places: &[LatLon], usual: &[Option<u32>]) {
        let mut kept = self.lock();
        if kept.len() + places.len() > MAX_KEPT {
            kept.clear();
        }
        let now = Instant::now();
        kept.extend(places.iter().zip(usual).map(|(place, usual)| (key(*place), (now, *usual))));
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pickups(planned: &Planned) -> impl Iterator<Item = (OrderId, LatLon)> {
    let pickups = planned.stops().filter(|(stop, _)| stop.kind == StopKind::Pickup);
    pickups.map(|(stop, order)| (stop.order_id, order.pickup.point))
}

fn key(place: LatLon) -> [u64; 2] {
    [place.lat().to_bits(), place.lon().to_bits()]
}
