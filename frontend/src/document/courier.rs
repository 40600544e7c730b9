//! The courier's app as a document: the same for everybody, so that the service worker may keep it.
//!
//! Nothing personal stands in it. Who is signed in, and everything else, comes from the phone's own storage and the API.
//! It holds no inline script and no nonce, and works under
//! `script-src 'self' 'wasm-unsafe-eval'; style-src 'self'`.

use leptos::prelude::*;

use super::{escape, render};
use crate::{
    courier::{
        platform::Platform,
        state::Shift,
        view::{Act, app},
    },
    data::{CourierAssetUrls, Locale},
    ui::text::PRODUCT,
};

/// The address bar's colours, as `--bg` in the style sheet.
const THEME_LIGHT: &str = "#f6f5f2";
const THEME_DARK: &str = "#0f1114";

/// The page that `GET /courier` answers.
///
/// The app reads `locale` and the addresses from the two data elements at its end. Until it has started, the skeleton
/// stands in `#app`; the app takes its place.
pub fn courier_document(locale: &Locale, assets: &CourierAssetUrls) -> String {
    let lang = escape(&locale.lang);
    let product = PRODUCT;
    let [css, theme, js, icon, touch_icon, manifest] =
        [&assets.courier_css, &assets.theme_js, &assets.start_js, &assets.icon, &assets.touch_icon, &assets.manifest]
            .map(|url| escape(url));
    let preloads: String = [&assets.courier_js, &assets.device_js, &assets.map_js]
        .into_iter()
        .filter(|url| !url.is_empty())
        .map(|url| format!("<link rel=\"modulepreload\" href=\"{}\">", escape(url)))
        .collect();
    let wasm = escape(&assets.courier_wasm);
    let data = data(locale, assets);
    let skeleton = skeleton(locale);
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1,viewport-fit=cover\">\
         <title>Courier · {product}</title>\
         <link rel=\"stylesheet\" href=\"{css}\"><script src=\"{theme}\"></script>{preloads}\
         <link rel=\"preload\" as=\"fetch\" type=\"application/wasm\" crossorigin href=\"{wasm}\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"theme-color\" content=\"{THEME_LIGHT}\" media=\"(prefers-color-scheme: light)\">\
         <meta name=\"theme-color\" content=\"{THEME_DARK}\" media=\"(prefers-color-scheme: dark)\">\
         <meta name=\"mobile-web-app-capable\" content=\"yes\">\
         <meta name=\"apple-mobile-web-app-title\" content=\"{product}\">\
         <meta name=\"robots\" content=\"noindex,nofollow\">\
         <meta name=\"format-detection\" content=\"telephone=no,address=no\">\
         <link rel=\"manifest\" href=\"{manifest}\">\
         <link rel=\"apple-touch-icon\" href=\"{touch_icon}\">\
         <link rel=\"icon\" href=\"{icon}\"></head><body>\
         <div id=\"app\">{skeleton}</div>{WITHOUT_SCRIPTS}{NOT_STARTED}{ICONS}{data}\
         <script type=\"module\" src=\"{js}\"></script></body></html>"
    )
}

/// Pictures that the screens use, drawn once.
pub const ICONS: &str = concat!(include_str!("icons.svg"), include_str!("courier-icons.svg"));

/// What stands there for the moment until the app has started: its own first screen.
fn skeleton(locale: &Locale) -> String {
    let shift = Shift::starting(locale.clone(), Platform::default());
    render(move || app(RwSignal::new(shift), Act::new(|_| {})))
}

/// What stands there besides when it never will.
const WITHOUT_SCRIPTS: &str = "<noscript><p class=\"panel\">The courier app needs JavaScript: it sends your position and \
     keeps your actions when there is no network.</p></noscript>";

/// What stands there when it cannot start.
const NOT_STARTED: &str = "<main class=\"door\" id=\"not-started\" hidden><h1>The app did not start</h1>\
     <p>This browser may be too old, or the download broke off. Load the page again; if that does not help, use a \
     current Chrome, Firefox or Safari.</p></main>";

/// What the app and the map read. The map's code looks for its parts at `#view`, as on the customer's page.
fn data(locale: &Locale, assets: &CourierAssetUrls) -> String {
    let Locale { lang, hour12, utc_offset_min, miles } = locale;
    let [lang, worker] = [lang, &assets.service_worker].map(|text| escape(text));
    let [pmtiles, land, css] =
        [&assets.basemap_pmtiles, &assets.basemap_land, &assets.maplibre_css].map(|url| escape(url));
    let style = assets.basemap_style.as_deref().map_or(String::new(), |url| format!(" data-style=\"{}\"", escape(url)));
    format!(
        "<script type=\"application/octet-stream\" id=\"view\" data-pmtiles=\"{pmtiles}\" data-land=\"{land}\" \
         data-css=\"{css}\"{style}></script>\
         <script type=\"application/octet-stream\" id=\"courier-data\" data-lang=\"{lang}\" data-hour12=\"{hour12}\" \
         data-miles=\"{miles}\" data-time-zone-offset-min=\"{utc_offset_min}\" data-sw=\"{worker}\"></script>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
            basemap_pmtiles: url("malta.pmtiles"),
            basemap_land: url("land.geojson"),
            basemap_style: None,
            icon: url("icon.svg"),
            touch_icon: url("icon.png"),
            manifest: url("manifest"),
            service_worker: "/courier/sw.js".to_owned(),
        };
        let locale = Locale { lang: lang.to_owned(), hour12: false, utc_offset_min: 60, miles: false };
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
