//! What the pages are made of besides their data: texts, times and distances, and helpers for reactive text.

pub mod bind;
pub mod text;
pub mod time;
pub mod zone;
