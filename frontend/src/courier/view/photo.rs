//! The photo: the camera by the phone's own means, a preview, another try.

use doorstep_shared::api::proof::ProofKind;
use leptos::prelude::*;

use super::Desk;
use crate::courier::{
    intent::{Intent, PHOTO_INPUT_ID},
    state::ProofDraft,
    text::proof as text,
};

/// What stands in the photo's section.
#[component]
pub(super) fn Photo(desk: Desk) -> AnyView {
    let chosen = move |_| {
        if let Some(order_id) = desk.proof_order_now() {
            desk.raise(Intent::PhotoChosen { order_id });
        }
    };
    let remove = move |_| {
        if let Some(order_id) = desk.proof_order_now() {
            desk.raise(Intent::DropProof { order_id, kind: ProofKind::Photo });
        }
    };
    view! {
        <p class="detail">{text::fixed::PHOTO_HINT}</p>
        <Preview desk />
        <p class="waiting" role="status" inner_html=desk.live_proof(shrinking)></p>
        <div class="ways">
            <label class="button camera">
                <input
                    type="file"
                    class="unseen"
                    id=PHOTO_INPUT_ID
                    accept="image/*"
                    capture="environment"
                    on:change=chosen
                />
                <svg class="icon" aria-hidden="true">
                    <use href="#camera" />
                </svg>
                <span inner_html=desk.live_proof(take)></span>
            </label>
            <button type="button" class="button" hidden=desk.proof_flag(|draft| draft.photo_url.is_none()) on:click=remove>
                {text::fixed::REMOVE}
            </button>
        </div>
    }
    .into_any()
}

/// The picture that was taken; another one is another element.
#[component]
fn Preview(desk: Desk) -> AnyView {
    let url = Memo::new(move |_| desk.proof.with(|draft| draft.as_ref().and_then(|draft| draft.photo_url.clone())));
    let alt = desk.proof_text(text::photo);
    (move || url.get().map(|url| view! { <img class="photo" src=url alt=alt /> })).into_any()
}

fn shrinking(draft: &ProofDraft) -> String {
    if draft.is_shrinking { text::fixed::SHRINKING.to_owned() } else { String::new() }
}

/// What the button says that opens the camera.
fn take(draft: &ProofDraft) -> String {
    let label = if draft.photo_url.is_some() { text::fixed::RETAKE } else { text::fixed::TAKE_PHOTO };
    label.to_owned()
}
