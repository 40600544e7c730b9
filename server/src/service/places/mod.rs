//! Where addresses are: the operator's pins, their geocoder, and the area's own addresses, in this order.
//!
//! Searches at the console, imports of orders and doors that couriers propose come here. Pins are kept in memory and their
//! version is compared with the database's before each use, so a correction made at another server counts at once; while
//! the database is away the last ones count. [`Directory`] is the part that needs no network, for one piece of work.

mod doors;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use doorstep_area::places::Found;
use doorstep_shared::{
    ExceptionId, LatLon, PinId,
    api::pins::{MAX_PINS, PinnedAddress},
};

use self::doors::Remembered;
use super::{
    areas::{Area, Areas},
    geocoder::{Geocoder, Wanted},
};
use crate::{
    domain::{
        order::Actor,
        pins::{self, Pin, Pins, Place},
    },
    platform::clock::Clock,
    store::{Store, StoreError, pins::Pinning},
};

/// Countries where 3/4 is in March, by their ISO 3166-1 codes.
const MONTH_FIRST: [&str; 8] = ["US", "PR", "VI", "GU", "AS", "MP", "PH", "FM"];

/// Why an address was not pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The address has no word in it.
    #[error("the address names nothing")]
    NoAddress,
    /// Searches answer with nothing that lies there.
    #[error("it lies outside the area {0}")]
    OutsideArea(String),
    /// There are [`MAX_PINS`] already.
    #[error("there are {MAX_PINS} pins already")]
    Enough,
    /// No such exception, or it proposes no door.
    #[error("no door is proposed there")]
    NoProposal,
    /// The database is away.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where addresses are. Shared by reference.
#[derive(Debug)]
pub struct Places {
    areas: Arc<Areas>,
    store: Store,
    clock: Clock,
    geocoder: Option<Geocoder>,
    pins: ArcSwap<Known>,
    /// Whether the last look at the database failed, so that it is logged once.
    is_blind: AtomicBool,
    remembered: Remembered,
}

/// Pins, and the version of the database's that they are.
#[derive(Debug)]
struct Known {
    version: i64,
    pins: Arc<Pins>,
}

/// The area's addresses with the operator's pins, for one piece of work.
#[derive(Clone, Debug)]
pub struct Directory {
    area: Arc<Area>,
    pins: Arc<Pins>,
}

impl Places {
    /// Nothing is asked yet.
    pub fn new(areas: Arc<Areas>, store: Store, clock: Clock, geocoder: Option<Geocoder>) -> Self {
        // No version of the database is less than none.
        let pins = ArcSwap::from_pointee(Known { version: -1, pins: Arc::default() });
        Self { areas, store, clock, geocoder, pins, is_blind: AtomicBool::default(), remembered: Remembered::default() }
    }

    /// Pins and area as they are now.
    pub async fn directory(&self) -> Directory {
        Directory { area: self.areas.current(), pins: self.current_pins().await }
    }

    /// The best places for what was typed, the best first.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn search(&self, text: String, near: Option<LatLon>, limit: usize) -> Vec<Place> {
        let directory = self.directory().await;
        let asked = match &self.geocoder {
            // Whoever types has no time to wait for a turn.
            Some(geocoder) => geocoder.search(&directory.wanted(&text, near, limit), Duration::ZERO).await,
            None => None,
        };
        blocking(move || directory.places(&text, near, limit, asked)).await.unwrap_or_default()
    }

    /// What is at a point, the pinned address first.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn at(&self, point: LatLon) -> Vec<Place> {
        let directory = self.directory().await;
        blocking(move || directory.pins.at(point, directory.area.at(point))).await.unwrap_or_default()
    }

    /// Pins an address, and takes away another pin of the same.
    ///
    /// # Errors
    /// [`PinError`]; nothing was changed then.
    /// # Cancel safety
    /// It may be pinned all the same.
    pub async fn pin(&self, pin: &Pin, by: &Actor) -> Result<PinnedAddress, PinError> {
        let area = self.areas.current();
        if !area.view().contains(pin.point) {
            return Err(PinError::OutsideArea(area.view().name.clone()));
        }
        let key = pins::key_of(&pin.address).ok_or(PinError::NoAddress)?;
        match self.store.put_pin(pin, &key, by, self.clock.now()).await? {
            Pinning::Pinned(shown) => Ok(shown),
            Pinning::Enough => Err(PinError::Enough),
        }
    }

    /// Takes the door that a courier proposed: pins the order's address there.
    ///
    /// # Errors
    /// [`PinError`]; nothing was changed then.
    /// # Cancel safety
    /// It may be pinned all the same.
    pub async fn take_proposal(&self, exception: ExceptionId, by: &Actor) -> Result<PinnedAddress, PinError> {
        let proposal = self.store.proposed_door(exception).await?.ok_or(PinError::NoProposal)?;
        // The same one when it is taken twice.
        let id = PinId::from_uuid(*exception.as_uuid());
        self.pin(&Pin { id, address: proposal.address, point: proposal.point }, by).await
    }

    async fn current_pins(&self) -> Arc<Pins> {
        match self.refresh_pins().await {
            Ok(()) => self.is_blind.store(false, Ordering::Relaxed),
            Err(error) => {
                if !self.is_blind.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "pinned addresses cannot be read; the last ones count");
                }
            }
        }
        Arc::clone(&self.pins.load().pins)
    }

    /// Reads the pins again if they changed.
    async fn refresh_pins(&self) -> Result<(), StoreError> {
        // The version first: what is read behind it may be newer, and is then read once more.
        let version = self.store.pins_version().await?;
        if version == self.pins.load().version {
            return Ok(());
        }
        let pins = self.store.all_pins().await?;
        let Some(pins) = blocking(move || Arc::new(Pins::new(pins))).await else { return Ok(()) };
        let known = Arc::new(Known { version, pins });
        // Of two that read at the same time the older one may come last.
        self.pins.rcu(|before| if before.version < version { Arc::clone(&known) } else { Arc::clone(before) });
        Ok(())
    }
}

impl Directory {
    /// The door of an address, for a program: its pin, or what the area knows best. Blocks.
    pub fn door(&self, text: &str, near: Option<LatLon>) -> Option<Found> {
        let mapped = || self.area.search(text, near, 1).into_iter().next();
        self.pins.place(text, mapped, near, |point| self.is_here(point)).map(|place| place.found)
    }

    /// Whether streets are known around a point.
    pub fn is_here(&self, point: LatLon) -> bool {
        self.area.view().contains(point)
    }

    /// What the area is called.
    pub fn area_name(&self) -> &str {
        &self.area.view().name
    }

    /// Whether people here write the month before the day where both are numbers.
    pub fn writes_month_first(&self) -> bool {
        self.area.view().country.as_deref().is_some_and(|country| MONTH_FIRST.contains(&country))
    }

    /// Blocks.
    fn places(&self, text: &str, near: Option<LatLon>, limit: usize, asked: Option<Vec<Found>>) -> Vec<Place> {
        let found = asked.unwrap_or_else(|| self.area.search(text, near, limit));
        self.pins.before(text, found, (near, limit), |point| self.is_here(point))
    }

    fn wanted(&self, text: &str, near: Option<LatLon>, limit: usize) -> Wanted {
        let (text, question) = (text.to_owned(), text.to_owned());
        Wanted { text, question, near, bounds: self.area.view().bounds, limit }
    }
}

/// Searching takes milliseconds: not on a thread that serves connections. `None` when it panicked, which was logged.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
