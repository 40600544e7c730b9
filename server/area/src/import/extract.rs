//! Reads an OpenStreetMap extract, a file `.osm.pbf`, again and again.
//!
//! Threads unpack blocks ahead of the caller, who gets the elements in the file's order, so the same file always makes
//! the same area. From the first pass on a block that holds nothing of the wanted kinds is skipped.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU8, Ordering},
        mpsc,
    },
};

use chrono::{DateTime, Utc};
use osmpbf::{BlobReader, BlobType, ByteOffset, Element, PrimitiveBlock};

use super::{error::ImportError, lanes::Lanes, watch::Watch};

/// What a pass asks for; several are joined by [`Kinds::and`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// Points.
    pub const NODES: Self = Self(1);
    /// Lines.
    pub const WAYS: Self = Self(2);
    /// What belongs together: areas with holes, turn restrictions, boundaries.
    pub const RELATIONS: Self = Self(4);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn of(element: &Element) -> Self {
        match element {
            Element::Node(_) | Element::DenseNode(_) => Self::NODES,
            Element::Way(_) => Self::WAYS,
            Element::Relation(_) => Self::RELATIONS,
        }
    }

    const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

// A block is unpacked in about a millisecond; more threads than these wait for the one that takes the elements in.
const MOST_THREADS: usize = 4;

// Blocks that a thread may be ahead. Each is some megabytes when unpacked.
const BLOCKS_AHEAD: usize = 2;

/// An extract whose blocks are known.
#[derive(Debug)]
pub struct Extract {
    path: PathBuf,
    bytes: u64,
    written_at: Option<DateTime<Utc>>,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    offset: ByteOffset,
    /// [`Kinds`] in it; 0 while unknown.
    kinds: AtomicU8,
}

impl Extract {
    /// Finds the blocks of the file at `path`.
    ///
    /// # Errors
    /// [`ImportError::Extract`] when it is no such file, is cut short, or needs features that we do not know.
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        let damaged = |error: osmpbf::Error| ImportError::from_pbf(path, error);
        let bytes = std::fs::metadata(path).map_err(|error| ImportError::unreadable(path, error))?.len();
        let mut reader = BlobReader::seekable_from_path(path).map_err(damaged)?;
        let mut extract = Self { path: path.to_owned(), bytes, written_at: None, blocks: Vec::new() };
        let mut end = 0;
        while let Some(header) = reader.next_header_skip_blob() {
            let (header, offset) = header.map_err(damaged)?;
            let Some(offset) = offset else { continue };
            end = offset.0 + header.get_blob_size().max(0) as u64;
            match header.blob_type() {
                BlobType::OsmHeader => extract.read_header(offset)?,
                BlobType::OsmData => extract.blocks.push(Block { offset, kinds: AtomicU8::new(0) }),
                BlobType::Unknown(_) => {}
            }
        }
        if extract.blocks.is_empty() {
            return Err(ImportError::Empty);
        }
        // Skipping does not notice that the last block lacks its end.
        if end > bytes {
            return Err(ImportError::damaged(path, "it is cut short"));
        }
        Ok(extract)
    }

    fn read_header(&mut self, offset: ByteOffset) -> Result<(), ImportError> {
        let damaged = |error: osmpbf::Error| ImportError::from_pbf(&self.path, error);
        let header = self.reader()?.blob_from_offset(offset).map_err(damaged)?.to_headerblock().map_err(damaged)?;
        if let Some(unknown) = header.required_features().iter().find(|name| !UNDERSTOOD.contains(&name.as_str())) {
            return Err(ImportError::damaged(&self.path, &format!("it needs the feature {unknown}")));
        }
        self.written_at = header.osmosis_replication_timestamp().and_then(|s| DateTime::from_timestamp(s, 0));
        Ok(())
    }

    fn reader(&self) -> Result<BlobReader<BufReader<File>>, ImportError> {
        BlobReader::seekable_from_path(&self.path).map_err(|error| ImportError::from_pbf(&self.path, error))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How new its data is, as it says itself.
    pub fn written_at(&self) -> Option<DateTime<Utc>> {
        self.written_at
    }

    /// Gives every element of `kinds` to `take`, in the file's order.
    ///
    /// # Errors
    /// [`ImportError::Extract`] when a block cannot be read, [`ImportError::Cancelled`], and what `take` answers.
    pub fn try_for_each(
        &self,
        kinds: Kinds,
        watch: &mut Watch<'_>,
        mut take: impl FnMut(Element<'_>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let wanted: Vec<&Block> = self.blocks.iter().filter(|block| block.may_hold(kinds)).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        std::thread::scope(|scope| {
            let unpack = |lane: usize, unpacked: &mpsc::SyncSender<_>| {
                let own: Vec<&Block> = wanted.iter().copied().skip(lane).step_by(threads).collect();
                self.unpack(&own, unpacked);
            };
            let lanes = Lanes::begin(scope, threads, BLOCKS_AHEAD, &unpack);
            lanes.take(wanted.len(), watch, |number, unpacked: Result<PrimitiveBlock, ImportError>| {
                let mut found = 0;
                for element in unpacked?.elements() {
                    let kind = Kinds::of(&element);
                    found |= kind.0;
                    if kinds.meets(kind) {
                        take(element)?;
                    }
                }
                wanted[number].kinds.store(found | KNOWN, Ordering::Relaxed);
                Ok(())
            })
        })
    }

    /// The same for what cannot fail.
    ///
    /// # Errors
    /// As [`Self::try_for_each`].
    pub fn for_each(
        &self,
        kinds: Kinds,
        watch: &mut Watch<'_>,
        mut take: impl FnMut(Element<'_>),
    ) -> Result<(), ImportError> {
        self.try_for_each(kinds, watch, |element| {
            take(element);
            Ok(())
        })
    }

    /// Sends `blocks`, one after the other, until nobody takes them any more.
    fn unpack(&self, blocks: &[&Block], unpacked: &mpsc::SyncSender<Result<PrimitiveBlock, ImportError>>) {
        let mut reader = match self.reader() {
            Ok(reader) => reader,
            Err(error) => return drop(unpacked.send(Err(error))),
        };
        for block in blocks {
            let read = reader.blob_from_offset(block.offset).and_then(|blob| blob.to_primitiveblock());
            if unpacked.send(read.map_err(|error| ImportError::from_pbf(&self.path, error))).is_err() {
                return;
            }
        }
    }
}

impl Block {
    fn may_hold(&self, kinds: Kinds) -> bool {
        let known = self.kinds.load(Ordering::Relaxed);
        known == 0 || kinds.meets(Kinds(known))
    }
}

// So that a block that holds nothing at all is known, too.
const KNOWN: u8 = 0x80;

// The features that the format's description names and `osmpbf` reads.
const UNDERSTOOD: [&str; 3] = ["OsmSchema-V0.6", "DenseNodes", "HistoricalInformation"];
