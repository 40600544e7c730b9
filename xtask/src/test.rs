//! Checks everything that can be checked on one machine, in the order of what fails soonest.
//!
//! One throwaway Postgres serves the whole run; it is stopped however the run ends. The first failing step ends it: what
//! follows would only bury the reason. Each tool's own output passes through untouched, and a table closes the run.
//! A slow check that passed with the very files that lie here is not repeated, unless it is asked for.

use crate::inputs::Check;
use crate::{crates, floors, lab, openapi, site, sqlx};
use anyhow::Result;
use clap::ValueEnum;
use std::num::NonZero;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};
use xtask_support::failure::{self, Failure};
use xtask_support::postgres::{Durability, Throwaway};
use xtask_support::setup::{Tool, WASM_TARGET};
use xtask_support::stamp::Stamp;
use xtask_support::{process, progress, setup, workspace};

/// Where the tests find the database server. They make databases of their own in it.
pub(crate) const DATABASE_URL: &str = "DOORSTEP_TEST_DATABASE_URL";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs one part only.
    #[arg(long)]
    only: Option<Part>,
    /// Repeats the slow checks that passed already with the very files that lie here; `--only` and a name do so, too.
    #[arg(long)]
    again: bool,
    /// Only tests whose name contains this; without `--only`, of the Rust tests.
    filter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Whether imports follow the architecture; part of `lint`, alone in a second.
    Floors,
    /// Imports, crates, records of queries, formatting, clippy and documentation.
    Lint,
    /// The tests of every crate.
    Rust,
    /// The OpenAPI document with others' tools, and the server against the document.
    Api,
    /// Playwright with Chromium, against the built server.
    Browser,
}

impl Options {
    fn parts(&self) -> Vec<Part> {
        match (self.only, &self.filter) {
            (Some(part), _) => vec![part],
            (None, Some(_)) => vec![Part::Rust],
            (None, None) => vec![Part::Lint, Part::Rust, Part::Api, Part::Browser],
        }
    }

    const fn repeats(&self) -> bool {
        self.again || self.only.is_some() || self.filter.is_some()
    }
}

/// Runs the chosen parts, names the step that failed if one did, and prints the table last.
pub(crate) fn run(options: &Options) -> ExitCode {
    let parts = options.parts();
    let mut steps = Steps { repeats: options.repeats(), ..Steps::default() };
    let outcome = run_parts(&parts, options.filter.as_deref(), &mut steps);
    let exit_code = failure::exit_code(&outcome);
    println!("\n{}", steps.table());
    exit_code
}

fn run_parts(parts: &[Part], filter: Option<&str>, steps: &mut Steps) -> Result<()> {
    if parts == [Part::Floors] {
        return steps.run("floors", floors::check);
    }
    steps.run("set-up", || setup::prepare(&tools(parts)))?;
    if parts.contains(&Part::Lint) {
        lint(steps)?;
    }
    if parts == [Part::Lint] {
        return Ok(());
    }
    steps.run("browser assets", site::build)?;
    // With benches and tests in one go, every later step finds the same programs and libraries ready.
    steps.run("build", || cargo(&["build", "--workspace", "--exclude", "xtask", "--all-targets"]))?;
    let postgres = steps.run("Postgres", || Throwaway::start(Durability::Skipped))?;
    if parts.contains(&Part::Rust) {
        rust_tests(steps, &postgres, filter)?;
        // A filter names tests, and faults are none.
        if filter.is_none() {
            // Not beside the browser: on two cores it takes what the faults' deadlines need.
            steps.check(Check::Faults, "faults, the short set", lab::run_short_faults)?;
        }
    }
    if parts.contains(&Part::Api) {
        steps.check(Check::Document, "OpenAPI", openapi::check_document)?;
        steps.check(Check::Schemathesis, "schemathesis", || openapi::check_server(&postgres))?;
    }
    if parts.contains(&Part::Browser) {
        steps.part(filter, Check::Browser, "browser tests", || browser_tests(&postgres, filter))?;
    }
    Ok(())
}

fn tools(parts: &[Part]) -> Vec<Tool> {
    let mut tools = site::TOOLS.to_vec();
    if parts != [Part::Lint] {
        tools.extend([Tool::Postgres, Tool::Redis]);
    }
    if parts.contains(&Part::Api) {
        tools.extend(openapi::TOOLS);
    }
    if parts.contains(&Part::Browser) {
        tools.push(Tool::Chromium);
    }
    tools
}

fn lint(steps: &mut Steps) -> Result<()> {
    steps.run("floors", floors::check)?;
    steps.run("crates", crates::check)?;
    steps.run("records of queries", sqlx::check)?;
    steps.run("formatting", || cargo(&["fmt", "--all", "--check"]))?;
    steps.run("clippy", || clippy(&["--workspace", "--exclude", "xtask", "--all-targets"]))?;
    // Apart from the others: its dependencies, built once for `cargo xtask` itself, have other features.
    steps.run("clippy of xtask", || clippy(&["--package", "xtask", "--all-targets"]))?;
    steps.run("clippy for the browser", || {
        let front_end = ["--package", "doorstep-frontend", "--lib", "--target", WASM_TARGET, "--no-default-features"];
        site::BUNDLES.iter().try_for_each(|name| clippy(&[front_end.as_slice(), &["--features", name]].concat()))
    })?;
    steps.run("documentation", || {
        let selection = ["doc", "--workspace", "--exclude", "xtask", "--no-deps"];
        process::run(cargo_command(&selection).env("RUSTDOCFLAGS", "-D warnings"))?;
        process::run(cargo_command(&["doc", "--package", "xtask", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    })
}

fn clippy(selection: &[&str]) -> Result<()> {
    cargo(&[&["clippy"], selection, &["--", "-D", "warnings"]].concat())
}

fn rust_tests(steps: &mut Steps, postgres: &Throwaway, filter: Option<&str>) -> Result<()> {
    steps.part(filter, Check::Rust, "Rust tests", || {
        process::run(
            cargo_command(&["test", "--workspace", "--exclude", "xtask"])
                .args(filter)
                .env("RUST_TEST_THREADS", tests_at_once().to_string())
                .env(DATABASE_URL, postgres.url("postgres")),
        )
    })?;
    steps.part(filter, Check::Xtask, "tests of xtask", || {
        process::run(cargo_command(&["test", "--package", "xtask"]).args(filter))
    })
}

/// More than there are cores: most of them wait for a server or a database most of the time.
fn tests_at_once() -> usize {
    2 * thread::available_parallelism().map_or(1, NonZero::get)
}

fn browser_tests(postgres: &Throwaway, filter: Option<&str>) -> Result<()> {
    let mut playwright = Command::new("node");
    playwright
        .arg(workspace::node_modules("@playwright/test/cli.js"))
        .arg("test")
        .current_dir(workspace::frontend())
        .env(DATABASE_URL, postgres.url("postgres"))
        .env("DOORSTEP_BIN", workspace::built("debug", "doorstep")?)
        .env("SIMULATOR_BIN", workspace::built("debug", "simulator")?);
    if let Some(filter) = filter {
        playwright.args(["--grep", filter]);
    }
    process::run(&mut playwright)
}

fn cargo(arguments: &[&str]) -> Result<()> {
    process::run(&mut cargo_command(arguments))
}

/// Cargo in the repository, with queries checked against `.sqlx` whatever database the developer's shell names.
fn cargo_command(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(workspace::root()).env("SQLX_OFFLINE", "true");
    command
}

/// What was done so far, for the table.
#[derive(Default)]
struct Steps {
    done: Vec<Step>,
    /// A check is repeated even where nothing that it depends on has changed.
    repeats: bool,
}

struct Step {
    name: &'static str,
    elapsed: Duration,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    /// It passed before, with the same files.
    Unchanged,
}

impl Steps {
    fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let outcome = progress::step(name, work);
        let verdict = if outcome.is_ok() { Verdict::Passed } else { Verdict::Failed };
        self.done.push(Step { name, elapsed: started.elapsed(), verdict });
        outcome.map_err(|error| failed(name, error))
    }

    /// A slow check, unless it passed with the same files.
    fn check(&mut self, check: Check, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let stamp = check.stamp()?;
        if !self.repeats && stamp.as_ref().is_some_and(Stamp::is_current) {
            self.done.push(Step { name, elapsed: Duration::ZERO, verdict: Verdict::Unchanged });
            return Ok(());
        }
        self.run(name, work)?;
        // Taken before the work: a file that was changed meanwhile counts as changed.
        stamp.map_or(Ok(()), |stamp| stamp.keep())
    }

    /// The same where a filter may leave out most of it: then it says nothing about the rest.
    fn part(
        &mut self,
        filter: Option<&str>,
        check: Check,
        name: &'static str,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if filter.is_some() { self.run(name, work) } else { self.check(check, name, work) }
    }

    fn table(&self) -> String {
        let mut text = String::new();
        for step in &self.done {
            let (verdict, elapsed) = match step.verdict {
                Verdict::Passed => ("passed", progress::seconds(step.elapsed)),
                Verdict::Failed => ("FAILED", progress::seconds(step.elapsed)),
                Verdict::Unchanged => ("passed before", String::new()),
            };
            text.push_str(format!("{:<24}{verdict:<14}{elapsed:>10}", step.name).trim_end());
            text.push('\n');
        }
        let failed = self.done.iter().filter(|step| step.verdict == Verdict::Failed).count();
        let passed = self.done.len() - failed;
        text + &format!("steps: {passed} passed, {failed} failed")
    }
}

fn failed(step: &str, error: anyhow::Error) -> anyhow::Error {
    let reason = format!("the step \"{step}\" failed");
    if error.is::<Failure>() {
        return error.context(reason);
    }
    let remedy = "correct what is named above; `cargo xtask test --help` tells how to repeat one part";
    error.context(Failure::new(reason, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(only: Option<Part>, filter: Option<&str>) -> Options {
        Options { only, again: false, filter: filter.map(str::to_owned) }
    }

    #[test]
    fn a_filter_alone_means_the_rust_tests() {
        let all = [Part::Lint, Part::Rust, Part::Api, Part::Browser];
        assert_eq!(options(None, None).parts(), all);
        assert_eq!(options(None, Some("eta")).parts(), [Part::Rust]);
        let browser = options(Some(Part::Browser), Some("eta"));
        assert_eq!(browser.parts(), [Part::Browser]);
    }

    #[test]
    fn the_table_ends_with_the_count_of_steps() {
        let mut steps = Steps::default();
        steps.run("formatting", || Ok(())).expect("it succeeds");
        let failing = steps.run("clippy", || -> Result<()> { anyhow::bail!("a lint") });
        assert_eq!(failing.expect_err("it fails").to_string(), "the step \"clippy\" failed");
        let table = steps.table();
        assert!(table.ends_with("steps: 1 passed, 1 failed"), "{table}");
    }
}
