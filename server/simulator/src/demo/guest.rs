//! The courier whom the visitor plays: no bot drives for them, and an order always waits.
//!
//! The visitor signs in with a link like any courier. As soon as one of their orders is over, the next one comes, each
//! asking for something else at the door, so that every screen of the app can be met.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use chrono::Utc;
use doorstep_shared::{
    CourierId, OrderId, Vehicle,
    api::{CourierView, CreateCourier, proof::ProofKind},
};
use rand::rngs::StdRng;

use super::{errand::Stage, shift::OpenOrders};
use crate::{
    api::{Api, ApiError},
    random::generator,
};

/// What the successive orders ask for at the door.
const PROOFS: [&[ProofKind]; 3] = [&[], &[ProofKind::Pin], &[ProofKind::Photo, ProofKind::Signature]];

/// So many orders wait at a time: one to bring, and one to see in the list.
const WAITING: usize = 2;

/// How soon the next order comes after one is over.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Who the visitor is. The number tells them from the others when the demo runs again.
pub(super) fn identity() -> CreateCourier {
    CreateCourier::plain("Sam", Some(format!("{} 2097 0000", super::NUMBERS)), Vehicle::Scooter)
}

/// What the visitor opens to be a courier.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Signs them in, once.
    pub sign_in_url: String,
    /// The page of the customer whose order comes first.
    pub customer_url: String,
}

pub(super) struct Guest {
    api: Api,
    courier: CourierId,
    stage: Arc<Stage>,
    open: OpenOrders,
    random: StdRng,
    waiting: Vec<OrderId>,
    taken: usize,
    first_reference: u32,
}

impl Guest {
    /// Registers the visitor's courier, unless an earlier demo did, and gives them their first orders.
    pub(super) async fn invite(
        api: &Api,
        known: Option<CourierView>,
        stage: &Arc<Stage>,
        open: &OpenOrders,
        seed: u64,
        first_reference: u32,
    ) -> Result<(Self, Invitation)> {
        let courier = match known {
            Some(known) => known,
            None => api.create_courier(&identity()).await.context("cannot register the visitor's courier")?,
        };
        let device = api.create_device(courier.id, "Your phone").await?;
        let random = generator(seed, u64::MAX - 2);
        let (stage, open) = (Arc::clone(stage), Arc::clone(open));
        let waiting = Vec::new();
        let mut guest =
            Self { api: api.clone(), courier: courier.id, stage, open, random, waiting, taken: 0, first_reference };
        let customer_url = guest.take().await?;
        while guest.waiting.len() < WAITING {
            guest.take().await?;
        }
        Ok((guest, Invitation { sign_in_url: device.sign_in_url, customer_url }))
    }

    /// Sees to it that an order waits, for as long as the demo runs.
    pub(super) async fn keep_busy(mut self) -> ! {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(error) = self.look().await {
                tracing::warn!(error = format!("{error:#}"), "the visitor's orders could not be looked at");
            }
        }
    }

    async fn look(&mut self) -> Result<(), ApiError> {
        let mut still_waiting = Vec::new();
        for id in std::mem::take(&mut self.waiting) {
            if self.api.order(id).await?.status.is_final() {
                self.open.lock().expect("nothing panics while it holds the set").remove(&id);
            } else {
                still_waiting.push(id);
            }
        }
        self.waiting = still_waiting;
        while self.waiting.len() < WAITING {
            self.take().await?;
        }
        Ok(())
    }

    /// Creates the next order and gives it to the visitor; returns the customer's link.
    async fn take(&mut self) -> Result<String, ApiError> {
        let errand = self.stage.first_errand(Vehicle::Scooter, &mut self.random);
        let reference = format!("B-{}", self.first_reference + self.taken as u32);
        let mut order = errand.order(reference, Utc::now());
        order.proof = Some(PROOFS[self.taken % PROOFS.len()].to_vec());
        self.taken += 1;
        let created = self.api.create_order(&order).await?;
        self.open.lock().expect("nothing panics while it holds the set").insert(created.id);
        self.waiting.push(created.id);
        self.api.assign(created.id, self.courier).await?;
        Ok(created.tracking_url)
    }
}
