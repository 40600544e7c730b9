//! The files of a crate, and which of them name which.

use super::import::{Import, Parsed, parse};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use xtask_support::hash;

/// A crate's source folder, read.
pub(super) struct Tree {
    /// Where it is, for messages: `server/src`.
    root: String,
    files: Vec<File>,
}

struct File {
    /// Its path below the root: `order/rules.rs`.
    path: String,
    module: Vec<String>,
    parsed: Parsed,
}

/// A file of the tree, by its place in it.
pub(super) type FileIndex = usize;

/// A file that names something in the same crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) from: FileIndex,
    /// The file that holds the module named, or is nearest to it.
    pub(super) to: FileIndex,
    /// The whole path, `order::rules::Rule`.
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

impl Tree {
    /// Reads all Rust files below `root` in the repository `repository`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn read(repository: &Path, root: &str) -> Result<Self> {
        let folder = repository.join(root);
        let mut texts = Vec::new();
        for file in hash::files_below(&folder)? {
            if file.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
                let inside = file.strip_prefix(&folder).unwrap_or(&file).to_string_lossy().into_owned();
                texts.push((inside, text));
            }
        }
        Ok(Self::new(root, texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))))
    }

    /// A tree of these files, each with its path below the root and its text.
    pub(super) fn new<'a>(root: &str, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = files.into_iter().map(|(path, text)| File {
            path: path.to_owned(),
            module: module_of(path),
            parsed: parse(text),
        });
        let mut tree = Self { root: root.to_owned(), files: files.collect() };
        tree.leave_out_tests();
        tree
    }

    /// Files that only exist in tests may name what they like.
    fn leave_out_tests(&mut self) {
        let tests = self.files.iter().flat_map(|file| {
            file.parsed.test_modules.iter().map(|name| [file.module.as_slice(), std::slice::from_ref(name)].concat())
        });
        let tests: Vec<_> = tests.collect();
        self.files.retain(|file| !tests.iter().any(|test| file.module.starts_with(test)));
    }

    /// A file as it is named in messages: `server/src/order/rules.rs`.
    pub(super) fn shown(&self, file: FileIndex) -> String {
        format!("{}/{}", self.root, self.files[file].path)
    }

    /// The module that a file is.
    pub(super) fn module(&self, file: FileIndex) -> &[String] {
        &self.files[file].module
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The folder that a file belongs to. A module with a folder of its own belongs to that folder, whether it is
    /// written as `x.rs` or as `x/mod.rs`.
    pub(super) fn folder(&self, file: FileIndex) -> &[String] {
        let module = self.module(file);
        let has_folder =
            self.files.iter().any(|other| other.module.len() > module.len() && other.module.starts_with(module));
        if has_folder || module.is_empty() { module } else { &module[..module.len() - 1] }
    }

    /// Everything that files name within the crate, themselves left out.
    pub(super) fn references(&self) -> Vec<Reference> {
        let modules: BTreeMap<&[String], FileIndex> = self.roots_last().map(|file| (self.module(file), file)).collect();
        let mut references = Vec::new();
        for (from, file) in self.files.iter().enumerate() {
            for import in &file.parsed.imports {
                let Some(path) = absolute(&file.module, import, |module| modules.contains_key(module)) else {
                    continue;
                };
                let to = (0..=path.len()).rev().find_map(|length| modules.get(&path[..length]).copied());
                let is_of_another_root = file.module.is_empty() && to.is_some_and(|to| self.module(to).is_empty());
                if let Some(to) = to.filter(|to| *to != from && !is_of_another_root) {
                    references.push(Reference { from, to, path, line: import.line });
                }
            }
        }
        references
    }

    /// Both `main.rs` and `lib.rs` are the root; where there are both, others mean the library.
    fn roots_last(&self) -> impl Iterator<Item = FileIndex> {
        let is_library = |file: &FileIndex| self.files[*file].path == "lib.rs";
        (0..self.len()).filter(move |file| !is_library(file)).chain((0..self.len()).filter(is_library))
    }
}

/// `order/rules.rs` is `order::rules`, as is `order/rules/mod.rs`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    let mut module: Vec<_> = path.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") || ["lib", "main"].contains(&path) {
        module.pop();
    }
    module
}

/// The path from the root of the crate; `None` when it is another crate's.
fn absolute(file: &[String], import: &Import, is_module: impl Fn(&[String]) -> bool) -> Option<Vec<String>> {
    let mut base = [file, &import.within].concat();
    let mut path = import.path.as_slice();
    match path.first()?.as_str() {
        "crate" => (base, path) = (Vec::new(), &path[1..]),
        "self" => path = &path[1..],
        "super" => {
            while path.first().is_some_and(|word| word == "super") {
                base.pop();
                path = &path[1..];
            }
        }
        child if is_module(&[&base[..], &[child.to_owned()]].concat()) => {}
        _ => return None,
    }
    base.extend_from_slice(path);
    Some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(tree: &Tree) -> Vec<String> {
        let references = tree.references();
        let shown = references
            .iter()
            .map(|it| format!("{}:{} -> {}", tree.files[it.from].path, it.line, tree.files[it.to].path));
        shown.collect()
    }

    #[test]
    fn every_way_to_name_a_file_is_followed() {
        let tree = Tree::new(
            "src",
            [
                ("main.rs", "mod order; fn main() { order::run(); crate::VERSION; }"),
                ("order/mod.rs", "mod rules; use rules::Rule; use anyhow::Result;"),
                (
                    "order/rules.rs",
                    "use super::Order;\nuse crate::track::filter::Filter;\nfn f() { super::super::track::g() }",
                ),
                ("track.rs", "pub use self::filter::Filter;"),
                ("track/filter.rs", "mod inner { use super::super::Track; }"),
            ],
        );
        assert_eq!(
            shown(&tree),
            [
                "main.rs:1 -> order/mod.rs",
                "order/mod.rs:1 -> order/rules.rs",
                "order/rules.rs:1 -> order/mod.rs",
                "order/rules.rs:2 -> track/filter.rs",
                "order/rules.rs:3 -> track.rs",
                "track.rs:1 -> track/filter.rs",
                "track/filter.rs:1 -> track.rs",
            ]
        );
    }

    #[test]
    fn a_module_with_a_folder_belongs_to_it() {
        let tree = Tree::new("src", [("lib.rs", ""), ("a.rs", ""), ("a/b.rs", ""), ("c/mod.rs", ""), ("d.rs", "")]);
        let folders: Vec<_> = (0..tree.len()).map(|file| tree.folder(file).join("/")).collect();
        assert_eq!(folders, ["", "a", "a", "", ""], "c has no other file, so it is a file of the root");
    }

    #[test]
    fn files_of_tests_are_left_out() {
        let tree = Tree::new(
            "src",
            [("lib.rs", "#[cfg(test)] mod tests; mod a;"), ("tests.rs", "use crate::a::B;"), ("a.rs", "")],
        );
        assert_eq!(tree.len(), 2);
    }
}
