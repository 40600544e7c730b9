//! The area that this server delivers in: its streets, addresses, zone and map.
//!
//! Planner, tours, suggestions, searches and pages take [`Areas::current`] when they need it and keep it for one piece
//! of work, so another area can take its place at any time: it is read beside the running server and swapped in as a
//! whole. What stands in the data folder decides, not this process: [`Areas::follow`] sees a choice of the command line
//! or of another server on the same folder within a second or so. An area that cannot be used leaves the one before in
//! use, and readiness says why.

mod area;
mod basemap;
mod importing;
pub mod news;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use chrono_tz::Tz;
use doorstep_area::library::{Library, LibraryError, StoredArea};
use doorstep_shared::api::area::AreaId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::{
    area::{Area, AreaError},
    basemap::{Basemap, BasemapError, Tiles},
    importing::{ImportFailed, Imports, Upload},
};

/// How often the choice in the data folder is looked at: a file of some bytes, which the system has in memory.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Something about the area that an operator should know, for `/health/ready`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaNote {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// The area in use, and the others in the data folder. Shared by reference.
#[derive(Debug)]
pub struct Areas {
    library: Library,
    basemap: Basemap,
    /// The operator's zone, which counts more than the area's.
    time_zone: Option<Tz>,
    current: ArcSwap<Area>,
    /// The id of the area in use, for those who wait for another one.
    changes: watch::Sender<AreaId>,
    /// The choice that could not be followed, and why.
    refused: Mutex<Option<(AreaId, String)>>,
    imports: Arc<Imports>,
    /// Ends a running import.
    shutdown: CancellationToken,
}

impl Areas {
    /// Reads the area that the data folder names. One that cannot be used is replaced by the built-in one, because
    /// couriers out there need their server more than its streets.
    ///
    /// # Errors
    /// When the data folder cannot be read.
    pub async fn open(
        data_dir: &Path,
        basemap: Basemap,
        time_zone: Option<Tz>,
        shutdown: CancellationToken,
    ) -> Result<Arc<Self>, AreaError> {
        let library = Library::under(data_dir);
        let opened = blocking(move || {
            library.tidy();
            let id = library.current()?;
            let loaded = load(&library, &id);
            let (area, refused) = match loaded {
                Ok(area) => (area, None),
                Err(error) => (Area::built_in()?, Some((id, error.to_string()))),
            };
            Ok((library, area, refused))
        });
        let (library, area, refused) = opened.await?;
        if let Some((id, reason)) = &refused {
            tracing::error!(area.id = %id, reason, "the area cannot be used; the built-in one takes its place");
        }
        tracing::info!(area.id = %area.id(), "the area in use");
        let changes = watch::Sender::new(area.id().clone());
        let (current, refused) = (ArcSwap::from_pointee(area), Mutex::new(refused));
        let imports = Arc::default();
        Ok(Arc::new(Self { library, basemap, time_zone, current, changes, refused, imports, shutdown }))
    }

    /// The area in use. To be kept for one piece of work, and no longer.
    pub fn current(&self) -> Arc<Area> {
        self.current.load_full()
    }

    /// The zone in which times are written for people.
    pub fn time_zone(&self) -> Tz {
        self.time_zone.unwrap_or_else(|| self.current.load().time_zone())
    }

    /// Where the map's tiles and style come from.
    pub fn basemap(&self) -> &Basemap {
        &self.basemap
    }

    /// The areas of the data folder.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// All areas of the data folder, by name.
    ///
    /// # Errors
    /// When the data folder cannot be read.
    pub async fn list(&self) -> Result<Vec<StoredArea>, AreaError> {
        let library = self.library.clone();
        blocking(move || Ok(library.list()?)).await
    }

    /// Removes an area from disk.
    ///
    /// # Errors
    /// [`LibraryError::InUse`], [`LibraryError::BuiltIn`], [`LibraryError::Unknown`], or that it cannot be removed.
    pub async fn remove(&self, id: AreaId) -> Result<(), AreaError> {
        let library = self.library.clone();
        blocking(move || Ok(library.remove(&id)?)).await
    }

    /// The running import, and what came of the last one.
    pub fn imports(&self) -> &Imports {
        &self.imports
    }

    /// Tells the id of the area in use, now and after every swap.
    pub fn subscribe(&self) -> watch::Receiver<AreaId> {
        self.changes.subscribe()
    }

    /// An area by its id, also one that is not in use.
    ///
    /// # Errors
    /// [`LibraryError::Unknown`], or that it cannot be used.
    pub async fn stored(&self, id: AreaId) -> Result<StoredArea, AreaError> {
        let current = self.current();
        if *current.id() == id {
            return Ok(current.stored().clone());
        }
        let library = self.library.clone();
        blocking(move || Ok(library.open(&id)?)).await
    }

    /// What an operator should know about the area in use.
    pub fn notes(&self) -> Vec<AreaNote> {
        let refused = self.refused().clone().map(|(id, reason)| AreaNote {
            code: "area_refused",
            message: format!("the area {id} is chosen and cannot be used: {reason}"),
        });
        let area = self.current();
        let no_streets = area.roads().is_none().then(|| AreaNote {
            code: "no_streets",
            message: format!("no streets are known in the area {}: arrivals are guessed", area.id()),
        });
        refused.into_iter().chain(no_streets).collect()
    }

    /// Chooses the area `id` for this server and all others on its data folder, and swaps it in.
    ///
    /// # Errors
    /// When there is no such area or it cannot be used; then nothing changes.
    pub async fn choose(&self, id: AreaId) -> Result<(), AreaError> {
        let library = self.library.clone();
        let area = blocking(move || {
            let area = load(&library, &id)?;
            library.choose(&id)?;
            Ok(area)
        });
        self.swap(area.await?);
        Ok(())
    }

    /// Swaps in whatever the data folder names from now on. Runs until it is cancelled.
    pub async fn follow(self: Arc<Self>) {
        let mut clock = tokio::time::interval(LOOK_EVERY);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            if let Err((id, error)) = self.look().await {
                let is_new = self.refuse(id.clone(), error.to_string());
                if is_new {
                    tracing::error!(area.id = %id, error = %error, "the area cannot be used; the one before stays");
                }
            }
        }
    }

    /// Follows the choice in the data folder, if it is another one.
    async fn look(&self) -> Result<(), (AreaId, AreaError)> {
        let library = self.library.clone();
        let chosen = blocking(move || Ok(library.current()?)).await;
        let chosen = chosen.map_err(|error| (self.current().id().clone(), error))?;
        if chosen == *self.current().id() {
            *self.refused() = None;
            return Ok(());
        }
        if self.refused().as_ref().is_some_and(|(refused, _)| *refused == chosen) {
            return Ok(());
        }
        let (library, id) = (self.library.clone(), chosen.clone());
        let area = blocking(move || load(&library, &id)).await.map_err(|error| (chosen, error))?;
        self.swap(area);
        Ok(())
    }

    fn swap(&self, area: Area) {
        let id = area.id().clone();
        self.current.store(Arc::new(area));
        *self.refused() = None;
        tracing::info!(area.id = %id, "another area is in use");
        metrics::counter!("doorstep_area_swaps_total").increment(1);
        self.changes.send_if_modified(|known| {
            let is_new = *known != id;
            *known = id;
            is_new
        });
    }

    /// Notes why a choice cannot be followed. Returns whether that is news.
    fn refuse(&self, id: AreaId, reason: String) -> bool {
        let refusal = Some((id, reason));
        let mut refused = self.refused();
        let is_new = *refused != refusal;
        *refused = refusal;
        is_new
    }

    fn refused(&self) -> MutexGuard<'_, Option<(AreaId, String)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(library: &Library, id: &AreaId) -> Result<Area, AreaError> {
    Area::load(library.open(id)?)
}

/// Reads `west,south,east,north` in degrees.
///
/// # Errors
/// A sentence about what is wrong with it.
pub fn parse_bounds(text: &str) -> Result<[f64; 4], String> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    let bounds: Option<[f64; 4]> = numbers.and_then(|numbers| numbers.try_into().ok());
    bounds.ok_or_else(|| format!("bounds are west,south,east,north in degrees, not {text:?}"))
}

/// Reading files and building indexes takes seconds for a large city: not on a thread that serves connections.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AreaError> + Send + 'static,
) -> Result<T, AreaError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(AreaError::Panicked))
}

impl From<LibraryError> for AreaError {
    fn from(error: LibraryError) -> Self {
        Self::Library(error)
    }
}
