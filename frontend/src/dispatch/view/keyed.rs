//! Rows of keyed lists. `<For>` keeps the elements of a row while its key stays, and does not look at the row again; what
//! the row shows has to follow by itself.

use leptos::prelude::*;

/// The content of one row, which follows `rows`; a row that is about to go keeps its last content.
pub fn follow<T, K>(rows: Memo<Vec<T>>, row: T, key: fn(&T) -> K) -> Memo<T>
where
    T: Clone + PartialEq + Send + Sync + 'static,
    K: PartialEq + Send + Sync + 'static,
{
    let id = key(&row);
    Memo::new(move |_| rows.with(|rows| rows.iter().find(|other| key(other) == id).unwrap_or(&row).clone()))
}

/// A row with its number as its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered<T> {
    pub index: usize,
    pub content: T,
}

/// Rows without an id of their own, numbered from 0.
pub fn numbered<T>(rows: impl IntoIterator<Item = T>) -> Vec<Numbered<T>> {
    rows.into_iter().enumerate().map(|(index, content)| Numbered { index, content }).collect()
}
