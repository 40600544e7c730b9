//! REST handlers, `/api/v1`. Each reads typed input, calls one use case and maps one result.

pub mod audit;
pub mod courier;
pub mod courier_session;
pub mod courier_tour;
pub mod couriers;
pub mod devices;
pub mod dispatch;
pub mod exceptions;
pub mod imports;
pub mod order_lists;
pub mod orders;
pub mod places;
pub mod proofs;
pub mod session;
pub mod track;

use serde::Deserialize;

use crate::error::ApiError;

/// The most items on one page of a list.
pub const MAX_PAGE: u32 = 1_000;
const DEFAULT_PAGE: u32 = 100;

/// How a list is asked for.
#[derive(Debug, Deserialize)]
pub struct ListQuery {
    /// From the last page's `next_cursor`.
    pub cursor: Option<String>,
    /// Items on the page; 1 to 1 000.
    pub limit: Option<u32>,
}

impl ListQuery {
    /// How many items to give.
    ///
    /// # Errors
    /// 400 when it is none or too many.
    pub fn limit(&self) -> Result<usize, ApiError> {
        page_size(self.limit)
    }
}

fn page_size(limit: Option<u32>) -> Result<usize, ApiError> {
    match limit.unwrap_or(DEFAULT_PAGE) {
        limit @ 1..=MAX_PAGE => Ok(limit as usize),
        _ => Err(ApiError::bad_request(format!("limit must be 1 to {MAX_PAGE}"))),
    }
}

fn bad_cursor() -> ApiError {
    ApiError::bad_request("the cursor is not one that this list gave out")
}
