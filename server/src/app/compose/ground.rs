//! The base of everything else: settings, clock, database and tasks.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{
    platform::{
        clock::Clock,
        config::Config,
        descriptors::Room,
        tasks::{Tasks, until_shutdown},
    },
    service::areas::Areas,
    store::Store,
};

/// Settings, clock, database, area and tasks: the base of everything else.
pub(super) struct Ground {
    pub(super) config: Config,
    pub(super) room: Room,
    pub(super) clock: Clock,
    pub(super) store: Store,
    pub(super) tasks: Tasks,
    pub(super) shutdown: CancellationToken,
    pub(super) areas: Arc<Areas>,
}

impl Ground {
    /// Starts a task without which the server must not go on, until shutdown.
    pub(super) fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_critical(name, until_shutdown(self.shutdown.clone(), work));
    }
}
