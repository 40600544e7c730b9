//! What others' tools make of the document: valid or not, and clients in Python and TypeScript that compile.

use super::document::folder;
use super::tool;
use anyhow::Result;
use std::path::Path;
use std::process::Command;
use xtask_support::workspace;

/// The name of the generated Python package.
const PACKAGE: &str = "doorstep_client";

/// Imports every module of the package, so that a name which the generator got wrong is met.
const IMPORT_ALL: &str = "
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.')]
for name in names:
    importlib.import_module(name)
assert len(names) > 50, names
";

/// Validates the document against the specification.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn validate(document: &Path) -> Result<()> {
    tool::run(tool::python("openapi-spec-validator")?.args(["--validation-errors", "all"]).arg(document))
}

/// Generates a client for Python, and imports all of it.
///
/// # Errors
/// What the generator, or Python, says.
pub(super) fn generate_python(document: &Path) -> Result<()> {
    let package = folder().join(PACKAGE);
    let mut generate = tool::python("openapi-python-client")?;
    generate.args(["generate", "--meta", "none", "--overwrite", "--fail-on-warning", "--path"]).arg(document);
    generate.arg("--config").arg(workspace::root().join("xtask/openapi/python-client.yaml"));
    tool::run(generate.arg("--output-path").arg(&package))?;
    let mut import = tool::python("python")?;
    tool::run(import.args(["-W", "error", "-c", IMPORT_ALL, PACKAGE]).env("PYTHONPATH", folder()))
}

/// Generates types for TypeScript, and checks them with its compiler.
///
/// # Errors
/// What the generator, or the compiler, says.
pub(super) fn generate_typescript(document: &Path) -> Result<()> {
    let types = folder().join("openapi.ts");
    tool::run(node("openapi-typescript/bin/cli.js").arg(document).arg("--output").arg(&types))?;
    tool::run(node("typescript/bin/tsc").args(["--noEmit", "--strict"]).arg(&types))
}

fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(workspace::node_modules(script)).env("NO_COLOR", "1").current_dir(folder());
    command
}
