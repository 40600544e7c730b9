//! The customer's tracking page, `/t/{token}`.
//!
//! [`page`] is what the page knows, [`phase`] and [`arrival`] what follows from it; all three are pure, and the words
//! for them are in [`crate::ui::words`]. [`view`] draws it: a fixed structure whose texts and attributes change, so that
//! nothing moves when something happens, and so that the browser's build stays small.

pub mod arrival;
pub mod page;
pub mod phase;
pub mod speak;
pub mod view;

pub use page::Page;
