//! The `doorstep` command.

use clap::Parser;
use doorstep_server::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    let code = match Cli::parse().run().await {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("doorstep: {error:#}");
            1
        }
    };
    // Everything that has to end has been awaited; the runtime would go on waiting for idle threads.
    std::process::exit(code)
}
