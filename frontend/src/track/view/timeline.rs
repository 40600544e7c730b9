//! What happened so far, with clock times.

use doorstep_shared::OrderStatus;
use leptos::prelude::*;

use crate::{
    track::{
        page::Page,
        text::{fixed, history},
    },
    ui::bind::{flag_of, text_of},
};

/// One line for everything that can happen to an order, in the order in which it can; what did not happen is hidden.
///
/// No status happens twice to an order, so the list never grows and its lines never change places. `<For>` would add
/// 11 KB to the compressed bundle for lists whose length is known.
#[component]
pub fn Timeline(page: RwSignal<Page>) -> impl IntoView {
    let lines = OrderStatus::ALL.map(|status| view! { <TimelineEntry page status /> });
    view! {
        <section class="history" aria-labelledby="history">
            <h2 id="history">{fixed::TIMELINE}</h2>
            <ol class="timeline">{lines}</ol>
        </section>
    }
}

#[component]
fn TimelineEntry(page: RwSignal<Page>, status: OrderStatus) -> impl IntoView {
    view! {
        <li hidden=flag_of(page, status, |page, status| page.reached_at_ms(status).is_none())>
            <span class="at">{text_of(page, status, history::happened_at)}</span>
            {text_of(page, status, history::happened)}
        </li>
    }
}
