//! The file that holds a street graph.
//!
//! A header of eight bytes names the format and its version; behind it stands one zlib stream with the
//! columns of the graph in postcard. Columns of differences between neighbours, in millionths of a degree
//! (0.11 m), compress to a third of what rows of coordinates do; zlib's checksum finds damage.
//! The same [`RoadData`] always becomes the same bytes.

use super::{columns::Columns, data::RoadData};

const MAGIC: [u8; 6] = *b"DSROAD";
const VERSION: u8 = 3;
const HEADER_BYTES: usize = 8;
// Three million junctions need about 300 MB; a file that claims more is not one of ours.
const MAX_INFLATED_BYTES: usize = 640 * 1024 * 1024;

// The highest takes three times as long for a hundredth.
const LEVEL: u8 = 6;

/// Why bytes are not a street graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoadsError {
    /// The bytes do not begin like a road file.
    #[error("not a road file")]
    NotRoads,
    /// Written by another version of the format; bake the file again.
    #[error("road file of version {0}, this program reads version {VERSION}")]
    UnsupportedVersion(u8),
    /// Cut short or changed on the way.
    #[error("the road file is damaged: {0}")]
    Damaged(&'static str),
}

impl RoadData {
    /// The file's bytes. Coordinates are rounded to millionths of a degree.
    ///
    /// # Panics
    /// When an edge names a node that is not there.
    pub fn to_bytes(&self) -> Vec<u8> {
        let columns = Columns::from_data(self);
        let plain = postcard::to_allocvec(&columns).expect("columns have known lengths");
        let mut bytes = Vec::with_capacity(plain.len() / 2);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, 0]);
        bytes.extend_from_slice(&miniz_oxide::deflate::compress_to_vec_zlib(&plain, LEVEL));
        bytes
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`RoadsError`] for anything that [`Self::to_bytes`] did not write; never a panic.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RoadsError> {
        let (header, packed) = bytes.split_at_checked(HEADER_BYTES).ok_or(RoadsError::NotRoads)?;
        if header[..MAGIC.len()] != MAGIC {
            return Err(RoadsError::NotRoads);
        }
        if header[MAGIC.len()..] != [VERSION, 0] {
            return Err(RoadsError::UnsupportedVersion(header[MAGIC.len()]));
        }
        let plain = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, MAX_INFLATED_BYTES)
            .map_err(|_| RoadsError::Damaged("it does not unpack"))?;
        let columns: Columns =
            postcard::from_bytes(&plain).map_err(|_| RoadsError::Damaged("its columns cannot be read"))?;
        columns.into_data()
    }
}
