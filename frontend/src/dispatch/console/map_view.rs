//! What the dispatcher does on the map, and what the map is made to show.

use doorstep_shared::CourierId;

use super::{ApiCall, Console, Effect, Item, Screen};
use crate::dispatch::{draft::StopKind, fleet::is_away, pins::Pins, route::Open};

/// Where the map is.
#[derive(Clone, Copy, Debug, Default)]
pub struct MapView {
    /// The box that it shows, `[west, south, east, north]`.
    pub(super) bbox: Option<[f64; 4]>,
    /// What was opened must be brought into view as soon as its place is known.
    pub(super) is_fit_due: bool,
}

impl MapView {
    /// The middle of what is shown, `[lon, lat]`.
    pub(super) fn centre(self) -> Option<[f64; 2]> {
        self.bbox.map(|[west, south, east, north]| [(west + east) / 2.0, (south + north) / 2.0])
    }
}

/// What the dispatcher does on the map. Couriers are named by their number on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MapIntent {
    /// Click at `[lon, lat]`, on a courier, on an order's pin, or beside them.
    Clicked { at: [f64; 2], number: Option<u32>, pin: Option<u32> },
    /// Point at a courier or at an order's pin, or no longer.
    Pointed { number: Option<u32>, pin: Option<u32> },
    /// Bring every courier and every open order into view.
    ShowAll,
    /// Move the map by hand.
    Moved,
    /// Keep the open courier in the middle, or no longer.
    Follow(bool),
}

impl Console {
    pub(super) fn act_on_map(&mut self, intent: MapIntent, effects: &mut Vec<Effect>) {
        match intent {
            MapIntent::Clicked { at, number, pin } => self.map_clicked(at, self.item_at(number, pin), effects),
            MapIntent::Pointed { number, pin } => self.hover(self.item_at(number, pin)),
            MapIntent::ShowAll => self.show_all(effects),
            MapIntent::Moved => self.follow(false, effects),
            MapIntent::Follow(is_following) => self.follow(is_following, effects),
        }
    }

    /// The courier with this number, or the order with this pin.
    fn item_at(&self, number: Option<u32>, pin: Option<u32>) -> Option<Item> {
        let courier = number.and_then(|number| self.fleet.numbered(number)).map(Item::Courier);
        courier.or_else(|| pin.and_then(|pin| self.pins.numbered(pin)).map(Item::Order))
    }

    /// What changed about the pins of open orders since the last call.
    pub fn changed_pins(&mut self) -> Vec<f64> {
        self.pins.update(&self.fleet)
    }

    /// The map is a new one and has no pins.
    pub fn forget_pins(&mut self) {
        self.pins = Pins::default();
    }

    /// Brings everything into view: two corners are enough.
    fn show_all(&mut self, effects: &mut Vec<Effect>) {
        let at_work = self.fleet.couriers.values().filter(|courier| !is_away(courier, self.at_ms));
        let couriers = at_work.filter_map(|courier| courier.position).map(|position| [position.lon, position.lat]);
        let open = self.fleet.orders.values().filter(|order| !order.status.is_final());
        let places = open
            .filter_map(|order| order.details.as_ref())
            .flat_map(|details| [[details.pickup.lon, details.pickup.lat], [details.dropoff.lon, details.dropoff.lat]]);
        let corners = couriers.chain(places).fold(None, |corners, [lon, lat]| {
            let [[west, south], [east, north]] = corners.unwrap_or([[lon, lat]; 2]);
            Some([[west.min(lon), south.min(lat)], [east.max(lon), north.max(lat)]])
        });
        effects.extend(corners.map(|corners| Effect::Fit { points: corners.to_vec() }));
    }

    /// Puts a pin of the new order, or opens what was clicked.
    fn map_clicked(&mut self, at: [f64; 2], item: Option<Item>, effects: &mut Vec<Effect>) {
        if self.is_form_open() {
            self.pin(at, effects);
        } else if let Some(item) = item {
            self.open(item.opens(), effects);
        }
    }

    fn pin(&mut self, at: [f64; 2], effects: &mut Vec<Effect>) {
        let form = &mut *self.form;
        let kind = form.draft.placing;
        form.draft.pin(at, None);
        form.found = None;
        if StopKind::ALL.into_iter().all(|kind| self.form.draft.at(kind).is_some()) {
            self.selection.screen = Screen::Details;
        }
        if let Some(at) = self.form.draft.at(kind) {
            effects.push(Effect::Call(ApiCall::AddressAt { kind, at }));
        }
    }

    fn follow(&mut self, is_following: bool, effects: &mut Vec<Effect>) {
        if self.drawer.is_following == is_following {
            return;
        }
        self.drawer.is_following = is_following;
        let courier = self.courier_of_open().filter(|_| is_following);
        let position = courier.and_then(|id| self.fleet.couriers.get(&id)).and_then(|courier| courier.position);
        if let Some(position) = position {
            effects.push(Effect::Fit { points: vec![[position.lon, position.lat]] });
        }
    }

    /// Brings what was opened into view, once all of it that has a place is known: the order's stops and its courier.
    pub(super) fn fit_due(&mut self, effects: &mut Vec<Effect>) {
        if !self.map_view.is_fit_due || !self.is_place_known() {
            return;
        }
        let points = self.fit_points();
        self.map_view.is_fit_due = points.is_empty();
        effects.extend((!points.is_empty()).then_some(Effect::Fit { points }));
    }

    /// Whether the stops of a courier have places, or will have none.
    fn is_plan_placed(&self, courier: CourierId) -> bool {
        let planning = &self.planning;
        let is_known = planning.courier == Some(courier) && (planning.view.is_some() || planning.problem.is_some());
        let stops = planning.view.iter().flat_map(|view| &view.stops);
        let has_details = |id| self.fleet.orders.get(&id).is_none_or(|order| order.details.is_some());
        is_known && stops.map(|stop| stop.order_id).all(has_details)
    }

    fn is_place_known(&self) -> bool {
        let has_details = |id| self.fleet.orders.get(&id).is_some_and(|order| order.details.is_some());
        self.fleet.is_known
            && match self.route.open {
                Open::Order(id) => has_details(id),
                Open::Courier(id) => self.is_plan_placed(id),
                _ => true,
            }
    }
}
