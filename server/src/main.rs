//! The `doorstep` command.
//!
//! It sets up what must be set before any other thread starts, and hands over to [`doorstep_server::app::cli`].

use clap::Parser;
use doorstep_server::app::cli::{Cli, exit_code};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns transparent huge pages off. A connection touches half of what actix reserves for it; with huge pages all of it
/// is resident: an idle viewer took 24 KiB instead of 18 when this was measured, with 9 000 of them.
fn spare_memory() {
    // A kernel without huge pages needs nothing turned off.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
}

/// mimalloc's number of the option for how long it keeps freed memory, in milliseconds.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Longer than customers take to come back after they lost their connections.
const PURGE_DELAY_MS: std::ffi::c_long = 10_000;

/// Keeps freed memory for a while, unless the environment says otherwise (`MIMALLOC_PURGE_DELAY`). With mimalloc's
/// default of a second the memory was wanted again a moment later: while ten thousand customers came back, acks waited
/// for pages to be unmapped and mapped.
fn keep_memory() {
    #[allow(unsafe_code, reason = "sets a number that the allocator knows, before there is another thread")]
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, PURGE_DELAY_MS);
    }
}

fn main() {
    spare_memory();
    keep_memory();
    // Before any other thread, because threads inherit it. Without it everything works, only later.
    #[cfg(target_os = "linux")]
    let _ = doorstep_server::platform::scheduler_slice::request_short();
    // Every task that has to end has been awaited; the runtime would go on waiting for idle threads.
    std::process::exit(run())
}

/// Runs the command and returns the exit code.
#[tokio::main]
async fn run() -> i32 {
    match Cli::parse().run().await {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("doorstep: {error:#}");
            exit_code(&error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_memory_is_kept_for_longer_than_the_allocator_would() {
        #[allow(unsafe_code, reason = "reads a number")]
        let delay_ms = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(delay_ms(), 1_000, "another option than the purge delay, or mimalloc has changed its mind");
        keep_memory();
        assert_eq!(delay_ms(), PURGE_DELAY_MS);
    }
}
