//! Import circles among files of different folders.
//!
//! Files of one folder may import each other as they like: they are one thing in several files. Between folders a circle
//! means that neither can be understood, tested or moved without the other.

use super::tree::{FileIndex, Reference, Tree};
use std::collections::BTreeSet;

/// A message for each circle that spans folders: its files, and an import for every step.
pub(super) fn complaints(tree: &Tree) -> Vec<String> {
    let references = tree.references();
    let circles = components(tree.len(), &references);
    let spans_folders =
        |files: &BTreeSet<FileIndex>| files.iter().map(|file| tree.folder(*file)).collect::<BTreeSet<_>>().len() > 1;
    circles.iter().filter(|files| spans_folders(files)).map(|files| complaint(tree, &references, files)).collect()
}

fn complaint(tree: &Tree, references: &[Reference], files: &BTreeSet<FileIndex>) -> String {
    let mut text = format!("an import circle of {} files in different folders:", files.len());
    let mut told = BTreeSet::new();
    for reference in references.iter().filter(|it| files.contains(&it.from) && files.contains(&it.to)) {
        if told.insert((reference.from, reference.to)) {
            let (from, to) = (tree.shown(reference.from), tree.shown(reference.to));
            text.push_str(&format!("\n    {from}:{} imports {} of {to}", reference.line, reference.path.join("::")));
        }
    }
    text
}

/// The strongly connected components of more than one file: whoever is reached from a file and reaches it.
fn components(count: usize, references: &[Reference]) -> Vec<BTreeSet<FileIndex>> {
    let mut next = vec![BTreeSet::new(); count];
    let mut previous = vec![BTreeSet::new(); count];
    for reference in references {
        next[reference.from].insert(reference.to);
        previous[reference.to].insert(reference.from);
    }
    let mut components: Vec<BTreeSet<FileIndex>> = Vec::new();
    for file in 0..count {
        if !components.iter().any(|component| component.contains(&file)) {
            let component: BTreeSet<_> =
                reached(file, &next).intersection(&reached(file, &previous)).copied().collect();
            if component.len() > 1 {
                components.push(component);
            }
        }
    }
    components
}

/// Every file that the arrows lead to from `file`, itself included.
fn reached(file: FileIndex, arrows: &[BTreeSet<FileIndex>]) -> BTreeSet<FileIndex> {
    let (mut reached, mut open) = (BTreeSet::from([file]), vec![file]);
    while let Some(file) = open.pop() {
        open.extend(arrows[file].iter().filter(|next| reached.insert(**next)));
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_between_folders_is_refused_with_an_import_for_each_step() {
        let tree = Tree::new(
            "src",
            [
                ("a/mod.rs", ""),
                ("a/one.rs", "use crate::b::two::Two;"),
                ("b/mod.rs", ""),
                ("b/two.rs", "\nuse crate::c::C;\nuse crate::c::D;"),
                ("c.rs", "fn f() { crate::a::one::f() }"),
            ],
        );
        let expected = "an import circle of 3 files in different folders:
    src/a/one.rs:1 imports b::two::Two of src/b/two.rs
    src/b/two.rs:2 imports c::C of src/c.rs
    src/c.rs:1 imports a::one::f of src/a/one.rs";
        assert_eq!(complaints(&tree), [expected]);
    }

    #[test]
    fn files_of_one_folder_may_import_each_other() {
        let tree = Tree::new(
            "src",
            [("a.rs", "use self::one::One;"), ("a/one.rs", "use super::two::Two;"), ("a/two.rs", "use super::A;")],
        );
        assert_eq!(complaints(&tree), Vec::<String>::new());
    }

    #[test]
    fn a_folder_inside_a_folder_is_another_one() {
        let tree = Tree::new(
            "src",
            [("a.rs", "use self::b::B;"), ("a/b.rs", "use self::c::C;"), ("a/b/c.rs", "use crate::a::A;")],
        );
        assert_eq!(complaints(&tree).len(), 1);
    }

    #[test]
    fn a_circle_that_only_tests_close_is_none() {
        let tree = Tree::new(
            "src",
            [
                ("a/one.rs", "use crate::b::two::Two;"),
                ("b/two.rs", "#[cfg(test)] mod tests { use crate::a::one::One; }"),
            ],
        );
        assert_eq!(complaints(&tree), Vec::<String>::new());
    }
}
