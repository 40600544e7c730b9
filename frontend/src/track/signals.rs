//! What the components of the tracking page share: one signal for each subject.
//!
//! A change of the map's state draws no text anew, and a second that passes does not touch what a screen reader says.

use leptos::prelude::*;

use super::page::Page;

/// The page's signals; copies are the same signals.
#[derive(Clone, Copy, Debug)]
pub struct Signals {
    /// The order, and how fresh what is known of it is.
    pub page: RwSignal<Page>,
    /// The map's box.
    pub map: RwSignal<MapState>,
    /// What a screen reader says next.
    pub spoken: RwSignal<String>,
}

/// How the map's box looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapState {
    /// The street map is drawn, and the sketch is not needed.
    pub is_shown: bool,
    /// The map keeps courier and door in view by itself.
    pub is_following: bool,
    /// The map takes most of a phone's screen.
    pub is_large: bool,
}

impl Signals {
    /// Signals for a page as the server hands it over.
    pub fn new(page: Page) -> Self {
        let map = MapState { is_shown: false, is_following: true, is_large: false };
        Self { page: RwSignal::new(page), map: RwSignal::new(map), spoken: RwSignal::new(String::new()) }
    }
}
