//! schemathesis calls a running server with what the document allows and with what it does not, and compares the
//! answers with the document. The same seed makes the same calls.

use super::document::folder;
use super::scene::Scene;
use super::tool;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask_support::postgres::Throwaway;
use xtask_support::{progress, workspace};

/// Any number; a fixed one, so that a run that failed can be repeated.
const SEED: &str = "14";

/// Calls to each operation in each phase, and sequences of calls. With these, both runs take about a minute on two cores.
const MAX_EXAMPLES: &str = "25";

/// Calls everything with credentials, and then as a stranger.
///
/// # Errors
/// What schemathesis found.
pub(super) fn run(document: &Path, postgres: &Throwaway) -> Result<()> {
    let scene = Scene::make(postgres)?;
    let with = |config: &str, phases: &str| {
        let mut command = schemathesis(config, &scene)?;
        command.args(["--phases", phases]).arg(document);
        tool::run(&mut command)
    };
    progress::note("with credentials");
    with("schemathesis.toml", "examples,coverage,fuzzing,stateful")?;
    progress::note("without credentials");
    with("schemathesis-stranger.toml", "coverage,fuzzing")
}

fn schemathesis(config: &str, scene: &Scene) -> Result<Command> {
    let mut command = tool::python("schemathesis")?;
    command.arg("--config-file").arg(beside_dictionaries(config)?);
    command.args(["run", "--seed", SEED, "--max-examples", MAX_EXAMPLES, "--generation-database", "none"]);
    command.args(["--warnings", "off", "--no-color", "--url"]).arg(scene.url());
    command.envs(scene.credentials()).current_dir(folder());
    Ok(command)
}

/// A copy of `config` in the folder of the dictionaries: it names them from where it lies.
fn beside_dictionaries(config: &str) -> Result<PathBuf> {
    let copy = folder().join(config);
    fs::copy(workspace::root().join("xtask/openapi").join(config), &copy)
        .with_context(|| format!("writing {}", copy.display()))?;
    Ok(copy)
}
