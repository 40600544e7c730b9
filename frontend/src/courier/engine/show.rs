//! What the screens are drawn from.

use doorstep_shared::{api::proof::ProofKind, protocol::courier::StopKind};
use uuid::Uuid;

use super::{Engine, Moment};
use crate::courier::{
    memory::Draft,
    state::{Door, Link, ProofDraft, Shift, StopCard},
};

impl Engine {
    /// Brings the screens' state up to date. How the phone is called and how times are written stays as it is.
    pub fn show(&self, at: Moment, shift: &mut Shift) {
        let stops = self.cards();
        shift.door = self.door;
        shift.screen = self.screen;
        shift.courier = self.memory.courier.as_ref().map(|known| known.who());
        shift.duty = self.duty();
        shift.gps = self.sensor.gps(at.now_ms, self.sampler.pace().interval_ms);
        shift.link = self.line.link(at.now_ms);
        shift.waiting_fixes = self.fixes.len() as u32;
        shift.waiting_actions = self.actions.len() as u32;
        shift.wake = self.wake;
        shift.done_at_ms = stops.last().and_then(|card| card.latest_ms.or(card.earliest_ms));
        shift.proof = self.open_proof.and_then(|order_id| {
            let is_door = |card: &&StopCard| card.stop.order_id == order_id && card.stop.kind == StopKind::Dropoff;
            let card = stops.iter().find(is_door)?;
            let draft = self.memory.drafts.iter().find(|draft| draft.order_id == order_id)?;
            Some(self.proof(card, draft))
        });
        shift.stops = stops;
        shift.position = self.here;
        shift.line.clone_from(&self.way);
        shift.audience = self.audience.filter(|_| self.door == Door::Open && shift.link == Link::Live);
        shift.pace.clone_from(self.sampler.pace());
        shift.notices.clone_from(&self.notices);
        shift.tracker.clone_from(&self.tracker);
        shift.install = self.install;
        shift.now_ms = at.date_ms + self.clock.offset_ms().unwrap_or(self.memory.clock_shift_ms);
    }

    fn photo_url(&self, proof_id: Uuid) -> Option<String> {
        self.photo_urls.iter().find(|(id, _)| *id == proof_id).map(|(_, url)| url.clone())
    }

    fn proof(&self, card: &StopCard, draft: &Draft) -> ProofDraft {
        let photo = draft.get(ProofKind::Photo);
        ProofDraft {
            order_id: card.stop.order_id,
            reference: card.stop.reference.clone(),
            customer: card.stop.contact.as_ref().map(|contact| contact.name.clone()),
            wanted: card.proof.clone(),
            photo_url: photo.and_then(|photo| self.photo_url(photo.proof_id)),
            is_shrinking: self.shrinking.is_some(),
            signed_by: draft.get(ProofKind::Signature).and_then(|signature| signature.name.clone()),
            has_pin: draft.get(ProofKind::Pin).is_some(),
            problem: draft.problem.clone(),
        }
    }
}
