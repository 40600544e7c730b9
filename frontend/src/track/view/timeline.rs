//! What happened so far, with clock times.

use doorstep_shared::OrderStatus;
use leptos::prelude::*;

use crate::ui::{
    bind::{Shared, flag_of, text_of},
    words::{self, fixed},
};

/// One line for everything that can happen to an order, in the order in which it can; the rest stays hidden.
///
/// No status happens twice to an order, so the list never grows and its elements never change places.
pub fn timeline(page: Shared) -> impl IntoView {
    let lines = OrderStatus::ALL.map(|status| {
        view! {
            <li hidden=flag_of(page, status, |page, status| page.reached_at_ms(status).is_none())>
                <span class="at">{text_of(page, status, words::happened_at)}</span>
                {text_of(page, status, words::happened)}
            </li>
        }
    });
    view! {
        <section class="history" aria-labelledby="history">
            <h2 id="history">{fixed::TIMELINE}</h2>
            <ol class="timeline">{lines.into_iter().collect_view()}</ol>
        </section>
    }
}
