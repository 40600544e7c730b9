//! Handing over: collects what is asked for at the door, and says what is still missing.

use doorstep_shared::api::proof::ProofKind;
use leptos::prelude::*;

use super::{
    Desk,
    page::{OfflineBar, Top},
    photo::Photo,
    pin::Pin,
    signature::Signature,
};
use crate::{
    courier::{intent::Intent, state::ProofDraft, text::proof as text},
    ui::bind::live_text,
};

/// The longest remark, in characters.
const MAX_NOTE: &str = "200";

/// The screen.
#[component]
pub(super) fn Proof(desk: Desk) -> AnyView {
    let written = desk.proof.with_untracked(|draft| draft.as_ref().map(|draft| draft.note.clone()));
    let note = RwSignal::new(written.unwrap_or_default());
    let keep = move |_| {
        if let Some(order_id) = desk.proof_order_now() {
            desk.raise(Intent::WriteNote { order_id, note: note.get_untracked() });
        }
    };
    view! {
        <main class="page">
            <Top desk back=Intent::LeaveProof heading=text::fixed::HEADING />
            <p class="detail" inner_html=desk.live_proof(text::detail)></p>
            <OfflineBar desk />
            <p
                class="panel"
                data-tone="bad"
                role="alert"
                hidden=desk.proof_flag(|draft| draft.problem.is_none())
                inner_html=desk.live_proof(|draft| draft.problem.clone().unwrap_or_default())
            ></p>
            <Section desk kind=ProofKind::Photo>
                <Photo desk />
            </Section>
            <Section desk kind=ProofKind::Signature>
                <Signature desk />
            </Section>
            // A PIN exists only where one was asked for.
            <div hidden=desk.proof_flag(|draft| !draft.wanted.contains(&ProofKind::Pin))>
                <Section desk kind=ProofKind::Pin>
                    <Pin desk />
                </Section>
            </div>
            <label class="field">
                {text::fixed::NOTE}
                <textarea
                    rows="2"
                    maxlength=MAX_NOTE
                    placeholder=text::fixed::NOTE_EXAMPLE
                    prop:value=note
                    on:input=move |event| note.set(event_target_value(&event))
                    on:change=keep
                ></textarea>
            </label>
            <DeliverBar desk note />
        </main>
    }
    .into_any()
}

/// The main button of this screen, and what is still missing.
#[component]
fn DeliverBar(desk: Desk, note: RwSignal<String>) -> AnyView {
    let deliver = move |_| {
        let Some(order_id) = desk.proof_order_now() else { return };
        desk.raise(Intent::Deliver { order_id, note: note.get_untracked() });
    };
    view! {
        <footer class="bar">
            <button
                type="button"
                class="action"
                data-primary="true"
                aria-describedby="missing"
                disabled=desk.proof_flag(|draft| !is_complete(draft))
                on:click=deliver
            >
                {text::fixed::DELIVERED}
            </button>
            <p
                class="audience"
                id="missing"
                data-complete=desk.proof_flag(is_complete)
                inner_html=desk.live_proof(text::missing)
            ></p>
        </footer>
    }
    .into_any()
}

/// One proof; what is not asked for is folded.
#[component]
fn Section(desk: Desk, kind: ProofKind, children: Children) -> AnyView {
    let is_wanted =
        untrack(|| desk.proof.with(|draft| draft.as_ref().is_some_and(|draft| draft.wanted.contains(&kind))));
    let state = move || desk.proof.with(|draft| draft.as_ref().map_or("", |draft| text::state(draft, kind)));
    view! {
        <details class="proof" data-proof=kind.as_str() open=is_wanted>
            <summary>
                <h2>{text::kind(kind)}</h2>
                <span class="chip" data-tone=move || tone(state()) inner_html=live_text(state)></span>
            </summary>
            {children()}
        </details>
    }
    .into_any()
}

fn is_complete(draft: &ProofDraft) -> bool {
    draft.is_complete() && !draft.is_shrinking
}

fn tone(state: &str) -> &'static str {
    match state {
        "Done" => "ok",
        "Needed" => "warn",
        _ => "quiet",
    }
}
