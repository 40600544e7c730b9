//! The document as a file, and the folder of everything that the checks write.

use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use xtask_support::{process, workspace};

/// Writes the document of the debug server.
///
/// # Errors
/// When the server is not built, or the folder cannot be written.
pub(super) fn write() -> Result<PathBuf> {
    let text = process::run_quietly(Command::new(workspace::built("debug", "doorstep")?).arg("openapi"))?;
    let folder = folder();
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let file = folder.join("openapi.json");
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}

/// Where the checks write.
pub(super) fn folder() -> PathBuf {
    workspace::memory().join("openapi")
}
