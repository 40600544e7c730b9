//! The dispatcher's console as a document: a shell for the program, served to signed-in users only.
//!
//! It holds no order and no courier; all of that comes over the API. It holds no inline script and no nonce, and works
//! under `script-src 'self' 'wasm-unsafe-eval'; style-src 'self'`.

use leptos::prelude::*;

use super::shell::{Document, NoDetectedLinks, NotStarted, Preloads, SURFACE, ViewData, render};
use crate::{
    data::{ConsoleAssetUrls, Locale},
    ui::text::PRODUCT,
};

/// Who the console is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleUser {
    /// Their address.
    pub email: String,
    /// `admin` or `dispatcher`.
    pub role: String,
}

/// The page that `GET /dispatch` answers.
pub fn dispatch_document(
    user: &ConsoleUser,
    locale: &Locale,
    server_time_ms: i64,
    assets: &ConsoleAssetUrls,
) -> String {
    let (user, locale, assets) = (user.clone(), locale.clone(), assets.clone());
    render(move || {
        let scripts = vec![assets.dispatch_js, assets.fleet_map_js, assets.map_js, assets.console_js];
        view! {
            <Document
                lang=locale.lang.clone()
                title="Dispatch".to_owned()
                css=assets.dispatch_css
                icon=assets.icon
                colours=SURFACE
                preloads=view! { <Preloads scripts wasm=assets.dispatch_wasm /> }.into_any()
                metas=view! { <NoDetectedLinks /> }.into_any()
            >
                <div id="app">
                    <Starting />
                </div>
                <NotStarted class="starting" heading="The console did not start" />
                <ViewData area=assets.area css=assets.maplibre_css />
                <ConsoleData user locale server_time_ms />
                <script type="module" src=assets.start_js></script>
            </Document>
        }
    })
}

/// What stands in the page for the moment until the console has started.
#[component]
fn Starting() -> impl IntoView {
    view! {
        <main class="starting" aria-busy="true">
            <h1>{PRODUCT}</h1>
            <p>"Opening the console…"</p>
            <noscript>
                <p>"The console needs JavaScript: it shows the fleet as it moves."</p>
            </noscript>
        </main>
    }
}

/// What the program reads.
#[component]
fn ConsoleData(user: ConsoleUser, locale: Locale, server_time_ms: i64) -> impl IntoView {
    view! {
        <script
            type="application/octet-stream"
            id="console-data"
            data-lang=locale.lang
            data-hour12=locale.hour12.to_string()
            data-miles=locale.miles.to_string()
            data-zone=locale.zone.text()
            data-now-ms=server_time_ms.to_string()
            data-email=user.email
            data-role=user.role
        ></script>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tests::area;

    fn page(email: &str) -> String {
        let url = |name: &str| format!("/assets/{name}");
        let assets = ConsoleAssetUrls {
            dispatch_css: url("dispatch.css"),
            dispatch_js: url("dispatch.js"),
            dispatch_wasm: url("dispatch.wasm"),
            start_js: url("dispatch-start.js"),
            fleet_map_js: url("fleet-map.js"),
            map_js: url("map.js"),
            console_js: url("console.js"),
            maplibre_css: url("maplibre.css"),
            area: area(),
            icon: url("icon.svg"),
        };
        let locale = Locale { lang: "en".to_owned(), hour12: false, zone: 60.into(), miles: false };
        let user = ConsoleUser { email: email.to_owned(), role: "dispatcher".to_owned() };
        dispatch_document(&user, &locale, 0, &assets)
    }

    #[test]
    fn the_strict_policy_finds_nothing_to_refuse() {
        let html = page("dora@example.org");
        assert!(!html.contains(" style=") && !html.contains("<style") && !html.contains("nonce"));
        let scripts: Vec<_> = html.split("<script").skip(1).filter_map(|rest| rest.split_once("</script>")).collect();
        assert_eq!(scripts.len(), 3);
        assert!(scripts.iter().all(|(script, _)| script.ends_with('>')), "no script has text inside");
    }

    #[test]
    fn a_hostile_address_stays_in_its_attribute() {
        assert!(!page("\"><img src=x>@example.org").contains("<img"));
    }
}
