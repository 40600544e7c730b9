//! The courier's app as a document: the same for all couriers, so that the service worker may keep it.
//!
//! Nothing personal stands in it. Who is signed in, and everything else, comes from the phone's own storage and the API.
//! It holds no inline script and no nonce, and works under
//! `script-src 'self' 'wasm-unsafe-eval'; style-src 'self'`.

use leptos::prelude::*;

use super::shell::{BACKGROUND, Document, NoDetectedLinks, NotStarted, Preloads, Symbols, ViewData, render};
use crate::{
    courier::{
        platform::Platform,
        state::Shift,
        view::{Act, app},
    },
    data::{CourierAssetUrls, Locale},
    ui::text::PRODUCT,
};

/// Pictures that the screens use, drawn once, as an element.
pub const ICONS: &str = concat!(
    "<svg hidden width=\"0\" height=\"0\">",
    include_str!("icons.svg"),
    include_str!("courier-icons.svg"),
    "</svg>"
);

/// The same without the element around them.
const SYMBOLS: &str = concat!(include_str!("icons.svg"), include_str!("courier-icons.svg"));

/// The page that `GET /courier` answers.
///
/// The app reads `locale` and the addresses from the two data elements at its end. Until it has started, its own first
/// screen stands in `#app`; the app takes its place.
pub fn courier_document(locale: &Locale, assets: &CourierAssetUrls) -> String {
    let (locale, assets) = (locale.clone(), assets.clone());
    let shift = Shift::starting(locale.clone(), Platform::default());
    render(move || {
        let preloads = view! {
            <script src=assets.theme_js></script>
            <Preloads scripts=vec![assets.courier_js, assets.device_js, assets.map_js] wasm=assets.courier_wasm />
        };
        view! {
            <Document
                lang=locale.lang.clone()
                title="Courier".to_owned()
                css=assets.courier_css
                icon=assets.icon
                colours=BACKGROUND
                preloads=preloads.into_any()
                metas=installable(assets.manifest, assets.touch_icon)
            >
                <div id="app">{app(RwSignal::new(shift), Act::new(|_| {}))}</div>
                <noscript>
                    <p class="panel">
                        "The courier app needs JavaScript: it sends your position and keeps your actions when there is no network."
                    </p>
                </noscript>
                <NotStarted class="door" heading="The app did not start" />
                <Symbols content=SYMBOLS />
                <ViewData area=assets.area css=assets.maplibre_css />
                <CourierData locale worker=assets.service_worker />
                <script type="module" src=assets.start_js></script>
            </Document>
        }
    })
}

/// What makes the page an app on a home screen.
fn installable(manifest: String, touch_icon: String) -> AnyView {
    view! {
        <meta name="mobile-web-app-capable" content="yes" />
        <meta name="apple-mobile-web-app-title" content=PRODUCT />
        <NoDetectedLinks />
        <link rel="manifest" href=manifest />
        <link rel="apple-touch-icon" href=touch_icon />
    }
    .into_any()
}

/// What the app reads.
#[component]
fn CourierData(locale: Locale, worker: String) -> impl IntoView {
    view! {
        <script
            type="application/octet-stream"
            id="courier-data"
            data-lang=locale.lang
            data-hour12=locale.hour12.to_string()
            data-miles=locale.miles.to_string()
            data-zone=locale.zone.text()
            data-sw=worker
        ></script>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tests::area;

    fn page(lang: &str) -> String {
        let url = |name: &str| format!("/assets/{name}");
        let assets = CourierAssetUrls {
            courier_css: url("courier.css"),
            courier_js: url("courier.js"),
            courier_wasm: url("courier.wasm"),
            theme_js: url("theme.js"),
            start_js: url("courier-start.js"),
            device_js: url("device.js"),
            map_js: url("map.js"),
            maplibre_css: url("maplibre.css"),
            area: area(),
            icon: url("icon.svg"),
            touch_icon: url("icon.png"),
            manifest: url("manifest"),
            service_worker: "/courier/sw.js".to_owned(),
        };
        let locale = Locale { lang: lang.to_owned(), hour12: false, zone: 60.into(), miles: false };
        courier_document(&locale, &assets)
    }

    #[test]
    fn the_strict_policy_finds_nothing_to_refuse() {
        let html = page("en");
        assert!(!html.contains(" style=") && !html.contains("<style") && !html.contains("nonce"));
        let scripts: Vec<_> = html.split("<script").skip(1).filter_map(|rest| rest.split_once("</script>")).collect();
        assert_eq!(scripts.len(), 4);
        assert!(scripts.iter().all(|(script, _)| script.ends_with('>')), "no script has text inside");
    }

    #[test]
    fn a_hostile_locale_stays_in_its_attribute() {
        assert!(!page("\"><img src=x>").contains("<img"));
    }
}
