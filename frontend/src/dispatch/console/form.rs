//! The form for an order: what is typed, the search for its addresses, and the creation of a new one. Beside new orders it
//! serves the change of one that exists; see [`Edit`].

use doorstep_shared::{
    OrderId, PinId,
    api::{
        OrderView,
        console::{PlaceFound, SavedPickup},
        pins::PinAddress,
        proof::ProofKind,
    },
    problem::Problem,
};

use super::{
    ApiCall, ApiError, ApiReply, Console, Effect, Moment, Screen, Tab, editing::Edit, list_refresh::TYPING_REST_MS,
};
use crate::dispatch::{
    draft::{Draft, Field, Problems, Source, StopKind},
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
    /// The order that is being changed; without it the form is for a new one.
    pub edit: Option<Box<Edit>>,
    /// The pickups that are saved on the server.
    pub pickups: Vec<SavedPickup>,
    /// The new order that was begun before the change of another.
    pub(super) parked: Option<Draft>,
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
    /// Create the order, or save its changes.
    Save,
    /// Leave an order as it is.
    Cancel,
}

/// A change of the new order.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Text(Field, String),
    Address(StopKind, String),
    /// Take what the address search found, by its index.
    Choose(StopKind, usize),
    /// Let the next click on the map be for this stop.
    Placing(StopKind),
    /// Pin the address of this stop to its point, or remove the pin that it has.
    Pin(StopKind),
    Proof(ProofKind, bool),
}

impl Form {
    pub(super) fn search_due_ms(&self) -> Option<f64> {
        self.search.as_ref().map(|search| search.due_ms)
    }

    /// It is another order now than the one that the key stands for.
    pub(super) fn change_order(&mut self) {
        self.key = None;
    }

    fn change(&mut self, now_ms: f64, change: Change) {
        self.change_order();
        let draft = &mut self.draft;
        match change {
            Change::Text(field, text) => draft.set(field, text),
            Change::Placing(kind) => draft.placing = kind,
            Change::Proof(kind, is_wanted) => {
                draft.proof.retain(|other| *other != kind);
                draft.proof.extend(is_wanted.then_some(kind));
            }
            Change::Address(kind, text) => self.type_address(now_ms, kind, text),
            Change::Choose(kind, index) => self.choose_address(kind, index),
            Change::Pin(_) => {}
        }
    }

    fn type_address(&mut self, now_ms: f64, kind: StopKind, text: String) {
        let query = text.trim().to_owned();
        self.draft.set(kind.address(), text);
        let source = &mut self.draft.sources[kind as usize];
        if matches!(source, Source::Pinned(_)) {
            *source = Source::Given;
        }
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
            self.draft.sources[kind as usize] = place.pin_id.map_or(Source::Given, Source::Pinned);
        }
    }

    /// Fills in the address of a point that was clicked, unless one was typed meanwhile.
    fn name_pin(&mut self, kind: StopKind, at: [f64; 2], address: Option<&PlaceFound>) {
        let is_open = self.draft.at(kind) == Some(at) && self.draft.text(kind.address()).is_empty();
        if let Some(place) = address.filter(|_| is_open) {
            self.draft.set(kind.address(), place.address.clone());
            let name = place.address.clone();
            self.draft.sources[kind as usize] = place.pin_id.map_or(Source::ByHand { name }, Source::Pinned);
        }
    }

    pub(super) fn failed(&mut self, error: &ApiError) {
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
            DraftIntent::Save if self.form.edit.is_some() => self.save_edit(effects),
            DraftIntent::Save => self.create(effects),
            DraftIntent::Cancel => self.cancel_edit(effects),
            DraftIntent::Change(Change::Pin(kind)) => self.pin_address(kind, effects),
            DraftIntent::Change(change) => {
                if matches!(change, Change::Placing(_)) {
                    // On a phone the map is another screen.
                    self.selection.screen = Screen::Map;
                }
                self.form.change(moment.now_ms, change);
            }
        }
    }

    /// Pins the address of a stop, or removes its pin.
    fn pin_address(&mut self, kind: StopKind, effects: &mut Vec<Effect>) {
        let Some([lon, lat]) = self.form.draft.at(kind) else { return };
        let address = self.form.draft.text(kind.address()).trim().to_owned();
        let call = match self.form.draft.sources[kind as usize] {
            Source::ByHand { .. } => {
                let id = PinId::from_uuid(self.new_id());
                ApiCall::PinAddress { kind, id, pin: PinAddress { address, lat, lon } }
            }
            Source::Pinned(id) => ApiCall::UnpinAddress { kind, id },
            Source::Given | Source::Busy => return,
        };
        self.form.draft.sources[kind as usize] = Source::Busy;
        effects.push(Effect::Call(call));
    }

    /// The address of a stop has this pin now, or none any more.
    pub(super) fn address_pinned(&mut self, kind: StopKind, pin: Option<PinId>) {
        self.form.draft.sources[kind as usize] = pin.map_or(Source::Given, Source::Pinned);
        let said = if pin.is_some() { "Pinned for all orders to come" } else { "The pin is removed" };
        self.announce(said.to_owned());
    }

    pub(super) fn pin_failed(&mut self, kind: StopKind, error: &ApiError) {
        let reason = match error {
            ApiError::Refused(problem) => problem.errors.first().map(|error| error.message.clone()),
            _ => None,
        };
        let form = &mut *self.form;
        form.draft.sources[kind as usize] = Source::ByHand { name: String::new() };
        form.problems = vec![(kind.word().to_owned(), reason.unwrap_or_else(|| error.text()))];
    }

    /// Whether a form is shown: the map's clicks are pins then.
    pub fn is_form_open(&self) -> bool {
        self.route.open == Open::NewOrder || self.edited().is_some()
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
            (ApiCall::Addresses { kind, .. }, ApiReply::Places(found)) if self.is_form_open() => {
                self.form.found = Some((kind, found));
            }
            (ApiCall::AddressAt { kind, at }, ApiReply::Places(found)) => self.form.name_pin(kind, at, found.first()),
            _ => {}
        }
    }

    fn created(&mut self, id: OrderId, effects: &mut Vec<Effect>) {
        self.announce(format!("Order {} created", self.form.draft.text(Field::Reference).trim()));
        let (last, pickups) = (self.form.last.take(), std::mem::take(&mut self.form.pickups));
        *self.form = Form { last, pickups, ..Form::default() };
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
