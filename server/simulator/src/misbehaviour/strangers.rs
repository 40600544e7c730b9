//! Strangers without a credential who hold connections: some ask for the map and take nothing of it, others were answered
//! once and keep their connection. Couriers come in all the same.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::sleep_until;

use super::{raw::RawSocket, stage::Stage};
use crate::{check::Check, load::Delivery};

/// Strangers who connect at the same time.
const AT_ONCE: usize = 32;

/// Small, so that the server cannot leave the map with the system.
const RECEIVE_BUFFER: u32 = 4 * 1024;

/// Couriers who come while strangers hold their connections.
const COURIERS: usize = 10;
const IN_WITHIN_S: f64 = 2.0;

pub(super) async fn run(stage: &Stage, takers: usize, keepers: usize, time: Duration) -> Result<Vec<Check>> {
    let deliveries = stage.deliveries(COURIERS).await?;
    let map = stage.api.map_path().await?.context("the area in use has no map")?;
    let until = Instant::now() + time;
    let takers = hold(stage, &map, takers).await?;
    let keepers = hold(stage, "/health/live", keepers).await?;
    let mut slowest_s = 0.0_f64;
    let mut inside = Vec::new();
    for delivery in &deliveries {
        let (socket, took) = come_in(stage, delivery).await?;
        slowest_s = slowest_s.max(took.as_secs_f64());
        inside.push(socket);
    }
    sleep_until(until.into()).await;
    drop((takers, keepers, inside));
    Ok(vec![Check::at_most("the slowest of the couriers who came meanwhile was in after", slowest_s, IN_WITHIN_S, "s")])
}

/// Connections on which an answer has begun and is not read.
async fn hold(stage: &Stage, path: &str, count: usize) -> Result<Vec<RawSocket>> {
    let asking = (0..count).map(|_| RawSocket::ask(&stage.server, path, RECEIVE_BUFFER));
    stream::iter(asking).buffer_unordered(AT_ONCE).try_collect().await
}

async fn come_in(stage: &Stage, delivery: &Delivery) -> Result<(RawSocket, Duration)> {
    let began = Instant::now();
    let socket = RawSocket::open(&stage.server, "/ws/courier", Some(&delivery.device_token), None).await?;
    Ok((socket, began.elapsed()))
}
