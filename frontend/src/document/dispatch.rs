//! The dispatcher's console as a document: a shell for the program, served only to somebody who is signed in.
//!
//! It holds no order and no courier; all of that comes over the API. It holds no inline script and no nonce, and works
//! under `script-src 'self' 'wasm-unsafe-eval'; style-src 'self'`.

use super::escape;
use crate::{
    data::{ConsoleAssetUrls, Locale},
    ui::text::PRODUCT,
};

/// The address bar's colours, as `--surface` in the style sheet.
const THEME_LIGHT: &str = "#ffffff";
const THEME_DARK: &str = "#181b20";

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
    let lang = escape(&locale.lang);
    let product = PRODUCT;
    let [css, js, icon] = [&assets.dispatch_css, &assets.start_js, &assets.icon].map(|url| escape(url));
    let preloads: String = [&assets.dispatch_js, &assets.fleet_map_js, &assets.map_js, &assets.console_js]
        .into_iter()
        .filter(|url| !url.is_empty())
        .map(|url| format!("<link rel=\"modulepreload\" href=\"{}\">", escape(url)))
        .collect();
    let wasm = escape(&assets.dispatch_wasm);
    let data = data(user, locale, server_time_ms, assets);
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1,viewport-fit=cover\">\
         <title>Dispatch · {product}</title>\
         <link rel=\"stylesheet\" href=\"{css}\">{preloads}\
         <link rel=\"preload\" as=\"fetch\" type=\"application/wasm\" crossorigin href=\"{wasm}\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"theme-color\" content=\"{THEME_LIGHT}\" media=\"(prefers-color-scheme: light)\">\
         <meta name=\"theme-color\" content=\"{THEME_DARK}\" media=\"(prefers-color-scheme: dark)\">\
         <meta name=\"robots\" content=\"noindex,nofollow\">\
         <meta name=\"format-detection\" content=\"telephone=no,address=no\">\
         <link rel=\"icon\" href=\"{icon}\"></head><body>\
         <div id=\"app\">{SKELETON}</div>{NOT_STARTED}{data}\
         <script type=\"module\" src=\"{js}\"></script></body></html>"
    )
}

/// What stands there for the moment until the console has started.
const SKELETON: &str = "<main class=\"starting\" aria-busy=\"true\"><h1>Doorstep</h1><p>Opening the console…</p>\
     <noscript><p>The console needs JavaScript: it shows the fleet as it moves.</p></noscript></main>";

/// What stands there when it cannot start.
const NOT_STARTED: &str = "<main class=\"starting\" id=\"not-started\" hidden><h1>The console did not start</h1>\
     <p>This browser may be too old, or the download broke off. Load the page again; if that does not help, use a \
     current Chrome, Firefox or Safari.</p></main>";

/// What the program and the map read. The map's code looks for its parts at `#view`, as on the customer's page.
fn data(user: &ConsoleUser, locale: &Locale, server_time_ms: i64, assets: &ConsoleAssetUrls) -> String {
    let Locale { lang, hour12, utc_offset_min, miles } = locale;
    let [lang, email, role] = [lang, &user.email, &user.role].map(|text| escape(text));
    let [pmtiles, land, css] =
        [&assets.basemap_pmtiles, &assets.basemap_land, &assets.maplibre_css].map(|url| escape(url));
    let style = assets.basemap_style.as_deref().map_or(String::new(), |url| format!(" data-style=\"{}\"", escape(url)));
    format!(
        "<script type=\"application/octet-stream\" id=\"view\" data-pmtiles=\"{pmtiles}\" data-land=\"{land}\" \
         data-css=\"{css}\"{style}></script>\
         <script type=\"application/octet-stream\" id=\"console-data\" data-lang=\"{lang}\" data-hour12=\"{hour12}\" \
         data-miles=\"{miles}\" data-time-zone-offset-min=\"{utc_offset_min}\" data-now-ms=\"{server_time_ms}\" \
         data-email=\"{email}\" data-role=\"{role}\"></script>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
            basemap_pmtiles: url("malta.pmtiles"),
            basemap_land: url("land.geojson"),
            basemap_style: None,
            icon: url("icon.svg"),
        };
        let locale = Locale { lang: "en".to_owned(), hour12: false, utc_offset_min: 60, miles: false };
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
