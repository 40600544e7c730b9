//! `doorstep demo`: a server with simulated couriers, for somebody who wants to see it.

use clap::Args;

use crate::config::Settings;

/// How to show it.
#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    settings: Settings,
}

/// Runs the demo.
///
/// # Errors
/// A sentence about what is in the way.
pub async fn run(options: Options) -> anyhow::Result<()> {
    drop(options);
    Ok(())
}
