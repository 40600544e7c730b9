//! Every background task by name: started here, visible in a metric, awaited at shutdown.
//!
//! A task marked critical must live as long as the server. If it ends or panics before shutdown, the process
//! ends too, so that the operator's supervisor restarts it: a server that silently stores nothing is worse
//! than one that is down.

use std::{
    future::Future,
    io,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The server's tasks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    stopping: Arc<AtomicBool>,
    failed: watch::Sender<Option<&'static str>>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self { tracker: TaskTracker::new(), stopping: Arc::default(), failed: watch::Sender::new(None) }
    }
}

impl Tasks {
    /// Runs `work` until it ends.
    #[allow(clippy::disallowed_methods, reason = "this is the place")]
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.watched(name, false, work));
    }

    /// Runs `work`, which must not end before shutdown.
    #[allow(clippy::disallowed_methods, reason = "this is the place")]
    pub fn spawn_critical(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.watched(name, true, work));
    }

    /// Runs `work`, which must not end before shutdown, on another runtime. It is dropped when that one ends.
    #[allow(clippy::disallowed_methods, reason = "this is the place")]
    pub fn spawn_critical_on(
        &self,
        runtime: &Handle,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        runtime.spawn(self.watched(name, true, work));
    }

    /// Runs tasks that must not end before shutdown on a thread of their own, called `name`. What passes between them,
    /// and what they spawn, wakes no other thread. The thread ends with the last of them; until then others may be
    /// spawned on its runtime.
    ///
    /// # Errors
    /// When there is no room for one more thread.
    #[allow(clippy::disallowed_methods, reason = "this is the place")]
    pub fn spawn_critical_together(
        &self,
        name: &'static str,
        works: impl IntoIterator<Item = (&'static str, BoxFuture<'static, ()>)>,
    ) -> io::Result<Handle> {
        let works: Vec<_> = works.into_iter().map(|(task, work)| self.watched(task, true, work)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(async {
                let running: Vec<_> = works.into_iter().map(tokio::spawn).collect();
                join_all(running).await;
            });
        })?;
        Ok(handle)
    }

    /// Runs `work` to its end, even when its caller stops waiting: a client that hangs up must not stop a change
    /// between its commit and its publication. `None` when `work` panicked, or the process ended first.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the answer only.
    pub fn complete<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        name: &'static str,
        work: F,
    ) -> impl Future<Output = Option<T>> + use<T, F> {
        let (done, answer) = oneshot::channel();
        self.spawn(name, async move { drop(done.send(work.await)) });
        async move { answer.await.ok() }
    }

    /// Wraps a task that the caller spawns itself, such as a connection's on its own worker thread, so that shutdown
    /// waits for it.
    pub fn watched<F: Future<Output = ()>>(
        &self,
        name: &'static str,
        critical: bool,
        work: F,
    ) -> impl Future<Output = ()> + use<F> {
        let (stopping, failed) = (Arc::clone(&self.stopping), self.failed.clone());
        let running = metrics::gauge!("doorstep_tasks_running", "task" => name);
        // Boxed, because a future that an async block captures and then awaits takes its size twice, and there is one
        // of these for every connection.
        let work = AssertUnwindSafe(Box::pin(work)).catch_unwind();
        self.tracker.track_future(async move {
            running.increment(1.0);
            let outcome = work.await;
            running.decrement(1.0);
            if outcome.is_err() {
                tracing::error!(task.name = name, "a task panicked");
                metrics::counter!("doorstep_task_panics_total", "task" => name).increment(1);
            }
            if critical && !stopping.load(Ordering::Acquire) {
                tracing::error!(task.name = name, "a task that must not end has ended");
                failed.send_replace(Some(name));
            }
        })
    }

    /// Resolves with the name of a critical task that ended too early.
    /// # Cancel safety
    /// Safe; the failure stays visible.
    pub async fn critical_failure(&self) -> &'static str {
        let mut failed = self.failed.subscribe();
        let outcome = failed.wait_for(Option::is_some).await.map(|name| *name);
        match outcome {
            Ok(Some(name)) => name,
            _ => std::future::pending().await,
        }
    }

    /// From now on critical tasks may end.
    pub fn expect_endings(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Waits until every task has ended, at most `patience`. Returns whether they all have.
    pub async fn join(&self, patience: Duration) -> bool {
        self.expect_endings();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}
/// Runs `work` until it ends or `shutdown` is cancelled.
pub async fn until_shutdown(shutdown: CancellationToken, work: impl Future<Output = ()>) {
    shutdown.run_until_cancelled(work).await;
}
