//! The tracking page as one HTML document, rendered at once and complete as text.
//!
//! Nothing is awaited and nothing streamed: the server has the whole order before it calls this. The data the page was
//! drawn from travels in it as base64url postcard, in an element no browser executes, so that the browser's build draws
//! the very same page again without any JSON code.
//!
//! The page holds one script, under the response's nonce, and no inline style, so it works under
//! `script-src 'nonce-…' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'`. The views escape every text and every
//! attribute, whether people wrote it or the server made it; only the one script's strings are escaped here.

pub mod courier;
pub mod dispatch;
pub mod home;
pub mod login;
mod shell;

use std::fmt::Write;

use leptos::{
    attr::{Attribute, custom::custom_attribute},
    prelude::*,
};

use self::shell::{Document, NoDetectedLinks, Preloads, SURFACE, Symbols, ViewData, render};
use crate::{
    base64url,
    data::{AssetUrls, LinkState, OrderPage, TrackView},
    track::{
        page::Page,
        signals::Signals,
        text::{headline, message::message},
        view::TrackPage,
    },
    ui::text::PRODUCT,
};

/// Link previews show it; the same for all orders.
const DESCRIPTION: &str = "Follow your delivery.";

/// Pictures used by several spots of the page, drawn once.
const SYMBOLS: &str = include_str!("document/icons.svg");

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
        LinkState::Live(order) | LinkState::Ended(order) => order_document(view, order, assets, nonce),
        LinkState::Expired | LinkState::Unknown | LinkState::Unavailable => message_document(view, assets),
    }
}

fn order_document(view: &TrackView, order: &OrderPage, assets: &AssetUrls, nonce: &str) -> String {
    let page = Page::new(order.clone(), view.locale.clone(), view.server_time_ms);
    let title = headline::title(&page);
    let refreshes = !page.status().is_final();
    let (data, script) = (data(view), starter(assets));
    let (lang, assets, nonce) = (view.locale.lang.clone(), assets.clone(), nonce.to_owned());
    render(move || {
        let preloads = view! {
            <Preloads scripts=vec![assets.track_js, assets.map_js] wasm=assets.track_wasm nonce=Some(nonce.clone()) />
            {refreshes
                .then(|| {
                    view! {
                        <noscript>
                            <Refresh seconds=REFRESH_S />
                        </noscript>
                    }
                })}
        };
        view! {
            <Document
                lang
                title=title.to_owned()
                css=assets.track_css
                icon=icon(assets.icon)
                colours=SURFACE
                preloads=preloads.into_any()
                metas=previews(title)
            >
                <TrackPage signals=Signals::new(page) />
                <Symbols content=SYMBOLS />
                <ViewData area=assets.area css=assets.maplibre_css data />
                <script type="module" nonce=nonce>
                    {script}
                </script>
            </Document>
        }
    })
}

/// A page without an order.
fn message_document(view: &TrackView, assets: &AssetUrls) -> String {
    let (heading, text) = message(&view.link);
    let retries = matches!(view.link, LinkState::Unavailable);
    let (lang, assets) = (view.locale.lang.clone(), assets.clone());
    render(move || {
        view! {
            <Document
                lang
                title=heading.to_owned()
                css=assets.track_css
                icon=icon(assets.icon)
                colours=SURFACE
                preloads=retries.then(|| view! { <Refresh seconds=RETRY_S /> }).into_any()
                metas=previews(heading)
            >
                <main class="message" data-status="none" data-link="ended">
                    <h1>{heading}</h1>
                    <p>{text}</p>
                </main>
            </Document>
        }
    })
}

/// What link previews may say: the state alone.
fn previews(title: &'static str) -> AnyView {
    view! {
        <meta name="description" content=DESCRIPTION />
        <meta {..property("og:title")} content=title />
        <meta {..property("og:description")} content=DESCRIPTION />
        <meta {..property("og:site_name")} content=PRODUCT />
        <NoDetectedLinks />
    }
    .into_any()
}

/// An attribute that Leptos does not know of on `<meta>`.
fn property(name: &'static str) -> impl Attribute {
    custom_attribute("property", name)
}

#[component]
fn Refresh(seconds: u8) -> impl IntoView {
    view! { <meta http-equiv="refresh" content=seconds.to_string() /> }
}

fn icon(url: String) -> String {
    if url.is_empty() { ICON.to_owned() } else { url }
}

/// What the browser's build draws from. Its alphabet holds nothing that could end the element.
fn data(view: &TrackView) -> String {
    base64url::encode(&postcard::to_allocvec(view).expect("the page's data has known lengths"))
}

/// Starts the browser's build. When it cannot start, the page is loaded anew now and then, as without scripts.
fn starter(assets: &AssetUrls) -> String {
    let [js, wasm] = [&assets.track_js, &assets.track_wasm].map(|url| script_string(url));
    format!(
        "import init,{{hydrate}}from{js};init({{module_or_path:{wasm}}}).then(hydrate)\
         .catch(e=>{{console.error(e);setTimeout(()=>location.reload(),{REFRESH_S}e3)}})"
    )
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
    use crate::data::tests::area;
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
            area: area(),
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
