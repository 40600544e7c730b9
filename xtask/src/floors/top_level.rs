//! What the repository may hold at its top level: a page written to a folder named `--help` was committed once.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use xtask_support::process;

const ALLOWED: [&str; 16] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "docker-compose.yml",
    "docs",
    "frontend",
    "migrations",
    "server",
    "shared",
    "static",
    "xtask",
];

/// Settings of the toolchain, which it looks for here.
const TOOLCHAIN: [&str; 2] = ["clippy.toml", "rustfmt.toml"];

/// A message for each tracked file or folder that is not allowed; dotfiles are. An unpacked archive has no list of what
/// is tracked, and none of what was forgotten.
pub(super) fn complaints(repository: &Path) -> Result<Vec<String>> {
    if !repository.join(".git").exists() {
        return Ok(Vec::new());
    }
    let tracked = process::run_quietly(Command::new("git").args(["ls-files", "-z"]).current_dir(repository))?;
    Ok(strangers(&tracked).into_iter().map(|name| format!("{name}: not at the top level of the repository")).collect())
}

fn strangers(tracked: &str) -> BTreeSet<&str> {
    let names = tracked.split('\0').filter_map(|path| path.split('/').next()).filter(|name| !name.is_empty());
    names.filter(|name| !name.starts_with('.') && !ALLOWED.contains(name) && !TOOLCHAIN.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_nobody_planned_is_named() {
        let tracked = "README.md\0--help/near.html\0server/src/lib.rs\0.ci/run\0--help/other.html\0";
        assert_eq!(strangers(tracked), BTreeSet::from(["--help"]));
    }
}
