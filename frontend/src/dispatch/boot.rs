//! Where the console begins in the browser.

use leptos::{prelude::*, tachys::view::any_view::AnyView};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::HtmlElement;

use super::{driver::Driver, map, view};
use crate::{data::Locale, live::listen::document};

/// Takes the place of the skeleton that the server drew.
///
/// # Panics
/// When the document is not the console's; its starter then says that the console did not start.
#[wasm_bindgen]
pub fn dispatch() {
    map::restore_theme();
    let data = document().get_element_by_id("console-data").expect("the document carries the console's data");
    let text = |name: &str| data.get_attribute(name).unwrap_or_default();
    let locale = Locale {
        lang: text("data-lang"),
        hour12: text("data-hour12") == "true",
        utc_offset_min: text("data-time-zone-offset-min").parse().unwrap_or_default(),
        miles: text("data-miles") == "true",
    };
    let server_time_ms = text("data-now-ms").parse().unwrap_or_default();
    let who = view::Who { email: text("data-email"), is_admin: text("data-role") == "admin" };
    let app = document().get_element_by_id("app").expect("the document has a place for the console");
    app.set_inner_html("");
    let app: HtmlElement = app.unchecked_into();
    let handle = leptos::mount::mount_to(app, move || -> AnyView {
        let driver = Driver::new(locale, server_time_ms);
        let tree = view::console(driver.desk(), who);
        driver.start();
        tree.into_any()
    });
    // It lives as long as the page.
    handle.forget();
}
