//! The customer's tracking page, `/t/{token}`.
//!
//! [`page`] is what the page knows, [`phase`], [`arrival`] and [`proof`] what follows from it; all four are pure, and the
//! words for them are in [`crate::ui::words`]. [`view`] draws it: a fixed structure whose texts and attributes change, so that
//! nothing moves when something happens, and so that the browser's build stays small.

pub mod arrival;
pub mod page;
pub mod phase;
pub mod proof;
pub mod speak;
pub mod view;

pub use page::Page;
