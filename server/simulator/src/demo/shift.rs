//! A courier's working day: take orders, fetch, bring, begin again.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Result, bail};
use chrono::Utc;
use doorstep_shared::{
    CourierId, LatLon, OrderId, OrderStatus, Vehicle,
    protocol::courier::{Stop, StopKind},
};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

use super::{
    cast,
    errand::{Errand, Fate, Stage},
    phone::Phone,
};
use crate::{
    api::{Api, ApiError},
    streets::Door,
};

const TWO_ORDERS: f64 = 0.25;
const REMEMBERED: usize = 16;
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// Orders that are under way, to be called off when the demo ends.
pub(super) type OpenOrders = Arc<Mutex<HashSet<OrderId>>>;

/// Told the customer's link of the order that comes next.
pub(super) type TellNext = Box<dyn Fn(&str) + Send + Sync>;

pub(super) struct Shift {
    pub api: Api,
    pub courier: CourierId,
    pub vehicle: Vehicle,
    pub phone: Phone,
    pub stage: Arc<Stage>,
    pub open: OpenOrders,
    pub random: StdRng,
    pub next_reference: u32,
    /// Orders that are over: the phone may not have heard of that yet.
    pub lately: VecDeque<OrderId>,
    /// Set for the courier whose customer a visitor looks at.
    pub tell_next: Option<TellNext>,
}

/// An order that this courier has.
pub(super) struct Taken {
    pub order: OrderId,
    pub errand: Errand,
}

impl Shift {
    /// Works until the server tells this courier to go away; trouble with single orders is survived.
    pub(super) async fn work(mut self) -> Result<()> {
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(courier.id = %self.courier, error = format!("{error:#}"), "an order went wrong");
                self.phone.wait(AFTER_TROUBLE).await;
            }
            if self.phone.is_stopped() {
                bail!("the server turned courier {} away", self.courier);
            }
            let pause_s = self.random.random_range(8.0..40.0);
            self.phone.wait(Duration::from_secs_f64(pause_s)).await;
        }
    }

    /// Begins at the merchant's, with the order that a visitor looks at: picked up within seconds.
    pub(super) async fn work_with(mut self, taken: Taken) -> Result<()> {
        self.phone.wait(Duration::from_secs(2)).await;
        self.phone.report(taken.order, OrderStatus::AtPickup, None).await;
        self.phone.wait(Duration::from_secs(4)).await;
        self.phone.report(taken.order, OrderStatus::PickedUp, None).await;
        self.bring(taken).await?;
        self.work().await
    }

    async fn round(&mut self) -> Result<()> {
        if let Some((order, merchant)) = self.to_bring_back() {
            self.bring_back(order, merchant).await;
            return Ok(());
        }
        if let Some(given) = self.given() {
            return self.deliver(vec![given]).await;
        }
        let count = if self.random.random_bool(TWO_ORDERS) { 2 } else { 1 };
        let errands = self.stage.errands(self.phone.place(), count, self.vehicle, &mut self.random);
        let mut taken = Vec::new();
        for errand in errands {
            let (next, customer_url) = self.take(errand).await?;
            // Of two orders the first is brought first.
            if let Some(tell_next) = self.tell_next.as_ref().filter(|_| taken.is_empty()) {
                tell_next(&customer_url);
            }
            taken.push(next);
            self.phone.wait(Duration::from_secs(2)).await;
        }
        self.deliver(taken).await
    }

    /// Fetches orders and brings them in the order of the plan.
    async fn deliver(&mut self, taken: Vec<Taken>) -> Result<()> {
        let mut taken = self.fetch(taken).await?;
        self.reorder_perhaps(&mut taken).await?;
        for mut taken in taken {
            self.move_door_perhaps(&mut taken).await?;
            self.bring(taken).await?;
        }
        Ok(())
    }

    /// An order that a dispatcher gave to this courier.
    fn given(&self) -> Option<Taken> {
        let stops = self.phone.stops();
        let door = |stop: &Stop| {
            Some(Door { point: LatLon::try_new(stop.lat, stop.lon).ok()?, address: stop.address.clone() })
        };
        let is_new = |stop: &&Stop| !self.lately.contains(&stop.order_id);
        let last = stops.iter().filter(is_new).find(|stop| stop.kind == StopKind::Dropoff)?;
        let order = last.order_id;
        let first = stops.iter().find(|stop| stop.order_id == order && stop.kind == StopKind::Pickup);
        let dropoff = door(last)?;
        // What is on board already is not fetched.
        let here = Door { point: self.phone.place(), address: String::new() };
        let pickup = first.and_then(door).unwrap_or(here);
        self.open().insert(order);
        Some(Taken { order, errand: Errand::given(pickup, dropoff) })
    }

    /// Creates the order, gives it to this courier and tells the customer's link.
    pub(super) async fn take(&mut self, errand: Errand) -> Result<(Taken, String)> {
        let reference = format!("A-{}", self.next_reference);
        self.next_reference += 1;
        let created = self.api.create_order(&errand.order(reference, Utc::now())).await?;
        self.open().insert(created.id);
        self.api.assign(created.id, self.courier).await?;
        Ok((Taken { order: created.id, errand }, created.tracking_url))
    }

    /// Rides to the merchant and collects what is left of the orders.
    async fn fetch(&mut self, mut taken: Vec<Taken>) -> Result<Vec<Taken>> {
        let pickup = taken[0].errand.pickup.point;
        if let Some(index) = taken.iter().position(|taken| taken.errand.fate == Fate::Cancelled) {
            let until_cancelled = Duration::from_secs_f64(self.random.random_range(15.0..60.0));
            self.phone.ride_for(pickup, until_cancelled).await;
            self.cancel(taken.remove(index)).await?;
            if taken.is_empty() {
                return Ok(taken);
            }
        }
        let first = taken[0].order;
        if !self.take_away_perhaps(first).await? {
            self.over(taken.remove(0).order);
            if taken.is_empty() {
                return Ok(taken);
            }
        }
        self.phone.ride_to(pickup).await;
        for taken in &taken {
            self.phone.report(taken.order, OrderStatus::AtPickup, None).await;
        }
        self.wait_longer_perhaps(taken[0].order).await;
        let packing_s = self.random.random_range(20.0..75.0);
        self.phone.wait(Duration::from_secs_f64(packing_s)).await;
        for taken in &taken {
            self.phone.report(taken.order, OrderStatus::PickedUp, None).await;
        }
        Ok(taken)
    }

    async fn cancel(&mut self, taken: Taken) -> Result<()> {
        let reason = cast::CANCELLATIONS.choose(&mut self.random).copied();
        self.over(taken.order);
        match self.api.set_status(taken.order, OrderStatus::Cancelled, reason).await {
            // A dispatcher was quicker.
            Err(error) if is_invalid_transition(&error) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Rides to the door and ends the order there, or wherever a failure leads.
    async fn bring(&mut self, taken: Taken) -> Result<()> {
        self.phone.ride_to(taken.errand.dropoff.point).await;
        self.ring(taken.order).await;
        if taken.errand.fate == Fate::Failed {
            return self.fail(&taken).await;
        }
        self.hand_over(&taken).await;
        Ok(())
    }

    /// Stands at the door.
    pub(super) async fn ring(&mut self, order: OrderId) {
        self.phone.report(order, OrderStatus::AtDropoff, None).await;
        let at_door_s = self.random.random_range(15.0..50.0);
        self.phone.wait(Duration::from_secs_f64(at_door_s)).await;
    }

    pub(super) async fn hand_over(&mut self, taken: &Taken) {
        let note = cast::HANDOVERS.choose(&mut self.random).copied();
        self.phone.report(taken.order, OrderStatus::Delivered, note).await;
        self.over(taken.order);
    }

    pub(super) fn over(&mut self, order: OrderId) {
        self.open().remove(&order);
        if self.lately.len() == REMEMBERED {
            self.lately.pop_front();
        }
        self.lately.push_back(order);
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashSet<OrderId>> {
        self.open.lock().expect("nothing panics while it holds the set")
    }
}

fn is_invalid_transition(error: &ApiError) -> bool {
    error.code() == Some("invalid_transition")
}
