//! The drawer beside the map: what is known about the order or courier that is open.

use doorstep_shared::api::{
    CourierView, DeviceView, OrderView,
    console::{CourierSuggestion, PlaceFound},
};

use super::{ApiCall, ApiError, Console, Effect};

/// What the drawer shows; it starts empty whenever something else is opened.
#[derive(Clone, Debug, Default)]
pub struct Drawer {
    /// Why the last call failed.
    pub problem: Option<String>,
    /// A call that changes something is on its way.
    pub is_busy: bool,
    /// The couriers to choose from are shown.
    pub is_assigning: bool,
    /// What was typed to find one of them.
    pub courier_query: String,
    pub suggestions: Option<Vec<CourierSuggestion>>,
    /// With timeline and proofs.
    pub order: Option<Box<OrderView>>,
    /// With the phone number.
    pub courier: Option<Box<CourierView>>,
    pub devices: Option<Vec<DeviceView>>,
    /// What the search for a depot's address found.
    pub places: Vec<PlaceFound>,
    /// The map keeps the courier in its middle.
    pub is_following: bool,
    /// The server does not know what is open.
    pub is_missing: bool,
}

impl Console {
    /// Calls the API for a change; the buttons wait for its reply.
    pub(super) fn call_busy(&mut self, call: ApiCall, effects: &mut Vec<Effect>) {
        let drawer = &mut *self.drawer;
        (drawer.is_busy, drawer.problem) = (true, None);
        effects.push(Effect::Call(call));
    }

    /// A change failed, and nothing else is known about it.
    pub(super) fn change_failed(&mut self, error: &ApiError) {
        let drawer = &mut *self.drawer;
        (drawer.is_busy, drawer.problem) = (false, Some(error.text()));
    }
}
