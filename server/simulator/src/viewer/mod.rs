//! A customer's page on `GET /ws/track/{tracking_token}`.
//!
//! It reconnects as the contract asks, resumes from the last position it saw, and stops when the order ended.
//! What it was shown is judged by its [`View`] and, when asked for, kept with the moment it arrived.

mod view;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use doorstep_shared::protocol::{Codec, SILENCE_LIMIT_MS, customer::CustomerEvent};
use rand::rngs::StdRng;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

pub use view::View;

use crate::{
    backoff::Backoff,
    server_url::ServerUrl,
    socket::{Ended, Endings, Incoming, Socket},
};

const SILENCE_LIMIT: Duration = Duration::from_millis(SILENCE_LIMIT_MS);
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// Called with every message and the moment it arrived, on the bot's task: must not block.
pub type OnEvent = Box<dyn FnMut(Instant, &CustomerEvent) + Send>;

/// How a customer's page connects.
pub struct ViewerOptions {
    /// Where the server is.
    pub server: ServerUrl,
    /// The secret part of the customer's link.
    pub tracking_token: String,
    /// How messages are written.
    pub codec: Codec,
    /// Decides the jitter of reconnecting.
    pub random: StdRng,
    /// What the merchant calls the order, to notice another one's.
    pub expected_reference: Option<String>,
    /// Keep every message in the log: for tests, not for thousands of viewers.
    pub keep_events: bool,
    /// Told about every message, for latencies.
    pub on_event: Option<OnEvent>,
}

/// What a page saw.
#[derive(Clone, Debug, Default)]
pub struct ViewerLog {
    /// What was shown, judged.
    pub view: View,
    /// Every message with the moment it arrived, when they are kept.
    pub events: Vec<(Instant, CustomerEvent)>,
    /// How often a connection was established.
    pub connections: u32,
    /// How often an established connection was lost, or one could not be established.
    pub losses: u32,
    /// With which codes the server ended connections.
    pub endings: Endings,
    /// Connected and heard from since.
    pub is_live: bool,
    /// The close code or HTTP status that ended the bot for good.
    pub stopped_with: Option<u16>,
}

/// A running page. Dropping it ends it.
pub struct ViewerBot {
    log: Arc<Mutex<ViewerLog>>,
    changed: watch::Receiver<()>,
    owner: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl ViewerBot {
    /// Starts connecting, on a task of the current runtime.
    pub fn start(options: ViewerOptions) -> Self {
        let view = View::new(options.expected_reference.clone());
        let log = Arc::new(Mutex::new(ViewerLog { view, ..ViewerLog::default() }));
        let (changed_sender, changed) = watch::channel(());
        let (owner, owner_gone) = oneshot::channel();
        let page = Page { options, log: Arc::clone(&log), changed: changed_sender };
        let task = tokio::spawn(async move {
            tokio::select! {
                () = page.run() => {}
                _ = owner_gone => {}
            }
        });
        Self { log, changed, owner, task }
    }

    /// What the page saw so far.
    pub fn log(&self) -> MutexGuard<'_, ViewerLog> {
        lock(&self.log)
    }

    /// Waits until `condition` holds; false when it did not within `patience`.
    pub async fn wait_until(&self, patience: Duration, condition: impl Fn(&ViewerLog) -> bool) -> bool {
        let mut changed = self.changed.clone();
        let waiting = async {
            while !condition(&self.log()) {
                if changed.changed().await.is_err() {
                    return condition(&self.log());
                }
            }
            true
        };
        tokio::time::timeout(patience, waiting).await.unwrap_or(false)
    }

    /// Closes the page and gives what it saw.
    pub async fn stop(self) -> ViewerLog {
        drop(self.owner);
        // A bot that panicked has a log all the same.
        let _ = self.task.await;
        std::mem::take(&mut *lock(&self.log))
    }
}

fn lock(log: &Mutex<ViewerLog>) -> MutexGuard<'_, ViewerLog> {
    log.lock().expect("nothing panics while it holds the log")
}

struct Page {
    options: ViewerOptions,
    log: Arc<Mutex<ViewerLog>>,
    changed: watch::Sender<()>,
}

impl Page {
    async fn run(mut self) {
        let mut backoff = Backoff::new(self.options.random.clone());
        loop {
            let ended = self.one_connection(&mut backoff).await;
            self.note(|log| {
                log.is_live = false;
                log.losses += 1;
                if let Some(code) = ended.code() {
                    *log.endings.entry(code).or_default() += 1;
                }
            });
            match ended {
                Ended::Stop { code } => {
                    self.note(|log| log.stopped_with = Some(code));
                    return;
                }
                Ended::Reconnect { not_before, reason, .. } => {
                    tracing::debug!(reason, "viewer lost the server");
                    tokio::time::sleep(backoff.next_delay().max(not_before)).await;
                }
            }
        }
    }

    async fn one_connection(&mut self, backoff: &mut Backoff) -> Ended {
        let since = lock(&self.log).view.newest_ms.map_or(String::new(), |newest_ms| format!("?since_ms={newest_ms}"));
        let url = self.options.server.ws(&format!("/ws/track/{}{since}", self.options.tracking_token));
        let mut socket = match Socket::connect(&url, self.options.codec, None).await {
            Ok(socket) => socket,
            Err(ended) => return ended,
        };
        let established = Instant::now();
        self.note(|log| {
            log.connections += 1;
            log.view.connected();
        });
        let ended = self.watch(&mut socket).await;
        backoff.lost_after(established.elapsed());
        ended
    }

    async fn watch(&mut self, socket: &mut Socket) -> Ended {
        let mut heard = Instant::now();
        loop {
            match tokio::time::timeout(CHECK_EVERY, socket.receive()).await {
                Ok(Ok(incoming)) => {
                    heard = Instant::now();
                    self.take(heard, incoming);
                }
                Ok(Err(ended)) => return ended,
                Err(_) if heard.elapsed() > SILENCE_LIMIT => return Ended::lost("the server fell silent"),
                Err(_) => {}
            }
        }
    }

    fn take(&mut self, at: Instant, incoming: Incoming<CustomerEvent>) {
        match incoming {
            Incoming::Message(event) => {
                if let Some(on_event) = &mut self.options.on_event {
                    on_event(at, &event);
                }
                let keep_events = self.options.keep_events;
                self.note(|log| {
                    log.is_live = true;
                    log.view.take(&event);
                    if keep_events {
                        log.events.push((at, event));
                    }
                });
            }
            Incoming::Unreadable(reason) => self.note(|log| log.view.violations.push(reason)),
            Incoming::Sign => {}
        }
    }

    fn note(&self, change: impl FnOnce(&mut ViewerLog)) {
        change(&mut lock(&self.log));
        self.changed.send_replace(());
    }
}
