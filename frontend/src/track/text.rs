//! Every sentence of the tracking page, in one place.
//!
//! Sentence case, no exclamation marks; times as clock times, freshness as "4 s ago"; the reason before the remedy.
//! Each function answers one spot of the page from what the page knows; an empty answer means that the spot stays empty.

pub mod fixed;
pub mod freshness;
pub mod headline;
pub mod history;
pub mod message;
pub mod people;
pub mod proof;
pub mod spoken;
#[cfg(test)]
mod tests;
