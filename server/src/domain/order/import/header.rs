//! The first row of a file of orders: which column stands where, by its headings or by the caller's mapping.

use std::collections::HashMap;

use csv::StringRecord;
use doorstep_shared::{
    api::console::{ImportColumn, ImportNote},
    text,
};

use super::{
    columns::{COLUMNS, Column, column_named, is_known_as, is_named, missing_columns},
    error::FileError,
};

/// Samples of each column's cells that a preview shows.
const MAX_SAMPLES: usize = 3;

/// Characters of a sample.
const MAX_SAMPLE_CHARACTERS: usize = 100;

/// Where each column stands.
#[derive(Debug)]
pub(super) struct Header {
    headings: Vec<String>,
    positions: HashMap<&'static str, usize>,
    pub(super) width: usize,
}

impl Header {
    /// Reads the headings. `mapping` names what each column of the file holds, in the file's order, and nothing for
    /// columns to leave out; without it the headings say so.
    pub(super) fn read(names: &StringRecord, mapping: Option<&[String]>) -> Result<Self, FileError> {
        if names.iter().all(str::is_empty) {
            return Err(FileError::Empty);
        }
        let headings: Vec<String> = names.iter().map(str::to_owned).collect();
        let positions = match mapping {
            Some(mapping) => mapped(mapping, headings.len())?,
            None => recognised(&headings)?,
        };
        Ok(Self { width: headings.len(), headings, positions })
    }

    /// # Errors
    /// [`FileError::MissingColumns`] when no row can become an order.
    pub(super) fn check_complete(&self) -> Result<(), FileError> {
        let missing = missing_columns(|column| self.positions.contains_key(column));
        if missing.is_empty() { Ok(()) } else { Err(FileError::MissingColumns(missing)) }
    }

    /// The headings that mean nothing to us.
    pub(super) fn ignored(&self) -> Vec<String> {
        let unused = self.headings.iter().enumerate().filter(|(position, _)| self.meaning(*position).is_none());
        unused.map(|(_, heading)| heading.clone()).filter(|heading| !heading.is_empty()).collect()
    }

    /// What each column of the file is taken for. Samples are still to come.
    pub(super) fn columns(&self) -> Vec<ImportColumn> {
        let column = |(position, heading): (usize, &String)| ImportColumn {
            position: position as u32 + 1,
            heading: heading.clone(),
            column: self.meaning(position).map(str::to_owned),
            samples: Vec::new(),
        };
        self.headings.iter().enumerate().map(column).collect()
    }

    fn meaning(&self, position: usize) -> Option<&'static str> {
        self.positions.iter().find(|(_, at)| **at == position).map(|(name, _)| *name)
    }

    /// The position of a column; `None` when the file does not have it.
    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.positions.get(column).copied()
    }

    pub(super) fn note(&self, name: &str, message: impl Into<String>) -> ImportNote {
        let position = self.position(name);
        let heading = position.map(|position| self.headings[position].clone());
        let heading = heading.or_else(|| Some(column_named(name)?.heading.to_owned()));
        ImportNote {
            column: name.to_owned(),
            heading,
            position: position.map(|position| position as u32 + 1),
            message: message.into(),
        }
    }
}

/// Adds the row's cells to the columns' samples, where these lack some.
pub(super) fn sample(columns: &mut [ImportColumn], record: &StringRecord) {
    for (column, cell) in columns.iter_mut().zip(record) {
        let sample: String = cell.chars().take(MAX_SAMPLE_CHARACTERS).collect();
        if column.samples.len() < MAX_SAMPLES && !sample.is_empty() && !column.samples.contains(&sample) {
            column.samples.push(sample);
        }
    }
}

fn mapped(mapping: &[String], width: usize) -> Result<HashMap<&'static str, usize>, FileError> {
    if mapping.len() > width {
        return Err(FileError::MappingTooLong { mapped: mapping.len(), width });
    }
    let mut positions = HashMap::new();
    for (position, name) in mapping.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let Column { name, .. } = column_named(name).ok_or_else(|| FileError::UnknownColumn(name.clone()))?;
        if positions.insert(*name, position).is_some() {
            return Err(FileError::RepeatedColumn((*name).to_owned()));
        }
    }
    Ok(positions)
}

/// Whether a heading means something by itself.
pub(super) fn is_known(heading: &str) -> bool {
    let words = text::words(heading);
    COLUMNS.iter().any(|column| is_named(column, &words) || is_known_as(column, &words))
}

/// By our own names and headings first; what others call a column counts where those leave it open.
fn recognised(headings: &[String]) -> Result<HashMap<&'static str, usize>, FileError> {
    let words: Vec<_> = headings.iter().map(|heading| text::words(heading)).collect();
    let mut positions = HashMap::new();
    let mut is_used = vec![false; headings.len()];
    for (position, words) in words.iter().enumerate() {
        let Some(column) = COLUMNS.iter().find(|column| is_named(column, words)) else { continue };
        if positions.insert(column.name, position).is_some() {
            return Err(FileError::RepeatedColumn(column.name.to_owned()));
        }
        is_used[position] = true;
    }
    for (position, words) in words.iter().enumerate().filter(|(position, _)| !is_used[*position]) {
        if let Some(column) = COLUMNS.iter().find(|column| is_known_as(column, words)) {
            positions.entry(column.name).or_insert(position);
        }
    }
    Ok(positions)
}
