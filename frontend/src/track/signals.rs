//! What the components of the tracking page share: one signal for each subject.
//!
//! A change of the map's box draws no text anew. More signals would cost more than they save: each type of value adds half
//! a kilobyte to the compressed bundle.

use leptos::prelude::*;

use super::page::Page;

/// The page's signals; copies are the same signals.
#[derive(Clone, Copy, Debug)]
pub struct Signals {
    /// What the page knows of the order and of the connection.
    pub page: RwSignal<Page>,
    /// The map's box.
    pub map: RwSignal<MapState>,
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
        Self { page: RwSignal::new(page), map: RwSignal::new(map) }
    }
}
