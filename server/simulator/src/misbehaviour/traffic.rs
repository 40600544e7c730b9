//! Couriers who behave, until [`Traffic::stop`]: what others do beside them is the misbehaviour.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use doorstep_shared::protocol::Codec;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::stage::Stage;
use crate::{
    clock::now_ms,
    courier::{CourierBot, CourierLog, CourierOptions},
    load::Riders,
    server_url::ServerUrl,
};

const CONNECT_PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Traffic {
    bots: Arc<Vec<CourierBot>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Traffic {
    /// Connects a courier for each of `tokens` to `server`; each reports a fix every `period` from then on.
    pub(super) async fn start(stage: &Stage, server: &ServerUrl, tokens: &[String], period: Duration) -> Result<Self> {
        let riders = stage.riders(tokens.len()).await?;
        let start = |(number, token): (u64, &String)| {
            CourierBot::start(CourierOptions {
                server: server.clone(),
                device_token: token.clone(),
                codec: Codec::Json,
                random: stage.random(number + (1 << 30)),
                on_ack: None,
            })
        };
        let bots: Arc<Vec<_>> = Arc::new((0..).zip(tokens).map(start).collect());
        for bot in bots.iter() {
            ensure!(bot.wait_until(CONNECT_PATIENCE, |state| state.connected).await, "a courier cannot connect");
        }
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(drive(Arc::clone(&bots), riders, period, stopped));
        Ok(Self { bots, stop, task })
    }

    /// The couriers, in the order of their tokens.
    pub(super) fn bots(&self) -> &[CourierBot] {
        &self.bots
    }

    /// Ends the reporting, waits until everybody who is still connected has every answer, and gives the facts.
    ///
    /// # Errors
    /// When answers are missing after `patience`.
    pub(super) async fn stop(self, patience: Duration) -> Result<Vec<CourierLog>> {
        // It may have ended by itself, which is all that is wanted.
        let _ = self.stop.send(());
        self.task.await?;
        for bot in self.bots.iter() {
            let answered = bot.settle(patience).await || bot.state().stopped;
            ensure!(answered, "a courier waits for {} answers: {:?}", bot.state().unsettled, bot.log().stopped_with);
        }
        let mut logs = Vec::with_capacity(self.bots.len());
        for bot in Arc::into_inner(self.bots).into_iter().flatten() {
            logs.push(bot.stop().await);
        }
        Ok(logs)
    }
}

async fn drive(bots: Arc<Vec<CourierBot>>, mut riders: Riders, period: Duration, mut stopped: oneshot::Receiver<()>) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            _ = ticks.tick() => {}
        }
        let time_ms = now_ms();
        for (courier, bot) in bots.iter().enumerate() {
            bot.record(riders.fixes(courier, period, [time_ms].into_iter())).await;
        }
    }
}
