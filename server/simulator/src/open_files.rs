//! How many sockets this process may have.

use anyhow::{Result, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

// Standard streams, the runtime, and the REST connections.
const BESIDES_SOCKETS: u64 = 100;

/// Asks the system for room for `sockets` connections and everything else a bot program opens.
///
/// # Errors
/// When the system allows fewer.
pub(crate) fn allow_sockets(sockets: u64) -> Result<()> {
    let (needed, limit) = (sockets + BESIDES_SOCKETS, raise_limit());
    ensure!(needed <= limit, "{needed} open files are needed and {limit} allowed: use several processes");
    Ok(())
}

fn raise_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}
