//! A dispatcher's console on `GET /ws/fleet`.
//!
//! It comes with an API key, reconnects as the contract asks, also for a gap in the sequence, and keeps a
//! [`Picture`] of the fleet that it judges as it grows.

mod picture;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use doorstep_shared::protocol::{Codec, SILENCE_LIMIT_MS, fleet::FleetEvent};
use rand::rngs::StdRng;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

pub use picture::{Gap, Picture};

use crate::{
    backoff::Backoff,
    server_url::ServerUrl,
    socket::{Ended, Endings, Incoming, Received, Socket},
};

const SILENCE_LIMIT: Duration = Duration::from_millis(SILENCE_LIMIT_MS);
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// How a console connects.
pub struct FleetOptions {
    /// Where the server is.
    pub server: ServerUrl,
    /// An API key with scope `fleet:read`.
    pub api_key: String,
    /// How messages are written.
    pub codec: Codec,
    /// Decides the jitter of reconnecting.
    pub random: StdRng,
}

/// What a console saw.
#[derive(Clone, Debug, Default)]
pub struct FleetLog {
    /// What it believes, judged.
    pub picture: Picture,
    /// What came over the wire, snapshots included.
    pub received: Received,
    /// What of it were snapshots.
    pub snapshots: Received,
    /// How often a connection was established.
    pub connections: u32,
    /// How often an established connection was lost, or one could not be established.
    pub losses: u32,
    /// With which codes the server ended connections.
    pub endings: Endings,
    /// Connected, with a snapshot.
    pub is_live: bool,
    /// The close code or HTTP status that ended the bot for good.
    pub stopped_with: Option<u16>,
}

/// A running console. Dropping it ends it.
pub struct FleetBot {
    log: Arc<Mutex<FleetLog>>,
    changed: watch::Receiver<()>,
    owner: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl FleetBot {
    /// Starts connecting, on a task of the current runtime.
    pub fn start(options: FleetOptions) -> Self {
        let log = Arc::new(Mutex::new(FleetLog::default()));
        let (changed_sender, changed) = watch::channel(());
        let (owner, owner_gone) = oneshot::channel();
        let board = Board { options, log: Arc::clone(&log), changed: changed_sender };
        let task = tokio::spawn(async move {
            tokio::select! {
                () = board.run() => {}
                _ = owner_gone => {}
            }
        });
        Self { log, changed, owner, task }
    }

    /// What the console saw so far.
    pub fn log(&self) -> MutexGuard<'_, FleetLog> {
        lock(&self.log)
    }

    /// Waits until `condition` holds; false when it did not within `patience`.
    pub async fn wait_until(&self, patience: Duration, condition: impl Fn(&FleetLog) -> bool) -> bool {
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

    /// Closes the console and gives what it saw.
    pub async fn stop(self) -> FleetLog {
        drop(self.owner);
        // A bot that panicked has a log all the same.
        let _ = self.task.await;
        std::mem::take(&mut *lock(&self.log))
    }
}

fn lock(log: &Mutex<FleetLog>) -> MutexGuard<'_, FleetLog> {
    log.lock().expect("nothing panics while it holds the log")
}

struct Board {
    options: FleetOptions,
    log: Arc<Mutex<FleetLog>>,
    changed: watch::Sender<()>,
}

impl Board {
    async fn run(self) {
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
                    tracing::debug!(reason, "console lost the server");
                    tokio::time::sleep(backoff.next_delay().max(not_before)).await;
                }
            }
        }
    }

    async fn one_connection(&self, backoff: &mut Backoff) -> Ended {
        let url = self.options.server.ws("/ws/fleet");
        let mut socket = match Socket::connect(&url, self.options.codec, Some(&self.options.api_key)).await {
            Ok(socket) => socket,
            Err(ended) => return ended,
        };
        let established = Instant::now();
        self.note(|log| {
            log.connections += 1;
            log.picture.connected();
        });
        let ended = self.watch(&mut socket).await;
        backoff.lost_after(established.elapsed());
        ended
    }

    async fn watch(&self, socket: &mut Socket) -> Ended {
        let mut heard = Instant::now();
        loop {
            let before = socket.received();
            match tokio::time::timeout(CHECK_EVERY, socket.receive()).await {
                Ok(Ok(incoming)) => {
                    heard = Instant::now();
                    if let Err(Gap) = self.take(incoming, socket.received().since(before)) {
                        return Ended::lost("a gap in the sequence");
                    }
                }
                Ok(Err(ended)) => return ended,
                Err(_) if heard.elapsed() > SILENCE_LIMIT => return Ended::lost("the server fell silent"),
                Err(_) => {}
            }
        }
    }

    fn take(&self, incoming: Incoming<FleetEvent>, received: Received) -> Result<(), Gap> {
        let mut taken = Ok(());
        self.note(|log| {
            log.received += received;
            match incoming {
                Incoming::Message(event) => {
                    if matches!(event, FleetEvent::Snapshot(_)) {
                        log.is_live = true;
                        log.snapshots += received;
                    }
                    taken = log.picture.take(event, self.options.codec);
                }
                Incoming::Unreadable(reason) => log.picture.violations.push(reason),
                Incoming::Sign => {}
            }
        });
        taken
    }

    fn note(&self, change: impl FnOnce(&mut FleetLog)) {
        change(&mut lock(&self.log));
        self.changed.send_replace(());
    }
}
