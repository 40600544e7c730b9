//! The tracking page as one HTML document, rendered at once and complete as text.
//!
//! Nothing is awaited and nothing streamed: the server has the whole order before it calls this. The data the page was
//! drawn from travels in it as base64url postcard, in an element no browser executes, so that the browser's build draws
//! the very same page again without any JSON code.
//!
//! The page holds one script, under the response's nonce, and no inline style, so it works under
//! `script-src 'nonce-…' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'`. Every text that came from people goes
//! through the same escaping; URLs and the nonce are escaped too, although they are ours.

pub mod courier;
pub mod dispatch;
pub mod login;

use std::fmt::Write;

use leptos::prelude::*;

use crate::{
    base64url,
    data::{AssetUrls, LinkState, TrackView},
    track::{
        page::Page,
        signals::Signals,
        text::{headline, message::message as message_text},
        view::TrackPage,
    },
    ui::text::PRODUCT,
};

/// The address bar's colours, as `--surface` in the style sheet.
const THEME_LIGHT: &str = "#ffffff";
const THEME_DARK: &str = "#181b20";

/// Shown by link previews; the same for everybody.
const DESCRIPTION: &str = "Follow your delivery.";

/// Pictures used by several spots of the page, drawn once.
const ICONS: &str = include_str!("document/icons.svg");

/// The icon's lasting address, for a build whose manifest does not list it: without one, browsers ask for a file
/// that is not there.
const ICON: &str = "/assets/static/icons/icon.svg";

/// Without scripts the page asks again by itself, so that what it says stays true.
const REFRESH_S: u8 = 30;

/// A page that could not be looked up asks again sooner.
const RETRY_S: u8 = 10;

/// The tracking page for `view`, as a whole document.
///
/// `nonce` is the response's Content-Security-Policy nonce; it stands on the one script and on what belongs to it.
pub fn track_document(view: &TrackView, assets: &AssetUrls, nonce: &str) -> String {
    match &view.link {
        LinkState::Live(order) | LinkState::Ended(order) => {
            let page = Page::new(order.clone(), view.locale.clone(), view.server_time_ms);
            let title = headline::title(&page);
            let is_over = page.status().is_final();
            let body = render(move || view! { <TrackPage signals=Signals::new(page) /> });
            let refresh = if is_over { String::new() } else { refresh_without_scripts() };
            let head = live_head(assets, nonce) + &refresh;
            let tail = String::new() + ICONS.trim_end() + &data(view, assets) + &starter(assets, nonce);
            document(view, assets, title, &head, &(body + &tail))
        }
        LinkState::Expired | LinkState::Unknown => {
            document(view, assets, message_text(&view.link).0, "", &message(view))
        }
        LinkState::Unavailable => {
            let head = refresh(RETRY_S);
            document(view, assets, message_text(&view.link).0, &head, &message(view))
        }
    }
}

fn document(view: &TrackView, assets: &AssetUrls, title: &str, head: &str, body: &str) -> String {
    let lang = escape(&view.locale.lang);
    let title = escape(title);
    let product = PRODUCT;
    let css = escape(&assets.track_css);
    let icon = escape(if assets.icon.is_empty() { ICON } else { &assets.icon });
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1,viewport-fit=cover\">\
         <title>{title} · {product}</title>\
         <link rel=\"stylesheet\" href=\"{css}\">{head}\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"theme-color\" content=\"{THEME_LIGHT}\" media=\"(prefers-color-scheme: light)\">\
         <meta name=\"theme-color\" content=\"{THEME_DARK}\" media=\"(prefers-color-scheme: dark)\">\
         <meta name=\"robots\" content=\"noindex,nofollow\">\
         <meta name=\"description\" content=\"{DESCRIPTION}\">\
         <meta property=\"og:title\" content=\"{title}\">\
         <meta property=\"og:description\" content=\"{DESCRIPTION}\">\
         <meta property=\"og:site_name\" content=\"{product}\">\
         <meta name=\"format-detection\" content=\"telephone=no,address=no\">\
         <link rel=\"icon\" href=\"{icon}\"></head><body>{body}</body></html>"
    )
}

/// Draws a view to HTML, with an owner of its own for the signals in it.
fn render<V: IntoView>(view: impl FnOnce() -> V) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| view().into_view().to_html());
    owner.cleanup();
    html
}

/// Fetches script and program beside each other, instead of one after the other finds out about the next.
fn live_head(assets: &AssetUrls, nonce: &str) -> String {
    let nonce = escape(nonce);
    let mut head = String::new();
    for module in [&assets.track_js, &assets.map_js] {
        let url = escape(module);
        let _ = write!(head, "<link rel=\"modulepreload\" nonce=\"{nonce}\" href=\"{url}\">");
    }
    let wasm = escape(&assets.track_wasm);
    head + &format!("<link rel=\"preload\" as=\"fetch\" type=\"application/wasm\" crossorigin href=\"{wasm}\">")
}

fn refresh_without_scripts() -> String {
    format!("<noscript>{}</noscript>", refresh(REFRESH_S))
}

fn refresh(seconds: u8) -> String {
    format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">")
}

/// What the browser's build draws from, and where the map finds its parts.
fn data(view: &TrackView, assets: &AssetUrls) -> String {
    let bytes = postcard::to_allocvec(view).expect("the page's data has known lengths");
    let view = base64url::encode(&bytes);
    let [pmtiles, land, css] =
        [&assets.basemap_pmtiles, &assets.basemap_land, &assets.maplibre_css].map(|url| escape(url));
    let style = assets.basemap_style.as_deref().map_or(String::new(), |url| format!(" data-style=\"{}\"", escape(url)));
    format!(
        "<script type=\"application/octet-stream\" id=\"view\" data-pmtiles=\"{pmtiles}\" data-land=\"{land}\" \
         data-css=\"{css}\"{style}>{view}</script>"
    )
}

/// Starts the browser's build. When it cannot start, the page is loaded anew now and then, as without scripts.
fn starter(assets: &AssetUrls, nonce: &str) -> String {
    let [js, wasm] = [&assets.track_js, &assets.track_wasm].map(|url| script_string(url));
    let nonce = escape(nonce);
    format!(
        "<script type=\"module\" nonce=\"{nonce}\">import init,{{hydrate}}from{js};\
         init({{module_or_path:{wasm}}}).then(hydrate).catch(e=>{{console.error(e);\
         setTimeout(()=>location.reload(),{REFRESH_S}e3)}})</script>"
    )
}

/// A page without an order.
fn message(view: &TrackView) -> String {
    let (heading, text) = message_text(&view.link);
    format!(
        "<main class=\"message\" data-status=\"none\" data-link=\"ended\"><h1>{}</h1><p>{}</p></main>",
        escape(heading),
        escape(text)
    )
}

/// Text as it may stand in an element and in a quoted attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Text as a JavaScript string inside a script element: nothing in it can end either.
fn script_string(text: &str) -> String {
    let mut safe = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' | '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(safe, "\\u{:04x}", u32::from(character));
            }
            other => safe.push(other),
        }
    }
    safe + "\""
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{
        OrderStatus, Vehicle,
        api::proof::ProofKind,
        protocol::customer::{CourierCard, Ended},
    };

    use super::*;
    use crate::track::{page::tests::on_the_way, proof::tests::proof};

    const PROBE: &str = "</script><img src=x onerror=alert(1)>\"'&<b>";

    fn view(link: LinkState) -> TrackView {
        let page = on_the_way();
        TrackView { link, locale: page.locale, server_time_ms: page.now_ms }
    }

    fn assets() -> AssetUrls {
        let url = |name: &str| format!("/assets/{name}");
        AssetUrls {
            track_css: url("track.css"),
            track_js: url("track.js"),
            track_wasm: url("track.wasm"),
            map_js: url("map.js"),
            maplibre_css: url("maplibre.css"),
            basemap_pmtiles: url("malta.pmtiles"),
            basemap_land: url("land.geojson"),
            basemap_style: None,
            icon: url("icon.svg"),
        }
    }

    fn render_order(change: impl FnOnce(&mut crate::data::OrderPage)) -> String {
        let mut order = on_the_way().order;
        change(&mut order);
        track_document(&view(LinkState::Live(order)), &assets(), "n0nce")
    }

    /// Everything a browser would take for an element's start, by name.
    fn elements(html: &str) -> Vec<&str> {
        let starts = html.split('<').skip(1).filter(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic()));
        starts.filter_map(|rest| rest.split([' ', '>', '/']).next()).collect()
    }

    #[test]
    fn what_people_wrote_adds_no_element() {
        let html = render_order(|order| {
            order.snapshot.order.reference = PROBE.into();
            order.snapshot.order.pickup.label = PROBE.into();
            order.snapshot.order.dropoff.label = PROBE.into();
            order.snapshot.courier = Some(CourierCard { name: PROBE.into(), vehicle: Vehicle::Foot });
            (order.note, order.instructions) = (Some(PROBE.into()), Some(PROBE.into()));
            order.proofs = vec![proof(ProofKind::Signature, Some(PROBE), Some("drawing"))];
        });
        let plain = render_order(|order| order.instructions = Some("Ring twice".into()));
        assert_eq!(elements(&html), elements(&plain));
        assert!(!html.contains("<img src=x") && !html.contains("<b>"));
    }

    #[test]
    fn a_hostile_locale_or_nonce_stays_in_its_attribute() {
        let mut view = view(LinkState::Unknown);
        view.locale.lang = PROBE.into();
        assert!(!track_document(&view, &assets(), PROBE).contains("<img src=x"));
        let order = on_the_way().order;
        view.link = LinkState::Live(order);
        assert!(!track_document(&view, &assets(), PROBE).contains("<img src=x"));
    }

    #[test]
    fn the_page_is_complete_as_text() {
        let html = render_order(|_| {});
        for text in [
            "18:42–18:50",
            "On the way · 1.1 km to your door",
            "Updated 4 s ago",
            "aria-current=\"step\"",
            "by scooter · you are next",
            "12 Triq il-Merkanti",
            "picked up at 18:27",
            "<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>",
        ] {
            assert!(html.contains(text), "{text} in {html}");
        }
    }

    #[test]
    fn what_is_said_and_brought_back_at_the_door_needs_no_script() {
        let before = render_order(|order| order.pin = Some("0821".into()));
        for text in ["Your PIN", ">0821<", "Tell it to Ana at the door"] {
            assert!(before.contains(text), "{text} in {before}");
        }
        assert!(!before.contains("<img src") && !before.contains("Photo"), "no picture is asked for yet");
        let after = render_order(|order| {
            order.snapshot.order.status = OrderStatus::Delivered;
            order.proofs = vec![
                proof(ProofKind::Photo, None, Some("photo")),
                proof(ProofKind::Signature, Some("Kim"), Some("drawing")),
                proof(ProofKind::Pin, None, None),
            ];
        });
        for text in [
            "href=\"/api/v1/track/token/proofs/photo/image\"",
            "src=\"/api/v1/track/token/proofs/photo/image\"",
            "Photo by Ana at 18:31",
            "Signed by Kim",
            "src=\"/api/v1/track/token/proofs/drawing/image\"",
            "PIN confirmed",
        ] {
            assert!(after.contains(text), "{text} in {after}");
        }
    }

    #[test]
    fn the_strict_policy_finds_nothing_to_refuse() {
        let html = render_order(|_| {});
        assert!(!html.contains(" style=") && !html.contains("<style"), "no inline style");
        assert!(!html.contains(" onclick") && !html.contains("javascript:"));
        let scripts: Vec<_> = html.split("<script").skip(1).filter_map(|rest| rest.split('>').next()).collect();
        assert!(scripts[0].contains("type=\"application/octet-stream\""), "data, which no browser executes");
        assert_eq!(scripts[1..], [" type=\"module\" nonce=\"n0nce\""]);
    }

    #[test]
    fn the_browser_reads_the_very_data_the_page_was_drawn_from() {
        let drawn = view(LinkState::Live(on_the_way().order));
        let html = track_document(&drawn, &assets(), "n0nce");
        let element = html.split("id=\"view\"").nth(1).and_then(|rest| rest.split('>').nth(1));
        let text = element.and_then(|rest| rest.split('<').next()).expect("the page carries its data");
        let bytes = base64url::decode(text).expect("it is base64url");
        assert_eq!(postcard::from_bytes::<TrackView>(&bytes), Ok(drawn));
    }

    #[test]
    fn previews_learn_the_state_alone() {
        let html = render_order(|_| {});
        let head = html.split("</head>").next().expect("a document has a head");
        assert!(head.contains("<meta property=\"og:title\" content=\"On the way\">"));
        for secret in ["Ana", "Merkanti", "Harbour", "A-1042", "14.5", "35.8"] {
            assert!(!head.contains(secret), "{secret}");
        }
    }

    #[test]
    fn an_order_that_is_over_does_not_ask_again() {
        let mut page = on_the_way();
        let ended = Ended { status: OrderStatus::Delivered, at_ms: page.now_ms };
        page.apply(&doorstep_shared::protocol::customer::CustomerEvent::Ended(ended), false);
        let html = track_document(&view(LinkState::Ended(page.order)), &assets(), "n0nce");
        assert!(html.contains("data-link=\"ended\"") && !html.contains("http-equiv=\"refresh\""));
    }

    #[test]
    fn pages_without_an_order_need_no_script() {
        for (link, heading, asks_again) in [
            (LinkState::Unknown, "We do not know this link", false),
            (LinkState::Expired, "This link has ended", false),
            (LinkState::Unavailable, "We cannot look this up right now", true),
        ] {
            let html = track_document(&view(link), &assets(), "n0nce");
            assert!(html.contains(heading) && !html.contains("<script"));
            assert_eq!(html.contains("http-equiv=\"refresh\""), asks_again);
        }
    }

    #[test]
    fn nothing_ends_a_script_string_early() {
        assert_eq!(script_string("</script>\"\\\u{2028}"), r#""\u003c/script\u003e\u0022\u005c\u2028""#);
    }
}
