//! Work on couriers: added, edited, and signed in or out with their phones.

use doorstep_shared::{
    CourierId, DeviceId,
    api::{CourierView, DeviceCreated},
};

use super::{ApiCall, ApiReply, Console, Dialog, Effect};
use crate::dispatch::{courier_form::TypedCourier, route::Open};

/// What the dispatcher does with a courier.
#[derive(Clone, Debug, PartialEq)]
pub enum CourierIntent {
    /// Open the form for a courier; a new one without an id.
    Edit(Option<CourierId>),
    /// Save the form.
    Save(Box<TypedCourier>),
    /// Search for the address of a depot.
    FindDepot(String),
    /// Ask whether a courier really works here no longer, or again.
    ConfirmArchive { courier: CourierId, is_archived: bool },
    /// Archive the courier who was asked about, or bring them back.
    Archive,
    /// Show the couriers who work here no longer.
    Archived,
    /// Make a sign-in link for another phone.
    Invite(CourierId),
    /// Ask whether a device may really not report any more.
    ConfirmRevoke { device: DeviceId, label: String },
    /// Revoke the device that was asked about.
    Revoke,
}

impl Console {
    pub(super) fn act_on_courier(&mut self, intent: CourierIntent, effects: &mut Vec<Effect>) {
        match intent {
            CourierIntent::Edit(id) => self.edit_courier(id),
            CourierIntent::Save(typed) => self.save_courier(&typed, effects),
            CourierIntent::FindDepot(query) => effects.push(Effect::Call(ApiCall::Depots { query })),
            CourierIntent::ConfirmArchive { courier, is_archived } => self.confirm_archive(courier, is_archived),
            CourierIntent::Archive => {
                if let Some(Dialog::Archive { courier, is_archived, .. }) = *self.dialog {
                    self.call_busy(ApiCall::Archive { courier, is_archived }, effects);
                }
            }
            CourierIntent::Archived => {
                self.drawer.problem = None;
                *self.dialog = Some(Dialog::Archived(None));
                effects.push(Effect::Call(ApiCall::Archived));
            }
            CourierIntent::Invite(courier) => {
                let count = self.drawer.devices.as_ref().map_or(0, Vec::len);
                let key = self.new_key();
                self.call_busy(ApiCall::Invite { courier, label: format!("Phone {}", count + 1), key }, effects);
            }
            CourierIntent::ConfirmRevoke { device, label } => {
                if let Open::Courier(courier) = self.route.open {
                    *self.dialog = Some(Dialog::Revoke { courier, device, label });
                }
            }
            CourierIntent::Revoke => {
                if let Some(Dialog::Revoke { courier, device, .. }) = *self.dialog {
                    self.call_busy(ApiCall::Revoke { courier, device }, effects);
                }
            }
        }
    }

    fn edit_courier(&mut self, id: Option<CourierId>) {
        let view = self.drawer.courier.as_ref().filter(|courier| Some(courier.id) == id);
        let mut known = view.map_or_else(TypedCourier::default, |view| TypedCourier::of(view, &self.locale));
        if let Some(courier) = id.and_then(|id| self.fleet.couriers.get(&id)) {
            (known.name, known.vehicle) = (courier.name.clone(), courier.vehicle);
        }
        *self.dialog = Some(Dialog::Courier { id, known: Box::new(known) });
        let drawer = &mut *self.drawer;
        (drawer.problem, drawer.places) = (None, Vec::new());
    }

    fn save_courier(&mut self, typed: &TypedCourier, effects: &mut Vec<Effect>) {
        let Some(Dialog::Courier { id, known }) = &*self.dialog else { return };
        let call = match id {
            Some(courier) => typed
                .changes(known, self.at_ms, &self.locale)
                .map(|edit| ApiCall::EditCourier { courier: *courier, edit }),
            None => typed
                .create(self.at_ms, &self.locale)
                .map(|courier| ApiCall::CreateCourier { courier, key: self.keys.next(self.at_ms) }),
        };
        match call {
            Ok(call) => self.call_busy(call, effects),
            Err(problem) => self.drawer.problem = Some(problem.to_owned()),
        }
    }

    /// Asks whether a courier really works here no longer, or again.
    fn confirm_archive(&mut self, courier: CourierId, is_archived: bool) {
        let known = self.fleet.couriers.get(&courier).map(|courier| courier.name.clone());
        let listed = match &*self.dialog {
            Some(Dialog::Archived(Some(couriers))) => couriers.iter().find(|(id, _)| *id == courier),
            _ => None,
        };
        if let Some(name) = known.or_else(|| listed.map(|(_, name)| name.clone())) {
            self.drawer.problem = None;
            *self.dialog = Some(Dialog::Archive { courier, name, is_archived });
        }
    }

    fn archived(&mut self, courier: CourierId, is_archived: bool, effects: &mut Vec<Effect>) {
        let Some(Dialog::Archive { name, .. }) = self.dialog.take() else { return };
        self.drawer.is_busy = false;
        if is_archived {
            self.fleet.forget_courier(courier);
            self.announce(format!("{name} is archived"));
            self.open(Open::Nothing, effects);
        } else {
            self.announce(format!("{name} works here again"));
            self.open(Open::Courier(courier), effects);
        }
        self.refresh.sort_now();
    }

    /// The API answered a call about a courier.
    pub(super) fn courier_replied(&mut self, call: ApiCall, reply: ApiReply, effects: &mut Vec<Effect>) {
        match (call, reply) {
            (ApiCall::Courier(id), ApiReply::Courier(courier)) if self.route.open == Open::Courier(id) => {
                self.drawer.courier = Some(courier);
            }
            (ApiCall::CreateCourier { .. } | ApiCall::EditCourier { .. }, ApiReply::Courier(courier)) => {
                self.courier_saved(&courier, effects);
            }
            (ApiCall::Archive { courier, is_archived }, ApiReply::Courier(_)) => {
                self.archived(courier, is_archived, effects);
            }
            (ApiCall::Archived, ApiReply::Couriers(couriers)) => {
                if let Some(Dialog::Archived(listed)) = &mut *self.dialog {
                    *listed = Some(couriers.into_iter().map(|courier| (courier.id, courier.name)).collect());
                }
            }
            (ApiCall::Depots { .. }, ApiReply::Places(places)) => self.drawer.places = places,
            (ApiCall::Devices(id), ApiReply::Devices(devices)) if self.route.open == Open::Courier(id) => {
                self.drawer.devices = Some(devices);
            }
            (ApiCall::Invite { courier, .. }, ApiReply::Invited(device)) => self.invited(courier, *device, effects),
            (ApiCall::Revoke { courier, .. }, ApiReply::Done) => {
                *self.dialog = None;
                self.drawer.is_busy = false;
                effects.push(Effect::Call(ApiCall::Devices(courier)));
            }
            _ => {}
        }
    }

    fn courier_saved(&mut self, courier: &CourierView, effects: &mut Vec<Effect>) {
        *self.dialog = None;
        self.announce(format!("{} saved", courier.name));
        // Opening fetches the courier again.
        self.open(Open::Courier(courier.id), effects);
    }

    fn invited(&mut self, courier: CourierId, device: DeviceCreated, effects: &mut Vec<Effect>) {
        self.drawer.is_busy = false;
        let expires_ms = device.sign_in_expires_at.timestamp_millis();
        *self.dialog = Some(Dialog::Invite { courier, url: device.sign_in_url, expires_ms });
        effects.push(Effect::Call(ApiCall::Devices(courier)));
    }
}
