//! The four steps, as a bar and as a list.

use leptos::prelude::*;

use crate::{
    track::{
        Page,
        phase::{Step, step},
    },
    ui::{
        bind::{Shared, flag_of, text_of},
        words,
    },
};

/// The steps; the fill of each is an SVG's attribute, since inline styles are forbidden by the page's policy.
pub fn progress(page: Shared) -> impl IntoView {
    let steps = [0, 1, 2, 3].map(|index| {
        view! {
            <li
                data-bad=flag_of(page, index, |page, index| step(page, index).is_bad)
                aria-current=text_of(page, index, |page, index| current(step(page, index)).to_owned())
            >
                <svg class="fill" aria-hidden="true">
                    <rect
                        height="4"
                        width=text_of(page, index, |page, index| step(page, index).filled_pct.to_string() + "%")
                    />
                </svg>
                {text_of(page, index, |page, index| words::step(page, index).to_owned())}
                <span class="unseen">{text_of(page, index, |page, index| spoken(page, index).to_owned())}</span>
            </li>
        }
    });
    view! {
        <ol class="steps" aria-label=words::fixed::PROGRESS>
            {steps.into_iter().collect_view()}
        </ol>
    }
}

fn current(step: Step) -> &'static str {
    if step.is_current { "step" } else { "false" }
}

fn spoken(page: &Page, index: usize) -> &'static str {
    let step = step(page, index);
    match step.filled_pct {
        _ if step.is_current => "",
        100 => words::fixed::STEP_DONE,
        _ => words::fixed::STEP_AHEAD,
    }
}
