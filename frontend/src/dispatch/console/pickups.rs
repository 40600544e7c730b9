//! Saved pickups: chosen in an order's form, saved from it, and forgotten.

use doorstep_shared::api::console::{SavePickup, SavedPickup};
use uuid::Uuid;

use super::{ApiCall, ApiReply, Console, Dialog, Effect};
use crate::dispatch::draft::{Field, StopKind};

/// What the dispatcher does with saved pickups.
#[derive(Clone, Debug, PartialEq)]
pub enum PickupIntent {
    /// Take one for the order.
    Choose(Uuid),
    /// Open the dialog with all of them.
    Open,
    /// Save the form's pickup under this name.
    Save { name: String },
    /// Forget one.
    Forget(Uuid),
}

/// Asks for the saved pickups. Colleagues save some too, so each form asks again.
pub(super) const FETCH_PICKUPS: Effect = Effect::Call(ApiCall::Pickups);

impl Console {
    pub(super) fn act_on_pickups(&mut self, intent: PickupIntent, effects: &mut Vec<Effect>) {
        match intent {
            PickupIntent::Choose(id) => self.choose_pickup(id),
            PickupIntent::Open => {
                self.drawer.problem = None;
                *self.dialog = Some(Dialog::Pickups);
            }
            PickupIntent::Save { name } => self.save_pickup(&name, effects),
            PickupIntent::Forget(id) => self.call_busy(ApiCall::ForgetPickup(id), effects),
        }
    }

    fn choose_pickup(&mut self, id: Uuid) {
        let chosen = self.form.pickups.iter().find(|pickup| pickup.id == id).map(|pickup| pickup.place.clone());
        if let Some(place) = chosen {
            let form = &mut *self.form;
            form.change_order();
            form.draft.take_place(StopKind::Pickup, &place);
            form.draft.placing = StopKind::Dropoff;
            form.found = None;
        }
    }

    fn save_pickup(&mut self, name: &str, effects: &mut Vec<Effect>) {
        let draft = &self.form.draft;
        let phone = Some(draft.text(Field::PickupPhone).trim().to_owned()).filter(|phone| !phone.is_empty());
        let mut place = draft.place(StopKind::Pickup);
        place.phone = phone;
        let problem = if name.trim().is_empty() {
            Some("Give it a name.")
        } else if draft.at(StopKind::Pickup).is_none() || place.address.is_empty() {
            Some("Give the pickup an address and a pin first.")
        } else {
            None
        };
        match problem {
            Some(problem) => self.drawer.problem = Some(problem.to_owned()),
            None => {
                let pickup = SavePickup { name: name.trim().to_owned(), place };
                self.call_busy(ApiCall::SavePickup(Box::new(pickup)), effects);
            }
        }
    }

    /// The API answered a call about saved pickups.
    pub(super) fn pickups_replied(&mut self, call: &ApiCall, reply: ApiReply, effects: &mut Vec<Effect>) {
        match (call, reply) {
            (ApiCall::Pickups, ApiReply::Pickups(pickups)) => self.form.pickups = pickups,
            (ApiCall::SavePickup(pickup), _) => {
                self.announce(format!("{} saved", pickup.name));
                self.close_dialog(effects);
                effects.push(FETCH_PICKUPS);
            }
            (ApiCall::ForgetPickup(id), _) => {
                self.drawer.is_busy = false;
                self.form.pickups.retain(|pickup: &SavedPickup| pickup.id != *id);
            }
            _ => {}
        }
    }
}
