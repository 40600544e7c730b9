//! What the slow checks depend on: one that passed with the very files that lie here says the same again.
//!
//! The files are those that git knows or would take. A check names what it does not depend on, so that a file which
//! nobody thought of is an input.

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask_support::stamp::Stamp;
use xtask_support::{process, workspace};

/// What people read, and no check that starts a server does.
const PROSE: [&str; 5] = ["docs/", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

/// A slow check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Rust,
    Xtask,
    Faults,
    Document,
    Schemathesis,
    Browser,
}

impl Check {
    const fn name(self) -> &'static str {
        match self {
            Self::Rust => "passed-rust",
            Self::Xtask => "passed-xtask",
            Self::Faults => "passed-faults",
            Self::Document => "passed-document",
            Self::Schemathesis => "passed-schemathesis",
            Self::Browser => "passed-browser",
        }
    }

    /// What makes no difference, as the beginnings of paths. Prose is an input where tests read it.
    const fn without(self) -> &'static [&'static str] {
        match self {
            Self::Rust | Self::Xtask => &["frontend/e2e/"],
            Self::Faults => &["frontend/e2e/", "server/tests/", "xtask/openapi/"],
            Self::Document | Self::Schemathesis => &["frontend/e2e/", "server/tests/", "server/benches/", "xtask/lab/"],
            Self::Browser => &["server/tests/", "server/benches/", "xtask/lab/", "xtask/openapi/"],
        }
    }

    const fn reads_prose(self) -> bool {
        matches!(self, Self::Rust | Self::Xtask)
    }

    fn depends_on(self, path: &str) -> bool {
        let is_left_out = |begins: &&str| path.starts_with(*begins);
        let is_prose = !self.reads_prose() && PROSE.iter().any(is_left_out);
        !(is_prose || self.without().iter().any(is_left_out))
    }

    /// The stamp over everything that it depends on; `None` in an unpacked archive, where nobody can tell.
    ///
    /// # Errors
    /// When git or a file cannot be read.
    pub(crate) fn stamp(self) -> Result<Option<Stamp>> {
        let root = workspace::root();
        if !root.join(".git").exists() {
            return Ok(None);
        }
        let list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
        let files = process::run_quietly(Command::new("git").args(list).current_dir(&root))?;
        Stamp::of(self.name(), &self.inputs(&files, &root)).map(Some)
    }

    fn inputs(self, files: &str, root: &Path) -> Vec<PathBuf> {
        let paths = files.split('\0').filter(|path| !path.is_empty() && self.depends_on(path));
        // One that was deleted and is not yet committed is still listed.
        paths.map(|path| root.join(path)).filter(|path| path.is_file()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_concerns_the_tests_that_read_it_and_no_others() {
        for path in ["docs/protocol.md", "CHANGELOG.md"] {
            assert!(Check::Rust.depends_on(path) && Check::Xtask.depends_on(path), "{path}");
            assert!(!Check::Browser.depends_on(path) && !Check::Faults.depends_on(path), "{path}");
        }
    }

    #[test]
    fn code_and_whatever_nobody_thought_of_concerns_every_check_that_could_see_it() {
        use Check::{Browser, Document, Faults, Rust, Schemathesis, Xtask};
        for check in [Rust, Xtask, Faults, Document, Schemathesis, Browser] {
            for path in ["server/src/lib.rs", "migrations/0001_init.sql", "Cargo.lock", "something/new"] {
                assert!(check.depends_on(path), "{check:?} {path}");
            }
        }
        assert!(Browser.depends_on("frontend/e2e/live.spec.mjs") && !Rust.depends_on("frontend/e2e/live.spec.mjs"));
        assert!(Rust.depends_on("server/tests/it/main.rs") && !Browser.depends_on("server/tests/it/main.rs"));
    }
}
