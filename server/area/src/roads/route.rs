//! The quickest route between two points on the streets.

use std::cell::RefCell;

use super::{
    costs::Costs,
    in_space::InSpace,
    landmarks::{Distances, Landmarks, units},
    network::{EdgeId, RoadNetwork, Snap},
    search::{Aim, Arrival, Finish, Goal, Search, Workspace},
    topology::{ArcId, edge_of, is_forward},
    zone::Zone,
};
use doorstep_shared::{LatLon, Vehicle, geo::polyline::length_m};

thread_local! {
    static WORKSPACE: RefCell<Workspace> = const { RefCell::new(Workspace::new()) };
}

/// Lends the thread's workspace.
pub(super) fn with_workspace<T>(work: impl FnOnce(&mut Workspace) -> T) -> T {
    WORKSPACE.with_borrow_mut(work)
}

/// A route along the streets.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The points to go through, at least two. The first and the last lie on streets; they are equal, and the
    /// only ones, when there is nowhere to go.
    pub line: Vec<LatLon>,
    /// Metres along `line`.
    pub length_m: f64,
    /// Seconds it takes on average.
    pub duration_s: f64,
    /// Which streets the line follows, in order; at least one.
    pub steps: Vec<Step>,
}

/// A stretch of a [`Route`] on one edge. It reaches to the next step's first point, or to the line's end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Index into [`Route::line`] of the point that it begins with.
    pub first_point: usize,
    /// The edge it lies on.
    pub edge: EdgeId,
    /// Along the edge's own direction.
    pub forward: bool,
    /// Speed limit in km/h.
    pub limit_kmh: u8,
}

/// Aims at one goal.
struct Towards<'a> {
    network: &'a RoadNetwork,
    goal: InSpace,
    seconds_per_metre: f32,
    /// The least from the nearest quay on: whoever takes a boat goes ashore somewhere.
    by_boat_s: f32,
    by_landmarks: Option<ByLandmarks<'a>>,
}

/// What the landmarks say about the goal.
struct ByLandmarks<'a> {
    landmarks: &'a Landmarks,
    goal: Vec<Distances>,
    /// The vehicle's seconds for a unit of the landmarks.
    seconds_per_unit: f32,
    /// What distances add beyond a goal that is a node, where a traveller stops and does not wait to go on.
    beyond_s: f32,
}

impl<'a> Towards<'a> {
    fn new(network: &'a RoadNetwork, costs: &Costs, goal: &Snap) -> Self {
        let in_space = InSpace::of(goal.point);
        let to_quay_m = network.quays.iter().map(|quay| quay.chord_m(in_space)).fold(f64::INFINITY, f64::min);
        Self {
            network,
            goal: in_space,
            seconds_per_metre: costs.least_seconds_per_metre,
            by_boat_s: to_quay_m as f32 * costs.least_seconds_per_metre,
            by_landmarks: ByLandmarks::new(network, costs, goal),
        }
    }
}

impl<'a> ByLandmarks<'a> {
    fn new(network: &'a RoadNetwork, costs: &Costs, goal: &Snap) -> Option<Self> {
        let (landmarks, number) = (network.landmarks.get(costs.group)?, goal.edge.0 as usize);
        let edge = &network.edges[number];
        let whole_s = network.least_along_s(costs.group, number);
        let share = goal.along_m / edge.length_m.max(1e-9);
        let half_wait_s = |node: u32| network.least_wait_s(costs.group, node) / 2.0;
        let end = |node: u32, share: f64| (node, units(costs.group, whole_s * share + half_wait_s(node)));
        let of_goal = landmarks.of_point([end(edge.from, share), end(edge.to, 1.0 - share)]);
        let is_node = goal.along_m == 0.0 || goal.along_m == edge.length_m;
        let beyond_s = if is_node { half_wait_s(edge.from).max(half_wait_s(edge.to)) } else { 0.0 };
        Some(Self {
            landmarks,
            goal: of_goal,
            seconds_per_unit: costs.times_least * (1.0 / units(costs.group, 1.0)) as f32,
            beyond_s: beyond_s as f32 * costs.times_least,
        })
    }

    fn least_s(&self, node: u32) -> f32 {
        f32::from(self.landmarks.least(node, &self.goal)) * self.seconds_per_unit - self.beyond_s
    }
}

impl Aim for Towards<'_> {
    fn least_s(&self, node: u32) -> f32 {
        let straight_m = self.network.nodes_in_space[node as usize].chord_m(self.goal) as f32;
        let straight_s = (straight_m * self.seconds_per_metre).min(self.by_boat_s);
        self.by_landmarks.as_ref().map_or(straight_s, |by| straight_s.max(by.least_s(node)))
    }
}

pub(super) fn quickest(network: &RoadNetwork, start: &Snap, goal: &Snap, vehicle: Vehicle) -> Option<Route> {
    let costs = network.costs(vehicle);
    let zone = Zone::around(network, costs.profile, [start, goal]);
    with_workspace(|work| {
        let aim = Towards::new(network, costs, goal);
        let mut search = Search { network, costs, start, zone: &zone, aim, work };
        let mut goals = [Goal { snap: goal, best: None }];
        search.run(&mut goals);
        let Arrival { finish, .. } = goals[0].best?;
        let way = Way::new(&search, finish, goal);
        let mut line = LineBuilder::new(network);
        for (index, arc) in way.arcs.iter().enumerate() {
            let from = (index == 0).then_some(start);
            let to = (index + 1 == way.arcs.len() && way.ends_on_last).then_some(goal);
            line.follow(EdgeId(edge_of(*arc) as u32), is_forward(*arc), from, to);
        }
        Some(line.finish(start, way.duration_s))
    })
}

/// The arcs of a way from a search's start to one of its goals.
pub(super) struct Way {
    arcs: Vec<ArcId>,
    /// Whether the goal lies on the last arc rather than at its end.
    ends_on_last: bool,
    /// Without penalties.
    pub(super) duration_s: f64,
    pub(super) length_m: f64,
}

impl Way {
    pub(super) fn new<A: Aim>(search: &Search<'_, A>, finish: Finish, goal: &Snap) -> Self {
        let goal_arc = |forward: bool| goal.edge.0 * 2 + u32::from(!forward);
        let (arcs, ends_on_last) = match finish {
            Finish::OnOneEdge { forward } => (vec![goal_arc(forward)], true),
            Finish::AtNode { after } => (search.arcs_to(after), false),
            Finish::Onto { after, forward } => {
                let mut arcs = search.arcs_to(after);
                arcs.push(goal_arc(forward));
                (arcs, true)
            }
        };
        let mut way = Self { arcs, ends_on_last, duration_s: 0.0, length_m: 0.0 };
        way.measure(search, goal);
        way
    }

    fn measure<A: Aim>(&mut self, search: &Search<'_, A>, goal: &Snap) {
        let last = self.arcs.len() - 1;
        for (index, arc) in self.arcs.iter().copied().enumerate() {
            let edge = &search.network.edges[edge_of(arc)];
            let mut ends_m = [0.0, edge.length_m];
            if index == 0 {
                ends_m[usize::from(!is_forward(arc))] = search.start.along_m;
            }
            if index == last && self.ends_on_last {
                ends_m[usize::from(is_forward(arc))] = goal.along_m;
            }
            let metres = (ends_m[1] - ends_m[0]).abs();
            self.length_m += metres;
            self.duration_s += f64::from(search.costs.along_s(edge, metres));
            if index > 0 {
                let node = search.network.topology.tail(arc);
                self.duration_s += f64::from(search.passage_s(self.arcs[index - 1], arc, node));
            }
        }
    }
}

/// Strings the geometry of edges together.
struct LineBuilder<'a> {
    network: &'a RoadNetwork,
    line: Vec<LatLon>,
    steps: Vec<Step>,
}

impl<'a> LineBuilder<'a> {
    fn new(network: &'a RoadNetwork) -> Self {
        Self { network, line: Vec::new(), steps: Vec::new() }
    }

    /// Goes along an edge: the whole of it, or only from or up to a point on it.
    fn follow(&mut self, id: EdgeId, forward: bool, start: Option<&Snap>, end: Option<&Snap>) {
        let line = self.network.line(id);
        let first_point = self.line.len().saturating_sub(1);
        self.push_all(start.map(|snap| snap.point));
        if forward {
            let from = start.map_or(0, |snap| snap.segment + 1);
            let to = end.map_or(line.len(), |snap| snap.segment + 1);
            self.push_all(line[from..to.max(from)].iter().copied());
        } else {
            let from = start.map_or(line.len(), |snap| snap.segment + 1);
            let to = end.map_or(0, |snap| snap.segment + 1);
            self.push_all(line[to.min(from)..from].iter().rev().copied());
        }
        self.push_all(end.map(|snap| snap.point));
        if self.line.len() > first_point + 1 {
            let limit_kmh = self.network.limit_kmh(id);
            self.steps.push(Step { first_point, edge: id, forward, limit_kmh });
        }
    }

    fn push_all(&mut self, points: impl IntoIterator<Item = LatLon>) {
        for point in points {
            if self.line.last() != Some(&point) {
                self.line.push(point);
            }
        }
    }

    fn finish(mut self, start: &Snap, duration_s: f64) -> Route {
        if self.steps.is_empty() {
            self.line = vec![start.point; 2];
            let limit_kmh = self.network.limit_kmh(start.edge);
            self.steps.push(Step { first_point: 0, edge: start.edge, forward: true, limit_kmh });
        }
        Route { length_m: length_m(&self.line), line: self.line, duration_s, steps: self.steps }
    }
}
