//! How long an extract takes to become an area, and how much memory.
//!
//! The extracts lie in the folder that `DOORSTEP_EXTRACTS` names, because they are larger than the repository. One that
//! is not there is left out of the row, and a run without any says so.

use crate::bench::measuring::Bench;
use crate::bench::report::{Row, figure};
use crate::bench::target::Target;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask_support::{process, progress, workspace};

const EXTRACTS: &str = "DOORSTEP_EXTRACTS";

const COUNTRY_S: Target = Target::at_most("area-import", "seconds to import Malta, 6 MB", 5.0, 3.0);
const COUNTRY_MB: Target = Target::at_most("area-import-mb", "MB held at most while Malta is imported", 300.0, 150.0);
const CITY_S: Target =
    Target::at_most("area-import-city", "seconds to import a city of a million junctions", 90.0, 45.0);
const CITY_MB: Target =
    Target::at_most("area-import-city-mb", "MB held at most while that city is imported", 2_000.0, 1_000.0);

/// The rows of this family.
pub(super) const ROWS: &[&str] = &[COUNTRY_S.id, COUNTRY_MB.id, CITY_S.id, CITY_MB.id];

/// The file of each pair of rows; others are told beside the first.
const COUNTRY: &str = "malta-latest.osm.pbf";
const CITY: &str = "city1000.osm.pbf";
const OTHERS: [&str; 2] = ["neubrandenburg.osm.pbf", "isle-of-man.osm.pbf"];

/// What the import says of itself.
#[derive(Deserialize)]
struct Took {
    id: String,
    seconds: f64,
    peak_bytes: u64,
    disk_bytes: u64,
}

/// The rows.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let folder =
        std::env::var_os(EXTRACTS).map(PathBuf::from).with_context(|| format!("{EXTRACTS} names no folder"))?;
    build()?;
    let others = OTHERS.iter().filter_map(|file| imported(bench, &folder, file, 1).transpose());
    let others: Vec<String> = others.map(|took| took.map(|took| told(&took))).collect::<Result<_>>()?;
    let mut rows = Vec::new();
    for (file, targets, beside) in
        [(COUNTRY, [COUNTRY_S, COUNTRY_MB], others.join("; ")), (CITY, [CITY_S, CITY_MB], String::new())]
    {
        if let Some(took) = imported(bench, &folder, file, bench.size(3, 1))? {
            let detail = [told(&took), beside].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
            let seconds = took.iter().map(|took| took.seconds).collect();
            let megabytes = took.iter().map(|took| took.peak_bytes as f64 / 1e6).collect();
            rows.push(Row::new(targets[0], seconds, detail.join("; ")));
            rows.push(Row::new(targets[1], megabytes, ""));
        }
    }
    ensure!(!rows.is_empty(), "{} holds neither {COUNTRY} nor {CITY}", folder.display());
    Ok(rows)
}

fn build() -> Result<()> {
    progress::step("building the import", || {
        let package = ["--package", "doorstep-area", "--example", "import"];
        process::run(Command::new("cargo").args(["build", "--release"]).args(package).current_dir(workspace::root()))
    })
}

/// Imports a file so many times, each in a process of its own. `None` when the folder lacks it.
fn imported(bench: &Bench<'_>, folder: &Path, file: &str, times: usize) -> Result<Option<Vec<Took>>> {
    let extract = folder.join(file);
    if !extract.exists() {
        return Ok(None);
    }
    let program = workspace::cargo_target()?.join("release/examples/import");
    let into = bench.folder().join("area");
    let once = || {
        let said = process::run_quietly(Command::new(&program).arg(&extract).arg(&into))?;
        fs::remove_dir_all(&into).context("removing the area")?;
        serde_json::from_str(said.trim()).context("the import says what it took as JSON")
    };
    progress::step(&format!("importing {file}"), || (0..times).map(|_| once()).collect::<Result<Vec<Took>>>()).map(Some)
}

fn told(took: &[Took]) -> String {
    let last = took.last().expect("it was imported");
    let megabytes = |bytes: u64| figure(bytes as f64 / 1e6);
    format!(
        "{}: {} s, {} MB held, {} MB written",
        last.id,
        figure(last.seconds),
        megabytes(last.peak_bytes),
        megabytes(last.disk_bytes)
    )
}
