//! Clients that misbehave: beside a load test they show that the server serves the others all the same.
//!
//! Each kind sets up couriers and orders of its own, judges them, and reports its findings as [`Check`]s. What it does
//! to all other clients is seen by the load test that runs meanwhile. The command is `simulator trouble <kind>`.

mod clocks;
mod deaf;
mod ended;
mod hostile;
mod phone;
mod raw;
mod repeated;
mod shuffled;
mod silencing_proxy;
mod silent;
mod stage;
mod stampede;
mod strangers;
mod traffic;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::{check::Check, clock::now_ms, server_url::ServerUrl};

use stage::Stage;

/// Which misbehaviour, and where.
#[derive(Args, Clone, Debug)]
pub struct MisbehaviourOptions {
    /// Where the server is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub server: ServerUrl,
    /// An API key with every scope, as `doorstep api-key create` prints it.
    #[arg(long, env = "DOORSTEP_API_KEY", hide_env_values = true)]
    pub api_key: String,
    /// Decides everything that is drawn.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write what was found here as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// What is done.
    #[command(subcommand)]
    pub kind: Kind,
}

/// The kinds of misbehaviour.
#[derive(Clone, Debug, Subcommand)]
pub enum Kind {
    /// Every fix is sent one to five times, over two connections of a courier.
    Repeated {
        /// Couriers who do so.
        #[arg(long, default_value_t = 20)]
        couriers: usize,
        /// Fixes of each.
        #[arg(long, default_value_t = 100)]
        fixes: usize,
    },
    /// Fixes come in any order within a hundred, and an hour's backlog behind them.
    Shuffled {
        /// Couriers who do so.
        #[arg(long, default_value_t = 10)]
        couriers: usize,
        /// Fixes in the backlog of each, a second apart.
        #[arg(long, default_value_t = 3_600)]
        backlog: usize,
    },
    /// Devices believe that it is an hour ago, in an hour, in ten years, or 1970.
    Clocks,
    /// The network of couriers falls silent, without a close, and works again later.
    Silent {
        /// Couriers behind it.
        #[arg(long, default_value_t = 20)]
        couriers: usize,
        /// For how long, in seconds.
        #[arg(long, default_value_t = 120)]
        seconds: u64,
    },
    /// Customers never read.
    Deaf {
        /// Customers who do not.
        #[arg(long, default_value_t = 100)]
        viewers: usize,
        /// For how long, in seconds.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
        /// How long their couriers report before they come and after they have gone, in seconds: what others notice of
        /// deafness is what they do not notice then.
        #[arg(long, default_value_t = 60)]
        edge: u64,
    },
    /// Customers lose their connections at once and come back within a second.
    Stampede {
        /// Customers.
        #[arg(long, default_value_t = 10_000)]
        viewers: usize,
    },
    /// Frames that no client should send.
    Hostile {
        /// Attackers of each kind.
        #[arg(long, default_value_t = 10)]
        attackers: usize,
        /// For how long one of them sends a byte a second, in seconds.
        #[arg(long, default_value_t = 70)]
        drip: u64,
    },
    /// Strangers ask for the map and take nothing of it, or keep connections after an answer.
    Strangers {
        /// Strangers who take nothing.
        #[arg(long, default_value_t = 300)]
        takers: usize,
        /// Strangers who keep their connections.
        #[arg(long, default_value_t = 1_000)]
        keepers: usize,
        /// For how long, in seconds.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// Orders end, go to another courier, or lose their courier's device, with all clients connected.
    Ended {
        /// Orders of each kind.
        #[arg(long, default_value_t = 10)]
        orders: usize,
    },
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Findings {
    /// Everything that had to be true.
    pub checks: Vec<Check>,
    /// When the misbehaviour began and ended, Unix epoch milliseconds.
    pub during_ms: (i64, i64),
}

/// Misbehaves, prints the findings, and gives whether all checks passed.
///
/// # Errors
/// When it could not be made.
pub async fn run(options: &MisbehaviourOptions) -> Result<bool> {
    let stage = Stage::new(options.server.clone(), options.api_key.clone(), options.seed)?;
    let began_ms = now_ms();
    let mut core_ms = None;
    let checks = match options.kind {
        Kind::Repeated { couriers, fixes } => repeated::run(&stage, couriers, fixes).await?,
        Kind::Shuffled { couriers, backlog } => shuffled::run(&stage, couriers, backlog).await?,
        Kind::Clocks => clocks::run(&stage).await?,
        Kind::Silent { couriers, seconds } => silent::run(&stage, couriers, Duration::from_secs(seconds)).await?,
        Kind::Deaf { viewers, seconds, edge } => {
            let (time, edge) = (Duration::from_secs(seconds), Duration::from_secs(edge));
            let (checks, during_ms) = deaf::run(&stage, viewers, time, edge).await?;
            core_ms = Some(during_ms);
            checks
        }
        Kind::Hostile { attackers, drip } => hostile::run(&stage, attackers, Duration::from_secs(drip)).await?,
        Kind::Strangers { takers, keepers, seconds } => {
            strangers::run(&stage, takers, keepers, Duration::from_secs(seconds)).await?
        }
        Kind::Ended { orders } => ended::run(&stage, orders).await?,
        Kind::Stampede { viewers } => {
            let (checks, during_ms) = stampede::run(&stage, viewers).await?;
            core_ms = Some(during_ms);
            checks
        }
    };
    let findings = Findings { checks, during_ms: core_ms.unwrap_or((began_ms, now_ms())) };
    for check in &findings.checks {
        let verdict = if check.passed { "ok" } else { "BROKEN" };
        println!("{verdict:<7} {}: {} (must be {})", check.what, check.measured, check.must);
    }
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&findings)?;
        std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(findings.checks.iter().all(|check| check.passed))
}
