//! Plans routes for couriers on a thread that yields to everything else.
//!
//! A route costs milliseconds of a core, and after a restart or a storm of detours hundreds are wanted at once. On a
//! small machine that would stand between a courier's fix and its ack, so the one planning thread has idle priority:
//! an estimate that comes a second later is early enough. [`crate::service::arrival`] calls it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use doorstep_shared::{LatLon, Vehicle, roads::RoadNetwork};
#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::{mpsc, oneshot};

use crate::{domain::track::progress::PlannedRoute, platform::tasks::Tasks};

/// Requests routes. They are planned one after the other, so each holder has at most one that waits.
#[derive(Debug)]
pub struct Planner {
    wanted: mpsc::Sender<Wanted>,
}

#[derive(Debug)]
struct Wanted {
    from: LatLon,
    to: LatLon,
    vehicle: Vehicle,
    planned: oneshot::Sender<Option<Arc<PlannedRoute>>>,
}

impl Planner {
    /// A planner on the streets of `roads`. Its thread ends when the planner is dropped.
    pub fn start(roads: Arc<RoadNetwork>, tasks: &Tasks) -> Self {
        let (wanted, mut waiting) = mpsc::channel::<Wanted>(1);
        tasks.spawn("planner", async move {
            let thread = tokio::task::spawn_blocking(move || {
                give_way();
                while let Some(Wanted { from, to, vehicle, planned }) = waiting.blocking_recv() {
                    let route = catch_unwind(AssertUnwindSafe(|| roads.route(from, to, vehicle)));
                    let route = route.unwrap_or_else(|_panic| {
                        tracing::error!(?from, ?to, ?vehicle, "planning a way panicked");
                        None
                    });
                    let route = route.map(|route| Arc::new(PlannedRoute { target: to, line: route.line }));
                    // A caller that gave up meanwhile needs no answer.
                    let _ = planned.send(route);
                }
            });
            if let Err(error) = thread.await {
                tracing::error!(error = %error, "ways are not planned any more");
            }
        });
        Self { wanted }
    }

    /// The quickest route; `None` when there is none.
    ///
    /// # Cancel safety
    /// Safe; the route may still be planned.
    pub async fn plan(&self, from: LatLon, to: LatLon, vehicle: Vehicle) -> Option<Arc<PlannedRoute>> {
        let (planned, answer) = oneshot::channel();
        self.wanted.send(Wanted { from, to, vehicle, planned }).await.ok()?;
        answer.await.ok().flatten()
    }
}

/// The kernel runs an idle thread while a core has nothing else to do; any thread that wakes up takes the core at once.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Min,
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle),
    ) {
        tracing::debug!(?error, "ways are planned with the priority of everything else");
    }
}
