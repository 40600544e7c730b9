//! The first row of a file of orders: which column stands where.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;
use doorstep_shared::{api::console::ImportNote, text};

use super::{
    columns::{COLUMNS, REQUIRED},
    error::FileError,
};

/// Where each column stands.
pub(super) struct Header {
    positions: HashMap<&'static str, usize>,
    pub(super) ignored: Vec<String>,
    pub(super) width: usize,
}

impl Header {
    pub(super) fn read(names: &StringRecord) -> Result<Self, FileError> {
        if names.iter().all(str::is_empty) {
            return Err(FileError::Empty);
        }
        let mut header = Self { positions: HashMap::new(), ignored: Vec::new(), width: names.len() };
        let mut seen = HashSet::new();
        for (position, name) in names.iter().enumerate() {
            let plain = text::words(name).join("_");
            match COLUMNS.iter().find(|column| **column == plain) {
                Some(column) if seen.insert(*column) => drop(header.positions.insert(column, position)),
                Some(column) => return Err(FileError::RepeatedColumn((*column).to_owned())),
                None if name.is_empty() => {}
                None => header.ignored.push(name.to_owned()),
            }
        }
        let missing: Vec<_> = REQUIRED.into_iter().filter(|column| !header.positions.contains_key(column)).collect();
        if missing.is_empty() { Ok(header) } else { Err(FileError::MissingColumns(missing)) }
    }

    /// The position of a column; `None` when the file does not have it.
    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.positions.get(column).copied()
    }

    pub(super) fn note(&self, column: &str, message: impl Into<String>) -> ImportNote {
        let position = self.position(column).map(|position| position as u32 + 1);
        ImportNote { column: column.to_owned(), position, message: message.into() }
    }
}
