//! The hero and what stands around it: one number, everything else quieter.

use leptos::prelude::*;

use crate::{
    track::{
        page::Page,
        text::{freshness, headline},
    },
    ui::bind::{flag, live, word},
};

/// Label, freshness, hero and status line.
#[component]
pub fn Headline(page: RwSignal<Page>) -> impl IntoView {
    view! {
        <header class="headline">
            <p
                class="label"
                aria-hidden="true"
                data-tone=word(page, |page| headline::label_tone(page).name())
                inner_html=live(page, headline::label)
            ></p>
            <p
                class="pill"
                data-tone=word(page, |page| freshness::pill_tone(page).name())
                hidden=flag(page, |page| freshness::pill(page).is_empty())
                inner_html=live(page, freshness::pill)
            ></p>
            <h1 class="hero" data-sentence=flag(page, headline::hero_is_sentence)>
                // A screen reader reads the label as part of the heading.
                <span class="unseen" inner_html=live(page, |page| headline::label(page) + ": ")></span>
                <span inner_html=live(page, headline::hero)></span>
            </h1>
            <p class="line" inner_html=live(page, headline::line)></p>
        </header>
    }
}
