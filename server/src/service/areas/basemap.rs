//! Where the map's tiles and style come from: the area, unless the operator has others.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use doorstep_shared::api::area::AreaId;
use sha2::{Digest, Sha256};

use crate::platform::{config::Settings, web_url::WebUrl};

/// The beginning of a PMTiles archive of version 3 with vector tiles: its name, its version, and far behind the type.
const MAGIC: &[u8; 7] = b"PMTiles";
const VERSION: u8 = 3;
const HEADER_BYTES: usize = 127;
const TYPE_AT: usize = 99;
const VECTOR_TILES: u8 = 1;

/// How much of a file its id is made from, besides its size and age: hashing a planet would take minutes.
const HASHED_BYTES: u64 = 64 * 1024;

/// Where tiles come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tiles {
    /// From the area in use.
    #[default]
    OfArea,
    /// From a file of the operator's, served below `/area/<id>/` like an area's.
    File {
        /// Follows from the file's beginning, size and age.
        id: AreaId,
        /// The file.
        path: PathBuf,
    },
    /// From another server.
    Online(WebUrl),
}

/// What the operator set about the map, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basemap {
    /// Where tiles come from.
    pub tiles: Tiles,
    /// An online style instead of ours.
    pub style: Option<WebUrl>,
}

/// Why the operator's tiles cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BasemapError {
    /// The file cannot be read.
    #[error("DOORSTEP_BASEMAP_PMTILES: {} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("DOORSTEP_BASEMAP_PMTILES: {} is no PMTiles archive of version 3 with vector tiles", .path.display())]
    NotTiles {
        /// The file.
        path: PathBuf,
    },
    /// The address is none that a browser fetches from.
    #[error("DOORSTEP_BASEMAP_PMTILES: {0}")]
    Url(String),
}

impl Basemap {
    /// What `settings` say about the map. Reads the beginning of a file that they name.
    ///
    /// # Errors
    /// [`BasemapError`].
    pub fn of(settings: &Settings) -> Result<Self, BasemapError> {
        let tiles = match settings.basemap_pmtiles.as_deref() {
            None => Tiles::OfArea,
            Some(url) if url.contains("://") => Tiles::Online(url.parse().map_err(BasemapError::Url)?),
            Some(file) => file_of_tiles(Path::new(file))?,
        };
        Ok(Self { tiles, style: settings.basemap_style.clone() })
    }

    /// The origins that browsers fetch the map from, besides ours.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        let tiles = match &self.tiles {
            Tiles::Online(url) => Some(url),
            Tiles::OfArea | Tiles::File { .. } => None,
        };
        tiles.into_iter().chain(&self.style).map(WebUrl::origin)
    }
}

fn file_of_tiles(path: &Path) -> Result<Tiles, BasemapError> {
    let unreadable = |source| BasemapError::Unreadable { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    let mut beginning = Vec::new();
    file.by_ref().take(HASHED_BYTES).read_to_end(&mut beginning).map_err(unreadable)?;
    if !is_vector_tiles(&beginning) {
        return Err(BasemapError::NotTiles { path: path.to_owned() });
    }
    let age = about.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
    let mut digest = Sha256::new();
    digest.update(&beginning);
    digest.update(about.len().to_le_bytes());
    digest.update(age.as_nanos().to_le_bytes());
    let hash: String = digest.finalize()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let id = format!("basemap-{hash}").parse().expect("letters, digits and a hyphen are an id");
    Ok(Tiles::File { id, path: path.to_owned() })
}

fn is_vector_tiles(beginning: &[u8]) -> bool {
    beginning.len() >= HEADER_BYTES
        && beginning.starts_with(MAGIC)
        && beginning[MAGIC.len()] == VERSION
        && beginning[TYPE_AT] == VECTOR_TILES
}

#[cfg(test)]
mod tests {
    use doorstep_area::{built_in, files};

    use super::*;

    #[test]
    fn only_vector_tiles_are_taken() {
        let ours = built_in::file(files::MAP).expect("the program holds its map");
        assert!(is_vector_tiles(ours));
        let mut pictures = ours[..HEADER_BYTES].to_vec();
        pictures[TYPE_AT] = 2;
        for other in [&pictures, &ours[..HEADER_BYTES - 1], &b"PMTiles"[..], &[]] {
            assert!(!is_vector_tiles(other));
        }
    }
}
