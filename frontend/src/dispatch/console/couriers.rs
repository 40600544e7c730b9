//! Work on couriers: added, edited, and signed in or out with their phones.

use doorstep_shared::{
    CourierId, DeviceId, Vehicle,
    api::{CourierView, CreateCourier, DeviceCreated, console::EditCourier},
};

use super::{ApiCall, ApiReply, Console, Dialog, Effect};
use crate::dispatch::route::Open;

/// What the dispatcher does with a courier.
#[derive(Clone, Debug, PartialEq)]
pub enum CourierIntent {
    /// Open the form for a courier; a new one without an id.
    Edit(Option<CourierId>),
    /// Save the form.
    Save { name: String, phone: String, vehicle: Vehicle },
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
            CourierIntent::Save { name, phone, vehicle } => self.save_courier(&name, &phone, vehicle, effects),
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
        let known = id.and_then(|id| self.fleet.couriers.get(&id));
        let phone = self.drawer.courier.as_ref().filter(|courier| Some(courier.id) == id);
        *self.dialog = Some(Dialog::Courier {
            id,
            name: known.map_or_else(String::new, |courier| courier.name.clone()),
            phone: phone.and_then(|courier| courier.phone.clone()).unwrap_or_default(),
            vehicle: known.map_or(Vehicle::Scooter, |courier| courier.vehicle),
        });
        self.drawer.problem = None;
    }

    fn save_courier(&mut self, name: &str, phone: &str, vehicle: Vehicle, effects: &mut Vec<Effect>) {
        let Some(Dialog::Courier { id, .. }) = *self.dialog else { return };
        let (name, phone) = (name.trim().to_owned(), phone.trim().to_owned());
        if name.is_empty() {
            self.drawer.problem = Some("Write the courier's name.".to_owned());
            return;
        }
        let call = match id {
            Some(courier) => {
                let edit = EditCourier {
                    name: Some(name),
                    phone: Some(phone),
                    vehicle: Some(vehicle),
                    ..EditCourier::default()
                };
                ApiCall::EditCourier { courier, edit }
            }
            None => {
                let phone = Some(phone).filter(|phone| !phone.is_empty());
                ApiCall::CreateCourier { courier: CreateCourier::plain(name, phone, vehicle), key: self.new_key() }
            }
        };
        self.call_busy(call, effects);
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
