//! The crates that the lock file names: whose they are, and what we promise about them.
//!
//! [`check`] runs in the test command and needs neither network nor tools. What needs a database of advisories is in
//! [`crate::audit`]; what is packed with a release is listed by [`shipped`].

pub(crate) mod licence;
pub(crate) mod metadata;
mod policy;
pub(crate) mod shipped;

use anyhow::{Result, bail};
use xtask_support::failure::Failure;
use xtask_support::progress;

/// Refuses crates whose licence, source or name we do not accept.
///
/// # Errors
/// With each of them.
pub(crate) fn check() -> Result<()> {
    let packages = metadata::packages()?;
    let complaints: Vec<_> = packages.iter().filter_map(policy::complaint).collect();
    if complaints.is_empty() {
        progress::note(&format!(
            "{} crates from the registry and this repository, all with accepted licences",
            packages.len()
        ));
        return Ok(());
    }
    let remedy = "use another crate; what is accepted and why is in xtask/src/crates/policy.rs";
    bail!(Failure::new(format!("crates that are not accepted:\n  {}", complaints.join("\n  ")), remedy))
}
