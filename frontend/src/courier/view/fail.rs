//! The sheet that asks why a stop could not be done.

use doorstep_shared::protocol::courier::StopKind;
use leptos::{html, prelude::*};

use super::{
    Desk,
    desk::{StopKey, find, key},
};
use crate::courier::{
    intent::Intent,
    state::StopCard,
    words::{self, stops},
};

/// The longest reason in the courier's own words, in characters.
const MAX_REASON: &str = "200";

/// The sheet, and how it is opened.
pub struct Sheet {
    /// Opens it for the stop in hand.
    pub open: Callback<()>,
    /// The element.
    pub dialog: AnyView,
}

/// A closed sheet.
pub fn sheet(desk: Desk) -> Sheet {
    let dialog = NodeRef::<html::Dialog>::new();
    let reason = RwSignal::new(None::<String>);
    let own_words = RwSignal::new(String::new());
    // The stop it was opened for: while it is open, dispatch may change which one is in hand.
    let subject = RwSignal::new(None::<StopKey>);
    let kind = Memo::new(move |_| subject.get().map_or(StopKind::Dropoff, |(_, kind)| kind));
    let address = move |card: &StopCard| card.stop.address.clone();
    let address = move || subject.get().and_then(|stop| desk.shift.with(|shift| find(shift, stop).map(address)));
    let open = Callback::new(move |()| {
        subject.set(desk.with_stop_now(|_, card| key(card)));
        reason.set(None);
        own_words.set(String::new());
        if let Some(dialog) = dialog.get_untracked() {
            let _ = dialog.show_modal();
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    Effect::new(move |_| {
        let is_gone = subject.get().is_some_and(|stop| desk.shift.with(|shift| find(shift, stop).is_none()));
        if is_gone {
            subject.set(None);
            close();
        }
    });
    let text = move || match reason.get() {
        Some(chosen) if chosen == stops::OTHER => own_words.get().trim().to_owned(),
        chosen => chosen.unwrap_or_default(),
    };
    let report = move |_| {
        let reason = untrack(text);
        if let Some((order_id, _)) = subject.get_untracked() {
            desk.act.raise(Intent::Fail { order_id, reason });
        }
        close();
    };
    let choices = move || {
        let all = stops::reasons(kind.get()).iter().copied().chain([stops::OTHER]);
        all.map(|word| choice(word, reason)).collect_view()
    };
    let dialog = view! {
        <dialog class="sheet" node_ref=dialog aria-labelledby="fail-heading">
            <h2 id="fail-heading">{move || stops::failure(kind.get())}</h2>
            <p class="detail">{address}</p>
            <fieldset>
                <legend>{stops::fixed::REASON}</legend>
                {choices}
            </fieldset>
            <label class="field" hidden=move || reason.get().as_deref() != Some(stops::OTHER)>
                {stops::fixed::OTHER_REASON}
                <textarea
                    rows="2"
                    maxlength=MAX_REASON
                    prop:value=move || own_words.get()
                    on:input=move |event| own_words.set(event_target_value(&event))
                ></textarea>
            </label>
            <div class="ways">
                <button type="button" class="button" on:click=move |_| close()>
                    {words::fixed::CANCEL}
                </button>
                <button
                    type="button"
                    class="button primary"
                    disabled=move || text().is_empty()
                    on:click=report
                >
                    {stops::fixed::REPORT}
                </button>
            </div>
        </dialog>
    }
    .into_any();
    Sheet { open, dialog }
}

fn choice(word: &'static str, reason: RwSignal<Option<String>>) -> AnyView {
    view! {
        <label class="choice">
            <input
                type="radio"
                name="reason"
                prop:checked=move || reason.get().as_deref() == Some(word)
                on:change=move |_| reason.set(Some(word.to_owned()))
            />
            {word}
        </label>
    }
    .into_any()
}
