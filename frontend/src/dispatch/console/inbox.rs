//! The inbox: exceptions that the server noticed, the worst first, each acknowledged by a named dispatcher.
//!
//! The feed only announces that there are new ones. The console then fetches the list, after a moment in which more may
//! come, when an order that one is about moves on, and every half a minute in any case, because an exception also ends by
//! itself.

use std::collections::{HashMap, HashSet};

use doorstep_shared::{
    CourierId, ExceptionId, OrderId, OrderStatus,
    api::{
        ListPage,
        exception::{ExceptionCode, ExceptionState, ExceptionView},
    },
};

use super::{ApiCall, ApiError, ApiReply, Console, Dialog, Effect, Moment, Screen};
use crate::{
    dispatch::{fleet::Order, route::Open, text},
    ui::time::MINUTE_MS,
};

/// The list is fetched this long after an announcement: exceptions seldom come alone.
const ANNOUNCEMENT_REST_MS: f64 = 400.0;

/// The list is fetched this often in any case.
const REFRESH_EVERY_MS: f64 = 30_000.0;

/// What the dispatcher does with exceptions.
#[derive(Clone, Debug, PartialEq)]
pub enum InboxIntent {
    /// Lead to the inbox from wherever the console is.
    Show,
    /// Show the open exceptions only, or all.
    State(ExceptionState),
    /// Fetch the exceptions further down.
    More,
    Acknowledge(ExceptionId),
    /// Take the door that a courier proposed.
    TakeDoor(ExceptionId),
    /// Open the dialog for an acknowledgement with a remark.
    WriteNote(ExceptionId),
    /// Acknowledge with the remark that was written.
    Note {
        note: String,
    },
}

/// The inbox.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// The list that is shown; `None` until it came.
    pub shown: Option<Vec<ExceptionView>>,
    /// The exceptions without an acknowledgement, whichever list is shown: for the head and for what is open.
    pub open: Option<Vec<ExceptionView>>,
    /// Where the list goes on.
    pub next_cursor: Option<String>,
    /// Why it is not up to date.
    pub problem: Option<String>,
    /// The exceptions whose acknowledgement is on its way.
    pub busy: HashSet<ExceptionId>,
    due_ms: Option<f64>,
}

impl Inbox {
    pub(super) const fn due_ms(&self) -> Option<f64> {
        self.due_ms
    }

    /// Has the list fetched at `at_ms` at the latest.
    pub(super) fn request_at(&mut self, at_ms: f64) {
        self.due_ms = Some(self.due_ms.map_or(at_ms, |due_ms| due_ms.min(at_ms)));
    }

    /// The feed announced an exception.
    pub(super) fn announced(&mut self, now_ms: f64) {
        self.request_at(now_ms + ANNOUNCEMENT_REST_MS);
    }

    /// An exception that is known, open or not.
    pub fn find(&self, id: ExceptionId) -> Option<&ExceptionView> {
        self.shown.iter().chain(&self.open).flatten().find(|exception| exception.id == id)
    }

    /// Whether an exception that nobody has acknowledged is about this order.
    pub(super) fn is_about(&self, order: OrderId) -> bool {
        self.open.iter().flatten().any(|exception| exception.order_id == Some(order))
    }

    /// The couriers of exceptions that still go on.
    fn flagged(&self) -> HashSet<CourierId> {
        let ongoing = self.open.iter().flatten().filter(|exception| exception.ended_at.is_none());
        ongoing.filter_map(|exception| exception.courier_id).collect()
    }

    /// The orders of exceptions that say that they will be late, with by how much.
    fn late_by_ms(&self) -> HashMap<OrderId, i64> {
        let late = self.open.iter().flatten().filter(|exception| exception.code == ExceptionCode::Late);
        let by_ms = |exception: &ExceptionView| {
            let by_s = exception.late_by_s.filter(|_| exception.ended_at.is_none())?;
            Some((exception.order_id?, (i64::from(by_s) * 1_000).max(MINUTE_MS)))
        };
        late.filter_map(by_ms).collect()
    }

    /// Begins another list.
    fn show(&mut self, state: ExceptionState, now_ms: f64) {
        self.shown = if state == ExceptionState::Open { self.open.clone() } else { None };
        self.next_cursor = None;
        self.request_at(now_ms);
    }

    /// Takes a page of the list that is shown.
    fn take_page(&mut self, is_first: bool, page: ListPage<ExceptionView>) {
        match (&mut self.shown, is_first) {
            (Some(shown), false) => {
                let known: HashSet<_> = shown.iter().map(|exception| exception.id).collect();
                shown.extend(page.items.into_iter().filter(|exception| !known.contains(&exception.id)));
                self.next_cursor = page.next_cursor;
            }
            // The dispatcher has fetched more than this page: only the head of the list is replaced.
            (Some(shown), true) if shown.len() > page.items.len() && page.next_cursor.is_some() => {
                let known: HashSet<_> = page.items.iter().map(|exception| exception.id).collect();
                let rest: Vec<_> = shown.drain(..).filter(|exception| !known.contains(&exception.id)).collect();
                *shown = page.items.into_iter().chain(rest).collect();
            }
            (shown, true) => {
                *shown = Some(page.items);
                self.next_cursor = page.next_cursor;
            }
            (None, false) => {}
        }
    }

    /// Takes an exception that is acknowledged by now. Answers where its card was, if it left the list.
    fn take_acknowledged(&mut self, state: ExceptionState, exception: ExceptionView) -> Option<usize> {
        let id = exception.id;
        self.busy.remove(&id);
        if let Some(open) = &mut self.open {
            open.retain(|other| other.id != id);
        }
        let shown = self.shown.as_mut()?;
        let index = shown.iter().position(|other| other.id == id)?;
        if state == ExceptionState::All {
            shown[index] = exception;
            return None;
        }
        shown.remove(index);
        Some(index)
    }
}

impl Console {
    pub(super) fn act_on_inbox(&mut self, moment: Moment, intent: InboxIntent, effects: &mut Vec<Effect>) {
        match intent {
            InboxIntent::Show => self.lead_to_inbox(effects),
            InboxIntent::State(state) => {
                self.route.inbox = state;
                self.inbox.show(state, moment.now_ms);
                self.show_address(effects, false);
            }
            InboxIntent::More => self.fetch_more_exceptions(effects),
            InboxIntent::Acknowledge(id) => self.acknowledge(id, None, effects),
            InboxIntent::TakeDoor(id) => self.settle(id, ApiCall::TakeDoor { id }, effects),
            InboxIntent::WriteNote(id) => {
                *self.dialog = Some(Dialog::Note { id });
                self.inbox.problem = None;
            }
            InboxIntent::Note { note } => {
                if let Some(Dialog::Note { id }) = *self.dialog {
                    let note = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
                    self.acknowledge(id, note, effects);
                }
            }
        }
    }

    /// How many things need attention: open exceptions, and failed orders. `None` until the inbox is known.
    pub fn attention(&self) -> Option<usize> {
        let open = self.inbox.open.as_ref()?;
        Some(open.len() + self.failed_orders().count())
    }

    /// Orders that could not be delivered; a dispatcher must decide what happens next.
    pub fn failed_orders(&self) -> impl Iterator<Item = &Order> {
        self.fleet.orders.values().filter(|order| order.status == OrderStatus::Failed)
    }

    /// Fetches the list, if it is time. A hidden page sends no ticks, so it fetches nothing.
    pub(super) fn inbox_due(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        if self.inbox.due_ms.is_none_or(|due_ms| now_ms < due_ms) {
            return;
        }
        self.inbox.untracked_mut().due_ms = Some(now_ms + REFRESH_EVERY_MS);
        effects.push(Effect::Call(ApiCall::Exceptions { state: ExceptionState::Open, cursor: None }));
        if self.route.inbox == ExceptionState::All {
            effects.push(Effect::Call(ApiCall::Exceptions { state: ExceptionState::All, cursor: None }));
        }
    }

    /// Closes what is open, and shows the inbox in its place.
    pub(super) fn lead_to_inbox(&mut self, effects: &mut Vec<Effect>) {
        if self.route.open != Open::Nothing {
            self.open(Open::Nothing, effects);
        }
        self.selection.screen = Screen::Details;
        effects.push(Effect::Focus("inbox"));
    }

    fn fetch_more_exceptions(&mut self, effects: &mut Vec<Effect>) {
        if let Some(cursor) = self.inbox.next_cursor.take() {
            effects.push(Effect::Call(ApiCall::Exceptions { state: self.route.inbox, cursor: Some(cursor) }));
        }
    }

    fn acknowledge(&mut self, id: ExceptionId, note: Option<String>, effects: &mut Vec<Effect>) {
        self.settle(id, ApiCall::Acknowledge { id, note }, effects);
    }

    /// Makes the call after which an exception is acknowledged, unless one is on its way.
    fn settle(&mut self, id: ExceptionId, call: ApiCall, effects: &mut Vec<Effect>) {
        if self.inbox.busy.insert(id) {
            self.inbox.problem = None;
            effects.push(Effect::Call(call));
        }
    }

    /// The API answered a call about exceptions.
    pub(super) fn inbox_replied(&mut self, call: &ApiCall, reply: ApiReply, effects: &mut Vec<Effect>) {
        match (call, reply) {
            (ApiCall::Exceptions { state, cursor }, ApiReply::Exceptions(page)) => {
                self.exceptions_fetched(*state, cursor.is_none(), page);
            }
            (_, ApiReply::Exception(exception)) => self.acknowledged(*exception, effects),
            _ => {}
        }
    }

    fn exceptions_fetched(&mut self, state: ExceptionState, is_first: bool, page: ListPage<ExceptionView>) {
        self.inbox.problem = None;
        if state == ExceptionState::Open && is_first {
            self.inbox.open = Some(page.items.clone());
            self.judge_by_inbox();
            self.refresh.request_sort();
        }
        if state == self.route.inbox {
            self.inbox.take_page(is_first, page);
        }
    }

    /// What the inbox says of couriers and orders holds in the lists and on the map, too.
    fn judge_by_inbox(&mut self) {
        let (flagged, late_by_ms) = (self.inbox.flagged(), self.inbox.late_by_ms());
        (self.fleet.flagged, self.fleet.late_by_ms) = (flagged, late_by_ms);
    }

    /// An exception is acknowledged: by this dispatcher, or by a colleague who was faster and whose name it then bears.
    fn acknowledged(&mut self, exception: ExceptionView, effects: &mut Vec<Effect>) {
        let by = exception.acknowledged_by.as_deref().unwrap_or("somebody");
        self.announce(format!(
            "Acknowledged by {by}: {}",
            text::exception(&self.fleet, &exception, self.at_ms, &self.locale).0
        ));
        let has_dialog = matches!(*self.dialog, Some(Dialog::Note { id }) if id == exception.id);
        if has_dialog {
            *self.dialog = None;
        }
        let gone = self.inbox.take_acknowledged(self.route.inbox, exception);
        self.judge_by_inbox();
        if let Some(index) = gone {
            self.focus_after_card(index, has_dialog, effects);
        }
    }

    /// The focus was on the button of a card that is gone: the card in its place takes it over, or the inbox's heading.
    fn focus_after_card(&self, index: usize, has_dialog: bool, effects: &mut Vec<Effect>) {
        match self.inbox.shown.iter().flatten().nth(index) {
            Some(next) if !has_dialog => effects.push(Effect::FocusAcknowledge(next.id)),
            Some(_) => {}
            None => effects.push(Effect::Focus("inbox")),
        }
    }

    /// The inbox could not be fetched, or an exception not acknowledged.
    pub(super) fn inbox_failed(&mut self, call: &ApiCall, error: &ApiError) {
        let inbox = &mut *self.inbox;
        if let ApiCall::Acknowledge { id, .. } | ApiCall::TakeDoor { id } = call {
            inbox.busy.remove(id);
        }
        inbox.problem = Some(error.text());
    }
}
