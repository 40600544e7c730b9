//! The sheet for a stop that cannot be done: why, and what can be done about it.

use doorstep_shared::protocol::courier::StopKind;
use leptos::{html, prelude::*};

use super::{
    Desk,
    desk::{StopKey, find},
    office::CallOffice,
};
use crate::{
    courier::{
        intent::Intent,
        text::{fail as text, fixed, stops},
    },
    ui::bind::{live_text, words},
};

/// The longest reason in the courier's own words, in characters.
const MAX_REASON: &str = "200";

/// What the sheet holds; copies of it are the same.
#[derive(Clone, Copy)]
pub(super) struct Failing {
    dialog: NodeRef<html::Dialog>,
    /// The stop it was opened for: while it is open, dispatch may change which one is in hand.
    subject: RwSignal<Option<StopKey>>,
    reason: RwSignal<Option<String>>,
    own_words: RwSignal<String>,
}

impl Failing {
    /// A closed sheet.
    pub(super) fn new() -> Self {
        Self {
            dialog: NodeRef::new(),
            subject: RwSignal::new(None),
            reason: RwSignal::new(None),
            own_words: RwSignal::new(String::new()),
        }
    }

    /// Opens it, empty, for a stop.
    pub(super) fn open(self, stop: StopKey) {
        self.subject.set(Some(stop));
        self.reason.set(None);
        self.own_words.set(String::new());
        if let Some(dialog) = self.dialog.get_untracked() {
            let _ = dialog.show_modal();
        }
    }

    fn close(self) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
    }

    /// Closes it when its stop is gone from the list.
    fn follow(self, desk: Desk) {
        Effect::new(move |_| {
            let subject = self.subject.get();
            if subject.is_some_and(|stop| desk.shift.with(|shift| find(shift, stop).is_none())) {
                self.subject.set(None);
                self.close();
            }
        });
    }

    fn kind(self) -> StopKind {
        self.subject.get().map_or(StopKind::Dropoff, |(_, kind)| kind)
    }

    /// The reason as the customer reads it.
    fn text(self) -> String {
        match self.reason.get() {
            Some(chosen) if chosen == text::OTHER => self.own_words.get().trim().to_owned(),
            chosen => chosen.unwrap_or_default(),
        }
    }

    fn take(self, desk: Desk, way: text::Way) {
        let reason = untrack(|| self.text());
        if let Some((order_id, _)) = self.subject.get_untracked() {
            desk.raise(match way {
                text::Way::Wait => Intent::Wait { order_id, reason },
                text::Way::GiveBack => Intent::GiveBack { order_id, reason },
                text::Way::Fail => Intent::Fail { order_id, reason },
            });
        }
        self.close();
    }
}

/// The sheet.
#[component]
pub(super) fn FailSheet(desk: Desk, failing: Failing) -> AnyView {
    failing.follow(desk);
    let Failing { dialog, subject, reason, own_words } = failing;
    let detail = move || {
        let card = subject
            .get()
            .and_then(|stop| desk.shift.with(|shift| find(shift, stop).map(|card| stops::order_at(shift, card))));
        card.unwrap_or_default()
    };
    view! {
        <dialog class="sheet" node_ref=dialog aria-labelledby="fail-heading">
            <h2 id="fail-heading" inner_html=live_text(move || text::failure(failing.kind()))></h2>
            <p class="detail" inner_html=live_text(detail)></p>
            <Reasons failing />
            <label class="field" hidden=move || reason.get().as_deref() != Some(text::OTHER)>
                {text::fixed::OTHER_REASON}
                <textarea
                    rows="2"
                    maxlength=MAX_REASON
                    prop:value=move || own_words.get()
                    on:input=move |event| own_words.set(event_target_value(&event))
                ></textarea>
            </label>
            <Ways desk failing />
            <div class="ways">
                <button type="button" class="button" on:click=move |_| failing.close()>
                    {fixed::CANCEL}
                </button>
                <CallOffice desk />
            </div>
        </dialog>
    }
    .into_any()
}

/// The usual reasons for the kind of stop, and another one.
#[component]
fn Reasons(failing: Failing) -> AnyView {
    let kind = Memo::new(move |_| failing.kind());
    let choices = move || {
        let all = text::reasons(kind.get()).iter().copied().chain([text::OTHER]);
        all.map(|word| view! { <Choice word reason=failing.reason /> }).collect_view()
    };
    view! {
        <fieldset>
            <legend>{text::fixed::REASON}</legend>
            {choices}
        </fieldset>
    }
    .into_any()
}

#[component]
fn Choice(word: &'static str, reason: RwSignal<Option<String>>) -> AnyView {
    view! {
        <label class="choice">
            <input
                type="radio"
                name="reason"
                prop:checked=move || reason.get().as_deref() == Some(word)
                on:change=move |_| reason.set(Some(word.to_owned()))
            />
            <span inner_html=words(word)></span>
        </label>
    }
    .into_any()
}

/// What can be done, each with what follows from it; nothing before there is a reason.
#[component]
fn Ways(desk: Desk, failing: Failing) -> AnyView {
    let ways =
        Memo::new(move |_| failing.reason.get().map(|reason| (failing.kind(), text::ways(failing.kind(), &reason))));
    let shown = move || {
        let (kind, ways) = ways.get().unwrap_or((StopKind::Dropoff, &[]));
        ways.iter().map(|way| view! { <WayButton desk failing kind way=*way /> }).collect_view()
    };
    view! {
        <div class="options" role="group" aria-label=text::fixed::WAYS hidden=move || ways.with(Option::is_none)>
            {shown}
        </div>
    }
    .into_any()
}

#[component]
fn WayButton(desk: Desk, failing: Failing, kind: StopKind, way: text::Way) -> AnyView {
    view! {
        <button
            type="button"
            class="option"
            disabled=move || failing.text().is_empty()
            on:click=move |_| failing.take(desk, way)
        >
            <span class="place" inner_html=words(text::way(kind, way))></span>
            <span class="detail" inner_html=words(text::follows(kind, way))></span>
        </button>
    }
    .into_any()
}
