//! Routes on an area's streets beside Valhalla's, for every extract in a folder.
//!
//! The same seeded trips are planned by us and by Valhalla from PyPI. A program of its own in Python, `xtask/lab/referee`,
//! reads the extract anew and looks for what our ways do that they may not; it shares no code with the importer. How
//! long a way is compared in metres, because each router has its own speeds; a way that is longer and quicker by
//! Valhalla's own clock is no worse.

use crate::bench::measuring::Bench;
use crate::bench::report::Row;
use crate::bench::target::Target;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask_support::failure::Failure;
use xtask_support::{process, progress, workspace};

const FORBIDDEN: Target = Target {
    stretch: None,
    ..Target::at_most("area-routes", "forbidden turns, barriers and closed ways on our routes", 0.0, 0.0)
};
const NO_WAY: Target = Target {
    stretch: None,
    ..Target::at_most("area-routes", "trips without a way that Valhalla has one for", 0.0, 0.0)
};
const LONGER: Target =
    Target::at_most("area-routes", "% of ways over 10 % longer than Valhalla's and not quicker, worst", 2.0, 1.0);
const SEARCH: Target =
    Target::at_most("area-routes", "ms of a core for a search within 20 km, p99, largest extract", 30.0, 15.0);

/// The folder with extracts.
const EXTRACTS: &str = "DOORSTEP_EXTRACTS";

const TRIPS: usize = 300;
const QUICK_TRIPS: usize = 60;

// Valhalla's graph of more takes minutes and says nothing new; only our searches are timed there.
const MOST_NODES_FOR_THE_REFEREE: u64 = 300_000;

/// A line of the example `ways`.
#[derive(Debug, Deserialize)]
struct Trip {
    profile: String,
    way: Option<Way>,
    core_ms: f64,
    nodes: u64,
}

#[derive(Debug, Deserialize)]
struct Way {
    length_m: f64,
    duration_s: f64,
}

/// A line of the referee.
#[derive(Debug, Deserialize)]
struct Answer {
    way: Option<Way>,
    /// Our way's time by Valhalla's clock.
    ours_s: Option<f64>,
    faults: Vec<String>,
}

/// What one profile did in one area.
#[derive(Debug, Default)]
struct Tally {
    compared: usize,
    longer: usize,
    longer_and_not_quicker: usize,
    no_way: usize,
    faults: Vec<String>,
    /// Our seconds for each of Valhalla's.
    pace: Vec<f64>,
}

// Shorter detours than this are a matter of where a way begins. In metres.
const SAME_WITHIN_M: f64 = 20.0;

impl Tally {
    fn add(&mut self, trip: &Trip, answer: &Answer) {
        self.faults.extend(answer.faults.iter().cloned());
        let (Some(ours), theirs) = (&trip.way, &answer.way) else {
            self.no_way += usize::from(answer.way.is_some());
            return;
        };
        let Some(theirs) = theirs else { return };
        self.compared += 1;
        self.pace.push(ours.duration_s / theirs.duration_s.max(1.0));
        let is_longer = ours.length_m > 1.1 * theirs.length_m + SAME_WITHIN_M;
        self.longer += usize::from(is_longer);
        let is_quicker = answer.ours_s.is_some_and(|ours_s| ours_s <= theirs.duration_s);
        self.longer_and_not_quicker += usize::from(is_longer && !is_quicker);
    }

    fn percent(&self, count: usize) -> f64 {
        100.0 * count as f64 / self.compared.max(1) as f64
    }

    fn line(&mut self, area: &str, profile: &str) -> String {
        self.pace.sort_by(f64::total_cmp);
        let pace = self.pace.get(self.pace.len() / 2).copied().unwrap_or(f64::NAN);
        format!(
            "{area:<22} {profile:<10} {:>4} ways  longer {:>4.1} %  and not quicker {:>4.1} %  without a way {}  faults {}  our seconds for one {pace:.2}",
            self.compared,
            self.percent(self.longer),
            self.percent(self.longer_and_not_quicker),
            self.no_way,
            self.faults.len(),
        )
    }
}

/// The rows, and a table of all profiles and areas in their detail.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let extracts = extracts()?;
    build()?;
    let python = referee_python()?;
    let folder = bench.folder().join("area-routes");
    let trips = bench.size(TRIPS, QUICK_TRIPS);
    let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
    let mut largest: (u64, f64) = (0, f64::NAN);
    for extract in &extracts {
        let area = extract.file_name().and_then(OsStr::to_str).and_then(|name| name.split('.').next()).unwrap_or("?");
        let into = folder.join(area);
        let planned = progress::step(&format!("area-routes: {area}"), || plan(extract, &into, trips))?;
        let nodes = planned.first().map_or(0, |trip| trip.nodes);
        if nodes > largest.0 {
            largest = (nodes, p99(planned.iter().map(|trip| trip.core_ms).collect()));
        }
        if nodes <= MOST_NODES_FOR_THE_REFEREE {
            let answers =
                progress::step(&format!("area-routes: Valhalla in {area}"), || judge(&python, extract, &into))?;
            for (trip, answer) in planned.iter().zip(&answers) {
                tallies.entry((area.to_owned(), trip.profile.clone())).or_default().add(trip, answer);
            }
        }
    }
    Ok(rows(tallies, largest))
}

fn rows(mut tallies: BTreeMap<(String, String), Tally>, (nodes, p99_ms): (u64, f64)) -> Vec<Row> {
    let table: Vec<String> = tallies.iter_mut().map(|((area, profile), tally)| tally.line(area, profile)).collect();
    let faults: Vec<&str> = tallies.values().flat_map(|tally| &tally.faults).map(String::as_str).collect();
    let no_way = tallies.values().map(|tally| tally.no_way).sum::<usize>();
    let worst = tallies.values().map(|tally| tally.percent(tally.longer_and_not_quicker)).fold(0.0, f64::max);
    vec![
        Row::new(FORBIDDEN, vec![faults.len() as f64], faults.join(", ")),
        Row::new(NO_WAY, vec![no_way as f64], ""),
        Row::new(LONGER, vec![worst], table.join("\n       ")),
        Row::new(SEARCH, vec![p99_ms], format!("{nodes} nodes, all profiles together")),
    ]
}

fn p99(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get((times.len() * 99 / 100).min(times.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

fn extracts() -> Result<Vec<PathBuf>> {
    let missing = || {
        let remedy = format!("set {EXTRACTS} to a folder with files .osm.pbf");
        Failure::new("there are no extracts to plan on", remedy)
    };
    let folder = std::env::var_os(EXTRACTS).ok_or_else(missing)?;
    let files = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let files = files.filter_map(|file| Some(file.ok()?.path()));
    let mut files: Vec<PathBuf> = files.filter(|file| file.to_string_lossy().ends_with(".osm.pbf")).collect();
    files.sort();
    if files.is_empty() { Err(missing().into()) } else { Ok(files) }
}

fn build() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "doorstep-area", "--example", "import", "--example", "ways"]);
    progress::step("building the importer", || process::run(cargo.current_dir(workspace::root())))
}

fn example(name: &str) -> Result<Command> {
    Ok(Command::new(workspace::cargo_target()?.join("release/examples").join(name)))
}

/// Imports an extract, and plans trips on its streets.
fn plan(extract: &Path, into: &Path, trips: usize) -> Result<Vec<Trip>> {
    if into.exists() {
        fs::remove_dir_all(into).with_context(|| format!("emptying {}", into.display()))?;
    }
    process::run_quietly(example("import")?.arg(extract).arg(into.join("area")))?;
    let planned = process::run_quietly(example("ways")?.arg(into.join("area/streets.bin")).arg(trips.to_string()))?;
    fs::write(into.join("trips.jsonl"), &planned).context("writing the trips")?;
    lines(&planned)
}

fn judge(python: &Path, extract: &Path, into: &Path) -> Result<Vec<Answer>> {
    let program = workspace::root().join("xtask/lab/referee/routes.py");
    let trips = fs::File::open(into.join("trips.jsonl")).context("opening the trips")?;
    let mut referee = Command::new(python);
    referee.arg(program).arg(extract).arg(into.join("valhalla")).stdin(trips);
    lines(&process::run_quietly(&mut referee)?)
}

fn lines<T: for<'a> Deserialize<'a>>(text: &str) -> Result<Vec<T>> {
    text.lines().map(|line| serde_json::from_str(line).context("a line that cannot be read")).collect()
}

/// A Python with the referee's packages; Valhalla's is made for 3.12.
fn referee_python() -> Result<PathBuf> {
    let folder = workspace::memory().join("referee");
    let python = folder.join("bin/python");
    let requirements = workspace::root().join("xtask/lab/referee/requirements.txt");
    let installed = folder.join("installed.txt");
    if fs::read(&installed).ok() == fs::read(&requirements).ok() && python.exists() {
        return Ok(python);
    }
    progress::step("installing Valhalla from PyPI", || {
        process::run_quietly(python_3_12()?.args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--requirement"]);
        process::run_quietly(pip.arg(&requirements))
    })?;
    fs::copy(&requirements, &installed).context("noting what is installed")?;
    Ok(python)
}

fn python_3_12() -> Result<Command> {
    let known = Command::new("pyenv").args(["versions", "--bare"]).output().map(|output| output.stdout);
    let known = String::from_utf8_lossy(&known.unwrap_or_default()).into_owned();
    let of_pyenv = known.lines().map(str::trim).filter(|version| version.starts_with("3.12")).map(Some);
    let python = |version: Option<&str>| {
        let mut command = Command::new("python3.12");
        command.envs(version.map(|version| ("PYENV_VERSION", version.to_owned())));
        command
    };
    let runs =
        |version: &Option<&str>| python(*version).arg("--version").output().is_ok_and(|out| out.status.success());
    let found = std::iter::once(None).chain(of_pyenv).find(runs);
    let missing = || {
        Failure::new(
            "there is no Python 3.12 here, which Valhalla's package needs",
            "install one, by pyenv for example",
        )
    };
    Ok(python(found.ok_or_else(missing)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trip(length_m: f64) -> Trip {
        let way = Some(Way { length_m, duration_s: 100.0 });
        Trip { profile: "car".to_owned(), way, core_ms: 1.0, nodes: 10 }
    }

    #[test]
    fn a_longer_way_counts_unless_it_is_quicker() {
        let mut tally = Tally::default();
        let answer =
            |ours_s| Answer { way: Some(Way { length_m: 1_000.0, duration_s: 100.0 }), ours_s, faults: Vec::new() };
        tally.add(&trip(1_200.0), &answer(Some(90.0)));
        tally.add(&trip(1_200.0), &answer(Some(110.0)));
        tally.add(&trip(1_200.0), &answer(None));
        tally.add(&trip(1_100.0), &answer(None));
        tally.add(&Trip { way: None, ..trip(0.0) }, &answer(None));
        assert_eq!((tally.compared, tally.longer, tally.longer_and_not_quicker, tally.no_way), (4, 3, 2, 1));
    }

    #[test]
    fn the_slowest_of_a_hundred_is_their_p99() {
        assert_eq!(p99((1..=100).map(f64::from).collect()), 100.0);
        assert!(p99(Vec::new()).is_nan());
    }
}
