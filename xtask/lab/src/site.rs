//! The browser's part of the product, which the servers that the lab starts embed.

use anyhow::Result;
use std::process::Command;
use xtask_support::{process, workspace};

/// Brings the browser's part of the product up to date, which a server that is built afterwards embeds.
///
/// # Errors
/// When it does not build; `cargo xtask site` has said why.
pub(crate) fn build() -> Result<()> {
    let mut site = Command::new("cargo");
    process::run(site.args(["run", "--quiet", "--package", "xtask", "--", "site"]).current_dir(workspace::root()))
}
