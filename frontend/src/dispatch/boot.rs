//! The console's entry point in the browser.

use leptos::{prelude::*, tachys::view::any_view::AnyView};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{Element, HtmlElement};

use super::{
    areas::AreaInUse,
    browser,
    driver::Driver,
    view::{ConsoleView, User},
};
use crate::{data::Locale, live::listen::document, ui::zone::Zone};

/// Takes the place of the skeleton that the server drew.
///
/// # Panics
/// When the document is not the console's; its starter then says that the console did not start.
#[wasm_bindgen]
pub fn dispatch() {
    browser::restore_theme();
    let data = document().get_element_by_id("console-data").expect("the document carries the console's data");
    let app = document().get_element_by_id("app").expect("the document has a place for the console");
    app.set_inner_html("");
    let app: HtmlElement = app.unchecked_into();
    let handle = leptos::mount::mount_to(app, move || -> AnyView {
        let server_time_ms = attribute(&data, "data-now-ms").parse().unwrap_or_default();
        let user = User { email: attribute(&data, "data-email"), is_admin: attribute(&data, "data-role") == "admin" };
        let driver = Driver::new(locale(&data), area(), server_time_ms);
        provide_context(driver.store());
        let view = view! { <ConsoleView user /> };
        driver.start();
        view.into_any()
    });
    // It lives as long as the page.
    handle.forget();
}

fn locale(data: &Element) -> Locale {
    Locale {
        lang: attribute(data, "data-lang"),
        hour12: attribute(data, "data-hour12") == "true",
        zone: Zone::read(&attribute(data, "data-zone")),
        miles: attribute(data, "data-miles") == "true",
    }
}

/// The area that the page was drawn with.
fn area() -> Option<AreaInUse> {
    let view = document().get_element_by_id("view")?;
    serde_json::from_str(&view.get_attribute("data-area")?).ok()
}

fn attribute(data: &Element, name: &str) -> String {
    data.get_attribute(name).unwrap_or_default()
}
