//! The table of a bench run, for people and for the repository.

use super::document;
use super::load::SEED;
use super::target::{Target, Verdict};
use crate::{machine, results};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use xtask_support::workspace;

/// One measured target.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    target: Target,
    values: Vec<f64>,
    detail: String,
}

impl Row {
    /// A row from the figure of each round.
    pub(crate) fn new(target: Target, mut values: Vec<f64>, detail: impl Into<String>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { target, values, detail: detail.into() }
    }

    /// The number of its target.
    pub(crate) fn id(&self) -> &'static str {
        self.target.id
    }

    fn median(&self) -> f64 {
        let middle = self.values.len() / 2;
        match self.values.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => self.values[middle],
            _ => f64::midpoint(self.values[middle - 1], self.values[middle]),
        }
    }

    fn range(&self) -> (f64, f64) {
        let ends = self.values.first().zip(self.values.last());
        ends.map_or((f64::NAN, f64::NAN), |(least, most)| (*least, *most))
    }

    fn verdict(&self) -> Verdict {
        self.target.verdict(self.median())
    }

    fn as_json(&self, circumstances: &str) -> Value {
        let (least, most) = self.range();
        json!({
            "id": self.target.id, "what": self.target.what, "ratio": self.median(), "least": least, "most": most,
            "rounds": self.values.len(), "must": self.target.must, "stretch": self.target.stretch,
            "pass": self.verdict() != Verdict::Missed, "stretch_met": self.verdict() == Verdict::Stretch,
            "detail": self.detail, "circumstances": circumstances, "measured": machine::today(),
        })
    }

    fn print(&self, circumstances: &str) {
        let verdict = match self.verdict() {
            Verdict::Stretch => "stretch met",
            Verdict::Must => "must met",
            Verdict::Missed => "MISSED",
            Verdict::Informational => "for information",
        };
        let bound = |bound: Option<f64>| bound.map_or_else(|| "–".to_owned(), figure);
        let (least, most) = self.range();
        println!(
            "{:<4} {:<66} {:>8} ({} to {}, {} rounds)  must {}  stretch {}  {verdict}",
            self.target.id,
            self.target.what,
            figure(self.median()),
            figure(least),
            figure(most),
            self.values.len(),
            bound(self.target.must),
            bound(self.target.stretch)
        );
        for line in [self.detail.as_str(), circumstances].iter().filter(|line| !line.is_empty()) {
            println!("       {line}");
        }
    }
}

/// A number with about three digits that mean something.
pub(crate) fn figure(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 100.0 => 0,
        medium if medium >= 10.0 => 1,
        small if small >= 0.1 || small == 0.0 => 2,
        _ => 4,
    };
    format!("{value:.digits$}")
}

/// Everything that a run found.
pub(crate) struct Table {
    machine: String,
    quick: bool,
    rows: Vec<(Row, String)>,
    left_out: Vec<(String, String)>,
}

impl Table {
    /// An empty one, with the machine as it is now.
    pub(crate) fn begin(quick: bool) -> Self {
        Self {
            machine: format!("{}, seed {SEED}", machine::description()),
            quick,
            rows: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Adds the rows of a family, measured in these circumstances.
    pub(crate) fn add(&mut self, rows: Vec<Row>, circumstances: &str) {
        for row in rows {
            row.print(circumstances);
            self.rows.push((row, circumstances.to_owned()));
        }
    }

    /// Notes that rows could not be measured.
    pub(crate) fn leave_out(&mut self, rows: &[&str], error: &anyhow::Error) {
        let (names, reason) = (rows.join(", "), format!("{error:#}"));
        eprintln!("  {names} left out: {reason}");
        self.left_out.push((names, reason));
    }

    /// Prints everything on standard output.
    pub(crate) fn print(&self) {
        println!(
            "\n{}{}",
            self.machine,
            if self.quick { "; quick: smaller and shorter than the targets ask" } else { "" }
        );
        for (row, circumstances) in &self.rows {
            row.print(circumstances);
        }
        for (rows, reason) in &self.left_out {
            println!("{rows} left out: {reason}");
        }
    }

    /// Writes everything to `server/benches/results/<date>.json`, and the table in docs/performance.md. Rows that were not measured
    /// again are taken over from the newest file there is, each with the day of its measurement. A quick run is not for
    /// the repository and goes to the build folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self) -> Result<()> {
        let folder = self.folder()?;
        let earlier = newest(&folder)?;
        let file = folder.join(format!("{}.json", machine::today()));
        let rows: Vec<Value> = self.rows.iter().map(|(row, circumstances)| row.as_json(circumstances)).collect();
        let rows = merged(earlier, rows);
        if !self.quick {
            document::update(&self.machine, &machine::today(), &rows)?;
        }
        let left_out = self.left_out.iter().map(|(rows, reason)| json!({ "rows": rows, "reason": reason }));
        let table = json!({
            "machine": self.machine, "quick": self.quick, "rows": rows,
            "left_out": left_out.collect::<Vec<_>>(),
        });
        fs::write(&file, serde_json::to_string_pretty(&table)? + "\n")
            .with_context(|| format!("writing {}", file.display()))
    }

    fn folder(&self) -> Result<PathBuf> {
        let folder = match self.quick {
            true => workspace::memory().join("bench"),
            false => results::folder(),
        };
        fs::create_dir_all(&folder).context("making the folder of results")?;
        Ok(folder)
    }
}

/// The rows of the newest table in a folder, each with the day on which it was measured.
fn newest(folder: &Path) -> Result<Vec<Value>> {
    let names = fs::read_dir(folder).context("listing the results")?;
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let days = names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()).filter(|day| is_day(day)));
    let Some(day) = days.max() else { return Ok(Vec::new()) };
    let text = fs::read_to_string(folder.join(format!("{day}.json"))).context("reading the newest results")?;
    let table: Value = serde_json::from_str(&text).context("understanding the newest results")?;
    let mut rows = table["rows"].as_array().cloned().unwrap_or_default();
    rows.iter_mut().filter(|row| row["measured"].is_null()).for_each(|row| row["measured"] = json!(day));
    Ok(rows)
}

/// Whether a text looks like `2026-11-22`.
fn is_day(text: &str) -> bool {
    text.len() == 10 && text.chars().all(|each| each.is_ascii_digit() || each == '-')
}

/// The new rows, and those of `earlier` that were not measured now, by number.
fn merged(earlier: Vec<Value>, new: Vec<Value>) -> Vec<Value> {
    let is_new = |row: &Value| new.iter().any(|new| new["id"] == row["id"]);
    let mut rows: Vec<_> = earlier.into_iter().filter(|row| !is_new(row)).collect();
    rows.extend(new);
    rows.sort_by_key(|row| number(row["id"].as_str().unwrap_or_default()));
    rows
}

fn number(id: &str) -> u32 {
    id.trim_start_matches('T').parse().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    #[test]
    fn the_median_is_the_middle_with_its_range() {
        let of = |values: &[f64]| Row::new(Target::told("T8", ""), values.to_vec(), "");
        assert_eq!((of(&[3.0, 1.0, 2.0]).median(), of(&[3.0, 1.0, 2.0]).range()), (2.0, (1.0, 3.0)));
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]).median(), 2.5);
        assert!(of(&[]).median().is_nan());
    }

    #[test]
    fn a_single_row_replaces_itself_and_leaves_the_others() {
        let row = |id: &str, ratio: f64| json!({ "id": id, "ratio": ratio });
        let rows = merged(vec![row("T5", 1.0), row("T5", 2.0), row("T10", 3.0)], vec![row("T5", 9.0)]);
        assert_eq!(rows, [row("T5", 9.0), row("T10", 3.0)]);
    }

    #[test]
    fn what_was_not_measured_again_keeps_its_day() {
        let folder = env::temp_dir().join(format!("doorstep-report-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let keep = |name: &str, table: Value| fs::write(folder.join(name), table.to_string()).expect("written");
        assert_eq!(newest(&folder).expect("no table"), Vec::<Value>::new());
        keep("2026-11-20.json", json!({ "rows": [{ "id": "T1" }] }));
        keep("2026-11-21.json", json!({ "rows": [{ "id": "T2" }, { "id": "T3", "measured": "2026-11-19" }] }));
        keep("autobahn.json", json!({ "rows": [{ "id": "T18" }] }));
        let rows = newest(&folder).expect("a table");
        fs::remove_dir_all(&folder).expect("removed");
        let days = [json!({ "id": "T2", "measured": "2026-11-21" }), json!({ "id": "T3", "measured": "2026-11-19" })];
        assert_eq!(rows, days);
    }
}
