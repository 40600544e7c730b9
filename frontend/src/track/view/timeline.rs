//! What happened so far, with clock times.

use std::array;

use leptos::prelude::*;

use crate::{
    track::{
        page::Page,
        text::{fixed, history},
    },
    ui::bind::{flag_of, live_of},
};

/// A line for each event; those for which nothing happened yet are hidden. `<For>` would add 11 KB to the compressed
/// bundle, so the number of lines is fixed.
#[component]
pub fn Timeline(page: RwSignal<Page>) -> impl IntoView {
    let lines = array::from_fn::<_, { history::LINES }, _>(|line| view! { <TimelineEntry page line /> });
    view! {
        <section class="history" aria-labelledby="history">
            <h2 id="history">{fixed::TIMELINE}</h2>
            <ol class="timeline">{lines}</ol>
        </section>
    }
}

#[component]
fn TimelineEntry(page: RwSignal<Page>, line: usize) -> impl IntoView {
    view! {
        <li hidden=flag_of(page, line, |page, line| history::happened(page, line).is_empty())>
            <span class="at" inner_html=live_of(page, line, history::happened_at)></span>
            <span inner_html=live_of(page, line, history::happened)></span>
        </li>
    }
}
