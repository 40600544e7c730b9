//! The licence texts of all crates inside the program, in one file, each text once.

use crate::crates::licence::normalised;
use crate::crates::metadata::Package;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How files with licence texts begin.
const BEGINNINGS: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];

/// The file's text. Crates of this repository are under the licences that lie beside it.
///
/// # Errors
/// When a crate's folder cannot be read.
pub(super) fn text(packages: &[Package]) -> Result<String> {
    let mut crates_by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without_text = Vec::new();
    for package in packages.iter().filter(|package| package.source.is_some()) {
        let texts = texts(package.manifest_path.parent().unwrap_or(Path::new(".")))?;
        if texts.is_empty() {
            without_text.push(heading(package));
        }
        for text in texts {
            crates_by_text.entry(text).or_default().push(heading(package));
        }
    }
    Ok(assembled(&crates_by_text, &without_text))
}

/// `serde 1.0.228, MIT OR Apache-2.0, https://github.com/serde-rs/serde`
fn heading(package: &Package) -> String {
    let licence = package.license.as_deref().map(normalised);
    let more = [licence, package.repository.clone()].into_iter().flatten();
    more.fold(format!("{} {}", package.name, package.version), |heading, part| format!("{heading}, {part}"))
}

fn texts(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_file() && is_licence(&path) {
            files.push(path);
        }
    }
    files.sort();
    files.iter().map(read).collect()
}

fn read(file: &PathBuf) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    // The same text with other ends of lines is the same text.
    Ok(text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned())
}

fn is_licence(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
    name == "UNLICENSE" || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

fn assembled(crates_by_text: &BTreeMap<String, Vec<String>>, without_text: &[String]) -> String {
    let mut all: Vec<_> = crates_by_text.iter().collect();
    all.sort_by_key(|(_, crates)| crates.first());
    let mut file = "The crates inside this program, and their licences.\n".to_owned();
    for (text, crates) in all {
        file.push_str(&format!("\n{}\n{}\n\n{text}\n", "=".repeat(80), crates.join("\n")));
    }
    if !without_text.is_empty() {
        let names = without_text.join("\n");
        file.push_str(&format!(
            "\n{}\nThese name their licence, but come without its text:\n\n{names}\n",
            "=".repeat(80)
        ));
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stands_once_below_all_its_crates() {
        let crates = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let texts = BTreeMap::from([
            ("MIT text".to_owned(), crates(&["a 1", "c 1"])),
            ("BSD text".to_owned(), crates(&["b 1"])),
        ]);
        let file = assembled(&texts, &crates(&["d 1, MIT"]));
        let places =
            ["a 1\nc 1\n\nMIT text", "b 1\n\nBSD text", "without its text:\n\nd 1, MIT"].map(|part| file.find(part));
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{file}");
    }

    #[test]
    fn files_with_licences_are_known_by_their_names() {
        let is = |name: &str| is_licence(Path::new(name));
        assert!(is("LICENSE") && is("license-mit") && is("COPYING.txt") && is("UNLICENSE") && is("NOTICE"));
        assert!(!is("README.md") && !is("unlicensed.rs"));
    }
}
