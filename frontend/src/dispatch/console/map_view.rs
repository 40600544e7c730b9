//! What the dispatcher does on the map, and what the map is made to show.

use super::{ApiCall, Console, Effect, Item, Screen};
use crate::dispatch::{draft::StopKind, route::Open};

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
    /// Click at `[lon, lat]`, on a courier or beside them.
    Clicked { at: [f64; 2], number: Option<u32> },
    /// Point at a courier, or no longer.
    Pointed(Option<u32>),
    /// Move the map by hand.
    Moved,
    /// Keep the open courier in the middle, or no longer.
    Follow(bool),
}

impl Console {
    pub(super) fn act_on_map(&mut self, intent: MapIntent, effects: &mut Vec<Effect>) {
        match intent {
            MapIntent::Clicked { at, number } => self.map_clicked(at, number, effects),
            MapIntent::Pointed(number) => {
                self.hover(number.and_then(|number| self.fleet.numbered(number)).map(Item::Courier));
            }
            MapIntent::Moved => self.follow(false, effects),
            MapIntent::Follow(is_following) => self.follow(is_following, effects),
        }
    }

    /// Puts a pin of the new order, or opens the courier who was clicked.
    fn map_clicked(&mut self, at: [f64; 2], number: Option<u32>, effects: &mut Vec<Effect>) {
        if self.is_form_open() {
            self.pin(at, effects);
        } else if let Some(courier) = number.and_then(|number| self.fleet.numbered(number)) {
            self.open(Open::Courier(courier), effects);
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

    fn is_place_known(&self) -> bool {
        let has_details = |id| self.fleet.orders.get(&id).is_some_and(|order| order.details.is_some());
        self.fleet.is_known
            && match self.route.open {
                Open::Order(id) => has_details(id),
                _ => true,
            }
    }
}
