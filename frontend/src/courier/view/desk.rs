//! What every part of the screens needs: the state by subject, where intents go, and which stop is in hand.
//!
//! The driver sets one signal with the whole [`Shift`]. Texts that put several subjects together follow it; everything
//! that belongs to one subject follows a memo of that subject alone, so that a second hand or a reading redraws no list.

use doorstep_shared::{OrderId, protocol::courier::StopKind};
use leptos::prelude::*;

use super::Act;
use crate::{
    courier::{
        intent::{Intent, Screen},
        state::{Door, Notice, ProofDraft, Shift, StopCard, TrackerSetup},
    },
    ui::bind::{Live, live_text},
};

/// Names a stop: an order has two, its pickup and its door.
pub(super) type StopKey = (OrderId, StopKind);

/// The name of a card's stop.
pub(super) fn key(card: &StopCard) -> StopKey {
    (card.stop.order_id, card.stop.kind)
}

/// The screens' common state.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    /// The whole state, for texts that put several subjects together.
    pub(super) shift: RwSignal<Shift>,
    /// How far signing in is.
    pub(super) door: Memo<Door>,
    /// The screen that is shown.
    pub(super) screen: Memo<Screen>,
    /// What wants to be read.
    pub(super) notices: Memo<Vec<Notice>>,
    /// The proofs that are being collected.
    pub(super) proof: Memo<Option<ProofDraft>>,
    /// Setting up another app.
    pub(super) tracker: Memo<TrackerSetup>,
    /// The names of all stops, in driving order.
    pub(super) stops: Memo<Vec<StopKey>>,
    /// The stop taken from the list instead of the next one.
    pub(super) chosen: RwSignal<Option<StopKey>>,
    act: Act,
}

impl Desk {
    /// A desk with the next stop in hand.
    pub(super) fn new(shift: RwSignal<Shift>, act: Act) -> Self {
        Self {
            shift,
            door: Memo::new(move |_| shift.with(|shift| shift.door)),
            screen: Memo::new(move |_| shift.with(shown_screen)),
            notices: Memo::new(move |_| shift.with(|shift| shift.notices.clone())),
            proof: Memo::new(move |_| shift.with(|shift| shift.proof.clone())),
            tracker: Memo::new(move |_| shift.with(|shift| shift.tracker.clone())),
            stops: Memo::new(move |_| shift.with(|shift| shift.stops.iter().map(key).collect())),
            chosen: RwSignal::new(None),
            act,
        }
    }

    /// Raises `intent` at once.
    pub(super) fn raise(self, intent: Intent) {
        self.act.raise(intent);
    }

    /// Raises `intent` when something is pressed.
    pub(super) fn press<E>(self, intent: Intent) -> impl Fn(E) + Clone + 'static {
        move |_| self.act.raise(intent.clone())
    }

    /// Calls `then` with the stop in hand: the chosen one while it is on the list, else the next.
    pub(super) fn with_stop<T>(self, then: impl FnOnce(&Shift, &StopCard) -> T) -> Option<T> {
        let chosen = self.chosen.get();
        self.shift.with(|shift| in_hand(shift, chosen).map(|card| then(shift, card)))
    }

    /// The same in an event handler, which follows nothing.
    pub(super) fn with_stop_now<T>(self, then: impl FnOnce(&Shift, &StopCard) -> T) -> Option<T> {
        untrack(|| self.with_stop(then))
    }

    /// The name of the stop in hand.
    pub(super) fn stop_in_hand(self) -> Option<StopKey> {
        let chosen = self.chosen.get();
        self.stops.with(|stops| chosen.filter(|chosen| stops.contains(chosen)).or(stops.first().copied()))
    }

    /// Whether the stop in hand was taken from the list although another is next.
    pub(super) fn is_out_of_turn(self) -> bool {
        self.stop_in_hand() != self.stops.with(|stops| stops.first().copied())
    }

    /// A text about the stop in hand.
    pub(super) fn stop_text(
        self,
        text: fn(&Shift, &StopCard) -> String,
    ) -> impl Fn() -> String + Copy + Send + 'static {
        move || self.with_stop(text).unwrap_or_default()
    }

    /// The same as the text of an element.
    pub(super) fn live(self, text: fn(&Shift, &StopCard) -> String) -> Live {
        live_text(self.stop_text(text))
    }

    /// A flag of the stop in hand; set when there is no stop.
    pub(super) fn stop_flag(self, flag: fn(&Shift, &StopCard) -> bool) -> impl Fn() -> bool + Copy + Send + 'static {
        move || self.with_stop(flag).unwrap_or(true)
    }

    /// Whether a text about the stop in hand is empty.
    pub(super) fn stop_lacks(self, text: fn(&Shift, &StopCard) -> String) -> impl Fn() -> bool + Copy + Send + 'static {
        move || self.with_stop(text).is_none_or(|text| text.is_empty())
    }

    /// A text about one stop of the list.
    pub(super) fn text_of(
        self,
        stop: StopKey,
        text: fn(&Shift, &StopCard) -> String,
    ) -> impl Fn() -> String + Copy + Send + 'static {
        move || self.shift.with(|shift| find(shift, stop).map(|card| text(shift, card)).unwrap_or_default())
    }

    /// The same as the text of an element.
    pub(super) fn live_of(self, stop: StopKey, text: fn(&Shift, &StopCard) -> String) -> Live {
        live_text(self.text_of(stop, text))
    }

    /// A flag of one stop of the list; set when it is gone.
    pub(super) fn flag_of(
        self,
        stop: StopKey,
        flag: fn(&Shift, &StopCard) -> bool,
    ) -> impl Fn() -> bool + Copy + Send + 'static {
        move || self.shift.with(|shift| find(shift, stop).is_none_or(|card| flag(shift, card)))
    }

    /// A text about the proofs that are being collected.
    pub(super) fn proof_text(self, text: fn(&ProofDraft) -> String) -> impl Fn() -> String + Copy + Send + 'static {
        move || self.proof.with(|draft| draft.as_ref().map(text).unwrap_or_default())
    }

    /// The same as the text of an element.
    pub(super) fn live_proof(self, text: fn(&ProofDraft) -> String) -> Live {
        live_text(self.proof_text(text))
    }

    /// A flag of the proofs that are being collected; set when there are none.
    pub(super) fn proof_flag(self, flag: fn(&ProofDraft) -> bool) -> impl Fn() -> bool + Copy + Send + 'static {
        move || self.proof.with(|draft| draft.as_ref().is_none_or(flag))
    }

    /// The order whose proofs are being collected, in an event handler, which follows nothing.
    pub(super) fn proof_order_now(self) -> Option<OrderId> {
        self.proof.with_untracked(|draft| draft.as_ref().map(|draft| draft.order_id))
    }
}

/// The stop on the list, or one of several orders at a stop; `None` when it is not there any more.
pub(super) fn find(shift: &Shift, stop: StopKey) -> Option<&StopCard> {
    let mut leads = shift.stops.iter();
    leads.find(|card| key(card) == stop).or_else(|| {
        let mut others = shift.stops.iter().flat_map(|card| &card.others);
        others.find(|card| key(card) == stop)
    })
}

/// The chosen stop while it is on the list, else the next.
pub(super) fn in_hand(shift: &Shift, chosen: Option<StopKey>) -> Option<&StopCard> {
    let is_chosen = |card: &&StopCard| chosen == Some(key(card));
    shift.stops.iter().find(is_chosen).or(shift.stops.first())
}

/// The screen that can be shown: without an order there are no proofs to collect.
pub(super) fn shown_screen(shift: &Shift) -> Screen {
    if shift.screen == Screen::Proof && shift.proof.is_none() { Screen::Stops } else { shift.screen }
}
