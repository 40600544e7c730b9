//! Customers who never read: the network takes what it can hold, and then the server must not keep the rest.
//!
//! They still show that they live, so that only their deafness speaks against them. Whom the server cuts off comes
//! back at once, as deaf as before.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use tokio::time::{sleep, sleep_until};

use super::{
    raw::{PING, RawSocket, frame},
    stage::Stage,
    traffic::Traffic,
};
use crate::{check::Check, clock::now_ms};

/// Couriers whom they would see.
const ORDERS: usize = 10;
const PERIOD: Duration = Duration::from_millis(200);
const PING_EVERY: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(60);

/// Small, so that the server feels the deafness within seconds and not within minutes.
const RECEIVE_BUFFER: u32 = 4 * 1024;

/// Gives what had to be true, and from when until when they were there.
pub(super) async fn run(
    stage: &Stage,
    viewers: usize,
    time: Duration,
    edge: Duration,
) -> Result<(Vec<Check>, (i64, i64))> {
    let deliveries = stage.deliveries(ORDERS).await?;
    let tokens: Vec<_> = deliveries.iter().map(|delivery| delivery.device_token.clone()).collect();
    let traffic = Traffic::start(stage, &stage.server, &tokens, PERIOD).await?;
    sleep(edge).await;
    let (began_ms, until) = (now_ms(), Instant::now() + time);
    let deaf = (0..viewers).map(|number| stay(stage, &deliveries[number % ORDERS].tracking_token, until));
    let connections = try_join_all(deaf).await?;
    // Also without any: then it is what the server is compared with.
    sleep_until(until.into()).await;
    let ended_ms = now_ms();
    eprintln!("{viewers} deaf customers needed {} connections", connections.iter().sum::<u64>());
    sleep(edge).await;
    let logs = traffic.stop(PATIENCE).await?;
    let logs: Vec<_> = deliveries.iter().map(|delivery| delivery.courier).zip(logs).collect();
    Ok((stage.compare(&logs).await?, (began_ms, ended_ms)))
}

/// Connects again and again until the time is over. Gives how often.
async fn stay(stage: &Stage, tracking_token: &str, until: Instant) -> Result<u64> {
    let (path, ping) = (format!("/ws/track/{tracking_token}"), frame(PING, b""));
    let mut connections = 0;
    while Instant::now() < until {
        let mut socket = RawSocket::open(&stage.server, &path, None, Some(RECEIVE_BUFFER)).await?;
        connections += 1;
        while Instant::now() < until && socket.send(&ping).await.is_ok() {
            sleep_until(until.min(Instant::now() + PING_EVERY).into()).await;
        }
    }
    Ok(connections)
}
