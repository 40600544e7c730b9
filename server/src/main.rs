//! The `doorstep` command.

use std::process::ExitCode;

use clap::Parser;
use doorstep_server::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("doorstep: {error:#}");
            ExitCode::FAILURE
        }
    }
}
