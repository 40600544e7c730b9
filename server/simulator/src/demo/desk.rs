//! Unassigned orders: what a dispatcher at the console finds to do.
//!
//! So many always wait; a dispatcher who assigns or cancels one finds another in its
//! place. The first was promised so soon that it is late before anybody looks: something for the inbox.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use chrono::{TimeDelta, Utc};
use doorstep_shared::{
    OrderId, OrderStatus, Vehicle,
    api::{PlaceBody, console::SavePickup},
};
use rand::rngs::StdRng;

use super::{cast, errand::Stage, shift::OpenOrders};
use crate::{
    api::{Api, ApiError},
    random::generator,
};

const WAITING: usize = 3;

const SAVED_PICKUPS: usize = 4;

/// How soon the next order comes after one was taken.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// When the first order was promised.
const SOON: TimeDelta = TimeDelta::minutes(2);

pub(super) struct Desk {
    api: Api,
    stage: Arc<Stage>,
    open: OpenOrders,
    random: StdRng,
    waiting: Vec<OrderId>,
    next_reference: u32,
}

impl Desk {
    /// Takes in the first orders.
    pub(super) async fn open(
        api: &Api,
        stage: &Arc<Stage>,
        open: &OpenOrders,
        seed: u64,
        first_reference: u32,
    ) -> Result<Self> {
        let (stage, open, random) = (Arc::clone(stage), Arc::clone(open), generator(seed, u64::MAX - 3));
        let mut desk =
            Self { api: api.clone(), stage, open, random, waiting: Vec::new(), next_reference: first_reference };
        desk.save_pickups().await?;
        desk.take_in(Some(SOON)).await?;
        desk.fill().await?;
        Ok(desk)
    }

    /// What the form of a new order offers. An earlier demo may have saved them.
    async fn save_pickups(&mut self) -> Result<(), ApiError> {
        for name in cast::MERCHANTS.into_iter().take(SAVED_PICKUPS) {
            let door = self.stage.any_door(&mut self.random);
            let place = PlaceBody {
                lat: door.point.lat(),
                lon: door.point.lon(),
                address: format!("{name}, {}", door.address),
                ..PlaceBody::default()
            };
            match self.api.save_pickup(&SavePickup { name: name.to_owned(), place }).await {
                Err(error) if !error.is_refusal() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Sees to it that orders wait, for as long as the demo runs.
    pub(super) async fn keep_full(mut self) -> ! {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(error) = self.look().await {
                tracing::warn!(error = format!("{error:#}"), "the waiting orders could not be looked at");
            }
        }
    }

    async fn look(&mut self) -> Result<(), ApiError> {
        let mut still_waiting = Vec::new();
        for id in std::mem::take(&mut self.waiting) {
            let status = self.api.order(id).await?.status;
            if status.is_final() {
                self.open.lock().expect("nothing panics while it holds the set").remove(&id);
            }
            if status == OrderStatus::Created {
                still_waiting.push(id);
            }
        }
        self.waiting = still_waiting;
        self.fill().await
    }

    async fn fill(&mut self) -> Result<(), ApiError> {
        while self.waiting.len() < WAITING {
            self.take_in(None).await?;
        }
        Ok(())
    }

    async fn take_in(&mut self, promised_in: Option<TimeDelta>) -> Result<(), ApiError> {
        let now = Utc::now();
        let here = self.stage.any_door(&mut self.random).point;
        let errand = self.stage.errands(here, 1, Vehicle::Scooter, &mut self.random).remove(0);
        let mut order = errand.order(format!("C-{}", self.next_reference), now);
        self.next_reference += 1;
        if let Some(within) = promised_in {
            (order.promised_from, order.promised_until) = (None, Some(now + within));
        }
        let created = self.api.create_order(&order).await?;
        self.open.lock().expect("nothing panics while it holds the set").insert(created.id);
        self.waiting.push(created.id);
        Ok(())
    }
}
