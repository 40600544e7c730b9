//! The page at the server's own address: what this is, and where each person goes.
//!
//! Like the sign-in page, whose style sheet it shares, it holds no script. It says nothing about the orders of the server.

use leptos::prelude::*;

use super::{
    login::Mark,
    shell::{BACKGROUND, Document, render},
};
use crate::ui::text::PRODUCT;

/// The page that `GET /` answers. `css` and `icon` are addresses.
pub fn home_document(css: String, icon: String) -> String {
    render(move || {
        view! {
            <Document
                lang="en"
                title="Live delivery tracking".to_owned()
                css
                icon
                colours=BACKGROUND
                preloads=().into_any()
                metas=().into_any()
            >
                <main>
                    <p class="product" translate="no">
                        <Mark />
                        {PRODUCT}
                    </p>
                    <div class="card">
                        <h1>"Live delivery tracking"</h1>
                        <p class="lead">"Where orders are, from the shop to the door."</p>
                        <ul class="doors">
                            <li>
                                <a href="/dispatch">"Dispatch"</a>
                                <p>"Orders, couriers and the map. You sign in with your email."</p>
                            </li>
                            <li>
                                <a href="/courier">"Couriers"</a>
                                <p>"Your stops. The first time, open the link or scan the code that dispatch gives you."</p>
                            </li>
                            <li>
                                <strong>"Waiting for a delivery?"</strong>
                                <p>"Open the link in the message from the shop. It shows your order, and only yours."</p>
                            </li>
                        </ul>
                    </div>
                    <ul class="help">
                        <li>
                            "For developers: " <a href="/api/v1/openapi.json">"the description of the API"</a>
                        </li>
                    </ul>
                </main>
            </Document>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leads_to_every_door_without_a_script() {
        let html = home_document("/assets/login.css".into(), "/assets/icon.svg".into());
        for way in ["href=\"/dispatch\"", "href=\"/courier\"", "href=\"/api/v1/openapi.json\"", "link in the message"] {
            assert!(html.contains(way), "{way}");
        }
        assert!(!html.contains("<script") && !html.contains(" style="));
        assert_eq!(html.matches("<h1").count(), 1);
    }
}
