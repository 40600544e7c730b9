//! How a file's header names the columns of [`doorstep_shared::order_file`]: by our names, by their headings, or as other
//! systems call them.
//!
//! [`super::FileError`] names the missing ones.

pub use doorstep_shared::order_file::{COLUMNS, Column, column_named};
pub(super) use doorstep_shared::order_file::{PICKUP, missing_columns};

use super::synonyms;

/// Whether these folded words are the column's name or its heading.
pub(super) fn is_named(column: &Column, words: &[String]) -> bool {
    words.join("_") == column.name || doorstep_shared::text::words(column.heading) == words
}

/// Whether others call the column by these folded words.
pub(super) fn is_known_as(column: &Column, words: &[String]) -> bool {
    synonyms::of(column.name).contains(&words.join(" ").as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_heading_means_two_columns() {
        let mut known = HashSet::new();
        for column in COLUMNS {
            let of_column: HashSet<_> =
                [column.name.replace('_', " "), doorstep_shared::text::words(column.heading).join(" ")]
                    .into_iter()
                    .chain(synonyms::of(column.name).iter().map(|synonym| (*synonym).to_owned()))
                    .collect();
            for words in of_column {
                assert_eq!(doorstep_shared::text::words(&words).join(" "), words, "written as it is compared");
                assert!(known.insert(words.clone()), "{words} means two columns");
            }
        }
    }
}
