//! Why a file of orders cannot be read at all.
//!
//! Errors of a single row are no [`FileError`]; they stand in that row.

use doorstep_shared::{api::console::MAX_IMPORT_ROWS, order_file::missing_columns};

/// Why a file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Some bytes are no text.
    #[error("line {line} is no text that can be read; save the file as \"CSV UTF-8\"")]
    NotText {
        /// The first line with such bytes, counted from 1.
        line: usize,
    },
    /// It is a spreadsheet program's own file.
    #[error("the file is a workbook; save it as \"CSV UTF-8\" and send that")]
    Workbook,
    /// There is nothing in it.
    #[error("the file is empty; its first line names the columns")]
    Empty,
    /// Required columns are missing.
    #[error("the first line must name the columns {}; {} is missing", missing_columns(|_| false).join(", "), .0.join(", "))]
    MissingColumns(Vec<&'static str>),
    /// A column occurs twice.
    #[error("the column {0} is there twice")]
    RepeatedColumn(String),
    /// The mapping names a column that means nothing to us.
    #[error("there is no column {0} to map to")]
    UnknownColumn(String),
    /// The mapping is of another file.
    #[error("the mapping names {mapped} columns; the file has {width}")]
    MappingTooLong {
        /// Columns in the mapping.
        mapped: usize,
        /// Columns of the file.
        width: usize,
    },
    /// Too many rows.
    #[error("the file has more than {MAX_IMPORT_ROWS} orders; send it in parts")]
    TooManyRows,
    /// Quotes that are never closed, and the like.
    #[error("the file cannot be read as CSV: {0}")]
    Malformed(String),
}
