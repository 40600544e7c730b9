//! Pages of lists: how many items are asked for, and where the next page begins.

use doorstep_shared::api::ListPage;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::ApiError;

/// The most items on one page of a list.
pub const MAX_PAGE: u32 = 1_000;
const DEFAULT_PAGE: u32 = 100;

/// How a list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
pub struct PageQuery {
    /// Where the page begins: the last page's `next_cursor`.
    #[param(min_length = 1, max_length = 500)]
    pub cursor: Option<String>,
    /// The most items on the page; 100 otherwise.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

/// How many items to give.
///
/// # Errors
/// 400 when that is none or too many.
pub fn page_size(limit: Option<u32>) -> Result<usize, ApiError> {
    match limit.unwrap_or(DEFAULT_PAGE) {
        limit @ 1..=MAX_PAGE => Ok(limit as usize),
        _ => Err(ApiError::bad_request(format!("limit must be 1 to {MAX_PAGE}"))),
    }
}

/// Reads a cursor.
///
/// # Errors
/// 400 when `read` cannot.
pub fn cursor<T>(text: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, ApiError> {
    text.map(|text| read(text).ok_or_else(bad_cursor)).transpose()
}

/// 400 for a cursor that the list did not give out.
pub fn bad_cursor() -> ApiError {
    ApiError::bad_request("the cursor is not one that this list gave out")
}

/// Cuts `items`, of which there may be one more than `limit`, to a page; gives where the next one begins, if there is one.
pub fn cut<T>(items: &mut Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> String) -> Option<String> {
    let more = items.len() > limit;
    items.truncate(limit);
    items.last().filter(|_| more).map(cursor)
}

/// A list that is one page.
pub fn whole<T>(items: Vec<T>) -> ListPage<T> {
    ListPage { items, next_cursor: None }
}
