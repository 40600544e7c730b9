//! Customers who only watch: many connections that are kept open until standard input ends.
//!
//! For measuring what a connection costs a server, and how fast it admits clients. One process has room for fewer
//! than twenty thousand sockets, so a measurement starts several crowds.
//! The orders are unassigned, with a hundred customers each.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use doorstep_shared::protocol::Codec;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::{
    api::Api,
    load::{Durations, Latency, idle_orders},
    open_files,
    random::generator,
    server_url::ServerUrl,
    viewer::{ViewerBot, ViewerOptions},
};

const VIEWERS_PER_ORDER: usize = 100;
const CALLS_AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(120);

/// How many come, and how.
#[derive(Args, Clone, Debug)]
pub struct CrowdOptions {
    /// Where the server is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub server: ServerUrl,
    /// An API key with every scope, as `doorstep api-key create` prints it.
    #[arg(long, env = "DOORSTEP_API_KEY", hide_env_values = true)]
    pub api_key: String,
    /// Customers.
    #[arg(long, default_value_t = 1_000)]
    pub viewers: usize,
    /// How many of them connect at the same time.
    #[arg(long, default_value_t = 200)]
    pub at_once: usize,
    /// Decides the jitter of reconnecting.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// How the crowd got in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Admission {
    /// Customers who see their order.
    pub connected: usize,
    /// Connections that were lost or could not be made on the way there.
    pub losses: u64,
    /// From the first attempt until the last one saw their order.
    pub seconds: f64,
    /// From the first attempt of a customer until they saw their order.
    pub wait: Latency,
}

/// Lets the crowd in, prints one line of JSON about it, and keeps everybody until standard input ends.
///
/// # Errors
/// When not everybody gets in.
pub async fn run(options: &CrowdOptions) -> Result<()> {
    let (viewers, admission) = let_in(options).await?;
    println!("{}", serde_json::to_string(&admission)?);
    tokio::task::spawn_blocking(wait_for_the_end).await??;
    for viewer in viewers {
        viewer.stop().await;
    }
    Ok(())
}

async fn let_in(options: &CrowdOptions) -> Result<(Vec<ViewerBot>, Admission)> {
    open_files::allow_sockets(options.viewers as u64)?;
    let api = Api::new(options.server.clone(), options.api_key.clone())?;
    let orders = options.viewers.div_ceil(VIEWERS_PER_ORDER);
    let tokens = idle_orders(&api, orders, CALLS_AT_ONCE, options.seed).await?;
    let waits = Durations::default();
    let started = Instant::now();
    let numbered = stream::iter(0..options.viewers).map(|number| {
        let (token, waits) = (tokens[number % tokens.len()].clone(), &waits);
        async move {
            let came = Instant::now();
            let bot = watch(options, token, number).await;
            waits.add(came.elapsed());
            bot
        }
    });
    let viewers: Vec<_> = numbered.buffer_unordered(options.at_once.max(1)).collect().await;
    let seconds = started.elapsed().as_secs_f64();
    let viewers = viewers.into_iter().collect::<Result<Vec<_>>>()?;
    let losses = viewers.iter().map(|viewer| u64::from(viewer.log().losses)).sum();
    let admission = Admission { connected: viewers.len(), losses, seconds, wait: Latency::of(&waits.get()) };
    Ok((viewers, admission))
}

async fn watch(options: &CrowdOptions, tracking_token: String, number: usize) -> Result<ViewerBot> {
    let bot = ViewerBot::start(ViewerOptions {
        server: options.server.clone(),
        tracking_token,
        codec: Codec::Json,
        random: generator(options.seed, number as u64),
        expected_reference: None,
        keep_events: false,
        on_event: None,
    });
    let answered = bot.wait_until(PATIENCE, |log| log.is_live || log.stopped_with.is_some()).await;
    let stopped_with = bot.log().stopped_with;
    ensure!(answered && stopped_with.is_none(), "a customer cannot connect: {stopped_with:?}");
    Ok(bot)
}

/// Blocks until standard input ends.
fn wait_for_the_end() -> Result<()> {
    let mut unread = Vec::new();
    std::io::stdin().read_to_end(&mut unread).context("standard input cannot be read").map(drop)
}
