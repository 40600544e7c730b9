//! The table in docs/performance.md, between two marks, written anew from the newest results.

use super::report::figure;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use xtask_support::workspace;

const DOCUMENT: &str = "docs/performance.md";
const BEGIN: &str = "<!-- cargo xtask bench writes from here -->\n";
const END: &str = "<!-- to here -->\n";

/// Puts the rows of a results file into docs/performance.md.
///
/// # Errors
/// When the marks are missing, or the file cannot be written.
pub(super) fn update(machine: &str, date: &str, rows: &[Value]) -> Result<()> {
    let file = workspace::root().join(DOCUMENT);
    let document = fs::read_to_string(&file).with_context(|| format!("reading {DOCUMENT}"))?;
    let table = table(machine, date, rows);
    let document =
        replaced(&document, &table).with_context(|| format!("{DOCUMENT} has lost the marks of its table"))?;
    fs::write(&file, document).with_context(|| format!("writing {DOCUMENT}"))
}

fn replaced(document: &str, table: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn table(machine: &str, date: &str, rows: &[Value]) -> String {
    let mut text = format!("Measured on {date}: {machine}.\n\n");
    text.push_str("| | what | measured (least to most) | must | stretch | |\n|---|---|---|---|---|---|\n");
    for row in rows {
        text.push_str(&line(row, date));
    }
    text
}

/// A row that was not measured on `date` says when it was.
fn line(row: &Value, date: &str) -> String {
    let number = |name: &str| row[name].as_f64().map_or_else(|| "–".to_owned(), figure);
    let is = |name: &str| row[name].as_bool().unwrap_or(false);
    let verdict = match (row["must"].is_null() && !is("stretch_met"), is("stretch_met"), is("pass")) {
        (true, ..) => "for information",
        (_, true, _) => "stretch met",
        (_, _, true) => "met",
        (_, _, false) => "**missed**",
    };
    let text = |name: &str| row[name].as_str().unwrap_or_default().replace('|', "\\|");
    let day = row["measured"].as_str().filter(|day| *day != date).map_or_else(String::new, |day| format!(" ({day})"));
    format!(
        "| {} | {} | {} ({} to {}) | {} | {} | {verdict}{day} |\n",
        text("id"),
        text("what"),
        number("ratio"),
        number("least"),
        number("most"),
        number("must"),
        number("stretch")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let document = format!("before\n{BEGIN}old\n{END}after\n");
        let row = json!({ "id": "T5", "what": "p50", "ratio": 1.25, "least": 1.0, "most": 2.0, "must": 1.5,
            "stretch": null, "pass": true, "stretch_met": false, "measured": "2026-11-21" });
        let new =
            replaced(&document, &table("two cores", "2026-11-21", std::slice::from_ref(&row))).expect("both marks");
        assert!(new.starts_with(&format!("before\n{BEGIN}Measured on 2026-11-21: two cores.\n")), "{new}");
        assert!(new.contains("| T5 | p50 | 1.25 (1.00 to 2.00) | 1.50 | – | met |\n"), "{new}");
        assert!(new.ends_with(&format!("{END}after\n")));
        assert!(line(&row, "2026-11-22").ends_with("| met (2026-11-21) |\n"), "of another day");
        assert_eq!(replaced("no marks", ""), None);
    }
}
