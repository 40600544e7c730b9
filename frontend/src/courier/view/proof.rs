//! Handing over: collects what is asked for at the door, and says what is still missing.

use doorstep_shared::api::proof::ProofKind;
use leptos::prelude::*;

use super::{Desk, photo, pin, signature};
use crate::{
    courier::{
        intent::Intent,
        state::{ProofDraft, Shift},
        words::{self, proof, status},
    },
    ui::bind::{flag, text, word},
};

/// The longest remark, in characters.
const MAX_NOTE: &str = "200";

/// The screen.
pub fn proof(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let note = RwSignal::new(String::new());
    let deliver = move |_| {
        let Some(order_id) = shift.with_untracked(|shift| shift.proof.as_ref().map(|draft| draft.order_id)) else {
            return;
        };
        let note = Some(note.get_untracked().trim().to_owned()).filter(|note| !note.is_empty());
        desk.act.raise(Intent::Deliver { order_id, note });
    };
    view! {
        <main class="page">
            {top(desk, Intent::LeaveProof, proof::fixed::HEADING)}
            <p class="detail">{text(shift, proof::detail)}</p>
            {offline_bar(desk)}
            <p class="panel" data-tone="bad" role="alert" hidden=flag(shift, |shift| problem(shift).is_empty())>
                {text(shift, problem)}
            </p>
            {section(desk, ProofKind::Photo, photo::photo(desk))}
            {section(desk, ProofKind::Signature, signature::signature(desk))}
            // A PIN exists only where one was asked for.
            <div hidden=flag(shift, |shift| !asks_pin(shift))>{section(desk, ProofKind::Pin, pin::pin(desk))}</div>
            <label class="field">
                {proof::fixed::NOTE}
                <textarea
                    rows="2"
                    maxlength=MAX_NOTE
                    placeholder=proof::fixed::NOTE_EXAMPLE
                    on:input=move |event| note.set(event_target_value(&event))
                ></textarea>
            </label>
            <footer class="bar">
                <button
                    type="button"
                    class="action"
                    data-primary="true"
                    aria-describedby="missing"
                    disabled=flag(shift, |shift| !is_complete(shift))
                    on:click=deliver
                >
                    {proof::fixed::DELIVERED}
                </button>
                <p class="audience" id="missing" data-complete=flag(shift, is_complete)>
                    {text(shift, proof::missing)}
                </p>
            </footer>
        </main>
    }
    .into_any()
}

/// The head of every screen beside the stops: the way back, and where one is.
pub fn top(desk: Desk, back: Intent, heading: &'static str) -> AnyView {
    view! {
        <header class="top">
            <button type="button" class="icon-button" aria-label=words::fixed::BACK on:click=desk.press(back)>
                <svg class="icon back" aria-hidden="true">
                    <use href="#back" />
                </svg>
            </button>
            <h1 tabindex="-1">{heading}</h1>
        </header>
    }
    .into_any()
}

/// What the chips say on the stops' screen.
pub fn offline_bar(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        <p class="panel" data-tone="warn" hidden=flag(shift, |shift| status::offline_bar(shift).is_empty())>
            {word(shift, status::offline_bar)}
        </p>
    }
    .into_any()
}

/// One proof; what is not asked for is folded.
fn section(desk: Desk, kind: ProofKind, inside: AnyView) -> AnyView {
    let is_wanted = desk.shift.with_untracked(|shift| of(shift, |draft| draft.wanted.contains(&kind)));
    let state = move || desk.shift.with(|shift| shift.proof.as_ref().map_or("", |draft| proof::state(draft, kind)));
    view! {
        <details class="proof" data-proof=kind.as_str() open=is_wanted>
            <summary>
                <h2>{proof::kind(kind)}</h2>
                <span class="chip" data-tone=move || tone(state())>
                    {state}
                </span>
            </summary>
            {inside}
        </details>
    }
    .into_any()
}

fn tone(state: &str) -> &'static str {
    match state {
        "Done" => "ok",
        "Needed" => "warn",
        _ => "quiet",
    }
}

fn of(shift: &Shift, says: impl FnOnce(&ProofDraft) -> bool) -> bool {
    shift.proof.as_ref().is_some_and(says)
}

fn is_complete(shift: &Shift) -> bool {
    of(shift, |draft| draft.is_complete() && !draft.is_shrinking)
}

fn asks_pin(shift: &Shift) -> bool {
    of(shift, |draft| draft.wanted.contains(&ProofKind::Pin))
}

fn problem(shift: &Shift) -> String {
    shift.proof.as_ref().and_then(|draft| draft.problem.clone()).unwrap_or_default()
}
