//! What the map shows beside the fleet itself.

use doorstep_shared::{CourierId, OrderId, Position};

use super::{Console, Item};
use crate::{
    dispatch::{draft::StopKind, fleet::Courier, route::Open},
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
    /// Where the courier came along; several lines where there are gaps.
    pub behind: Vec<Vec<LonLat>>,
    /// The replayed day's whole way, faint.
    pub whole: Vec<Vec<LonLat>>,
    /// Straight to the next stops.
    pub ahead: Vec<LonLat>,
    /// In place of the fleet: where the replayed courier was, and their heading.
    pub replayed: Option<(LonLat, Option<f32>)>,
    /// A click puts a pin.
    pub is_placing: bool,
}

/// A stop of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub kind: StopKind,
    pub at: LonLat,
}

fn lon_lat(position: Position) -> LonLat {
    [position.lon, position.lat]
}

impl Console {
    /// What the map shows now.
    pub fn scene(&self) -> Scene {
        let mut scene = Scene { hover: self.hovered_courier(), ..Scene::default() };
        match self.route.open {
            Open::Nothing => {}
            Open::NewOrder => self.draft_scene(&mut scene),
            Open::Replay(..) => self.replay_scene(&mut scene),
            Open::Order(_) if self.edited().is_some() => self.draft_scene(&mut scene),
            Open::Order(id) => self.order_scene(id, &mut scene),
            Open::Courier(_) => self.courier_scene(&mut scene),
        }
        scene
    }

    fn hovered_courier(&self) -> Option<CourierId> {
        match self.selection.hover? {
            Item::Courier(id) => Some(id),
            Item::Order(id) => self.fleet.orders.get(&id)?.courier_id,
        }
    }

    fn draft_scene(&self, scene: &mut Scene) {
        scene.is_placing = true;
        let draft = &self.form.draft;
        let mark = |kind| Some(Mark { kind, at: draft.at(kind)? });
        scene.marks = StopKind::ALL.into_iter().filter_map(mark).collect();
    }

    fn replay_scene(&self, scene: &mut Scene) {
        let Some(replay) = &self.replay.current else { return };
        (scene.behind, scene.whole) = (replay.behind(), replay.whole());
        scene.replayed = replay.shown().map(|shown| (shown.at, shown.heading_deg));
    }

    /// The courier of what is open, large and with their trail; answers where they are.
    fn selected_scene(&self, scene: &mut Scene) -> Option<LonLat> {
        scene.selected = self.courier_of_open();
        let courier = scene.selected.and_then(|id| self.fleet.couriers.get(&id));
        let at = courier.and_then(|courier| courier.position).map(lon_lat);
        if !self.trail.points.is_empty() && self.trail.courier == scene.selected {
            scene.behind = vec![self.trail.points.iter().copied().chain(at).collect()];
        }
        at
    }

    fn order_scene(&self, id: OrderId, scene: &mut Scene) {
        let at = self.selected_scene(scene);
        let Some(order) = self.fleet.orders.get(&id) else { return self.courier_marks(scene) };
        let Some(details) = &order.details else { return self.courier_marks(scene) };
        let (pickup, door) = ([details.pickup.lon, details.pickup.lat], [details.dropoff.lon, details.dropoff.lat]);
        scene.marks = vec![Mark { kind: StopKind::Pickup, at: pickup }, Mark { kind: StopKind::Dropoff, at: door }];
        scene.ahead = match at {
            _ if order.status.is_final() => Vec::new(),
            Some(at) if order.is_loaded() => vec![at, door],
            Some(at) => vec![at, pickup, door],
            None => vec![pickup, door],
        };
    }

    fn courier_scene(&self, scene: &mut Scene) {
        self.selected_scene(scene);
        self.courier_marks(scene);
    }

    /// The doors that the selected courier goes to.
    fn courier_marks(&self, scene: &mut Scene) {
        let Some(courier) = scene.selected.and_then(|id| self.fleet.couriers.get(&id)) else { return };
        let details = courier.orders.iter().filter_map(|id| self.fleet.orders.get(id)?.details.as_ref());
        let door = |at| Mark { kind: StopKind::Dropoff, at };
        scene.marks = details.map(|details| door([details.dropoff.lon, details.dropoff.lat])).collect();
    }

    /// What to bring into view when something was opened.
    pub(super) fn fit_points(&self) -> Vec<LonLat> {
        let scene = self.scene();
        let courier = scene.selected.and_then(|id| self.fleet.couriers.get(&id));
        let at = courier.and_then(|courier: &Courier| courier.position).map(lon_lat);
        scene.marks.iter().map(|mark| mark.at).chain(at).collect()
    }
}
