//! Couriers and customers in numbers, on a schedule fixed in advance.
//!
//! Open loop: every message has a moment at which it is due, whatever the server does, and latencies count
//! from there. A server that stalls is therefore measured as slow, not as busy with fewer messages.
//! Afterwards every courier's log can be compared with what the server gives back through its public API, so
//! a run tells not only how fast but also whether anything acknowledged was lost. It lives through `kill -9`
//! of the server and through an absent database.

mod company;
mod conductor;
mod cpu;
mod ending;
pub mod fanout;
mod latency;
mod measure;
mod options;
mod outcome;
mod report;
mod riders;
mod schedule;
mod setup;
mod timeline;
mod times;
mod verify;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};

use crate::{api::Api, open_files, random::any_seed};
use company::Company;
use conductor::Conductor;
use schedule::Schedule;

pub use conductor::BEGUN;
pub use ending::Ending;
pub use latency::Latency;
pub(crate) use measure::Durations;
pub use options::{CodecName, LoadOptions};
pub use report::{FleetFeed, Report};
pub(crate) use riders::Riders;
pub(crate) use setup::{Delivery, deliveries};
pub use times::{Moments, Of, Times, Window};
pub use verify::{Verdict, verify};

const IDLE_VIEWERS_PER_ORDER: usize = 100;

/// Tracking tokens of `count` new, unassigned orders.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn idle_orders(api: &Api, count: usize, concurrency: usize, seed: u64) -> Result<Vec<String>> {
    let orders = setup::idle_orders(api, count, concurrency, seed).await?;
    Ok(orders.into_iter().map(|order| order.tracking_token).collect())
}

/// Runs a load test, prints its report, and tells whether the server kept its promises.
///
/// # Errors
/// When the test could not be set up or read back; a broken promise is not an error but `false`.
pub async fn run(options: &LoadOptions) -> Result<bool> {
    let report = measure(options).await?;
    print!("{report}");
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report.passed())
}

/// Runs a load test and gives its report.
///
/// # Errors
/// As [`run`].
pub async fn measure(options: &LoadOptions) -> Result<Report> {
    #[cfg(feature = "tls")]
    if let Some(ca) = &options.ca {
        crate::tls::trust(ca)?;
    }
    let schedule = Schedule::new(options.couriers, options.rate, options.duration, options.fixes_per_message)?;
    open_files::allow_sockets(options.sockets())?;
    let seed = options.seed.unwrap_or_else(any_seed);
    eprintln!(
        "seed {seed}; setting up {} couriers and {} customers",
        options.couriers,
        options.viewers + options.idle_viewers
    );

    let api = Api::new(options.server.clone(), options.api_key.clone())?;
    let couriers = options.couriers;
    let riders = tokio::task::spawn_blocking(move || Riders::new(couriers, seed)).await??;
    let deliveries = setup::deliveries(&api, options.couriers, options.concurrency, seed).await?;
    let idle_orders = options.idle_viewers.div_ceil(IDLE_VIEWERS_PER_ORDER);
    let idle = setup::idle_orders(&api, idle_orders, options.concurrency, seed).await?;
    let company = Arc::new(Company::connect(options, &deliveries, &idle, schedule, seed).await?);
    let conductor =
        Conductor { company: Arc::clone(&company), schedule, riders, server_pids: options.server_pid.clone() };
    let conducted = tokio::task::spawn_blocking(|| conductor.conduct()).await??;
    company.settle(Duration::from_secs_f64(options.ack_deadline)).await;
    let company = Arc::into_inner(company).context("the conductor still holds the company")?;
    let outcome = company.go_home(&deliveries).await;
    let verdict = match options.verify {
        true => Some(verify(&api, &outcome.couriers, options.concurrency).await?),
        false => None,
    };
    setup::tidy_up(&api, &deliveries, &idle, options.concurrency).await;
    Ok(outcome.report(options, schedule, seed, conducted, verdict))
}
