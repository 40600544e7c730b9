//! Checks that take a network or minutes to install, and so are no part of the test command.
//!
//! Their tools come from the crate registry into `target/xtask/tools`, once. What could not be checked is said at the
//! end and fails the command: an audit that did not take place must not look like one that found nothing.

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};
use xtask_support::failure::Failure;
use xtask_support::{process, progress, workspace};

/// How a check ended.
enum Verdict {
    Clean,
    /// Its tool has said what.
    Found,
    /// It did not take place, for this reason.
    NotChecked(String),
}

/// Runs both checks, whatever the first says.
///
/// # Errors
/// When something was found or could not be checked.
pub(crate) fn run() -> Result<()> {
    let verdicts = [
        ("known vulnerabilities (cargo deny)", known_vulnerabilities()),
        ("unused dependencies (cargo machete)", unused_dependencies()),
    ];
    let mut complaints = Vec::new();
    println!();
    for (check, verdict) in verdicts {
        let told = match verdict {
            Verdict::Clean => "nothing found".to_owned(),
            Verdict::Found => "FOUND, see above".to_owned(),
            Verdict::NotChecked(reason) => format!("NOT CHECKED: {reason}"),
        };
        println!("{check:<40}{told}");
        if told != "nothing found" {
            complaints.push(check);
        }
    }
    if complaints.is_empty() {
        return Ok(());
    }
    bail!(Failure::new(
        format!("not clean: {}", complaints.join(", ")),
        "see above; licences and sources are checked by `cargo xtask test`"
    ))
}

fn known_vulnerabilities() -> Verdict {
    let deny = match tool("cargo-deny") {
        Ok(deny) => deny,
        Err(error) => return Verdict::NotChecked(format!("{error:#}")),
    };
    let mut fetch = Command::new(&deny);
    let is_fetched = process::run_quietly(fetch.args(["fetch", "db"]).current_dir(workspace::root()));
    let mut check = Command::new(&deny);
    if let Err(error) = is_fetched {
        if !has_advisories() {
            return Verdict::NotChecked(format!(
                "no advisory database is here, and none could be downloaded: {error:#}"
            ));
        }
        progress::note("the advisory database could not be downloaded; this is the one downloaded last");
        check.arg("--offline");
    }
    judged(check.args(["--all-features", "check", "advisories"]))
}

/// Whether cargo-deny has downloaded a database before, to where it keeps them.
fn has_advisories() -> bool {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let databases = home.and_then(|home| fs::read_dir(home.join("advisory-dbs")).ok());
    databases.is_some_and(|mut databases| databases.next().is_some())
}

fn unused_dependencies() -> Verdict {
    match tool("cargo-machete") {
        Ok(machete) => judged(Command::new(machete).arg("--skip-target-dir").arg(workspace::root())),
        Err(error) => Verdict::NotChecked(format!("{error:#}")),
    }
}

fn judged(command: &mut Command) -> Verdict {
    match command.current_dir(workspace::root()).status() {
        Ok(status) if status.success() => Verdict::Clean,
        Ok(_) => Verdict::Found,
        Err(error) => Verdict::NotChecked(format!("{} cannot be started: {error}", command.get_program().display())),
    }
}

/// A tool of the crate registry, installed unless it is there.
fn tool(name: &str) -> Result<PathBuf> {
    let folder = workspace::memory().join("tools");
    let program = folder.join("bin").join(name);
    if !program.is_file() {
        let mut cargo = Command::new("cargo");
        cargo.args(["install", "--locked", name, "--root"]).arg(&folder);
        progress::step(&format!("installing {name}, which takes minutes"), || process::run_quietly(&mut cargo))?;
    }
    Ok(program)
}
