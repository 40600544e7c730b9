//! How many fixes a phone sends in each circumstance when it obeys the server's pace.
//!
//! One courier for each circumstance drives, or stands, for some minutes in real time; all at once. What is counted
//! is what the phone sent, which is what its battery pays for. A run fails when the server asked for another pace
//! than the circumstance calls for.

mod scene;

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use futures_util::future::join_all;

use crate::{api::Api, server_url::ServerUrl};
use scene::{Measured, SCENES};

/// How the measurement goes.
#[derive(Args, Clone, Debug)]
pub struct PaceOptions {
    /// Where the server is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub server: ServerUrl,
    /// An API key with every scope, as `doorstep api-key create` prints it.
    #[arg(long, env = "DOORSTEP_API_KEY", hide_env_values = true)]
    pub api_key: String,
    /// For how long each circumstance is measured, in seconds.
    #[arg(long, default_value_t = 180)]
    pub seconds: u64,
    /// Decides every ride.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Measures and prints; false when a pace was not what it should be.
///
/// # Errors
/// When the server cannot be set up for it.
pub async fn run(options: &PaceOptions) -> Result<bool> {
    let api = Api::new(options.server.clone(), options.api_key.clone())?;
    let duration = Duration::from_secs(options.seconds);
    let scenes = (0..).zip(&SCENES).map(|(number, scene)| scene.measure(&api, duration, options.seed, number));
    let measured: Result<Vec<Measured>> = join_all(scenes).await.into_iter().collect();
    let measured = measured?;
    println!("| circumstance | fixes a minute | interval | reason |\n|---|---|---|---|");
    for row in &measured {
        println!(
            "| {} | {:.1} | {} ms | {} |",
            row.name,
            row.fixes as f64 * 60.0 / duration.as_secs_f64(),
            row.interval_ms,
            row.reason
        );
    }
    Ok(measured.iter().all(|row| row.is_as_expected))
}
