//! Imports that this server runs itself, of extracts that an admin uploads.
//!
//! One at a time, on a thread of its own in the idle class, so that positions never wait for it. What fails leaves the
//! area before in use and says why; nothing of it stays on disk. The last outcome is kept until the next import begins.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use doorstep_area::{
    import::{self, ImportError, Options, Progress, Stage},
    library::{LibraryError, Staging},
};
use doorstep_shared::api::area::{AreaId, AreaImport, AreaImportStage, AreaImportState};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{AreaError, Areas};
use crate::platform::{background_thread::run_idle, tasks::Tasks};

/// Why an upload became no area.
#[derive(Debug, thiserror::Error)]
pub enum ImportFailed {
    /// The extract.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The data folder.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The area that came of it.
    #[error(transparent)]
    Area(AreaError),
    /// The extract did not arrive whole.
    #[error("{0}")]
    Upload(String),
    /// The thread could not be started, or panicked.
    #[error("the import failed within")]
    Panicked,
}

impl ImportFailed {
    /// What happened, for the person who sent the file: its name here would tell them nothing.
    fn sentence(&self) -> String {
        match self {
            Self::Import(ImportError::Extract { reason, .. }) => {
                format!("the file is no usable OpenStreetMap extract (.osm.pbf): {reason}")
            }
            Self::Import(ImportError::Unwritable { source, .. })
            | Self::Library(LibraryError::Unwritable { source, .. }) => {
                format!("the server cannot write the area: {source}")
            }
            other => other.to_string(),
        }
    }
}

/// The running import, or what came of the last one.
#[derive(Debug, Default)]
pub struct Imports {
    last: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    shown: AreaImport,
    cancelled: Arc<AtomicBool>,
}

/// An import that holds the data folder's lock and whose extract is still to come. Dropping it leaves nothing behind.
#[derive(Debug)]
pub struct Upload {
    staging: Staging,
    turn: Turn,
}

/// The one import that may run. Dropping it before it has an outcome is its outcome: the client went away.
#[derive(Debug)]
struct Turn {
    imports: Arc<Imports>,
    cancelled: Arc<AtomicBool>,
    shutdown: CancellationToken,
    is_over: AtomicBool,
}

impl Turn {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire) || self.shutdown.is_cancelled()
    }

    fn end(&self, outcome: &Result<AreaId, ImportFailed>) {
        self.is_over.store(true, Ordering::Release);
        self.imports.end(outcome);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_over.load(Ordering::Acquire) {
            self.imports.end(&Err(ImportError::Cancelled.into()));
        }
    }
}

impl Imports {
    /// The running import or the last one's outcome; `None` before the first.
    pub fn shown(&self) -> Option<AreaImport> {
        self.lock().as_ref().map(|running| running.shown.clone())
    }

    /// Asks the running import to end. Returns whether there is one.
    pub fn cancel(&self) -> bool {
        let last = self.lock();
        let running = last.as_ref().filter(|running| running.shown.state == AreaImportState::Importing);
        if let Some(running) = running {
            running.cancelled.store(true, Ordering::Release);
        }
        running.is_some()
    }

    fn begin(&self, cancelled: &Arc<AtomicBool>) {
        let shown = AreaImport {
            state: AreaImportState::Importing,
            stage: Some(AreaImportStage::Upload),
            share: Some(0.0),
            id: None,
            error: None,
        };
        *self.lock() = Some(Running { shown, cancelled: Arc::clone(cancelled) });
    }

    fn reached(&self, stage: AreaImportStage, share: f64) {
        if let Some(running) = self.lock().as_mut() {
            (running.shown.stage, running.shown.share) = (Some(stage), Some(share));
        }
    }

    fn end(&self, outcome: &Result<AreaId, ImportFailed>) {
        let (state, id, error) = match outcome {
            Ok(id) => (AreaImportState::Done, Some(id.clone()), None),
            Err(ImportFailed::Import(ImportError::Cancelled)) => (AreaImportState::Cancelled, None, None),
            Err(error) => (AreaImportState::Failed, None, Some(error.sentence())),
        };
        if let Some(running) = self.lock().as_mut() {
            running.shown = AreaImport { state, stage: None, share: None, id, error };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Areas {
    /// Makes room for an extract.
    ///
    /// # Errors
    /// [`LibraryError::Busy`] while another import runs on this data folder.
    pub async fn begin_upload(&self) -> Result<Upload, LibraryError> {
        let library = self.library().clone();
        let staged = tokio::task::spawn_blocking(move || library.stage()).await;
        let staging = staged.unwrap_or(Err(LibraryError::Busy))?;
        let (cancelled, imports) = (Arc::default(), Arc::clone(&self.imports));
        imports.begin(&cancelled);
        let turn = Turn { imports, cancelled, shutdown: self.shutdown.clone(), is_over: AtomicBool::new(false) };
        Ok(Upload { staging, turn })
    }

    /// Imports what was uploaded and makes it the area in use, in a task of its own: what the caller does meanwhile makes
    /// no difference.
    pub fn import(self: &Arc<Self>, upload: Upload, options: Options, tasks: &Tasks) {
        let areas = Arc::clone(self);
        tasks.spawn("area_import", async move {
            let (turn, outcome) = on_idle_thread(upload, options).await;
            let outcome = match outcome {
                Ok(id) => areas.choose(id.clone()).await.map(|()| id).map_err(ImportFailed::Area),
                Err(error) => Err(error),
            };
            match &outcome {
                Ok(id) => tracing::info!(area.id = %id, "an area was imported"),
                Err(error) => tracing::warn!(error = %error, "an area could not be imported; the one before stays"),
            }
            turn.end(&outcome);
        });
    }
}

async fn on_idle_thread(
    Upload { staging, turn }: Upload,
    options: Options,
) -> (Arc<Turn>, Result<AreaId, ImportFailed>) {
    let (done, outcome) = oneshot::channel();
    let turn = Arc::new(turn);
    let progress = Shown(Arc::clone(&turn));
    let working = thread::Builder::new().name("area-import".to_owned()).spawn(move || {
        run_idle();
        // Nobody waits any more when the server has ended.
        let _ = done.send(work(staging, &options, progress));
    });
    let outcome = match working {
        Ok(_) => outcome.await.unwrap_or(Err(ImportFailed::Panicked)),
        Err(_) => Err(ImportFailed::Panicked),
    };
    (turn, outcome)
}

fn work(staging: Staging, options: &Options, mut progress: Shown) -> Result<AreaId, ImportFailed> {
    import::area(&staging.extract(), options, &staging.area(), &mut progress)?;
    Ok(staging.install()?)
}

impl Upload {
    /// Where the extract is to be written.
    pub fn file(&self) -> PathBuf {
        self.staging.extract()
    }

    /// Notes how much of the extract has come, from 0 to 1, and says whether to go on.
    ///
    /// # Errors
    /// [`ImportError::Cancelled`].
    pub fn received(&self, share: f64) -> Result<(), ImportError> {
        self.turn.imports.reached(AreaImportStage::Upload, share);
        if self.turn.is_cancelled() { Err(ImportError::Cancelled) } else { Ok(()) }
    }

    /// Ends before the import has begun, with the reason why.
    pub fn give_up(self, reason: ImportFailed) {
        self.turn.end(&Err(reason));
    }
}

/// Tells those who ask how far the import is.
struct Shown(Arc<Turn>);

impl Progress for Shown {
    fn reached(&mut self, stage: Stage, share: f64) {
        let stage = match stage {
            Stage::Positions => AreaImportStage::Positions,
            Stage::Streets => AreaImportStage::Streets,
            Stage::Addresses => AreaImportStage::Addresses,
            Stage::Map => AreaImportStage::Map,
            Stage::Files => AreaImportStage::Files,
        };
        self.0.imports.reached(stage, share);
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
