//! Who brings the order, where to and where from.

use leptos::prelude::*;

use crate::{
    track::{
        page::Page,
        text::{fixed, people},
    },
    ui::bind::{flag, live},
};

/// The courier's card; it keeps its place while there is no courier yet.
#[component]
pub fn CourierCard(page: RwSignal<Page>) -> impl IntoView {
    view! {
        <div class="card">
            <p class="avatar" aria-hidden="true" translate="no" inner_html=live(page, people::courier_initial)></p>
            <div>
                <p class="name" inner_html=live(page, people::courier_heading)></p>
                <p class="detail" inner_html=live(page, people::courier_detail)></p>
            </div>
        </div>
    }
}

/// The door and the pickup.
#[component]
pub fn Places(page: RwSignal<Page>) -> impl IntoView {
    view! {
        <ul class="places" aria-label=fixed::PLACES>
            <li>
                <svg class="icon" aria-hidden="true">
                    <use href="#house" />
                </svg>
                <div>
                    <p class="place">
                        <span class="unseen">{fixed::TO}</span>
                        <span translate="no" inner_html=live(page, |page| page.snapshot().order.dropoff.label.clone())></span>
                    </p>
                    <p
                        class="detail"
                        hidden=flag(page, |page| people::dropoff_detail(page).is_empty())
                        inner_html=live(page, people::dropoff_detail)
                    ></p>
                </div>
            </li>
            <li>
                <svg class="icon" aria-hidden="true">
                    <use href="#bag" />
                </svg>
                <div>
                    <p class="place">
                        <span class="unseen">{fixed::FROM}</span>
                        <span translate="no" inner_html=live(page, |page| page.snapshot().order.pickup.label.clone())></span>
                    </p>
                    <p class="detail" inner_html=live(page, people::pickup_detail)></p>
                </div>
            </li>
        </ul>
    }
}
