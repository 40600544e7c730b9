//! Reads what an import wrote, and writes what it reads, by the formats' descriptions and not by the code under test.

pub(crate) mod archive;
pub(crate) mod extract;
pub(crate) mod tile;
