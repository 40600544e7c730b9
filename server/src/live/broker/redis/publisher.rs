//! The connection that publishes what this instance tells.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::{AsyncConnectionConfig, Client, RedisError, aio::MultiplexedConnection};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    channels::Channels,
    link_state::LinkState,
    retry::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, End, Retry, answered},
};
use crate::{
    domain::fleet::{FleetChange, Inbox},
    live::broker::{Fact, InstanceId, Movement, queues::Outlet},
};

/// How often movements are passed on, at most: as often as consoles get them.
const MOVES_EVERY: Duration = Duration::from_millis(250);

/// Movements in one message, about 60 KB.
const MOVES_AT_ONCE: usize = 1_000;

/// Facts in one pipeline: what one write carries, and what is lost when it fails.
const FACTS_AT_ONCE: usize = 512;

/// How often an instance says that it is still here. It hears itself, so this also finds a dead connection.
const ALIVE_EVERY: Duration = Duration::from_secs(2);

/// Publishes facts until the server shuts down.
pub(super) struct Publisher {
    pub(super) client: Client,
    pub(super) channels: Channels,
    pub(super) id: InstanceId,
    pub(super) facts: mpsc::Receiver<Fact>,
    pub(super) outlet: Outlet,
    pub(super) moves: Arc<Mutex<Inbox>>,
    pub(super) link: Arc<LinkState>,
}

impl Publisher {
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut retry = Retry::default();
        loop {
            let End::Broken(reason) = self.one_connection(&shutdown, &mut retry).await else { return };
            self.link.set_publishing(false);
            tracing::debug!(reason, "cannot publish to Redis");
            if self.discard_for(retry.pause(), &shutdown).await {
                return;
            }
        }
    }

    async fn one_connection(&mut self, shutdown: &CancellationToken, retry: &mut Retry) -> End {
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(end) => return end,
        };
        retry.reset();
        self.link.set_publishing(true);
        let (mut moves, mut alive) = (ticks(MOVES_EVERY), ticks(ALIVE_EVERY));
        let mut batch = Vec::new();
        loop {
            let is_last = tokio::select! {
                _ = self.facts.recv_many(&mut batch, FACTS_AT_ONCE) => false,
                _ = moves.tick() => { batch.extend(self.take_moves()); false }
                _ = alive.tick() => { batch.push(Fact::Alive); false }
                () = shutdown.cancelled() => true,
            };
            if is_last {
                self.take_the_rest(&mut batch);
            }
            if self.outlet.take_missed() {
                batch.push(Fact::Hello { missed: true });
            }
            if let Err(error) = self.send(&mut connection, &batch).await {
                self.outlet.note_missed(batch.len() as u64);
                return error.into();
            }
            batch.clear();
            if is_last {
                return End::Stopped;
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, End> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        answered(self.client.get_multiplexed_async_connection_with_config(&config), "while connecting").await
    }

    fn take_the_rest(&mut self, batch: &mut Vec<Fact>) {
        while let Ok(fact) = self.facts.try_recv() {
            batch.push(fact);
        }
        batch.push(Fact::Bye);
    }

    async fn send(&self, connection: &mut MultiplexedConnection, batch: &[Fact]) -> Result<(), RedisError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for fact in batch {
            pipe.cmd("PUBLISH").arg(self.channels.of_fact(fact)).arg(fact.encode(self.id)).ignore();
        }
        pipe.query_async::<()>(connection).await?;
        metrics::counter!("doorstep_broker_facts_total", "direction" => "out").increment(batch.len() as u64);
        Ok(())
    }

    fn take_moves(&self) -> Vec<Fact> {
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner).take_moves();
        let movements: Vec<_> = moves
            .into_iter()
            .filter_map(|change| match change {
                FleetChange::Moved { courier, position, battery } => Some(Movement { courier, position, battery }),
                _ => None,
            })
            .collect();
        movements.chunks(MOVES_AT_ONCE).map(|some| Fact::Moved(some.to_vec())).collect()
    }

    /// Throws away the facts that are told during a pause: by the time Redis is back, Postgres knows better. `true` when
    /// it is time to stop.
    async fn discard_for(&mut self, pause: Duration, shutdown: &CancellationToken) -> bool {
        let mut discarded = Vec::new();
        let pause = sleep(pause);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return false,
                () = shutdown.cancelled() => return true,
                count = self.facts.recv_many(&mut discarded, FACTS_AT_ONCE) => {
                    self.outlet.note_missed(count as u64);
                    discarded.clear();
                }
            }
        }
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
