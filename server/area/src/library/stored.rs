//! One area that can be used.

use std::{borrow::Cow, fs, io, path::PathBuf};

use super::LibraryError;
use crate::{built_in, files, manifest::Manifest};

/// An area whose manifest was read; its other files are read when they are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredArea {
    manifest: Manifest,
    /// `None` for the one inside this program.
    folder: Option<PathBuf>,
}

/// Where the bytes of an area's file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AreaFile {
    /// In this program.
    BuiltIn(&'static [u8]),
    /// In this file.
    OnDisk(PathBuf),
}

impl StoredArea {
    pub(super) fn built_in() -> Self {
        Self { manifest: built_in::manifest().clone(), folder: None }
    }

    pub(super) fn on_disk(folder: PathBuf) -> Result<Self, LibraryError> {
        let file = folder.join(files::MANIFEST);
        let bytes = fs::read(&file).map_err(|error| LibraryError::unreadable(&file, error))?;
        let manifest = Manifest::from_json(&bytes).map_err(|error| LibraryError::damaged(&folder, error))?;
        Ok(Self { manifest, folder: Some(folder) })
    }

    /// What the area is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether it is the one inside this program.
    pub fn is_built_in(&self) -> bool {
        self.folder.is_none()
    }

    /// Where a file of [`files::ALL`] is; `None` when the area has no such file.
    pub fn file(&self, name: &str) -> Option<AreaFile> {
        let Some(folder) = &self.folder else { return built_in::file(name).map(AreaFile::BuiltIn) };
        let path = folder.join(files::ALL.into_iter().find(|known| *known == name)?);
        path.is_file().then_some(AreaFile::OnDisk(path))
    }

    /// The bytes of a file of [`files::ALL`].
    ///
    /// # Errors
    /// [`LibraryError::Unreadable`], also when the area has no such file.
    pub fn read(&self, name: &str) -> Result<Cow<'static, [u8]>, LibraryError> {
        match self.file(name) {
            Some(AreaFile::BuiltIn(bytes)) => Ok(Cow::Borrowed(bytes)),
            Some(AreaFile::OnDisk(path)) => {
                let bytes = fs::read(&path).map_err(|error| LibraryError::unreadable(&path, error))?;
                Ok(Cow::Owned(bytes))
            }
            None => {
                let path = self.folder.clone().unwrap_or_default().join(name);
                Err(LibraryError::unreadable(&path, io::ErrorKind::NotFound.into()))
            }
        }
    }

    /// The size of all its files together, in bytes.
    pub fn bytes(&self) -> u64 {
        let size = |name: &str| match self.file(name)? {
            AreaFile::BuiltIn(bytes) => Some(bytes.len() as u64),
            AreaFile::OnDisk(path) => fs::metadata(path).ok().map(|file| file.len()),
        };
        files::ALL.into_iter().filter_map(size).sum()
    }

    pub(super) fn sort_key(&self) -> (&str, &str) {
        (&self.manifest.area.name, self.manifest.area.id.as_str())
    }
}
