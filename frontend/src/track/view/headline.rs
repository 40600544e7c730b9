//! The hero and what stands around it: one number, everything else quieter.

use leptos::prelude::*;

use crate::ui::{
    bind::{Shared, flag, text, word},
    words,
};

/// Label, freshness, hero and status line.
pub fn headline(page: Shared) -> impl IntoView {
    view! {
        <header class="headline">
            <p class="label" aria-hidden="true" data-tone=word(page, |page| words::label_tone(page).name())>
                {text(page, words::label)}
            </p>
            <p
                class="pill"
                data-tone=word(page, |page| words::pill_tone(page).name())
                hidden=flag(page, |page| words::pill(page).is_empty())
            >
                {text(page, words::pill)}
            </p>
            <h1 class="hero" data-sentence=flag(page, words::hero_is_sentence)>
                // The label belongs to the heading for whoever hears it.
                <span class="unseen">{text(page, |page| words::label(page) + ": ")}</span>
                {text(page, words::hero)}
            </h1>
            <p class="line">{text(page, words::line)}</p>
        </header>
    }
}
