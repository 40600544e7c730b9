//! What needs a look, as the server noticed it: listed worst first, and taken care of by a named person.
//!
//! The feed only says that there is news. The list is then asked for anew, after a moment in which more may come, and every
//! half a minute in any case: an exception also ends by itself.

use std::collections::HashSet;

use doorstep_shared::{
    CourierId, ExceptionId, OrderStatus,
    api::{
        ListPage,
        exception::{ExceptionState, ExceptionView},
    },
};

use super::{Answer, Ask, Console, Dialog, Effect, Moment, Screen, Trouble};
use crate::dispatch::{fleet::Order, place::Open, words};

/// After an alert the list is asked for this much later: trouble seldom comes alone.
const NEWS_REST_MS: f64 = 400.0;

/// And this often in any case.
const REFRESH_EVERY_MS: f64 = 30_000.0;

/// The inbox.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// The list that is shown; `None` until it came.
    pub shown: Option<Vec<ExceptionView>>,
    /// Those that nobody has taken care of, however the list is filtered: for the head and for what is open.
    pub open: Option<Vec<ExceptionView>>,
    /// Where the list goes on.
    pub next_cursor: Option<String>,
    /// Why it is not up to date.
    pub problem: Option<String>,
    /// Whose acknowledgement is on its way.
    pub busy: HashSet<ExceptionId>,
    due_ms: Option<f64>,
}

impl Inbox {
    pub(super) const fn due_ms(&self) -> Option<f64> {
        self.due_ms
    }

    /// Asks anew at `at_ms` at the latest.
    pub(super) fn expect(&mut self, at_ms: f64) {
        self.due_ms = Some(self.due_ms.map_or(at_ms, |due_ms| due_ms.min(at_ms)));
    }

    /// An exception that is known, open or not.
    pub fn find(&self, id: ExceptionId) -> Option<&ExceptionView> {
        self.shown.iter().chain(&self.open).flatten().find(|exception| exception.id == id)
    }
}

impl Console {
    /// How many things need a look: open exceptions, and orders that nobody decided about. `None` until it is known.
    pub fn attention(&self) -> Option<usize> {
        let open = self.inbox.open.as_ref()?;
        Some(open.len() + self.failed_orders().count())
    }

    /// Orders that could not be delivered, and wait for somebody to decide.
    pub fn failed_orders(&self) -> impl Iterator<Item = &Order> {
        self.fleet.orders.values().filter(|order| order.status == OrderStatus::Failed)
    }

    /// The feed announced an exception.
    pub(super) fn alerted(&mut self, now_ms: f64) {
        self.inbox.expect(now_ms + NEWS_REST_MS);
    }

    /// Asks for the inbox if it is time to. While nobody looks at the page, no time comes.
    pub(super) fn refresh_inbox(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        if self.inbox.due_ms.is_none_or(|due_ms| moment.now_ms < due_ms) {
            return;
        }
        self.inbox.due_ms = Some(moment.now_ms + REFRESH_EVERY_MS);
        effects.push(Effect::Ask(Ask::Exceptions { state: ExceptionState::Open, cursor: None }));
        if self.place.inbox == ExceptionState::All {
            effects.push(Effect::Ask(Ask::Exceptions { state: ExceptionState::All, cursor: None }));
        }
    }

    /// Shows the open ones, or all.
    pub(super) fn show_inbox(&mut self, moment: Moment, state: ExceptionState) {
        self.place.inbox = state;
        (self.inbox.shown, self.inbox.next_cursor) = (None, None);
        if state == ExceptionState::Open {
            self.inbox.shown = self.inbox.open.clone();
        }
        self.inbox.expect(moment.now_ms);
    }

    /// Leads to the inbox, from wherever.
    pub(super) fn lead_to_inbox(&mut self, effects: &mut Vec<Effect>) {
        if self.place.open != Open::Nothing {
            self.open(Open::Nothing, effects);
        }
        self.screen = Screen::Details;
        effects.push(Effect::Focus("inbox"));
    }

    /// A page of exceptions came.
    pub(super) fn exceptions_came(
        &mut self,
        state: ExceptionState,
        cursor: Option<&str>,
        page: ListPage<ExceptionView>,
    ) {
        self.inbox.problem = None;
        if state == ExceptionState::Open && cursor.is_none() {
            self.fleet.flagged = flagged(page.items.iter());
            self.inbox.open = Some(page.items.clone());
            self.sort_due = true;
        }
        if state != self.place.inbox {
            return;
        }
        match (&mut self.inbox.shown, cursor) {
            (Some(shown), Some(_)) => {
                let known: HashSet<_> = shown.iter().map(|one| one.id).collect();
                shown.extend(page.items.into_iter().filter(|one| !known.contains(&one.id)));
                self.inbox.next_cursor = page.next_cursor;
            }
            // Whoever has read further down keeps what they read; only its head is brought up to date.
            (Some(shown), None) if shown.len() > page.items.len() && page.next_cursor.is_some() => {
                let known: HashSet<_> = page.items.iter().map(|one| one.id).collect();
                let rest: Vec<_> = shown.drain(..).filter(|one| !known.contains(&one.id)).collect();
                *shown = page.items.into_iter().chain(rest).collect();
            }
            (shown, None) => {
                *shown = Some(page.items);
                self.inbox.next_cursor = page.next_cursor;
            }
            (None, Some(_)) => {}
        }
    }

    /// Asks for those further down.
    pub(super) fn more_exceptions(&mut self, effects: &mut Vec<Effect>) {
        if let Some(cursor) = self.inbox.next_cursor.take() {
            effects.push(Effect::Ask(Ask::Exceptions { state: self.place.inbox, cursor: Some(cursor) }));
        }
    }

    /// Somebody takes care of an exception.
    pub(super) fn acknowledge(&mut self, id: ExceptionId, note: Option<String>, effects: &mut Vec<Effect>) {
        if self.inbox.busy.insert(id) {
            self.inbox.problem = None;
            effects.push(Effect::Ask(Ask::Acknowledge { id, note }));
        }
    }

    /// They have; or somebody else had before, whose name it then bears.
    pub(super) fn acknowledged(&mut self, exception: ExceptionView, effects: &mut Vec<Effect>) {
        let id = exception.id;
        self.inbox.busy.remove(&id);
        let by = exception.acknowledged_by.as_deref().unwrap_or("somebody");
        self.spoken = format!("Acknowledged by {by}: {}", words::exception(&exception, self.at_ms).0);
        if matches!(self.dialog, Some(Dialog::Note { id: open, .. }) if open == id) {
            self.dialog = None;
        }
        if let Some(open) = &mut self.inbox.open {
            open.retain(|one| one.id != id);
        }
        self.fleet.flagged = flagged(self.inbox.open.iter().flatten());
        let Some(shown) = &mut self.inbox.shown else { return };
        let place = shown.iter().position(|one| one.id == id);
        match (self.place.inbox, place) {
            (ExceptionState::All, Some(index)) => shown[index] = exception,
            (ExceptionState::Open, Some(index)) => {
                shown.remove(index);
                // The button that was pressed is the next card's now; after the last one there is none.
                if index == shown.len() {
                    effects.push(Effect::Focus("inbox"));
                }
            }
            (_, None) => {}
        }
    }

    /// The inbox could not be had, or nobody could be named.
    pub(super) fn inbox_failed(&mut self, ask: &Ask, trouble: &Trouble) {
        if let Ask::Acknowledge { id, .. } = ask {
            self.inbox.busy.remove(id);
        }
        self.inbox.problem = Some(trouble.words());
    }

    /// What the server answered about exceptions.
    pub(super) fn inbox_told(&mut self, ask: &Ask, answer: Answer, effects: &mut Vec<Effect>) {
        match (ask, answer) {
            (Ask::Exceptions { state, cursor }, Answer::Exceptions(page)) => {
                self.exceptions_came(*state, cursor.as_deref(), page);
            }
            (Ask::Acknowledge { .. }, Answer::Exception(exception)) => self.acknowledged(*exception, effects),
            _ => {}
        }
    }
}

/// The couriers whom something that still goes on is about.
fn flagged<'a>(open: impl Iterator<Item = &'a ExceptionView>) -> HashSet<CourierId> {
    open.filter(|one| one.ended_at.is_none()).filter_map(|one| one.courier_id).collect()
}
