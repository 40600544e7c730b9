//! Why an extract became no area.

use std::path::{Path, PathBuf};

/// Why an extract became no area.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be opened or read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no extract, is cut short or damaged.
    #[error("{} is no usable OpenStreetMap extract (.osm.pbf): {reason}", .path.display())]
    Extract {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The extract holds nothing, or nothing inside the requested bounds.
    #[error("the extract holds no streets here")]
    Empty,
    /// The requested bounds are no part of the earth.
    #[error("bounds are west,south,east,north in degrees, with west < east and south < north: {0:?} are none")]
    Bounds([f64; 4]),
    /// The folder's disk has too little room; nothing was written.
    #[error("the import needs {} MB of free disk space in {}, which has {} MB", megabytes(*.need_bytes), .folder.display(), .have_bytes / MEGABYTE)]
    Disk {
        /// Where the files would go.
        folder: PathBuf,
        /// What they need.
        need_bytes: u64,
        /// What is free.
        have_bytes: u64,
    },
    /// The machine or its control group has too little memory; nothing was read.
    #[error("the import needs {} MB of memory, of which {} MB are free", megabytes(*.need_bytes), .have_bytes / MEGABYTE)]
    Memory {
        /// What the import takes at its peak.
        need_bytes: u64,
        /// What is free.
        have_bytes: u64,
    },
    /// A file of the area cannot be written.
    #[error("{} cannot be written: {source}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says; a full disk is [`std::io::ErrorKind::StorageFull`].
        source: std::io::Error,
    },
    /// The progress' owner asked to stop.
    #[error("the import was cancelled")]
    Cancelled,
    /// A thread ended early; a fault of ours.
    #[error("the import failed within")]
    Panicked,
}

const MEGABYTE: u64 = 1_000_000;

/// Rounded up, so that what is needed never reads as what is there.
const fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(MEGABYTE)
}

impl ImportError {
    pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }

    pub(super) fn unwritable(path: &Path, source: std::io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, reason: &str) -> Self {
        Self::Extract { path: path.to_owned(), reason: reason.to_owned() }
    }

    pub(super) fn from_pbf(path: &Path, error: osmpbf::Error) -> Self {
        match error.into_kind() {
            osmpbf::ErrorKind::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
                Self::unreadable(path, source)
            }
            osmpbf::ErrorKind::Io(_) => Self::damaged(path, "it is cut short"),
            other => Self::damaged(path, &format!("{other:?}")),
        }
    }
}
