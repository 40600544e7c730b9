//! What the map shows beside the fleet itself.

use doorstep_shared::CourierId;

use super::{Ask, Console, Effect, Item, MAX_TRAIL, TRAIL_MS};
use crate::{
    dispatch::{draft::End, place::Open},
    map::plane::LonLat,
};

/// Everything on the map that is not the fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The courier drawn large.
    pub selected: Option<CourierId>,
    /// The courier with a ring around them.
    pub hover: Option<CourierId>,
    pub marks: Vec<Mark>,
    /// Where they came along; several lines where there are gaps.
    pub behind: Vec<Vec<LonLat>>,
    /// The day's whole way, faint.
    pub whole: Vec<Vec<LonLat>>,
    /// Straight to the next goal.
    pub ahead: Vec<LonLat>,
    /// In place of the fleet: where the replayed courier was.
    pub ghost: Option<(LonLat, Option<f32>)>,
    /// A click puts a pin.
    pub is_placing: bool,
    pub is_following: bool,
}

/// A place of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub end: End,
    pub at: LonLat,
}

impl Console {
    /// What the map shows now.
    pub fn scene(&self) -> Scene {
        let hovered = match self.hover {
            Some(Item::Courier(id)) => Some(id),
            Some(Item::Order(id)) => self.fleet.orders.get(&id).and_then(|order| order.courier_id),
            None => None,
        };
        let mut scene = Scene { hover: hovered, is_following: self.drawer.is_following, ..Scene::default() };
        match self.place.open {
            Open::Nothing => {}
            Open::NewOrder => {
                scene.is_placing = true;
                let draft = &self.form.draft;
                let placed = End::ALL.into_iter().filter_map(|end| Some(Mark { end, at: draft.place(end).at? }));
                scene.marks = placed.collect();
            }
            Open::Replay(..) => self.replay_scene(&mut scene),
            Open::Order(_) | Open::Courier(_) => self.open_scene(&mut scene),
        }
        scene
    }

    fn replay_scene(&self, scene: &mut Scene) {
        let Some(replay) = &self.replay else { return };
        (scene.behind, scene.whole) = (replay.behind(), replay.whole());
        scene.ghost = replay.shown().map(|shown| (shown.at, shown.heading_deg));
    }

    fn open_scene(&self, scene: &mut Scene) {
        scene.selected = self.courier_of_open();
        let courier = scene.selected.and_then(|id| self.fleet.couriers.get(&id));
        let at = courier.and_then(|courier| courier.position).map(|position| [position.lon, position.lat]);
        if !self.drawer.trail.is_empty() && self.drawer.trail_of == scene.selected {
            scene.behind = vec![self.drawer.trail.iter().copied().chain(at).collect()];
        }
        if let Open::Order(id) = self.place.open
            && let Some(details) = self.fleet.orders.get(&id).and_then(|order| order.details.as_ref())
        {
            let (pickup, door) = ([details.pickup.lon, details.pickup.lat], [details.dropoff.lon, details.dropoff.lat]);
            scene.marks = vec![Mark { end: End::Pickup, at: pickup }, Mark { end: End::Dropoff, at: door }];
            let is_loaded = self.fleet.orders[&id].status.step() >= Some(3);
            scene.ahead = match at {
                Some(at) if is_loaded => vec![at, door],
                Some(at) => vec![at, pickup, door],
                None => vec![pickup, door],
            };
            if self.fleet.orders[&id].status.is_final() {
                scene.ahead.clear();
            }
        } else if let Some(courier) = courier {
            let goals = courier.orders.iter().filter_map(|id| self.fleet.orders.get(id));
            let doors = goals
                .filter_map(|order| order.details.as_ref())
                .map(|details| Mark { end: End::Dropoff, at: [details.dropoff.lon, details.dropoff.lat] });
            scene.marks = doors.collect();
        }
    }

    /// What to bring into view when something was opened.
    pub(super) fn fit(&self) -> Vec<LonLat> {
        let scene = self.scene();
        let courier = scene.selected.and_then(|id| self.fleet.couriers.get(&id)).and_then(|courier| courier.position);
        let at = courier.map(|position| [position.lon, position.lat]);
        scene.marks.iter().map(|mark| mark.at).chain(at).collect()
    }

    /// The courier of what is open gets a trail.
    pub(super) fn begin_trail(&mut self, effects: &mut Vec<Effect>) {
        let courier = self.courier_of_open();
        if self.drawer.trail_of == courier {
            return;
        }
        self.drawer.trail.clear();
        self.drawer.trail_of = courier;
        if let Some(courier) = courier {
            effects.push(Effect::Ask(Ask::Trail { courier, from_ms: self.at_ms - TRAIL_MS }));
        }
    }

    /// Their trail goes on with every position.
    pub(super) fn extend_trail(&mut self, effects: &mut Vec<Effect>) {
        let Some(courier) = self.drawer.trail_of.and_then(|id| self.fleet.couriers.get(&id)) else { return };
        let Some(at) = courier.position.map(|position| [position.lon, position.lat]) else { return };
        if self.drawer.trail.last() == Some(&at) {
            return;
        }
        self.drawer.trail.push(at);
        let surplus = self.drawer.trail.len().saturating_sub(MAX_TRAIL);
        self.drawer.trail.drain(..surplus);
        if self.drawer.is_following {
            effects.push(Effect::Fit { points: vec![at] });
        }
    }
}
