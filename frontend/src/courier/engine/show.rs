//! What the screens are drawn from.

use doorstep_shared::{api::proof::ProofKind, protocol::courier::StopKind};

use super::{Engine, Moment};
use crate::{
    courier::{
        memory::Draft,
        state::{Door, Pin, ProofDraft, Shift, StopCard},
    },
    live::connection::Health,
    ui::time::floor_minute,
};

impl Engine {
    /// Brings the screens' state up to date. The phone's platform and how times are written stay as they are.
    pub fn show(&self, at: Moment, shift: &mut Shift) {
        self.show_work(shift);
        self.show_phone(at, shift);
        let mut stops = self.shown_stops(at);
        self.measure(&mut stops);
        shift.done_at_ms = stops.last().and_then(|card| card.latest_ms.or(card.earliest_ms));
        shift.proof = self.proof_draft(&stops);
        shift.stops = stops;
        shift.reordering = self.reordering();
        shift.undo = self.undoable(at);
        shift.day = self.day.day;
        shift.office_phone.clone_from(&self.storage.memory.office_phone);
        shift.position = self.positions.here;
        shift.way.clone_from(&self.tour.way);
        shift.minute_ms = floor_minute(self.date_ms(at));
        let is_seen = self.session.door == Door::Open && shift.health == Health::Live;
        shift.audience = self.audience.filter(|_| is_seen);
    }

    /// Who works, and on which screen.
    fn show_work(&self, shift: &mut Shift) {
        shift.door = self.session.door;
        shift.screen = self.screens.open;
        shift.courier = self.storage.memory.courier.as_ref().map(|known| known.who());
        shift.duty = self.duty();
        shift.notices.clone_from(&self.screens.notices);
        shift.tracker.clone_from(&self.screens.tracker);
    }

    /// What the phone and its network can do.
    fn show_phone(&self, at: Moment, shift: &mut Shift) {
        let pace = self.positions.sampler.pace();
        shift.gps = self.positions.sensor.gps(at.now_ms, pace.interval_ms);
        shift.pace.clone_from(pace);
        shift.health = self.connection.health(at.now_ms);
        shift.waiting_fixes = self.uploads.fixes.len() as u32;
        shift.waiting_actions = self.uploads.actions.len() as u32;
        shift.wake = self.browser.wake;
        shift.install = self.browser.install;
    }

    /// The proofs on the screen, while their order has a door among the stops.
    fn proof_draft(&self, stops: &[StopCard]) -> Option<ProofDraft> {
        let order_id = self.proofs.open?;
        let is_door = |card: &&StopCard| card.stop.order_id == order_id && card.stop.kind == StopKind::Dropoff;
        let card = stops.iter().flat_map(StopCard::orders).find(is_door)?;
        let draft = self.storage.memory.drafts.iter().find(|draft| draft.order_id == order_id)?;
        Some(self.draft_of(card, draft))
    }

    fn draft_of(&self, card: &StopCard, draft: &Draft) -> ProofDraft {
        let photo = draft.get(ProofKind::Photo);
        ProofDraft {
            order_id: card.stop.order_id,
            reference: card.stop.reference.clone(),
            customer: card.stop.contact.as_ref().map(|contact| contact.name.clone()),
            wanted: card.proof.clone(),
            photo_url: photo.and_then(|photo| self.proofs.photo_url(photo.proof_id)),
            is_shrinking: self.proofs.shrinking.is_some(),
            signed_by: draft.get(ProofKind::Signature).and_then(|signature| signature.name.clone()),
            pin: match draft.get(ProofKind::Pin) {
                None => Pin::Missing,
                Some(pin) if pin.is_taken => Pin::Confirmed,
                Some(_) => Pin::Entered,
            },
            note: draft.note.clone(),
            problem: draft.problem.clone(),
        }
    }
}
