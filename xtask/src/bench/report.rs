//! The table of a bench run, for people and for the repository.

use super::Target;
use crate::workspace;
use anyhow::{Context, Result};
use serde_json::json;
use std::fs;
use std::process::Command;

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Better than asked.
    Stretch,
    /// As asked.
    Must,
    /// Not there.
    Missed,
}

/// One measured target.
pub struct Row {
    target: Target,
    median: f64,
    least: f64,
    most: f64,
    detail: String,
}

impl Row {
    /// A row from the ratio of each round.
    pub fn new(target: Target, mut ratios: Vec<f64>, detail: String) -> Self {
        ratios.sort_by(f64::total_cmp);
        let median = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
        let ends = ratios.first().zip(ratios.last());
        let (least, most) = ends.map_or((f64::NAN, f64::NAN), |(least, most)| (*least, *most));
        Self { target, median, least, most, detail }
    }

    fn verdict(&self) -> Verdict {
        self.target.verdict(self.median)
    }
}

/// Prints the table on standard output.
pub fn print(rows: &[Row]) {
    println!("\n{}", machine());
    for row in rows {
        let verdict = match row.verdict() {
            Verdict::Stretch => "stretch met",
            Verdict::Must => "must met",
            Verdict::Missed => "MISSED",
        };
        println!(
            "{:<3} {:<72} {:>7.3} ({:.3} to {:.3})  must {} stretch {}  {verdict}",
            row.target.id, row.target.what, row.median, row.least, row.most, row.target.must, row.target.stretch
        );
        if !row.detail.is_empty() {
            println!("    {}", row.detail);
        }
    }
}

/// Writes the table to `server/benches/results/<date>.json`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(rows: &[Row]) -> Result<()> {
    let rows: Vec<_> = rows.iter().map(as_json).collect();
    let folder = workspace::root().join("server/benches/results");
    fs::create_dir_all(&folder).context("making the folder of results")?;
    let file = folder.join(format!("{}.json", said(Command::new("date").args(["-u", "+%F"]))));
    let text = serde_json::to_string_pretty(&json!({ "machine": machine(), "rows": rows }))?;
    fs::write(&file, text + "\n").with_context(|| format!("writing {}", file.display()))
}

fn as_json(row: &Row) -> serde_json::Value {
    json!({
        "id": row.target.id, "what": row.target.what, "ratio": row.median, "least": row.least, "most": row.most,
        "must": row.target.must, "stretch": row.target.stretch, "pass": row.verdict() != Verdict::Missed,
        "detail": row.detail,
    })
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!("{cores} cores, {}, load average {load}", said(Command::new("rustc").arg("--version")))
}

fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
