//! What every document has: the head, and where the programs of the pages find their parts.

use leptos::{
    attr::{Attribute, custom::custom_attribute},
    prelude::*,
};

use crate::{data::PageArea, ui::text::PRODUCT};

/// The colours of the browser's address bar, as in the style sheets.
#[derive(Clone, Copy, Debug)]
pub(super) struct BarColours {
    light: &'static str,
    dark: &'static str,
}

/// A page whose head is a surface of its own, as `--surface`.
pub(super) const SURFACE: BarColours = BarColours { light: "#ffffff", dark: "#181b20" };

/// A page that begins with its background, as `--bg`.
pub(super) const BACKGROUND: BarColours = BarColours { light: "#f6f5f2", dark: "#0f1114" };

/// Draws a view to HTML, with an owner of its own for the signals in it.
pub(super) fn render<V: IntoView>(view: impl FnOnce() -> V) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| view().into_view().to_html());
    owner.cleanup();
    html
}

/// A whole document. `preloads` stands right behind the style sheet, so that the browser fetches both at once.
#[component]
pub(super) fn Document<C: IntoView + 'static>(
    #[prop(into)] lang: String,
    title: String,
    css: String,
    icon: String,
    colours: BarColours,
    #[prop(into)] preloads: AnyView,
    #[prop(into)] metas: AnyView,
    // Typed: erased, the tracking page's type would be too deep for the compiler.
    children: TypedChildren<C>,
) -> impl IntoView {
    let children = children.into_inner();
    view! {
        <!DOCTYPE html>
        <html lang=lang>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover" />
                // Texts follow the size that was chosen on the phone, as they follow the browser's.
                <meta name="text-scale" content="scale" />
                <title>{[&title, " · ", PRODUCT].concat()}</title>
                <link rel="stylesheet" href=css />
                {preloads}
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content=colours.light {..media("(prefers-color-scheme: light)")} />
                <meta name="theme-color" content=colours.dark {..media("(prefers-color-scheme: dark)")} />
                <meta name="robots" content="noindex,nofollow" />
                {metas}
                <link rel="icon" href=icon />
            </head>
            <body>{children()}</body>
        </html>
    }
}

// Attributes that Leptos does not know of on this element.
fn media(query: &'static str) -> impl Attribute {
    custom_attribute("media", query)
}

/// Keeps phones from making links of what looks like a number or an address.
#[component]
pub(super) fn NoDetectedLinks() -> impl IntoView {
    view! { <meta name="format-detection" content="telephone=no,address=no" /> }
}

/// Fetches the scripts and the program beside each other, instead of one after the other finds out about the next.
#[component]
pub(super) fn Preloads(
    scripts: Vec<String>,
    wasm: String,
    #[prop(optional_no_strip)] nonce: Option<String>,
) -> impl IntoView {
    let scripts = scripts.into_iter().filter(|url| !url.is_empty());
    let links = scripts.map(|url| view! { <link rel="modulepreload" nonce=nonce.clone() href=url /> }).collect_view();
    view! {
        {links}
        <link rel="preload" r#as="fetch" type="application/wasm" crossorigin=true href=wasm />
    }
}

/// Where the map's code looks for its parts, on every page: the area as JSON, as `GET /area/current` answers it, too.
/// `data` is what the page was drawn from.
#[component]
pub(super) fn ViewData(area: PageArea, css: String, #[prop(optional)] data: String) -> impl IntoView {
    let area = serde_json::to_string(&area).expect("an area is plain texts and numbers");
    view! {
        <script type="application/octet-stream" id="view" data-area=area data-css=css>
            {data}
        </script>
    }
}

/// What stands in the page when its program cannot start.
#[component]
pub(super) fn NotStarted(class: &'static str, heading: &'static str) -> impl IntoView {
    view! {
        <main class=class id="not-started" hidden=true>
            <h1>{heading}</h1>
            <p>
                "This browser may be too old, or the download broke off. Load the page again; if that does not help, use a current Chrome, Firefox or Safari."
            </p>
        </main>
    }
}

/// The pictures that `<use>` refers to; `content` is ours.
#[component]
pub(super) fn Symbols(content: &'static str) -> impl IntoView {
    view! { <svg hidden=true width="0" height="0" inner_html=content.trim_end()></svg> }
}
