//! Ties spots of a page to what the page knows.
//!
//! Each spot is a plain function of a signal's value. What comes out is boxed, so all texts have one type, whatever signal
//! they read, and a browser's build holds the code of a reactive text once; closures written in place would each bring
//! their own. For the same reason fixed words become owned texts, and classes that come and go are attributes.

use leptos::prelude::*;

/// A text, or an attribute that always has a value.
pub type Text = Box<dyn Fn() -> String + Send>;

/// An attribute that is there or not.
pub type Flag = Box<dyn Fn() -> bool + Send>;

/// An attribute that is absent where it has no value: an address that is empty would be the page's own.
pub type Value = Box<dyn Fn() -> Option<String> + Send>;

/// A text that follows a signal.
pub fn text<P: Send + Sync + 'static>(signal: RwSignal<P>, text: fn(&P) -> String) -> Text {
    Box::new(move || signal.with(text))
}

/// An attribute with one of a few fixed values.
pub fn word<P: Send + Sync + 'static>(signal: RwSignal<P>, word: fn(&P) -> &'static str) -> Text {
    Box::new(move || signal.with(word).to_owned())
}

/// An attribute that is there or not.
pub fn flag<P: Send + Sync + 'static>(signal: RwSignal<P>, flag: fn(&P) -> bool) -> Flag {
    Box::new(move || signal.with(flag))
}

/// A text for one of several alike spots.
pub fn text_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    signal: RwSignal<P>,
    key: K,
    text: fn(&P, K) -> String,
) -> Text {
    Box::new(move || signal.with(|value| text(value, key)))
}

/// An attribute of one of several alike spots, there or not.
pub fn flag_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    signal: RwSignal<P>,
    key: K,
    flag: fn(&P, K) -> bool,
) -> Flag {
    Box::new(move || signal.with(|value| flag(value, key)))
}

/// An attribute of one of several alike spots, absent where it has no value.
pub fn value_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    signal: RwSignal<P>,
    key: K,
    value: fn(&P, K) -> Option<String>,
) -> Value {
    Box::new(move || signal.with(|held| value(held, key)))
}
