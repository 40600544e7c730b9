//! All customers lose their connections at the same moment and come back within a second.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use doorstep_shared::protocol::{Codec, customer::CustomerEvent};
use futures_util::{StreamExt, stream};
use rand::Rng;
use tokio::task::JoinSet;

use super::stage::Stage;
use crate::{
    check::Check,
    clock::now_ms,
    load::{Durations, Latency, idle_orders},
    open_files,
    server_url::ServerUrl,
    socket::{Ended, Incoming, Socket},
};

const VIEWERS_PER_ORDER: usize = 100;
const CALLS_AT_ONCE: usize = 8;
/// At leisure, before.
const CONNECT_AT_ONCE: usize = 100;
/// Of this machine, that they come from.
const ADDRESSES: usize = 20;

/// Everybody is there and nothing happens.
const QUIET: Duration = Duration::from_secs(10);

/// In which everybody comes back.
const RUSH: Duration = Duration::from_secs(1);
const SNAPSHOT_WITHIN_MS: f64 = 3_000.0;

/// For one customer, refusals included.
const PATIENCE: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_millis(200);

/// Gives the findings and when the rush began and was over, Unix epoch milliseconds.
pub(super) async fn run(stage: &Stage, viewers: usize) -> Result<(Vec<Check>, (i64, i64))> {
    open_files::allow_sockets(viewers as u64)?;
    let orders = viewers.div_ceil(VIEWERS_PER_ORDER);
    let tokens = idle_orders(&stage.api, orders, CALLS_AT_ONCE, stage.seed).await?;
    let urls: Vec<_> = (0..viewers).map(|number| address(&stage.server, &tokens[number % tokens.len()])).collect();
    let at_leisure = stream::iter(urls.iter().enumerate());
    let at_leisure = at_leisure.map(|(number, url)| come_in(home(number), url)).buffer_unordered(CONNECT_AT_ONCE);
    let everybody: Vec<_> = at_leisure.collect().await;
    let everybody: Vec<Watching> = everybody.into_iter().collect::<Result<_>>()?;

    // What others notice is compared with this.
    tokio::time::sleep(QUIET).await;
    let (began_ms, began) = (now_ms(), Instant::now());
    drop(everybody);
    let [waits, tries] = [(); 2].map(|()| std::sync::Arc::new(Durations::default()));
    let mut random = stage.random(0);
    let mut rush = JoinSet::new();
    for (number, url) in urls.into_iter().enumerate() {
        let delay = RUSH.mul_f64(random.random());
        let (waits, tries) = (std::sync::Arc::clone(&waits), std::sync::Arc::clone(&tries));
        rush.spawn(async move {
            tokio::time::sleep(delay).await;
            let came = Instant::now();
            tries.add(came.duration_since(began));
            let watching = come_in(home(number), &url).await?;
            waits.add(came.elapsed());
            anyhow::Ok(watching)
        });
    }
    let (mut inside, mut refusals) = (Vec::with_capacity(viewers), 0);
    while let Some(came) = rush.join_next().await {
        if let Ok(watching) = came? {
            refusals += watching.refusals;
            inside.push(watching);
        }
    }
    let over_ms = now_ms();
    let waited = Latency::of(&waits.get());
    // A machine that is busy closing all connections starts the last attempts later than that second.
    let tried = Latency::of(&tries.get());
    eprintln!("{viewers} came back: {waited}; tried after {tried}; {refusals} attempts were refused first");
    let checks = vec![
        Check::count("customers who are in again", inside.len() as u64, viewers as u64),
        Check::at_most("p99 from coming back to the snapshot", waited.p99_ms, SNAPSHOT_WITHIN_MS, "ms"),
    ];
    Ok((checks, (began_ms, over_ms)))
}

/// A connection that is kept.
struct Watching {
    _socket: Socket,
    refusals: u64,
}

fn address(server: &ServerUrl, tracking_token: &str) -> String {
    server.ws(&format!("/ws/track/{tracking_token}"))
}

/// The address that a customer comes from.
fn home(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, 1 + (number % ADDRESSES) as u8)
}

/// Connects, as often as it takes, and waits for the snapshot.
async fn come_in(home: Ipv4Addr, url: &str) -> Result<Watching> {
    let until = Instant::now() + PATIENCE;
    let mut refusals = 0;
    loop {
        match snapshot(home, url).await {
            Ok(socket) => return Ok(Watching { _socket: socket, refusals }),
            Err(Ended::Reconnect { not_before, .. }) if Instant::now() < until => {
                refusals += 1;
                tokio::time::sleep(not_before.max(RETRY)).await;
            }
            Err(ended) => bail!("a customer cannot connect: {ended:?}"),
        }
    }
}

async fn snapshot(home: Ipv4Addr, url: &str) -> Result<Socket, Ended> {
    let mut socket = Socket::connect_from(home, url, Codec::Json).await?;
    while !matches!(socket.receive().await?, Incoming::Message(CustomerEvent::Snapshot(_))) {}
    Ok(socket)
}
