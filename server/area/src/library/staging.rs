//! Where an import writes until its area is whole.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use doorstep_shared::api::area::AreaId;

use super::{LibraryError, StoredArea};

/// How the names of hidden folders begin; no area's id begins with a dot.
pub(super) const HIDDEN: &str = ".importing-";

/// The file whose lock means that an import runs.
const LOCK: &str = ".lock";

/// Room for one import, and the lock that keeps others out. Dropping it removes everything that was not installed.
#[derive(Debug)]
pub struct Staging {
    library: PathBuf,
    room: PathBuf,
    /// Held, never read: the kernel lifts the lock when it is closed.
    _lock: File,
}

impl Staging {
    pub(super) fn begin(library: &Path) -> Result<Self, LibraryError> {
        let unwritable = |error| LibraryError::unwritable(library, error);
        fs::create_dir_all(library).map_err(unwritable)?;
        let lock = File::create(library.join(LOCK)).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LibraryError::Busy),
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
        remove_leftovers(library).map_err(unwritable)?;
        let room = library.join(format!("{HIDDEN}{}", std::process::id()));
        let staging = Self { library: library.to_owned(), room, _lock: lock };
        fs::create_dir_all(staging.area()).map_err(unwritable)?;
        Ok(staging)
    }

    /// The folder for the area's files.
    pub fn area(&self) -> PathBuf {
        self.room.join("area")
    }

    /// Where an extract may be kept for as long as the import runs.
    pub fn extract(&self) -> PathBuf {
        self.room.join("extract.osm.pbf")
    }

    /// Puts the finished area in its place and returns its id. The same area that is there already stays as it is.
    ///
    /// # Errors
    /// [`LibraryError::Damaged`] when its manifest cannot be used, or [`LibraryError::Unwritable`].
    pub fn install(self) -> Result<AreaId, LibraryError> {
        let staged = self.area();
        let id = StoredArea::on_disk(staged.clone())?.manifest().area.id.clone();
        let place = self.library.join(id.as_str());
        if !place.exists() {
            let moved = sync_all(&staged).and_then(|()| fs::rename(&staged, &place));
            moved.map_err(|error| LibraryError::unwritable(&place, error))?;
        }
        Ok(id)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What stays is removed before the next import, and when the server starts.
        let _ = fs::remove_dir_all(&self.room);
    }
}

/// Files that a power cut could lose must not be named by a folder that looks whole.
fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        File::open(entry?.path())?.sync_all()?;
    }
    Ok(())
}

/// Only with the lock held: then nobody works in these folders.
fn remove_leftovers(library: &Path) -> io::Result<()> {
    for entry in fs::read_dir(library)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(HIDDEN) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
