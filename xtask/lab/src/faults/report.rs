//! One line for each run, for people, and a file for the repository.

use super::profile::Profile;
use super::rows::{Outcome, Row};
use crate::{machine, results};
use anyhow::{Context, Result};
use doorstep_simulator::Check;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use xtask_support::workspace;

/// Everything that a run of the suite found.
pub(super) struct Results {
    short: bool,
    profile: Profile,
    machine: String,
    runs: Vec<Value>,
    failed: Vec<String>,
}

impl Results {
    pub(super) fn begin(short: bool, profile: Profile) -> Self {
        Self { short, profile, machine: machine::description(), runs: Vec::new(), failed: Vec::new() }
    }

    /// Prints the line of a run and keeps it. A run that could not be carried out has failed.
    pub(super) fn add(&mut self, row: &Row, seed: u64, outcome: Result<Outcome>) {
        let (verdict, told, checks) = match outcome {
            Ok(Outcome::Skipped(reason)) => ("skipped", reason, Vec::new()),
            Ok(Outcome::Judged { facts, checker }) => {
                let passed = facts.iter().chain(&checker).all(|check| check.passed);
                (if passed { "passed" } else { "FAILED" }, told(&facts, &checker), [facts, checker].concat())
            }
            Err(error) => ("FAILED", format!("could not be carried out: {error:#}"), Vec::new()),
        };
        println!("{:<4} seed {seed:<4} {verdict:<8} {}: {told}", row.id, row.fault);
        if verdict == "FAILED" {
            self.failed.push(format!("{} with seed {seed}", row.id));
        }
        self.runs.push(json!({
            "id": row.id, "seed": seed, "fault": row.fault, "verdict": verdict.to_lowercase(), "told": told,
            "checks": checks, "load_average": machine::load_average(),
        }));
    }

    /// The rows and seeds with broken promises.
    pub(super) fn failed(&self) -> &[String] {
        &self.failed
    }

    /// Writes everything to `server/benches/results/faults-<date>.json`; runs of an earlier command on the same day stay
    /// when they were not repeated. A short set is not for the repository and goes to the build folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self) -> Result<()> {
        let file = self.file()?;
        let earlier = fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str(&text).ok());
        let results = json!({
            "machine": self.machine, "profile": self.profile.folder(), "short": self.short,
            "runs": merged(earlier, &self.runs),
        });
        fs::write(&file, serde_json::to_string_pretty(&results)? + "\n")
            .with_context(|| format!("writing {}", file.display()))
    }

    fn file(&self) -> Result<PathBuf> {
        let is_for_keeps = !self.short && self.profile == Profile::Release;
        let folder = if is_for_keeps { results::folder() } else { workspace::memory().join("faults") };
        fs::create_dir_all(&folder).context("making the folder of results")?;
        Ok(folder.join(format!("faults-{}.json", machine::today())))
    }
}

/// What was measured against what must be, and the checker's verdict in one sentence.
fn told(facts: &[Check], checker: &[Check]) -> String {
    let broken: Vec<_> = checker.iter().filter(|check| !check.passed).map(ToString::to_string).collect();
    let facts = facts.iter().map(ToString::to_string);
    let verdict = match (checker.first(), broken.is_empty()) {
        (None, _) => None,
        (Some(stored), true) => {
            Some(format!("checker: {} {}, all {} hold", stored.measured, stored.what, checker.len()))
        }
        (Some(_), false) => Some(format!("checker: {}", broken.join("; "))),
    };
    facts.chain(verdict).collect::<Vec<_>>().join("; ")
}

/// The new runs, and those of `earlier` with another row or seed, by row and seed.
fn merged(earlier: Option<Value>, new: &[Value]) -> Vec<Value> {
    let earlier = earlier.and_then(|results| results.get("runs")?.as_array().cloned()).unwrap_or_default();
    let is_same = |one: &Value, other: &Value| one["id"] == other["id"] && one["seed"] == other["seed"];
    let kept = earlier.into_iter().filter(|old| !new.iter().any(|new| is_same(new, old)));
    let mut runs: Vec<_> = kept.chain(new.iter().cloned()).collect();
    runs.sort_by_key(|run| {
        let number: u32 = run["id"].as_str().and_then(|id| id.strip_prefix('F')?.parse().ok()).unwrap_or(u32::MAX);
        (number, run["seed"].as_u64())
    });
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_was_measured_and_only_what_is_broken_of_the_checkers() {
        let facts = [Check::at_most("ready again", 0.5, 2.0, "s")];
        let clean = [Check::count("fixes stored", 9, 9), Check::never("duplicates", 0)];
        assert_eq!(told(&facts, &clean), "ready again: 0.50 s (must be ≤ 2 s); checker: 9 fixes stored, all 2 hold");
        let broken = [Check::count("fixes stored", 9, 9), Check::never("duplicates", 3)];
        assert!(told(&facts, &broken).ends_with("checker: duplicates: 3 (must be 0) BROKEN"));
    }

    #[test]
    fn a_repeated_run_replaces_itself_and_leaves_the_others() {
        let run = |id: &str, seed: u64, verdict: &str| json!({ "id": id, "seed": seed, "verdict": verdict });
        let earlier = json!({ "runs": [run("F1", 1, "failed"), run("F1", 2, "passed"), run("F12", 1, "passed")] });
        let runs = merged(Some(earlier), &[run("F1", 1, "passed"), run("F2", 1, "passed")]);
        let expected = [("F1", 1), ("F1", 2), ("F2", 1), ("F12", 1)].map(|(id, seed)| run(id, seed, "passed"));
        assert_eq!(runs, expected);
    }
}
