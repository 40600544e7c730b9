//! The crates inside what is deployed: the server's program and the programs for browsers within it.

use super::metadata::{self, Package};
use crate::site;
use anyhow::Result;
use std::collections::BTreeSet;
use std::process::Command;
use xtask_support::setup::{HOST_TARGET, WASM_TARGET};
use xtask_support::{process, workspace};

/// All of them, ours too, by name and version. Build scripts and procedural macros leave nothing in a program.
///
/// # Errors
/// When cargo refuses.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let bundles = site::BUNDLES.join(",");
    let mut names = tree(&["--package", "doorstep-server", "--target", HOST_TARGET])?;
    names.extend(tree(&[
        "--package",
        "doorstep-frontend",
        "--target",
        WASM_TARGET,
        "--no-default-features",
        "--features",
        &bundles,
    ])?);
    let mut packages = metadata::packages()?;
    packages.retain(|package| names.contains(&(package.name.clone(), package.version.clone())));
    packages.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    Ok(packages)
}

/// `cargo tree` knows the features of exactly this build; the metadata has those of all builds at once.
fn tree(selection: &[&str]) -> Result<BTreeSet<(String, String)>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]);
    let lines = process::run_quietly(cargo.args(selection).current_dir(workspace::root()))?;
    Ok(lines.lines().filter_map(name_and_version).collect())
}

/// From `serde v1.0.0`, with a path or a star behind it.
fn name_and_version(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.split_once(" v")?;
    let version = rest.split(' ').next()?;
    Some((name.to_owned(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_tree_are_read_with_what_stands_behind_the_version() {
        let expected = Some(("serde".to_owned(), "1.0.228".to_owned()));
        for line in ["serde v1.0.228", "serde v1.0.228 (*)", "serde v1.0.228 (/a/path)"] {
            assert_eq!(name_and_version(line), expected);
        }
        assert_eq!(name_and_version(""), None);
    }
}
