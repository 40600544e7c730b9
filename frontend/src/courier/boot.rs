//! Where the courier's app begins in the browser.

use leptos::{mount::mount_to, prelude::*};
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use super::{
    device,
    driver::Driver,
    platform::Platform,
    state::Shift,
    view::{self, Act},
};
use crate::{
    data::Locale,
    live::listen::{Listener, document, window},
    ui::zone::Zone,
};

/// The app's place in the address, which is all that its worker may answer for.
const SCOPE: &str = "/courier";

/// Takes the place of the skeleton that the server drew, and starts the app.
///
/// # Panics
/// When the page has no place for it; the page's script then says so.
#[wasm_bindgen]
pub fn courier() {
    let code = take_code();
    let data = Data::of_this_page();
    let shift = Shift::starting(data.locale(), platform());
    let place: HtmlElement =
        document().get_element_by_id("app").and_then(|element| element.dyn_into().ok()).expect("a place for the app");
    place.set_inner_html("");
    mount_to(place, move || {
        let shift = RwSignal::new(shift);
        let driver = Driver::start(shift, code);
        view::app(shift, Act::new(move |intent| driver.act(intent)))
    })
    .forget();
    heed_new_links();
    if let Some(worker) = data.get("data-sw") {
        device::register_worker(&worker, SCOPE);
    }
}

/// The code of a sign-in link, which leaves the address at once: neither the history nor a picture of the screen shall
/// show it.
fn take_code() -> Option<String> {
    let location = window().location();
    let hash = location.hash().ok()?;
    let code = hash.strip_prefix('#').filter(|code| !code.is_empty())?.to_owned();
    let history = window().history().ok()?;
    let bare = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&bare));
    Some(code)
}

/// A second link, opened while the app is open in this tab, changes only what stands behind the `#`.
fn heed_new_links() {
    let reload = |_| {
        let location = window().location();
        if location.hash().is_ok_and(|hash| hash.len() > 1) {
            let _ = location.reload();
        }
    };
    std::mem::forget(Listener::new(&window(), "hashchange", Box::new(reload)));
}

fn platform() -> Platform {
    let navigator = window().navigator();
    Platform::from_user_agent(&navigator.user_agent().unwrap_or_default(), navigator.max_touch_points())
}

/// What the page carries for its program.
struct Data(Option<web_sys::Element>);

impl Data {
    fn of_this_page() -> Self {
        Self(document().get_element_by_id("courier-data"))
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0.as_ref()?.get_attribute(name)
    }

    fn locale(&self) -> Locale {
        let is = |name| self.get(name).is_some_and(|value| value == "true");
        Locale {
            lang: self.get("data-lang").unwrap_or_else(|| "en".to_owned()),
            hour12: is("data-hour12"),
            zone: Zone::read(&self.get("data-zone").unwrap_or_default()),
            miles: is("data-miles"),
        }
    }
}
