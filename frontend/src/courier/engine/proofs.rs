//! Handing over at the door: collects the proofs, keeps them until the server has taken them, and lets photos go.

use doorstep_shared::{OrderId, OrderStatus, api::proof::ProofKind};
use uuid::Uuid;

use super::{Effect, Engine, Moment, Slot};
use crate::courier::{
    intent::Screen,
    memory::{Draft, Item},
    outbox::actions::{Action, Deed},
    text::notices,
};

/// What collecting proofs needs beside the drafts in the memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Proofs {
    /// The order whose proofs are on the screen.
    pub(super) open: Option<OrderId>,
    /// The photo that is being made smaller.
    pub(super) shrinking: Option<Uuid>,
    /// Where the page finds each photo.
    pub(super) photo_urls: Vec<(Uuid, String)>,
}

impl Proofs {
    /// Where the page finds a photo.
    pub(super) fn photo_url(&self, proof_id: Uuid) -> Option<String> {
        self.photo_urls.iter().find(|(id, _)| *id == proof_id).map(|(_, url)| url.clone())
    }

    fn take_photo_url(&mut self, proof_id: Uuid) -> Option<String> {
        let place = self.photo_urls.iter().position(|(id, _)| *id == proof_id)?;
        Some(self.photo_urls.remove(place).1)
    }
}

impl Engine {
    pub(super) fn begin_proof(&mut self, order_id: OrderId) {
        if self.door_card(order_id).is_some() {
            (self.proofs.open, self.screens.open) = (Some(order_id), Screen::Proof);
            self.draft(order_id);
        }
    }

    pub(super) fn leave_proof(&mut self) {
        if self.proofs.open.take().is_some() {
            self.screens.open = Screen::Stops;
        }
    }

    pub(super) fn photo_chosen(&mut self, at: Moment, order_id: OrderId) {
        self.proofs.shrinking = Some(at.id);
        self.out.push(Effect::TakePhoto { order_id, proof_id: at.id });
    }

    pub(super) fn photo_taken(&mut self, at: Moment, order_id: OrderId, proof_id: Uuid, url: Option<String>) {
        let is_wanted = self.proofs.shrinking.take_if(|shrinking| *shrinking == proof_id).is_some();
        match url {
            Some(url) if is_wanted && self.storage.is_loaded => {
                self.proofs.photo_urls.push((proof_id, url));
                let taken_ms = self.date_ms(at);
                self.collect(order_id, Item::photo(proof_id, taken_ms));
            }
            // The courier chose another one meanwhile, or the tab works no more.
            Some(url) => {
                self.out.push(Effect::ForgetPhoto { url });
                self.storage.write(Slot::Photo(proof_id), None);
            }
            None => self.draft(order_id).problem = Some(notices::photo_unreadable()),
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

    /// Queues the proofs first, then the status that rests on them.
    pub(super) fn deliver(&mut self, at: Moment, order_id: OrderId, note: String) {
        let Some(card) = self.door_card(order_id) else { return };
        let draft = self.draft(order_id);
        // A proof may be refused, and then the courier is back here.
        draft.note.clone_from(&note);
        let missing: Vec<_> = card.proof.iter().copied().filter(|kind| draft.get(*kind).is_none()).collect();
        draft.problem = (!missing.is_empty()).then(|| notices::proof_incomplete(&missing));
        if !missing.is_empty() {
            return;
        }
        let items: Vec<Item> = draft.items.iter().filter(|item| !item.is_taken).cloned().collect();
        let held_until_ms = self.begin_hold(at);
        for Item { proof_id, kind, body, taken_ms, .. } in items {
            self.queue(&card, taken_ms, Deed::Proof { proof_id, kind, body }, held_until_ms);
        }
        let note = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
        self.report(at, &card, OrderStatus::Delivered, note, held_until_ms);
        self.leave_proof();
    }

    /// The server has a proof: it is not sent again when the hand-over is.
    pub(super) fn proof_taken(&mut self, action: &Action) {
        let Deed::Proof { proof_id, .. } = action.deed else { return };
        let is_it = |item: &Item| item.proof_id == proof_id;
        if self.storage.memory.drafts.iter().any(|draft| draft.items.iter().any(is_it)) {
            let items = self.storage.remember().drafts.iter_mut().flat_map(|draft| &mut draft.items);
            items.filter(|item| is_it(item)).for_each(|item| item.is_taken = true);
        }
    }

    /// Drops the draft of an order that is over, or not this courier's any more.
    pub(super) fn drop_draft(&mut self, order_id: OrderId) {
        let drafts = &self.storage.memory.drafts;
        let Some(place) = drafts.iter().position(|draft| draft.order_id == order_id) else { return };
        let draft = self.storage.remember().drafts.remove(place);
        draft.items.into_iter().for_each(|item| self.forget_item(Some(item)));
        if self.proofs.open == Some(order_id) {
            self.leave_proof();
        }
    }

    /// Drops the photos that no draft and no action knows.
    pub(super) fn drop_unused_photos(&mut self) {
        let items = self.storage.memory.drafts.iter().flat_map(|draft| &draft.items);
        let of_actions = self.uploads.actions.iter().filter_map(|action| match action.deed {
            Deed::Proof { proof_id, .. } => Some(proof_id),
            Deed::Status { .. } | Deed::Report { .. } => None,
        });
        let used: Vec<Uuid> = items.map(|item| item.proof_id).chain(of_actions).collect();
        let all = self.proofs.photo_urls.iter().map(|(id, _)| *id);
        let unused: Vec<Uuid> = all.filter(|id| !used.contains(id)).collect();
        unused.into_iter().for_each(|id| self.forget_photo(id));
    }

    /// The order's draft, to be changed; there is one from now on.
    pub(super) fn draft(&mut self, order_id: OrderId) -> &mut Draft {
        let drafts = &mut self.storage.remember().drafts;
        let place = drafts.iter().position(|draft| draft.order_id == order_id).unwrap_or_else(|| {
            drafts.push(Draft::new(order_id));
            drafts.len() - 1
        });
        &mut drafts[place]
    }

    fn collect(&mut self, order_id: OrderId, item: Item) {
        let before = self.draft(order_id).put(item);
        self.forget_item(before);
        self.storage.be_strict();
    }

    fn forget_item(&mut self, item: Option<Item>) {
        if let Some(item) = item.filter(|item| item.kind == ProofKind::Photo) {
            self.forget_photo(item.proof_id);
        }
    }

    fn forget_photo(&mut self, proof_id: Uuid) {
        let url = self.proofs.take_photo_url(proof_id);
        self.out.extend(url.map(|url| Effect::ForgetPhoto { url }));
        self.storage.write(Slot::Photo(proof_id), None);
    }
}
