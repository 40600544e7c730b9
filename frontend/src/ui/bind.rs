//! Ties spots of a page to what the page knows.
//!
//! Each spot is a plain function of the page. Because they all have one type, the browser's build holds the code of a
//! reactive text once, however many texts there are; closures written in place would each bring their own. For the same
//! reason fixed words become owned texts, and classes that come and go are attributes.

use leptos::prelude::*;

/// A text that follows the page.
pub fn text<P: Send + Sync + 'static>(
    page: RwSignal<P>,
    words: fn(&P) -> String,
) -> impl Fn() -> String + Copy + Send + 'static {
    move || page.with(words)
}

/// An attribute with one of a few fixed values.
pub fn word<P: Send + Sync + 'static>(
    page: RwSignal<P>,
    word: fn(&P) -> &'static str,
) -> impl Fn() -> String + Copy + Send + 'static {
    move || page.with(word).to_owned()
}

/// An attribute that is there or not.
pub fn flag<P: Send + Sync + 'static>(
    page: RwSignal<P>,
    flag: fn(&P) -> bool,
) -> impl Fn() -> bool + Copy + Send + 'static {
    move || page.with(flag)
}

/// A text for one of several alike spots.
pub fn text_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    page: RwSignal<P>,
    key: K,
    words: fn(&P, K) -> String,
) -> impl Fn() -> String + Copy + Send + 'static {
    move || page.with(|page| words(page, key))
}

/// An attribute of one of several alike spots, there or not.
pub fn flag_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    page: RwSignal<P>,
    key: K,
    flag: fn(&P, K) -> bool,
) -> impl Fn() -> bool + Copy + Send + 'static {
    move || page.with(|page| flag(page, key))
}

/// An attribute of one of several alike spots, absent where it has no value: an address that is empty would be this
/// page's own.
pub fn value_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    page: RwSignal<P>,
    key: K,
    value: fn(&P, K) -> Option<String>,
) -> impl Fn() -> Option<String> + Copy + Send + 'static {
    move || page.with(|page| value(page, key))
}
