//! Remembers for which content of some files a step was last done, so that it is not done again.

use crate::hash;
use crate::workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The present content of a step's inputs, to be compared with what was remembered.
pub struct Stamp {
    file: PathBuf,
    content: String,
}

impl Stamp {
    /// The stamp of the step `name`, over `inputs`.
    ///
    /// # Errors
    /// When an input cannot be read.
    pub fn of(name: &str, inputs: &[PathBuf]) -> Result<Self> {
        Self::within(&workspace::memory(), name, inputs)
    }

    fn within(folder: &Path, name: &str, inputs: &[PathBuf]) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { file: folder.join(format!("{name}.stamp")), content: hash::of_files(inputs)? })
    }

    /// Whether the step was done for exactly this content.
    pub fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.content)
    }

    /// Remembers that the step is done.
    ///
    /// # Errors
    /// When the stamp cannot be written.
    pub fn keep(&self) -> Result<()> {
        fs::write(&self.file, &self.content).with_context(|| format!("writing {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    #[test]
    fn a_step_is_current_until_one_of_its_inputs_changes() {
        let folder = env::temp_dir().join(format!("doorstep-stamp-{}", std::process::id()));
        let input = folder.join("input");
        let stamp = || Stamp::within(&folder, "step", std::slice::from_ref(&input)).expect("the input is readable");
        fs::create_dir_all(&folder).expect("the temporary folder is writable");

        fs::write(&input, "one").expect("the folder is writable");
        assert!(!stamp().is_current(), "never done");
        stamp().keep().expect("the folder is writable");
        assert!(stamp().is_current(), "just done");
        fs::write(&input, "two").expect("the folder is writable");
        assert!(!stamp().is_current(), "an input changed");

        fs::remove_dir_all(&folder).expect("the folder is ours");
    }
}
