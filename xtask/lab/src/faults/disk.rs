//! A disk that is small enough to be filled.

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask_support::process;

/// Room for a cluster and some minutes of fixes.
const SIZE: &str = "size=192m";
static PIECE: [u8; 64 * 1024] = [0; 64 * 1024];

/// A mounted file system that is gone when dropped.
pub(super) struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one at `folder`, which is made. Otherwise says why this machine cannot.
    pub(super) fn mount(folder: &Path) -> Result<Result<Self, String>> {
        if !geteuid().is_root() {
            return Ok(Err("only root may mount a small disk".to_owned()));
        }
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(folder);
        Ok(match process::run_quietly(&mut mount) {
            Ok(_) => Ok(Self { folder: folder.to_path_buf() }),
            Err(error) => Err(format!("a small disk cannot be mounted here: {error:#}")),
        })
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes all the room that is left.
    ///
    /// # Errors
    /// When it cannot be written for another reason than that it is full.
    pub(super) fn fill(&self) -> Result<()> {
        let mut filler = File::create(self.filler()).context("creating the file that fills the disk")?;
        // Ever smaller pieces, until not a byte fits.
        let mut piece = PIECE.len();
        while piece > 0 {
            match filler.write(&PIECE[..piece]) {
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => piece /= 2,
                Err(error) => bail!("the disk cannot be filled: {error}"),
            }
        }
        Ok(())
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// When that is refused.
    pub(super) fn clear(&self) -> Result<()> {
        fs::remove_file(self.filler()).context("removing the file that fills the disk")
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = process::run_quietly(Command::new("umount").arg(&self.folder));
    }
}
