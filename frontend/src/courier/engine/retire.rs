//! Takes notices away that are not true any more, whether the courier has read them or not.

use doorstep_shared::{OrderStatus, api::proof::ProofKind};

use super::{Engine, screens::About, sign_out::SignOut};
use crate::courier::{outbox::actions::Deed, plan};

impl Engine {
    /// The last word of a step on what the notices say.
    pub(super) fn retire_notices(&mut self) {
        let over = self.screens.told().filter(|(about, _)| !self.is_true(about)).map(|(_, notice)| *notice);
        let over: Vec<u32> = over.collect();
        over.into_iter().for_each(|notice| self.screens.dismiss(notice));
    }

    fn is_true(&self, about: &About) -> bool {
        let memory = &self.storage.memory;
        match about {
            About::Sequence(next) => self.cards().first().is_some_and(|card| plan::name(&card.stop) == *next),
            About::Proof(order_id) => {
                memory.drafts.iter().any(|draft| draft.order_id == *order_id && draft.problem.is_some())
            }
            About::Photo => self.has_photo(),
            About::Queue => !self.uploads.actions.is_empty(),
            About::Door(order_id) => {
                self.door_card(*order_id).is_some_and(|card| card.status == OrderStatus::AtDropoff)
            }
            About::Pause => self.is_on_duty(),
            About::Clock => memory.clock_shift_ms != 0,
            About::Unsent => self.session.sign_out == SignOut::Warned && !self.uploads.is_empty(),
            About::SignOut => memory.owes_sign_out,
            // What happens to these takes them away.
            About::New(_) | About::Order(_) | About::Plan => true,
        }
    }

    /// Whether a photo is on the phone, or is being made.
    fn has_photo(&self) -> bool {
        let is_photo = |deed: &Deed| matches!(deed, Deed::Proof { kind: ProofKind::Photo, .. });
        self.proofs.shrinking.is_some()
            || self.storage.memory.drafts.iter().any(|draft| draft.get(ProofKind::Photo).is_some())
            || self.uploads.actions.iter().any(|action| is_photo(&action.deed))
    }
}
