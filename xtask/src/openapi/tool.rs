//! Runs one tool, and takes its warnings for errors.

use anyhow::{Context, Result, bail};
use std::env;
use std::ffi::OsString;
use std::process::Command;
use xtask_support::workspace;

/// A program of the virtual environment, which finds its helpers there: openapi-python-client runs ruff by its name.
///
/// # Errors
/// When the search path cannot be written.
pub(super) fn python(program: &str) -> Result<Command> {
    let mut command = Command::new(workspace::python(program));
    let own = workspace::python_environment().join("bin");
    let others = env::var_os("PATH").unwrap_or_default();
    let path: OsString = env::join_paths(std::iter::once(own).chain(env::split_paths(&others)))
        .context("the search path for programs has a folder with a colon in its name")?;
    command.env("PATH", path).env("NO_COLOR", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// Runs `command` and shows what it says only when it fails or warns.
///
/// # Errors
/// When it does not succeed, or when its output has a line of a warning.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("`{program}` cannot be started"))?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if !output.status.success() {
        bail!("`{program}` ended with {}:\n{said}", output.status);
    }
    if warns(&said) {
        bail!("`{program}` warns:\n{said}");
    }
    Ok(())
}

fn warns(said: &str) -> bool {
    said.lines().any(|line| line.contains('⚠') || line.to_ascii_lowercase().contains("warning"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_warns_has_failed() {
        let mut quiet = Command::new("echo");
        run(quiet.arg("document: OK")).expect("no word of trouble");
        let mut warning = Command::new("sh");
        let error = run(warning.args(["-c", "echo ' ⚠  no operationId' >&2"])).expect_err("it warns");
        assert_eq!(error.to_string(), "`sh` warns:\n ⚠  no operationId\n");
        run(&mut Command::new("false")).expect_err("it fails");
    }
}
