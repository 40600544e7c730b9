//! Holds the architecture: imports of the server go down its floors only, and no crate has an import circle between
//! folders. The top level of the repository holds what its owner fixed, and nothing else.
//!
//! The sources are read as text, so the check takes a second, needs no build, and names file and line. It sees `use`
//! items and paths that are written out, leaves out what only tests import, and does not look into macros' expansions.
//! The test command runs it first; alone it is `cargo xtask test --only floors`.

mod circle;
mod import;
mod top_level;
mod tree;

use anyhow::{Result, bail};
use tree::Tree;
use xtask_support::failure::Failure;
use xtask_support::{progress, workspace};

/// The server's floors from the lowest to the highest, each with the modules on it. Only files of the highest may be
/// the crate's root.
const FLOORS: [(&str, &[&str]); 7] = [
    ("platform", &["platform"]),
    ("domain", &["domain"]),
    ("store", &["store"]),
    ("live", &["live"]),
    ("service", &["service"]),
    ("edge", &["auth", "error", "http", "state", "ws"]),
    ("app", &["app"]),
];

const SERVER: &str = "server/src";

/// Every source folder that must be free of circles between folders.
const CIRCLE_FREE: [&str; 9] = [
    SERVER,
    "server/area/src",
    "server/arrival/src",
    "server/simulator/src",
    "frontend/src",
    "shared/src",
    "xtask/src",
    "xtask/lab/src",
    "xtask/support/src",
];

/// Reads all sources and refuses upward imports and circles.
///
/// # Errors
/// With every import that breaks a rule.
pub(crate) fn check() -> Result<()> {
    let repository = workspace::root();
    let mut complaints = upward_imports(&Tree::read(&repository, SERVER)?);
    let mut files = 0;
    for root in CIRCLE_FREE {
        let tree = Tree::read(&repository, root)?;
        files += tree.len();
        complaints.extend(circle::complaints(&tree));
    }
    complaints.extend(top_level::complaints(&repository)?);
    if complaints.is_empty() {
        progress::note(&format!("imports of {files} files go down, and in no circle between folders"));
        return Ok(());
    }
    let remedy = "move what both need to the lower floor or folder; ARCHITECTURE.md says what each floor is for";
    bail!(Failure::new(format!("imports break the architecture:\n  {}", complaints.join("\n  ")), remedy))
}

/// A message for each import that goes up, and for each module without a floor.
fn upward_imports(server: &Tree) -> Vec<String> {
    let mut complaints: Vec<_> = (0..server.len()).filter_map(|file| homeless(server, file)).collect();
    for reference in server.references() {
        let (from, to) = (floor(server.module(reference.from)), floor(server.module(reference.to)));
        if let (Some(from), Some(to)) = (from, to)
            && to > from
        {
            let place = format!("{}:{}", server.shown(reference.from), reference.line);
            let (path, from, to) = (reference.path.join("::"), FLOORS[from].0, FLOORS[to].0);
            complaints
                .push(format!("{place}: {from} imports crate::{path} of {to}, which is above it ({})", allowed()));
        }
    }
    complaints
}

fn homeless(server: &Tree, file: usize) -> Option<String> {
    let module = server.module(file);
    let is_homeless = floor(module).is_none() && module.len() == 1;
    is_homeless.then(|| format!("{}: {} is on no floor ({})", server.shown(file), module[0], allowed()))
}

/// The floor of a module; the crate's root is on the highest.
fn floor(module: &[String]) -> Option<usize> {
    let Some(room) = module.first() else { return Some(FLOORS.len() - 1) };
    FLOORS.iter().position(|(_, rooms)| rooms.contains(&room.as_str()))
}

/// The rule, for messages.
fn allowed() -> String {
    format!("allowed: {}", FLOORS.map(|(name, _)| name).join(" ← "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(file: &str, text: &str) -> Tree {
        let fixed =
            ["lib.rs", "platform/clock.rs", "domain/order.rs", "store/orders.rs", "live/hub.rs", "service/ingest.rs"];
        let fixed =
            fixed.into_iter().chain(["state.rs", "ws/mod.rs", "ws/courier.rs", "app/mod.rs"]).filter(|it| *it != file);
        Tree::new("server/src", fixed.map(|path| (path, "")).chain([(file, text)]))
    }

    #[test]
    fn a_planted_upward_import_is_refused_with_its_line_and_the_direction() {
        let tree = server("store/orders.rs", "use crate::{domain::order::Order,\n    live::hub::Hub};");
        let expected = "server/src/store/orders.rs:2: store imports crate::live::hub::Hub of live, which is above it \
                        (allowed: platform ← domain ← store ← live ← service ← edge ← app)";
        assert_eq!(upward_imports(&tree), [expected]);
    }

    #[test]
    fn imports_go_down_and_sideways() {
        let tree = server(
            "ws/courier.rs",
            "use crate::state::AppState; use crate::service::ingest::Ingest; use super::Frame;",
        );
        assert_eq!(upward_imports(&tree), Vec::<String>::new());
        let tree = server("app/mod.rs", "use crate::ws::courier; use crate::VERSION;");
        assert_eq!(upward_imports(&tree), Vec::<String>::new());
    }

    #[test]
    fn every_form_of_an_upward_import_is_seen() {
        let forms = [
            "pub use crate::ws::courier::Session;",
            "use super::super::state::AppState;",
            "fn f() -> crate::state::AppState { todo() }",
            "use crate::VERSION;",
            "mod inner { use super::super::super::app::run; }",
        ];
        for form in forms {
            assert_eq!(upward_imports(&server("domain/order.rs", form)).len(), 1, "{form}");
        }
        let of_a_test = "#[cfg(test)] mod tests { use crate::state::AppState; }";
        assert_eq!(upward_imports(&server("domain/order.rs", of_a_test)), Vec::<String>::new());
    }

    #[test]
    fn a_module_without_a_floor_is_named() {
        let complaints = upward_imports(&server("looks.rs", ""));
        assert!(complaints[0].starts_with("server/src/looks.rs: looks is on no floor"), "{complaints:?}");
    }
}
