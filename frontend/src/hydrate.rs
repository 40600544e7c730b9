//! Where the browser's build begins: takes over the page that the server rendered.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;

use crate::{
    data::LinkState,
    live::listen::document,
    track::{
        driver::Driver, http::decode_view, map_controller::MapController, page::Page, signals::Signals, view::TrackPage,
    },
};

/// A page translator may be quicker than this program: each text that it put into elements of its own becomes one text
/// again, still translated, because the page is taken over node by node.
fn untranslate() {
    let document = document();
    while let Ok(Some(translated)) = document.query_selector("main font") {
        let parent = translated.parent_element();
        let text = translated.text_content().unwrap_or_default();
        if translated.replace_with_with_str_1(&text).is_err() {
            return;
        }
        // Of a text with several sentences it may have made several.
        if let Some(parent) = parent {
            parent.normalize();
        }
    }
}

/// Draws the page again from the data it carries, now with signals behind it, opens the map, and connects.
///
/// # Panics
/// When the page carries no data this build can read; the page's script then loads it anew after a while.
#[wasm_bindgen]
pub fn hydrate() {
    let carried = document().get_element_by_id("view").and_then(|element| element.text_content());
    let view = carried.and_then(|text| decode_view(&text)).expect("the page carries its data");
    let (LinkState::Live(order) | LinkState::Ended(order)) = view.link else { return };
    let drawn = Page::new(order, view.locale, view.server_time_ms);
    let is_over = drawn.status().is_final();
    untranslate();
    leptos::mount::hydrate_body(move || {
        let signals = Signals::new(drawn);
        let tree = view! { <TrackPage signals /> };
        let map = MapController::new(signals);
        map.open_when_idle();
        if !is_over {
            Driver::start(signals, map, view.server_time_ms);
        }
        tree
    });
}
