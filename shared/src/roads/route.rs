//! The quickest route between two points on the streets.
//!
//! A* over the nodes, with both ends in the middle of edges. A search written by hand rather than petgraph's: costs sit
//! in one flat array instead of a hash map, and edges may be entered half-way, which together make it several times
//! faster. Not aware of turn restrictions.

use std::{cmp::Ordering, collections::BinaryHeap};

use super::{
    in_space::InSpace,
    network::{Arc, Edge, EdgeId, RoadNetwork, Snap},
    speed::{cruise_mps, junction_delay_s},
};
use crate::{LatLon, Vehicle, geo::polyline::length_m};

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

/// The cost of moving along edges for one vehicle, in seconds.
struct Costs {
    vehicle: Vehicle,
    seconds_per_metre: [f64; 256],
    junction_delay_s: f64,
    /// No route costs less than this for each metre as the crow flies.
    least_seconds_per_metre: f64,
}

impl Costs {
    fn new(vehicle: Vehicle, highest_limit_kmh: u8) -> Self {
        let mut seconds_per_metre = [0.0; 256];
        for (limit_kmh, seconds) in (0..=u8::MAX).zip(&mut seconds_per_metre) {
            *seconds = 1.0 / cruise_mps(vehicle, limit_kmh);
        }
        let least_seconds_per_metre =
            (1..=highest_limit_kmh).fold(f64::INFINITY, |least, limit| least.min(seconds_per_metre[limit as usize]));
        Self { vehicle, seconds_per_metre, junction_delay_s: junction_delay_s(vehicle), least_seconds_per_metre }
    }

    fn may_go(&self, edge: &Edge, forward: bool) -> bool {
        forward || !edge.one_way || self.vehicle == Vehicle::Foot
    }

    /// A traveller at a node may use any edge there, whichever edge they were found on.
    fn may_go_some(&self, edge: &Edge, forward: bool, metres: f64) -> bool {
        metres == 0.0 || self.may_go(edge, forward)
    }

    fn of(&self, edge: &Edge, metres: f64) -> f64 {
        metres * self.seconds_per_metre[edge.limit_kmh as usize]
    }
}

/// An entry of the search's queue; the entry with the least possible total comes out first.
struct Candidate {
    promise_s: f64,
    cost_s: f64,
    node: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        // BinaryHeap gives the greatest; ties are broken by the node so that routes are reproducible.
        other.promise_s.total_cmp(&self.promise_s).then_with(|| other.node.cmp(&self.node))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// How a node was reached.
#[derive(Clone, Copy)]
struct Reached {
    cost_s: f64,
    by: Arc,
    /// The arc is the start's own edge, travelled from the start's point on.
    first: bool,
}

const NOT_REACHED: Reached = Reached { cost_s: f64::INFINITY, by: Arc { edge: 0, forward: true }, first: false };

/// How the goal's point is entered.
#[derive(Clone, Copy)]
enum Finish {
    /// Both ends lie on one edge and the route never leaves it.
    OnOneEdge { forward: bool },
    /// Through this node onto the goal's edge.
    Through { node: u32, forward: bool },
}

pub(super) fn quickest(network: &RoadNetwork, start: &Snap, goal: &Snap, vehicle: Vehicle) -> Option<Route> {
    let costs = Costs::new(vehicle, network.highest_limit_kmh);
    let mut search = Search::new(network, &costs, start, goal);
    search.run();
    let (duration_s, finish) = search.best?;
    let mut line = LineBuilder::new(network);
    match finish {
        Finish::OnOneEdge { forward } => line.follow(start.edge, forward, Some(start), Some(goal)),
        Finish::Through { node, forward } => {
            let (first, others) = search.arcs_to(node);
            line.follow(EdgeId(first.edge), first.forward, Some(start), None);
            for arc in others {
                line.follow(EdgeId(arc.edge), arc.forward, None, None);
            }
            line.follow(goal.edge, forward, None, Some(goal));
        }
    }
    Some(line.finish(start, duration_s))
}

struct Search<'a> {
    network: &'a RoadNetwork,
    costs: &'a Costs,
    start: &'a Snap,
    goal: &'a Snap,
    goal_in_space: InSpace,
    reached: Vec<Reached>,
    queue: BinaryHeap<Candidate>,
    best: Option<(f64, Finish)>,
}

impl<'a> Search<'a> {
    fn new(network: &'a RoadNetwork, costs: &'a Costs, start: &'a Snap, goal: &'a Snap) -> Self {
        let reached = vec![NOT_REACHED; network.nodes.len()];
        let goal_in_space = InSpace::of(goal.point);
        Self { network, costs, start, goal, goal_in_space, reached, queue: BinaryHeap::new(), best: None }
    }

    fn run(&mut self) {
        self.stay_on_one_edge();
        self.leave_start();
        while let Some(Candidate { promise_s, cost_s, node }) = self.queue.pop() {
            if self.best.is_some_and(|(best_s, _)| promise_s >= best_s) {
                break;
            }
            if cost_s > self.reached[node as usize].cost_s {
                continue;
            }
            self.enter_goal(node, cost_s);
            self.expand(node, cost_s);
        }
    }

    fn stay_on_one_edge(&mut self) {
        if self.start.edge != self.goal.edge {
            return;
        }
        let edge = &self.network.edges[self.start.edge.0 as usize];
        let metres = self.goal.along_m - self.start.along_m;
        let forward = metres >= 0.0;
        if self.costs.may_go_some(edge, forward, metres) {
            self.offer(self.costs.of(edge, metres.abs()), Finish::OnOneEdge { forward });
        }
    }

    fn leave_start(&mut self) {
        let edge = &self.network.edges[self.start.edge.0 as usize];
        let ends = [(edge.to, true, edge.length_m - self.start.along_m), (edge.from, false, self.start.along_m)];
        for (node, forward, metres) in ends {
            if self.costs.may_go_some(edge, forward, metres) {
                let by = Arc { edge: self.start.edge.0, forward };
                self.reach(node, Reached { cost_s: self.costs.of(edge, metres), by, first: true });
            }
        }
    }

    fn enter_goal(&mut self, node: u32, cost_s: f64) {
        let edge = &self.network.edges[self.goal.edge.0 as usize];
        let ends = [(edge.from, true, self.goal.along_m), (edge.to, false, edge.length_m - self.goal.along_m)];
        for (entry, forward, metres) in ends {
            if entry == node && self.costs.may_go_some(edge, forward, metres) {
                let delay_s = if metres > 0.0 { self.delay_s(node) } else { 0.0 };
                self.offer(cost_s + delay_s + self.costs.of(edge, metres), Finish::Through { node, forward });
            }
        }
    }

    fn offer(&mut self, total_s: f64, finish: Finish) {
        if self.best.is_none_or(|(best_s, _)| total_s < best_s) {
            self.best = Some((total_s, finish));
        }
    }

    fn expand(&mut self, node: u32, cost_s: f64) {
        let network = self.network;
        let delay_s = self.delay_s(node);
        for arc in network.arcs_from(node) {
            let edge = &network.edges[arc.edge as usize];
            if self.costs.may_go(edge, arc.forward) {
                let cost_s = cost_s + delay_s + self.costs.of(edge, edge.length_m);
                self.reach(edge.end(arc.forward), Reached { cost_s, by: *arc, first: false });
            }
        }
    }

    /// Where only two ways meet, the street merely changes its name or its limit.
    fn delay_s(&self, node: u32) -> f64 {
        if self.network.arcs_from(node).len() > 2 { self.costs.junction_delay_s } else { 0.0 }
    }

    fn reach(&mut self, node: u32, reached: Reached) {
        let held = &mut self.reached[node as usize];
        if reached.cost_s >= held.cost_s {
            return;
        }
        *held = reached;
        let left_m = self.network.nodes_in_space[node as usize].chord_m(self.goal_in_space);
        let promise_s = reached.cost_s + left_m * self.costs.least_seconds_per_metre;
        self.queue.push(Candidate { promise_s, cost_s: reached.cost_s, node });
    }

    /// The arc that left the start, and those after it up to `node`.
    fn arcs_to(&self, mut node: u32) -> (Arc, Vec<Arc>) {
        let mut arcs = Vec::new();
        loop {
            let Reached { by, first, .. } = self.reached[node as usize];
            if first {
                arcs.reverse();
                return (by, arcs);
            }
            arcs.push(by);
            node = self.network.edges[by.edge as usize].end(!by.forward);
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
        let edge = &self.network.edges[id.0 as usize];
        let line = self.network.line(edge);
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
            self.steps.push(Step { first_point, edge: id, forward, limit_kmh: edge.limit_kmh });
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
            let limit_kmh = self.network.edges[start.edge.0 as usize].limit_kmh;
            self.line = vec![start.point; 2];
            self.steps.push(Step { first_point: 0, edge: start.edge, forward: true, limit_kmh });
        }
        Route { length_m: length_m(&self.line), line: self.line, duration_s, steps: self.steps }
    }
}
