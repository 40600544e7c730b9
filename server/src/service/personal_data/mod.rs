//! A person's data: exported, erased on request, and gone when its time is over.
//!
//! A customer is who gets orders under a number or an e-mail address, a courier is one of ours. Admins and the command line
//! ask; housekeeping ends what is due. All of it works in batches with pauses between them, so that the database goes on
//! storing positions meanwhile. The database changes first and pictures go second; one that a crash leaves behind
//! belongs to no proof any more, and [`super::proofs`] finds it.

mod archive;
mod erase;
mod export;
mod retention;

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, Fix, OrderId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::archive::ArchiveFile;
use super::proofs::files::ProofStore;
use crate::{
    domain::{person::Sought, pins},
    platform::clock::Clock,
    store::{Store, StoreError},
};

/// Orders that one transaction erases or one part of an export holds.
const ORDERS_AT_ONCE: i64 = 200;

/// Between batches, so that they take a part of the disk's time and not all of it.
const PAUSE: Duration = Duration::from_millis(50);

/// Writes a courier's fixes as a GPX file, under the name that is given.
pub type WriteGpx = fn(&str, &[Fix], DateTime<Utc>) -> String;

/// Why a person's data was neither exported nor erased.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// There is nothing about them.
    #[error("there is nothing about this person")]
    Unknown,
    /// They have this many orders that are not over; of a courier also those whose goods are on board.
    #[error("{0} orders of this person are not over; deliver, return or cancel them first")]
    OpenOrders(u64),
    /// They sign in to the console.
    #[error("this address signs in to the console; disable the account first")]
    Account,
    /// Another export or erasure is under way.
    #[error("another export or erasure is under way")]
    Busy,
    /// The database is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A picture could not be read or deleted, or the export could not be written.
    #[error("a file could not be read, written or deleted")]
    Files(#[from] io::Error),
}

/// The use cases of a person's data. Shared by reference.
#[derive(Debug)]
pub struct PersonalData {
    store: Store,
    pictures: Arc<dyn ProofStore>,
    clock: Clock,
    /// Where exports lie while they are made.
    folder: PathBuf,
    gpx: WriteGpx,
    /// One at a time: each reads or writes as much as the database gives.
    turn: Arc<Semaphore>,
}

impl PersonalData {
    /// The use cases over these means. Exports are made in `folder`, where they have no name.
    pub fn new(store: Store, pictures: Arc<dyn ProofStore>, clock: Clock, folder: PathBuf, gpx: WriteGpx) -> Self {
        Self { store, pictures, clock, folder, gpx, turn: Arc::new(Semaphore::new(1)) }
    }

    fn turn(&self) -> Result<OwnedSemaphorePermit, PersonError> {
        Arc::clone(&self.turn).try_acquire_owned().map_err(|_| PersonError::Busy)
    }

    /// A customer's orders, behind `after`; none once all were given.
    async fn some_orders(&self, sought: &Sought, after: Option<OrderId>) -> Result<Vec<OrderId>, StoreError> {
        self.store.orders_of_customer(sought, after, ORDERS_AT_ONCE).await
    }

    /// The keys of the pins at the doors of these orders.
    async fn pin_keys(&self, orders: &[OrderId]) -> Result<Vec<String>, StoreError> {
        let doors = self.store.doors_of(orders).await?;
        Ok(doors.iter().filter_map(|door| pins::key_of(door)).collect())
    }

    /// Whether there is a courier of whom something is known.
    async fn check_courier(&self, courier: CourierId) -> Result<(), PersonError> {
        match self.store.is_courier_erased(courier).await? {
            Some(false) => Ok(()),
            Some(true) | None => Err(PersonError::Unknown),
        }
    }
}
