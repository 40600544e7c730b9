//! Why an area cannot be found, chosen, removed or installed.

use std::{
    io,
    path::{Path, PathBuf},
};

use doorstep_shared::api::area::AreaId;

/// What went wrong, as a sentence for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// No folder and no part of this program is called that.
    #[error("there is no area {0}")]
    Unknown(AreaId),
    /// The area in use stays.
    #[error("the area {0} is in use: choose another one first")]
    InUse(AreaId),
    /// The area inside this program cannot be removed.
    #[error("the area {0} is part of this program and cannot be removed")]
    BuiltIn(AreaId),
    /// Another import runs on this data folder.
    #[error("another import is running")]
    Busy,
    /// The file that names the area in use holds no id.
    #[error("{} names no area; `doorstep area use ID` writes it anew", .path.display())]
    NotChosen {
        /// The file.
        path: PathBuf,
    },
    /// An area's folder does not hold what it should.
    #[error("the area in {} cannot be used: {reason}", .path.display())]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {source}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says; a full disk is [`io::ErrorKind::StorageFull`].
        source: io::Error,
    },
}

impl LibraryError {
    pub(super) fn unreadable(path: &Path, source: io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }

    pub(super) fn unwritable(path: &Path, source: io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}
