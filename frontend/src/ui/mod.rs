//! What pages are made of besides their data: words, times and distances, small helpers for reactive text.

pub mod bind;
pub mod time;
pub mod words;
