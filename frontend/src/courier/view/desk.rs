//! What every part of the screens needs: the state, where to say what was pressed, and which stop is in hand.

use doorstep_shared::{OrderId, protocol::courier::StopKind};
use leptos::prelude::*;

use super::Act;
use crate::courier::{
    intent::Intent,
    state::{Shift, StopCard},
};

/// Names a stop: an order is met twice, at its pickup and at its door.
pub type StopKey = (OrderId, StopKind);

/// The name of a card's stop.
pub fn key(card: &StopCard) -> StopKey {
    (card.stop.order_id, card.stop.kind)
}

/// The screens' common state.
#[derive(Clone, Copy)]
pub struct Desk {
    /// What is drawn.
    pub shift: RwSignal<Shift>,
    /// Where intents go.
    pub act: Act,
    /// The stop taken from the list instead of the next one.
    pub chosen: RwSignal<Option<StopKey>>,
}

impl Desk {
    /// A desk with the next stop in hand.
    pub fn new(shift: RwSignal<Shift>, act: Act) -> Self {
        Self { shift, act, chosen: RwSignal::new(None) }
    }

    /// Calls `then` with the stop in hand: the chosen one while it is on the list, else the next.
    pub fn with_stop<T>(self, then: impl FnOnce(&Shift, &StopCard) -> T) -> Option<T> {
        let chosen = self.chosen.get();
        self.shift.with(|shift| in_hand(shift, chosen).map(|card| then(shift, card)))
    }

    /// The same in an event handler, which follows nothing.
    pub fn with_stop_now<T>(self, then: impl FnOnce(&Shift, &StopCard) -> T) -> Option<T> {
        untrack(|| self.with_stop(then))
    }

    /// Whether the stop in hand was taken from the list although another is next.
    pub fn is_out_of_turn(self) -> bool {
        let next = self.shift.with(|shift| shift.stops.first().map(key));
        self.with_stop(|_, card| key(card)) != next
    }

    /// A text about the stop in hand.
    pub fn stop_text(self, words: fn(&Shift, &StopCard) -> String) -> impl Fn() -> String + Copy + Send + 'static {
        move || self.with_stop(words).unwrap_or_default()
    }

    /// An attribute of the stop in hand, there or not; there when there is no stop.
    pub fn stop_flag(self, flag: fn(&Shift, &StopCard) -> bool) -> impl Fn() -> bool + Copy + Send + 'static {
        move || self.with_stop(flag).unwrap_or(true)
    }

    /// A text about one stop of the list.
    pub fn text_of(
        self,
        stop: StopKey,
        words: fn(&Shift, &StopCard) -> String,
    ) -> impl Fn() -> String + Copy + Send + 'static {
        move || self.shift.with(|shift| find(shift, stop).map(|card| words(shift, card)).unwrap_or_default())
    }

    /// Does `intent` when something is pressed.
    pub fn press<E>(self, intent: Intent) -> impl Fn(E) + Clone + 'static {
        move |_| self.act.raise(intent.clone())
    }
}

/// The stop on the list; `None` when it is not there any more.
pub fn find(shift: &Shift, stop: StopKey) -> Option<&StopCard> {
    shift.stops.iter().find(|card| key(card) == stop)
}

/// The chosen stop while it is on the list, else the next.
pub fn in_hand(shift: &Shift, chosen: Option<StopKey>) -> Option<&StopCard> {
    chosen.and_then(|stop| find(shift, stop)).or(shift.stops.first())
}
