//! Where results that belong into the repository are kept.

use std::path::PathBuf;
use xtask_support::workspace;

/// The folder of results, one file for each day of measuring.
pub(crate) fn folder() -> PathBuf {
    workspace::root().join("server/benches/results")
}
