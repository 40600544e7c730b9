//! T18: our WebSocket connections against the Autobahn test suite, cases 1–7 and 10.
//!
//! The suite is a Python 2.7 program. It is looked for as `python2.7`, also among the versions that pyenv knows; without
//! it the row is left out. It comes from PyPI, once, into the build folder.

use crate::bench::measuring::Bench;
use crate::bench::report::Row;
use crate::bench::served::Served;
use crate::bench::target::Target;
use crate::results;
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask_support::failure::Failure;
use xtask_support::{process, progress, workspace};

const T18: Target =
    Target { stretch: None, ..Target::at_most("T18", "failed cases of the Autobahn suite, 1–7 and 10", 0.0, 0.0) };
const CLOSES: Target =
    Target { must: None, ..Target::at_most("T18", "cases closed in another way than expected", 0.0, 0.0) };

const SUITE: &str = "autobahntestsuite==25.10.1";

/// What the suite says of a case.
#[derive(Debug, Deserialize)]
struct Case {
    behavior: String,
    #[serde(rename = "behaviorClose")]
    behavior_close: String,
}

/// Both rows, and a summary for the repository.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let python = python()?;
    let suite = installed(&python)?;
    let echo = Served::example("echo")?;
    let reports = bench.folder().join("autobahn");
    let cases = progress::step("T18: Autobahn", || fuzz(&python, &suite, &echo, &reports))?;
    let failed: Vec<_> =
        cases.iter().filter(|(_, case)| case.behavior == "FAILED").map(|(name, _)| name.as_str()).collect();
    let closes: Vec<_> = cases
        .iter()
        .filter(|(_, case)| matches!(case.behavior_close.as_str(), "FAILED" | "WRONG CODE" | "UNCLEAN"))
        .map(|(name, _)| name.as_str())
        .collect();
    summarise(&cases)?;
    let detail = format!("{} cases; failed: {}", cases.len(), listed(&failed));
    Ok(vec![
        Row::new(T18, vec![failed.len() as f64], detail),
        Row::new(CLOSES, vec![closes.len() as f64], format!("these: {}", listed(&closes))),
    ])
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A command that runs Python 2.7, and its arguments come next.
struct Python(Option<String>);

impl Python {
    fn command(&self) -> Command {
        let mut command = Command::new("python2.7");
        if let Some(version) = &self.0 {
            command.env("PYENV_VERSION", version);
        }
        command
    }

    fn runs(&self) -> bool {
        self.command().arg("--version").output().is_ok_and(|output| output.status.success())
    }
}

fn python() -> Result<Python> {
    let known = Command::new("pyenv").args(["versions", "--bare"]).output().map(|output| output.stdout);
    let known = String::from_utf8_lossy(&known.unwrap_or_default()).into_owned();
    let of_pyenv = known
        .lines()
        .map(str::trim)
        .filter(|version| version.starts_with("2.7"))
        .map(|version| Some(version.to_owned()));
    let mut candidates = std::iter::once(None).chain(of_pyenv).map(Python);
    let found = candidates.find(Python::runs);
    Ok(found.ok_or_else(|| {
        Failure::new("there is no Python 2.7 here, which the Autobahn suite needs", "install one, by pyenv for example")
    })?)
}

fn installed(python: &Python) -> Result<PathBuf> {
    let folder = workspace::memory().join("autobahn");
    if folder.join("autobahntestsuite").is_dir() {
        return Ok(folder);
    }
    let mut pip = python.command();
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]).arg(&folder).arg(SUITE);
    progress::step("installing the Autobahn suite from PyPI", || process::run_quietly(&mut pip))?;
    Ok(folder)
}

fn fuzz(python: &Python, suite: &Path, echo: &Served, reports: &Path) -> Result<BTreeMap<String, Case>> {
    fs::create_dir_all(reports).context("making a folder for the reports")?;
    let settings = reports.join("fuzzingclient.json");
    let what = json!({
        "outdir": reports, "servers": [{ "agent": "doorstep", "url": echo.url("ws") }],
        "cases": ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"], "exclude-cases": [], "exclude-agent-cases": {},
    });
    fs::write(&settings, what.to_string()).context("writing the suite's settings")?;
    let mut client = python.command();
    // A folder of packages, and not only a place to look for modules: one of them is spread over several by a `.pth` file.
    const RUN: &str = "import os, site; site.addsitedir(os.environ['SUITE']); \
        from autobahntestsuite.wstest import run; run()";
    client.args(["-c", RUN, "--mode", "fuzzingclient", "--spec"]).arg(&settings);
    client.env("SUITE", suite).current_dir(reports);
    process::run_quietly(&mut client)?;
    let index = fs::read_to_string(reports.join("index.json")).context("the suite wrote no report")?;
    let mut agents: BTreeMap<String, BTreeMap<String, Case>> =
        serde_json::from_str(&index).context("the suite's report cannot be read")?;
    agents.remove("doorstep").context("the suite's report is about another program")
}

/// `autobahn.json`: how many cases behaved how, and those that were not simply right.
fn summarise(cases: &BTreeMap<String, Case>) -> Result<()> {
    let mut behaviours: BTreeMap<&str, u32> = BTreeMap::new();
    let mut closes: BTreeMap<&str, u32> = BTreeMap::new();
    for case in cases.values() {
        *behaviours.entry(&case.behavior).or_default() += 1;
        *closes.entry(&case.behavior_close).or_default() += 1;
    }
    let not_ok = cases.iter().filter(|(_, case)| case.behavior != "OK" || case.behavior_close != "OK");
    let not_ok: BTreeMap<_, _> =
        not_ok.map(|(name, case)| (name, json!([case.behavior, case.behavior_close]))).collect();
    let summary = json!({
        "suite": SUITE, "cases": cases.len(), "behaviour": behaviours, "closing": closes, "not_ok": not_ok,
    });
    fs::create_dir_all(results::folder())?;
    fs::write(results::folder().join("autobahn.json"), serde_json::to_string_pretty(&summary)? + "\n")
        .context("writing autobahn.json")
}
