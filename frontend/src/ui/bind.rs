//! Ties spots of the page to what the page knows.
//!
//! Each spot is a plain function of the page. Because they all have one type, the browser's build holds the code of a
//! reactive text once, however many texts there are; closures written in place would each bring their own. For the same
//! reason fixed words become owned texts, and classes that come and go are attributes.

use leptos::prelude::*;

use crate::track::Page;

/// The page as the components share it.
pub type Shared = RwSignal<Page>;

/// A text that follows the page.
pub fn text(page: Shared, words: fn(&Page) -> String) -> impl Fn() -> String + Copy + Send + 'static {
    move || page.with(words)
}

/// An attribute with one of a few fixed values.
pub fn word(page: Shared, word: fn(&Page) -> &'static str) -> impl Fn() -> String + Copy + Send + 'static {
    move || page.with(word).to_owned()
}

/// An attribute that is there or not.
pub fn flag(page: Shared, flag: fn(&Page) -> bool) -> impl Fn() -> bool + Copy + Send + 'static {
    move || page.with(flag)
}

/// A text for one of several alike spots.
pub fn text_of<K: Copy + Send + 'static>(
    page: Shared,
    key: K,
    words: fn(&Page, K) -> String,
) -> impl Fn() -> String + Copy + Send + 'static {
    move || page.with(|page| words(page, key))
}

/// An attribute of one of several alike spots, there or not.
pub fn flag_of<K: Copy + Send + 'static>(
    page: Shared,
    key: K,
    flag: fn(&Page, K) -> bool,
) -> impl Fn() -> bool + Copy + Send + 'static {
    move || page.with(|page| flag(page, key))
}
