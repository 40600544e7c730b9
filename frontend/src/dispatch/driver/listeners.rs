//! What the page's window and document report: network, visibility, keys and the back button.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, EventTarget, KeyboardEvent};

use super::{Driver, Source};
use crate::{
    dispatch::{
        browser,
        console::{Input, Intent},
        keys,
    },
    live::listen::{Listener, document, window},
};

impl Driver {
    pub(super) fn listeners(&self) -> Vec<Listener> {
        let window = window();
        let document = document();
        vec![
            self.listen(&window, "online", |driver, _| driver.post(Source::Page, Input::Awake)),
            self.listen(&window, "offline", |driver, _| driver.post(Source::Page, Input::Offline)),
            self.listen(&window, "pageshow", |driver, _| driver.post(Source::Page, Input::Awake)),
            self.listen(&window, "popstate", |driver, _| driver.address_changed()),
            self.listen(&document, "visibilitychange", |driver, _| driver.visibility_changed()),
            self.listen(&document, "click", |_, event| close_menu(&event)),
            self.listen(&document, "keydown", |driver, event| driver.key_pressed(event.unchecked_ref())),
        ]
    }

    fn listen(&self, target: &EventTarget, kind: &'static str, then: fn(&Self, Event)) -> Listener {
        let driver = self.clone();
        Listener::new(target, kind, Box::new(move |event| then(&driver, event)))
    }

    fn address_changed(&self) {
        let query = window().location().search().unwrap_or_default();
        self.post(Source::Page, Input::Popped(query));
    }

    fn visibility_changed(&self) {
        let is_hidden = document().hidden();
        self.0.borrow_mut().is_hidden = is_hidden;
        if !is_hidden {
            self.post(Source::Page, Input::Awake);
        }
    }

    fn key_pressed(&self, event: &KeyboardEvent) {
        let Some(target) = event.target().filter(|_| !event.default_prevented()) else { return };
        let is_in_list = target.dyn_ref::<Element>().is_some_and(|element| element.id() == "list");
        let (is_chord, is_alt) = (event.ctrl_key() || event.meta_key(), event.alt_key());
        let selects_all = is_chord && !is_alt && event.key().eq_ignore_ascii_case("a");
        let key = if selects_all { "Ctrl+A".to_owned() } else { event.key() };
        let has_modifier = (is_chord || is_alt) && !selects_all;
        let is_typing = browser::is_text_field(&target);
        if let Some(command) = keys::command(&key, is_typing, is_in_list, has_modifier) {
            event.prevent_default();
            self.intend(Intent::Key(command));
        }
    }
}

/// Closes the menu when something in it was chosen, and when the dispatcher clicks elsewhere.
fn close_menu(event: &Event) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let opens = target.is_some_and(|target| target.closest(".menu summary").is_ok_and(|found| found.is_some()));
    if let (false, Ok(Some(menu))) = (opens, document().query_selector(".menu[open]")) {
        let _ = menu.remove_attribute("open");
    }
}
