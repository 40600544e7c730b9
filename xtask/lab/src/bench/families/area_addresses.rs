//! Addresses of an area's own extract, searched for as people write them, for every extract in a folder.
//!
//! The example `addresses` of the crate `doorstep-area` imports an extract, reads the truth from it by other code, and
//! searches a seeded sample of it. Nothing else is running, so the times are absolute.

use crate::bench::measuring::Bench;
use crate::bench::report::Row;
use crate::bench::target::Target;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask_support::failure::Failure;
use xtask_support::{process, progress, workspace};

const FOUND: Target =
    Target::at_least("area-addresses", "% of \"Street 12, Postcode City\" within 60 m, worst extract", 90.0, 95.0);
const WRONG: Target = Target::at_most("area-addresses", "% of them farther than 500 m, worst extract", 1.0, 0.5);
const SEARCH: Target =
    Target::at_most("area-addresses", "ms for a search, p99, slowest extract and writing", 20.0, 10.0);

/// The folder with extracts.
const EXTRACTS: &str = "DOORSTEP_EXTRACTS";

/// The writing that the targets are about.
const USUAL: &str = "Street 12, Postcode City";

/// A line of the example.
#[derive(Clone, Debug, Deserialize)]
struct Told {
    writing: String,
    searched: usize,
    ambiguous: usize,
    within_60_m: f64,
    beyond_500_m: f64,
    beyond_500_m_and_certain: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// The rows.
pub(super) fn measure(_: &Bench<'_>) -> Result<Vec<Row>> {
    let extracts = extracts()?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "doorstep-area", "--example", "addresses"]);
    progress::step("building the importer", || process::run(cargo.current_dir(workspace::root())))?;
    let mut told = Vec::new();
    for extract in &extracts {
        let name = name(extract);
        told.push((name.clone(), progress::step(&format!("addresses of {name}"), || search(extract))?));
    }
    Ok(rows(&told))
}

fn search(extract: &Path) -> Result<Vec<Told>> {
    let program = workspace::cargo_target()?.join("release/examples/addresses");
    let lines = process::run_quietly(Command::new(program).arg(extract))?;
    lines.lines().map(|line| serde_json::from_str(line).context("a line that cannot be read")).collect()
}

fn rows(told: &[(String, Vec<Told>)]) -> Vec<Row> {
    let all = || told.iter().flat_map(|(_, lines)| lines);
    let usual = || all().filter(|line| line.writing == USUAL);
    let found = usual().map(|line| line.within_60_m * 100.0).fold(f64::INFINITY, f64::min);
    let wrong = usual().map(|line| line.beyond_500_m * 100.0).fold(f64::NEG_INFINITY, f64::max);
    let slowest = all().map(|line| line.p99_ms).fold(f64::NEG_INFINITY, f64::max);
    let table: Vec<String> =
        told.iter().flat_map(|(area, lines)| lines.iter().map(move |line| line.in_words(area))).collect();
    vec![
        Row::new(FOUND, vec![found], table.join("\n       ")),
        Row::new(WRONG, vec![wrong], ""),
        Row::new(SEARCH, vec![slowest], ""),
    ]
}

impl Told {
    fn in_words(&self, area: &str) -> String {
        let percent = |share: f64| share * 100.0;
        format!(
            "{area}, \"{}\": {:.1} % within 60 m, {:.2} % beyond 500 m ({:.2} % as certain), p50 {:.2} ms, p99 {:.2} ms, {} \
             of {} without a twin",
            self.writing,
            percent(self.within_60_m),
            percent(self.beyond_500_m),
            percent(self.beyond_500_m_and_certain),
            self.p50_ms,
            self.p99_ms,
            self.searched,
            self.searched + self.ambiguous,
        )
    }
}

fn name(extract: &Path) -> String {
    let file = extract.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    file.trim_end_matches(".osm.pbf").to_owned()
}

fn extracts() -> Result<Vec<PathBuf>> {
    let missing = || {
        let remedy = format!("set {EXTRACTS} to a folder with files .osm.pbf");
        Failure::new("there are no extracts to search in", remedy)
    };
    let folder = std::env::var_os(EXTRACTS).ok_or_else(missing)?;
    let files = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let files = files.filter_map(|file| Some(file.ok()?.path()));
    let mut files: Vec<PathBuf> = files.filter(|file| file.to_string_lossy().ends_with(".osm.pbf")).collect();
    files.sort();
    if files.is_empty() { Err(missing().into()) } else { Ok(files) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(writing: &str, within_60_m: f64, beyond_500_m: f64, p99_ms: f64) -> Told {
        let (searched, ambiguous) = (100, 3);
        let writing = writing.to_owned();
        Told {
            writing,
            searched,
            ambiguous,
            within_60_m,
            beyond_500_m,
            beyond_500_m_and_certain: 0.0,
            p50_ms: 0.1,
            p99_ms,
        }
    }

    #[test]
    fn the_worst_extract_counts() {
        let areas = [
            ("a".to_owned(), vec![told(USUAL, 0.99, 0.001, 1.0), told("other", 0.1, 0.9, 7.0)]),
            ("b".to_owned(), vec![told(USUAL, 0.91, 0.004, 2.0)]),
        ];
        let shown: Vec<String> = rows(&areas).iter().map(|row| format!("{row:?}")).collect();
        for (row, value) in shown.iter().zip(["values: [91.0]", "values: [0.4]", "values: [7.0]"]) {
            assert!(row.contains(value), "{row}");
        }
        assert!(areas[1].1[0].in_words("b").contains("91.0 % within 60 m"));
    }
}
