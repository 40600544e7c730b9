//! The areas on this machine: folders below `areas/` in the data folder, and the one inside this program.
//!
//! A folder `areas/<id>/` never changes once it is there: an import writes into a hidden folder beside it and renames
//! that when it is whole. The file `areas/current` names the area in use; it is replaced by a rename, too, so a running
//! server that reads it finds one id or the other, and no reader ever waits. One import at a time, held by a lock that
//! the kernel lifts when its process ends, however it ends.

mod error;
mod staging;
mod stored;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use doorstep_shared::api::area::AreaId;

pub use self::{
    error::LibraryError,
    staging::Staging,
    stored::{AreaFile, StoredArea},
};
use crate::built_in;

/// The folder of all areas, in the data folder.
const FOLDER: &str = "areas";

/// The file that names the area in use.
const CURRENT: &str = "current";

/// All areas of one data folder. Cheap to clone; keeps nothing in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    folder: PathBuf,
}

impl Library {
    /// The areas of the server whose data folder this is. Touches no file.
    pub fn under(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(FOLDER) }
    }

    /// The area inside this program.
    pub fn built_in() -> StoredArea {
        StoredArea::built_in()
    }

    /// The area in use; the built-in one until another is chosen.
    ///
    /// # Errors
    /// [`LibraryError::Unreadable`], and [`LibraryError::NotChosen`] when the file holds something else than an id.
    pub fn current(&self) -> Result<AreaId, LibraryError> {
        let file = self.folder.join(CURRENT);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(built_in::manifest().area.id.clone()),
            Err(error) => return Err(LibraryError::unreadable(&file, error)),
        };
        text.trim().parse().map_err(|_| LibraryError::NotChosen { path: file })
    }

    /// The area `id`, on disk or inside this program.
    ///
    /// # Errors
    /// [`LibraryError::Unknown`], or that its manifest cannot be used.
    pub fn open(&self, id: &AreaId) -> Result<StoredArea, LibraryError> {
        let folder = self.folder.join(id.as_str());
        if folder.is_dir() {
            return StoredArea::on_disk(folder);
        }
        let built_in = StoredArea::built_in();
        if built_in.manifest().area.id == *id { Ok(built_in) } else { Err(LibraryError::Unknown(id.clone())) }
    }

    /// All areas, by name and id. A folder that cannot be used is left out: [`Self::open`] says why.
    ///
    /// # Errors
    /// [`LibraryError::Unreadable`].
    pub fn list(&self) -> Result<Vec<StoredArea>, LibraryError> {
        let mut areas: Vec<_> = self.folders()?.iter().filter_map(|id| self.open(id).ok()).collect();
        let built_in = StoredArea::built_in();
        if areas.iter().all(|area| area.manifest().area.id != built_in.manifest().area.id) {
            areas.push(built_in);
        }
        areas.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        Ok(areas)
    }

    /// Makes `id` the area in use, for running servers within moments, too.
    ///
    /// # Errors
    /// [`LibraryError::Unknown`], that its manifest cannot be used, or [`LibraryError::Unwritable`].
    pub fn choose(&self, id: &AreaId) -> Result<(), LibraryError> {
        self.open(id)?;
        fs::create_dir_all(&self.folder).map_err(|error| LibraryError::unwritable(&self.folder, error))?;
        let file = self.folder.join(CURRENT);
        let next = self.folder.join(format!(".{CURRENT}-{}", std::process::id()));
        let written = write_durably(&next, format!("{id}\n").as_bytes()).and_then(|()| fs::rename(&next, &file));
        written.map_err(|error| {
            // A half-written file helps nobody; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&next);
            LibraryError::unwritable(&file, error)
        })
    }

    /// Removes the area `id` from disk.
    ///
    /// # Errors
    /// [`LibraryError::InUse`] for the one in use, [`LibraryError::BuiltIn`], [`LibraryError::Unknown`], or
    /// [`LibraryError::Unwritable`].
    pub fn remove(&self, id: &AreaId) -> Result<(), LibraryError> {
        if self.current()? == *id {
            return Err(LibraryError::InUse(id.clone()));
        }
        let folder = self.folder.join(id.as_str());
        if !folder.is_dir() {
            let is_built_in = built_in::manifest().area.id == *id;
            return Err(if is_built_in {
                LibraryError::BuiltIn(id.clone())
            } else {
                LibraryError::Unknown(id.clone())
            });
        }
        // Hidden first, so that nobody finds half an area when this is interrupted.
        let hidden = self.folder.join(format!("{}removed-{}", staging::HIDDEN, std::process::id()));
        let removed = fs::rename(&folder, &hidden).and_then(|()| fs::remove_dir_all(&hidden));
        removed.map_err(|error| LibraryError::unwritable(&folder, error))
    }

    /// Makes room for an import. It is gone when the [`Staging`] is dropped, unless it was installed.
    ///
    /// # Errors
    /// [`LibraryError::Busy`] while another import runs on this data folder, in whichever process.
    pub fn stage(&self) -> Result<Staging, LibraryError> {
        Staging::begin(&self.folder)
    }

    /// Removes what interrupted imports left behind, unless an import runs.
    pub fn tidy(&self) {
        if self.folder.is_dir() {
            // Beginning removes leftovers; whoever is busy has done so.
            drop(self.stage());
        }
    }

    fn folders(&self) -> Result<Vec<AreaId>, LibraryError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(LibraryError::unreadable(&self.folder, error)),
        };
        let folders = entries.flatten().filter(|entry| entry.path().is_dir());
        Ok(folders.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
    }
}

fn write_durably(file: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write as _;
    let mut file = fs::File::create(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
