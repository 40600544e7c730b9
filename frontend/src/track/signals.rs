//! What the components of the tracking page share: one signal for each subject.
//!
//! A change of the map's box draws no text anew. More signals would cost more than they save: each type of value adds half
//! a kilobyte to the compressed bundle.

use leptos::prelude::*;

use super::page::Page;
use crate::map::base::Drawn;

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
    /// What stands in it.
    pub drawn: Drawn,
    /// The map keeps courier and door in view by itself.
    pub is_following: bool,
    /// The map takes most of a phone's screen.
    pub is_large: bool,
}

impl Signals {
    /// Signals for a page as the server hands it over.
    pub fn new(page: Page) -> Self {
        let drawn = Drawn { is_outside: page.order.outside_area, ..Drawn::default() };
        let map = MapState { drawn, is_following: true, is_large: false };
        Self { page: RwSignal::new(page), map: RwSignal::new(map) }
    }
}
