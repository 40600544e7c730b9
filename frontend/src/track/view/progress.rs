//! The four steps, as a bar and as a list.

use std::array;

use leptos::prelude::*;

use crate::{
    track::{
        page::Page,
        phase::{STEPS, Step, step},
        text::{fixed, history},
    },
    ui::bind::{flag_of, live_of, text_of},
};

/// The steps of the bar.
#[component]
pub fn Progress(page: RwSignal<Page>) -> impl IntoView {
    let segments = array::from_fn::<_, STEPS, _>(|index| view! { <Segment page index /> });
    view! {
        <ol class="steps" aria-label=fixed::PROGRESS>
            {segments}
        </ol>
    }
}

/// One step; its fill is an SVG's attribute, since the page's policy forbids inline styles.
#[component]
fn Segment(page: RwSignal<Page>, index: usize) -> impl IntoView {
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
            <span inner_html=live_of(page, index, |page, index| history::step(page, index).to_owned())></span>
            <span class="unseen" inner_html=live_of(page, index, |page, index| spoken(page, index).to_owned())></span>
        </li>
    }
}

fn current(step: Step) -> &'static str {
    if step.is_current { "step" } else { "false" }
}

fn spoken(page: &Page, index: usize) -> &'static str {
    let step = step(page, index);
    match step.filled_pct {
        _ if step.is_current => "",
        100 => fixed::STEP_DONE,
        _ => fixed::STEP_AHEAD,
    }
}
