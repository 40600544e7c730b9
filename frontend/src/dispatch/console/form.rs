//! The form for a new order: what is typed, the search for its addresses, and its creation.

use doorstep_shared::{
    OrderId,
    api::{OrderView, console::PlaceFound, proof::ProofKind},
    problem::Problem,
};

use super::{ApiCall, ApiError, ApiReply, Console, Effect, Moment, Screen, Tab, list_refresh::TYPING_REST_MS};
use crate::dispatch::{
    draft::{Draft, Problems, StopKind},
    route::Open,
};

/// An address is searched for from this many letters on.
const MIN_QUERY_CHARS: usize = 2;

/// The form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub draft: Draft,
    pub problems: Problems,
    pub is_busy: bool,
    /// What the address search found, and for which stop.
    pub found: Option<(StopKind, Vec<PlaceFound>)>,
    search: Option<AddressSearch>,
    /// The idempotency key: the same for every attempt at the same order.
    key: Option<String>,
    /// The order before, from which the next begins.
    pub(super) last: Option<Box<OrderView>>,
}

/// A search that waits for the next letter.
#[derive(Clone, Debug)]
struct AddressSearch {
    kind: StopKind,
    query: String,
    due_ms: f64,
}

/// What the dispatcher does with the form.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftIntent {
    Change(Change),
    /// Create the order.
    Create,
}

/// A change of the new order.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Reference(String),
    Customer(String),
    Phone(String),
    Email(String),
    From(String),
    Until(String),
    Address(StopKind, String),
    Instructions(StopKind, String),
    /// Take what the address search found, by its index.
    Choose(StopKind, usize),
    /// Let the next click on the map be for this stop.
    Placing(StopKind),
    Proof(ProofKind, bool),
}

impl Form {
    pub(super) fn search_due_ms(&self) -> Option<f64> {
        self.search.as_ref().map(|search| search.due_ms)
    }

    fn change(&mut self, now_ms: f64, change: Change) {
        // Another order than the one that the key stands for.
        self.key = None;
        let draft = &mut self.draft;
        match change {
            Change::Reference(text) => draft.reference = text,
            Change::Customer(text) => draft.customer = text,
            Change::Phone(text) => draft.phone = text,
            Change::Email(text) => draft.email = text,
            Change::From(text) => draft.from = text,
            Change::Until(text) => draft.until = text,
            Change::Instructions(kind, text) => draft.stop_mut(kind).instructions = text,
            Change::Placing(kind) => draft.placing = kind,
            Change::Proof(kind, is_wanted) => {
                draft.proof.retain(|other| *other != kind);
                draft.proof.extend(is_wanted.then_some(kind));
            }
            Change::Address(kind, text) => self.type_address(now_ms, kind, text),
            Change::Choose(kind, index) => self.choose_address(kind, index),
        }
    }

    fn type_address(&mut self, now_ms: f64, kind: StopKind, text: String) {
        let query = text.trim().to_owned();
        self.draft.stop_mut(kind).address = text;
        self.draft.placing = kind;
        let is_long_enough = query.chars().count() >= MIN_QUERY_CHARS;
        self.search = is_long_enough.then_some(AddressSearch { kind, query, due_ms: now_ms + TYPING_REST_MS });
        if self.search.is_none() {
            self.found = None;
        }
    }

    fn choose_address(&mut self, kind: StopKind, index: usize) {
        let found = self.found.take().filter(|(found_for, _)| *found_for == kind);
        if let Some(place) = found.and_then(|(_, places)| places.into_iter().nth(index)) {
            self.draft.placing = kind;
            self.draft.pin([place.lon, place.lat], Some(&place.address));
        }
    }

    /// Fills in the address of a point that was clicked, unless one was typed meanwhile.
    fn name_pin(&mut self, kind: StopKind, at: [f64; 2], address: Option<&PlaceFound>) {
        let stop = self.draft.stop_mut(kind);
        if let Some(place) = address.filter(|_| stop.at == Some(at) && stop.address.is_empty()) {
            stop.address = place.address.clone();
        }
    }

    fn failed(&mut self, error: &ApiError) {
        self.is_busy = false;
        self.problems = match error {
            ApiError::Refused(problem) if !problem.errors.is_empty() => refused(problem),
            _ => vec![(String::new(), error.text())],
        };
    }
}

fn refused(problem: &Problem) -> Problems {
    problem.errors.iter().map(|error| (error.field.clone(), error.message.clone())).collect()
}

impl Console {
    pub(super) fn act_on_draft(&mut self, moment: Moment, intent: DraftIntent, effects: &mut Vec<Effect>) {
        match intent {
            DraftIntent::Create => self.create(effects),
            DraftIntent::Change(change) => {
                if matches!(change, Change::Placing(_)) {
                    // On a phone the map is another screen.
                    self.selection.screen = Screen::Map;
                }
                self.form.change(moment.now_ms, change);
            }
        }
    }

    fn create(&mut self, effects: &mut Vec<Effect>) {
        if self.form.is_busy {
            return;
        }
        match self.form.draft.order(self.at_ms, &self.locale) {
            Err(problems) => {
                self.form.problems = problems;
                effects.push(Effect::Focus("draft-problems"));
            }
            Ok(order) => {
                let key = self.form.key.clone().unwrap_or_else(|| self.new_key());
                let form = &mut *self.form;
                form.key = Some(key.clone());
                (form.is_busy, form.problems) = (true, Vec::new());
                effects.push(Effect::Call(ApiCall::Create { order: Box::new(order), key }));
            }
        }
    }

    /// Searches for the address that was typed, once the typing rests.
    pub(super) fn address_search_due(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        if self.form.search_due_ms().is_none_or(|due_ms| now_ms < due_ms) {
            return;
        }
        if let Some(AddressSearch { kind, query, .. }) = self.form.untracked_mut().search.take() {
            let near = self.map_view.centre();
            effects.push(Effect::Call(ApiCall::Addresses { kind, query, near }));
        }
    }

    /// The API answered a call of the form.
    pub(super) fn form_replied(&mut self, call: ApiCall, reply: ApiReply, effects: &mut Vec<Effect>) {
        match (call, reply) {
            (ApiCall::Create { .. }, ApiReply::Created(created)) => self.created(created.id, effects),
            (ApiCall::Addresses { kind, .. }, ApiReply::Places(found)) if self.route.open == Open::NewOrder => {
                self.form.found = Some((kind, found));
            }
            (ApiCall::AddressAt { kind, at }, ApiReply::Places(found)) => self.form.name_pin(kind, at, found.first()),
            _ => {}
        }
    }

    fn created(&mut self, id: OrderId, effects: &mut Vec<Effect>) {
        self.announce(format!("Order {} created", self.form.draft.reference.trim()));
        *self.form = Form { last: self.form.last.take(), ..Form::default() };
        self.route.tab = Tab::Unassigned;
        self.refresh.sort_now();
        self.refresh.request_count();
        self.refresh.request_query(0.0);
        self.open(Open::Order(id), effects);
    }

    pub(super) fn create_failed(&mut self, error: &ApiError) {
        self.form.failed(error);
    }
}
