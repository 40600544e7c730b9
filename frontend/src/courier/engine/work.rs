//! The courier at the stops: what they press is dated, kept, applied at once, and sent when it can be.

use doorstep_shared::{
    OrderId, OrderStatus,
    api::{
        courier::{TrackerApp, TrackerCreated},
        proof::ProofKind,
    },
    protocol::{courier::StopKind, encode_json},
};
use uuid::Uuid;

use super::{Effect, Engine, Moment, ProofAnswer, Slot};
use crate::courier::{
    intent::Screen,
    memory::{Draft, Item},
    outbox::actions::{Action, Deed},
    sentences,
    state::{StopCard, Tone, TrackerSetup},
    stops,
};

impl Engine {
    pub(super) fn cards(&self) -> Vec<StopCard> {
        let stops = self.memory.stops.as_deref().unwrap_or_default();
        stops::cards(stops, &self.memory.legs, self.actions.iter())
    }

    pub(super) fn advance(&mut self, at: Moment, order_id: OrderId) {
        let Some(card) = self.card(order_id) else { return };
        let Some(status) = card.next_status() else { return };
        if status == OrderStatus::Delivered && !card.proof.is_empty() {
            self.begin_proof(order_id);
            return;
        }
        self.report(at, &card, status, None);
    }

    pub(super) fn fail(&mut self, at: Moment, order_id: OrderId, reason: String) {
        let Some(card) = self.card(order_id) else { return };
        let note = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        self.report(at, &card, OrderStatus::Failed, note);
        self.leave_proof();
    }

    pub(super) fn begin_proof(&mut self, order_id: OrderId) {
        if self.door_card(order_id).is_some() {
            (self.open_proof, self.screen) = (Some(order_id), Screen::Proof);
            self.draft(order_id);
        }
    }

    pub(super) fn leave_proof(&mut self) {
        if self.open_proof.take().is_some() {
            self.screen = Screen::Stops;
        }
    }

    pub(super) fn show_screen(&mut self, screen: Screen) {
        if screen != Screen::Proof || self.open_proof.is_some() {
            self.screen = screen;
        }
    }

    pub(super) fn photo_chosen(&mut self, at: Moment, order_id: OrderId) {
        self.shrinking = Some(at.id);
        self.out.push(Effect::TakePhoto { order_id, proof_id: at.id });
    }

    pub(super) fn photo_taken(&mut self, at: Moment, order_id: OrderId, proof_id: Uuid, url: Option<String>) {
        let is_wanted = self.shrinking == Some(proof_id);
        if is_wanted {
            self.shrinking = None;
        }
        match url {
            Some(url) if is_wanted && self.is_loaded => {
                self.photo_urls.push((proof_id, url));
                let taken_ms = self.date_ms(at);
                self.collect(order_id, Item::photo(proof_id, taken_ms));
            }
            // Another one was chosen meanwhile, or the tab works no more.
            Some(url) => {
                self.out.push(Effect::ForgetPhoto { url });
                self.write(Slot::Photo(proof_id), None);
            }
            None => self.draft(order_id).problem = Some(sentences::photo_unreadable()),
        }
    }

    pub(super) fn sign(&mut self, at: Moment, order_id: OrderId, name: String, strokes: Vec<Vec<[f32; 2]>>) {
        let taken_ms = self.date_ms(at);
        self.collect(order_id, Item::signature(at.id, taken_ms, name.trim().to_owned(), strokes));
    }

    pub(super) fn enter_pin(&mut self, at: Moment, order_id: OrderId, pin: String) {
        let taken_ms = self.date_ms(at);
        self.collect(order_id, Item::pin(at.id, taken_ms, pin));
    }

    pub(super) fn drop_proof(&mut self, order_id: OrderId, kind: ProofKind) {
        let dropped = self.draft(order_id).drop(kind);
        self.forget_item(dropped);
    }

    /// The proofs first, then the status that rests on them.
    pub(super) fn deliver(&mut self, at: Moment, order_id: OrderId, note: Option<String>) {
        let Some(card) = self.door_card(order_id) else { return };
        let draft = self.draft(order_id).clone();
        let missing: Vec<_> = card.proof.iter().copied().filter(|kind| draft.get(*kind).is_none()).collect();
        if !missing.is_empty() {
            self.draft(order_id).problem = Some(sentences::proof_incomplete(&missing));
            return;
        }
        self.draft(order_id).problem = None;
        for item in draft.items {
            let Item { proof_id, kind, body, taken_ms, .. } = item;
            self.queue(&card, taken_ms, Deed::Proof { proof_id, kind, body });
        }
        self.report(at, &card, OrderStatus::Delivered, note.filter(|note| !note.trim().is_empty()));
        self.leave_proof();
    }

    pub(super) fn proof_answered(&mut self, at: Moment, id: u64, answer: ProofAnswer) {
        match answer {
            ProofAnswer::Taken => {
                if self.actions.done(id).is_some() {
                    self.delete_action(id);
                }
            }
            ProofAnswer::Again { least_ms } => {
                self.actions.again(id, at.now_ms, at.random, least_ms);
            }
            ProofAnswer::SignedOut => {
                self.actions.again(id, at.now_ms, at.random, 0.0);
                if self.is_open() {
                    self.revoke(at);
                }
            }
            ProofAnswer::Refused { code } => self.proof_refused(id, &code),
        }
    }

    pub(super) fn set_up_tracker(&mut self, app: TrackerApp) {
        self.tracker = TrackerSetup::Preparing(app);
        self.out.push(Effect::SetUpTracker(app));
    }

    pub(super) fn tracker_answered(&mut self, tracker: Option<Box<TrackerCreated>>) {
        if matches!(self.tracker, TrackerSetup::Preparing(_)) {
            self.tracker =
                tracker.map_or_else(|| TrackerSetup::Failed(sentences::tracker_failed()), TrackerSetup::Ready);
        }
    }

    /// The draft of an order that is over, or not this courier's any more.
    pub(super) fn drop_draft(&mut self, order_id: OrderId) {
        let Some(place) = self.memory.drafts.iter().position(|draft| draft.order_id == order_id) else { return };
        let draft = self.remember().drafts.remove(place);
        draft.items.into_iter().for_each(|item| self.forget_item(Some(item)));
        if self.open_proof == Some(order_id) {
            self.leave_proof();
        }
    }

    /// Photos that no draft and no action knows.
    pub(super) fn drop_unused_photos(&mut self) {
        let of_drafts = self.memory.drafts.iter().flat_map(|draft| &draft.items).map(|item| item.proof_id);
        let of_actions = self.actions.iter().filter_map(|action| match action.deed {
            Deed::Proof { proof_id, .. } => Some(proof_id),
            Deed::Status { .. } => None,
        });
        let used: Vec<Uuid> = of_drafts.chain(of_actions).collect();
        let unused: Vec<Uuid> = self.photo_urls.iter().map(|(id, _)| *id).filter(|id| !used.contains(id)).collect();
        unused.into_iter().for_each(|id| self.forget_photo(id));
    }

    fn proof_refused(&mut self, id: u64, code: &str) {
        let removed = self.actions.refused(id);
        let Some(action) = removed.action else { return };
        let Deed::Proof { kind, .. } = action.deed else { return };
        self.delete_action(action.id);
        removed.held_back.iter().for_each(|held| self.delete_action(held.id));
        self.notify(Tone::Bad, sentences::proof_refused(&action, kind, code));
        if code == "not_found" {
            self.drop_rest_of(action.order_id);
            return;
        }
        let dropped = self.draft(action.order_id).drop(kind);
        self.forget_item(dropped);
        self.draft(action.order_id).problem = Some(sentences::proof_problem(kind, code));
    }

    fn card(&self, order_id: OrderId) -> Option<StopCard> {
        self.cards().into_iter().find(|card| card.stop.order_id == order_id)
    }

    /// The stop at which an order is handed over.
    fn door_card(&self, order_id: OrderId) -> Option<StopCard> {
        let is_door = |card: &StopCard| card.stop.order_id == order_id && card.stop.kind == StopKind::Dropoff;
        self.cards().into_iter().find(is_door)
    }

    fn report(&mut self, at: Moment, card: &StopCard, status: OrderStatus, note: Option<String>) {
        if card.status.can_become(status) {
            let time_ms = self.date_ms(at);
            self.queue(card, time_ms, Deed::Status { status, note });
        }
    }

    fn queue(&mut self, card: &StopCard, time_ms: i64, deed: Deed) {
        let id = self.next_id;
        let StopCard { stop, .. } = card;
        let (reference, place) = (stop.reference.clone(), stop.address.clone());
        let action = Action { id, order_id: stop.order_id, reference, place, time_ms, deed };
        let text = encode_json(&action);
        if !self.actions.push(action) {
            self.notify(Tone::Warn, sentences::too_many_actions());
            return;
        }
        self.next_id += 1;
        self.keeping.unkept.actions.push(id);
        self.is_strict = true;
        self.write(Slot::Action(id), Some(text));
    }

    fn collect(&mut self, order_id: OrderId, item: Item) {
        let before = self.draft(order_id).put(item);
        self.forget_item(before);
        self.is_strict = true;
    }

    /// The order's draft, to be changed; there is one from now on.
    fn draft(&mut self, order_id: OrderId) -> &mut Draft {
        let drafts = &mut self.remember().drafts;
        let place = drafts.iter().position(|draft| draft.order_id == order_id).unwrap_or_else(|| {
            drafts.push(Draft::new(order_id));
            drafts.len() - 1
        });
        &mut drafts[place]
    }

    fn forget_item(&mut self, item: Option<Item>) {
        if let Some(item) = item.filter(|item| item.kind == ProofKind::Photo) {
            self.forget_photo(item.proof_id);
        }
    }

    fn forget_photo(&mut self, proof_id: Uuid) {
        if let Some(place) = self.photo_urls.iter().position(|(id, _)| *id == proof_id) {
            let (_, url) = self.photo_urls.remove(place);
            self.out.push(Effect::ForgetPhoto { url });
        }
        self.write(Slot::Photo(proof_id), None);
    }
}
