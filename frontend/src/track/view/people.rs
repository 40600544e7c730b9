//! Who brings it, where to and where from.

use leptos::prelude::*;

use crate::ui::{
    bind::{Shared, flag, text},
    words::{self, fixed},
};

/// The courier's card; its place is kept while there is no courier yet.
pub fn courier(page: Shared) -> impl IntoView {
    view! {
        <div class="card">
            <p class="avatar" aria-hidden="true">
                {text(page, words::courier_initial)}
            </p>
            <div>
                <p class="name">{text(page, words::courier_heading)}</p>
                <p class="detail">{text(page, words::courier_detail)}</p>
            </div>
        </div>
    }
}

/// The door and the pickup.
pub fn places(page: Shared) -> impl IntoView {
    view! {
        <ul class="places" aria-label=fixed::PLACES>
            <li>
                <svg class="icon" aria-hidden="true">
                    <use href="#house" />
                </svg>
                <div>
                    <p class="place">
                        <span class="unseen">{fixed::TO}</span>
                        {text(page, |page| page.snapshot().order.dropoff.label.clone())}
                    </p>
                    <p class="detail" hidden=flag(page, |page| words::dropoff_detail(page).is_empty())>
                        {text(page, words::dropoff_detail)}
                    </p>
                </div>
            </li>
            <li>
                <svg class="icon" aria-hidden="true">
                    <use href="#bag" />
                </svg>
                <div>
                    <p class="place">
                        <span class="unseen">{fixed::FROM}</span>
                        {text(page, |page| page.snapshot().order.pickup.label.clone())}
                    </p>
                    <p class="detail">{text(page, words::pickup_detail)}</p>
                </div>
            </li>
        </ul>
    }
}
