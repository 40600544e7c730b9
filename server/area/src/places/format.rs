//! The file that holds an area's names.
//!
//! A header of eight bytes names the format and its version, four more say how large the content is; behind them stands
//! one zlib stream with everything in postcard.

use super::data::PlacesData;

const MAGIC: [u8; 6] = *b"DSPLAC";
const VERSION: u8 = 2;
const HEADER_BYTES: usize = 12;

// A million houses have fifty million bytes; a file that claims more than this is not one of ours.
const MAX_INFLATED_BYTES: usize = 2 * 1024 * 1024 * 1024 - 1;

/// The most that zlib can pack into a byte.
const MAX_RATIO: usize = 1_032;

// Half the size of the fastest; the best takes three times as long for three hundredths less.
const COMPRESSION_LEVEL: u8 = 6;

/// Why bytes are not a gazetteer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlacesError {
    /// The bytes do not begin like such a file.
    #[error("not a file of places")]
    NotPlaces,
    /// Written by another version of the format; import the extract again.
    #[error("file of places of version {0}, this program reads version {VERSION}")]
    UnsupportedVersion(u8),
    /// Cut short or changed on the way.
    #[error("the file of places is damaged: {0}")]
    Damaged(&'static str),
}

impl PlacesData {
    /// The file's bytes. The same data always becomes the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let plain = postcard::to_allocvec(self).expect("lists have known lengths");
        let mut bytes = Vec::with_capacity(plain.len() / 2);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, 0]);
        bytes.extend_from_slice(&(plain.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&miniz_oxide::deflate::compress_to_vec_zlib(&plain, COMPRESSION_LEVEL));
        bytes
    }

    /// Reads a file's bytes. Takes no more memory than the header says, and no header may say more than the file's size
    /// allows.
    ///
    /// # Errors
    /// [`PlacesError`] for anything that [`Self::to_bytes`] did not write; never a panic.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlacesError> {
        let damaged = PlacesError::Damaged;
        if bytes.get(..MAGIC.len()) != Some(&MAGIC[..]) {
            return Err(PlacesError::NotPlaces);
        }
        match bytes.get(MAGIC.len()..MAGIC.len() + 2) {
            Some([VERSION, 0]) => {}
            Some([version, _]) => return Err(PlacesError::UnsupportedVersion(*version)),
            _ => return Err(PlacesError::NotPlaces),
        }
        let (header, packed) = bytes.split_at_checked(HEADER_BYTES).ok_or(damaged("it is cut short"))?;
        let length = header.last_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length) as usize);
        if length > MAX_INFLATED_BYTES.min(packed.len().saturating_mul(MAX_RATIO)) {
            return Err(damaged("it is too large"));
        }
        let plain = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, length)
            .map_err(|_| damaged("it does not unpack"))?;
        let data: Self = postcard::from_bytes(&plain).map_err(|_| damaged("it cannot be read"))?;
        data.flaw().map_or(Ok(data), |flaw| Err(damaged(flaw)))
    }
}
