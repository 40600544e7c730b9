//! The photo: the camera by the phone's own means, a preview, another try.

use doorstep_shared::api::proof::ProofKind;
use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{
        intent::{Intent, PHOTO_INPUT_ID},
        state::Shift,
        words::proof as words,
    },
    ui::bind::{flag, text, word},
};

/// What stands in the photo's section.
pub fn photo(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let url = Memo::new(move |_| shift.with(|shift| shift.proof.as_ref().and_then(|draft| draft.photo_url.clone())));
    let order_id = move || shift.with_untracked(|shift| shift.proof.as_ref().map(|draft| draft.order_id));
    let chosen = move |_| {
        if let Some(order_id) = order_id() {
            desk.act.raise(Intent::PhotoChosen { order_id });
        }
    };
    let remove = move |_| {
        if let Some(order_id) = order_id() {
            desk.act.raise(Intent::DropProof { order_id, kind: ProofKind::Photo });
        }
    };
    let preview =
        move || url.get().map(|url| view! { <img class="photo" src=url alt=shift.with_untracked(words::photo) /> });
    view! {
        <p class="detail">{words::fixed::PHOTO_HINT}</p>
        {preview}
        <p class="waiting" role="status">
            {word(shift, |shift| if is_shrinking(shift) { words::fixed::SHRINKING } else { "" })}
        </p>
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
                {text(shift, |shift| if has_photo(shift) { words::fixed::RETAKE } else { words::fixed::TAKE_PHOTO }.to_owned())}
            </label>
            <button type="button" class="button" hidden=flag(shift, |shift| !has_photo(shift)) on:click=remove>
                {words::fixed::REMOVE}
            </button>
        </div>
    }
    .into_any()
}

fn has_photo(shift: &Shift) -> bool {
    shift.proof.as_ref().is_some_and(|draft| draft.photo_url.is_some())
}

fn is_shrinking(shift: &Shift) -> bool {
    shift.proof.as_ref().is_some_and(|draft| draft.is_shrinking)
}
