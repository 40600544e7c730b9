//! What the map shows beside the fleet itself.

use doorstep_shared::{CourierId, OrderId, Position, api::plan::PlanStop, protocol::courier::StopKind};

use super::{Console, Item};
use crate::{
    dispatch::{draft::StopKind as DraftStop, fleet::Courier, route::Open},
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
    /// Along the streets through the stops ahead.
    pub ahead: Vec<LonLat>,
    /// Straight through them, where nobody knows the streets.
    pub guess: Vec<LonLat>,
    /// In place of the fleet: where the replayed courier was, and their heading.
    pub replayed: Option<(LonLat, Option<f32>)>,
    /// A click puts a pin.
    pub is_placing: bool,
}

/// A stop of what is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The map's picture.
    pub icon: &'static str,
    pub at: LonLat,
    /// Its numbers in the plan.
    pub label: String,
}

impl Mark {
    /// A stop without a number.
    fn plain(icon: &'static str, at: LonLat) -> Self {
        Self { icon, at, label: String::new() }
    }
}

fn lon_lat(position: Position) -> LonLat {
    [position.lon, position.lat]
}

/// More numbers than this do not fit into one mark.
const MAX_NUMBERS: usize = 2;

/// A mark for each place, with the numbers of all stops of one kind there: `3`, `1, 4`, `1, 4…`.
fn numbered_marks(planned: &[(StopKind, LonLat)]) -> Vec<Mark> {
    let mut places: Vec<(StopKind, LonLat, Vec<String>)> = Vec::new();
    for (index, (kind, at)) in planned.iter().enumerate() {
        let number = (index + 1).to_string();
        match places.iter_mut().find(|(other, place, _)| (other, place) == (kind, at)) {
            Some((.., numbers)) => numbers.push(number),
            None => places.push((*kind, *at, vec![number])),
        }
    }
    let mark = |(kind, at, numbers): (StopKind, LonLat, Vec<String>)| {
        let more = if numbers.len() > MAX_NUMBERS { "…" } else { "" };
        Mark { icon: stop_icon(kind), at, label: numbers[..numbers.len().min(MAX_NUMBERS)].join(",") + more }
    };
    places.into_iter().map(mark).collect()
}

const fn stop_icon(kind: StopKind) -> &'static str {
    match kind {
        StopKind::Pickup => "stop-pickup",
        StopKind::Dropoff => "stop-dropoff",
        StopKind::Return => "stop-return",
    }
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
        let mark = |kind: DraftStop| Some(Mark::plain(kind.word(), draft.at(kind)?));
        scene.marks = DraftStop::ALL.into_iter().filter_map(mark).collect();
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
        scene.marks = vec![Mark::plain("pickup", pickup), Mark::plain("dropoff", door)];
        scene.ahead = self.way_ahead();
        scene.guess = match at {
            _ if !scene.ahead.is_empty() => Vec::new(),
            _ if order.status.is_final() => Vec::new(),
            Some(at) if order.is_loaded() => vec![at, door],
            Some(at) => vec![at, pickup, door],
            // Nobody goes there yet, and a straight line would be nobody's way.
            None => Vec::new(),
        };
    }

    fn courier_scene(&self, scene: &mut Scene) {
        let at = self.selected_scene(scene);
        self.courier_marks(scene);
        let depot = self.depot();
        scene.marks.extend(depot.map(|at| Mark::plain("depot", at)));
        scene.ahead = self.way_ahead();
        if scene.ahead.is_empty() {
            let stops: Vec<_> = self.planned_places().into_iter().map(|(_, at)| at).collect();
            let home = depot.filter(|_| !stops.is_empty());
            scene.guess = at.into_iter().chain(stops).chain(home).collect();
        }
    }

    /// Where the tours of the courier whose drawer is open begin and end.
    fn depot(&self) -> Option<LonLat> {
        let courier = self.drawer.courier.as_ref().filter(|view| self.route.open == Open::Courier(view.id))?;
        courier.depot.as_ref().map(|depot| [depot.lon, depot.lat])
    }

    /// The stops of the selected courier with their numbers; their doors while the plan is not known.
    fn courier_marks(&self, scene: &mut Scene) {
        let planned = self.planned_places();
        if !planned.is_empty() {
            scene.marks = numbered_marks(&planned);
            return;
        }
        let Some(courier) = scene.selected.and_then(|id| self.fleet.couriers.get(&id)) else { return };
        let details = courier.orders.iter().filter_map(|id| self.fleet.orders.get(id)?.details.as_ref());
        scene.marks =
            details.map(|details| Mark::plain("dropoff", [details.dropoff.lon, details.dropoff.lat])).collect();
    }

    /// The way through the plan along the streets, as the server last said: after a move it follows within a moment.
    fn way_ahead(&self) -> Vec<LonLat> {
        let view = self.planning.view.as_ref().filter(|_| self.planning.courier == self.courier_of_open());
        view.and_then(|view| view.line.clone()).unwrap_or_default()
    }

    /// The stops of the plan that is shown, and where they are.
    fn planned_places(&self) -> Vec<(StopKind, LonLat)> {
        let place = |stop: &PlanStop| {
            let details = self.fleet.orders.get(&stop.order_id)?.details.as_ref()?;
            let place = if stop.kind == StopKind::Dropoff { &details.dropoff } else { &details.pickup };
            Some((stop.kind, [place.lon, place.lat]))
        };
        let planning = &self.planning;
        let is_selected = planning.courier.is_some() && planning.courier == self.courier_of_open();
        if is_selected { planning.arrangement().stops.iter().filter_map(place).collect() } else { Vec::new() }
    }

    /// What to bring into view when something was opened.
    pub(super) fn fit_points(&self) -> Vec<LonLat> {
        let scene = self.scene();
        let courier = scene.selected.and_then(|id| self.fleet.couriers.get(&id));
        let at = courier.and_then(|courier: &Courier| courier.position).map(lon_lat);
        scene.marks.iter().map(|mark| mark.at).chain(at).collect()
    }
}
