//! Finds the quickest ways from a point, over states of [`super::topology`].
//!
//! A* with both ends in the middle of edges, written by hand rather than petgraph's: costs depend on the turn, edges are
//! entered half-way, and labels lie in pages that a thread keeps. Towards many goals, or with nothing to aim by, the
//! promise is zero and it is Dijkstra's algorithm.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    costs::{Costs, THROUGH_DESTINATION_S},
    labels::Paged,
    network::{Edge, RoadNetwork, Snap},
    topology::{ArcId, State, edge_of, is_forward},
    zone::Zone,
};

const NOTHING: u32 = u32::MAX;

/// How a state was reached.
#[derive(Clone, Copy, Debug)]
struct Label {
    /// Up to the end of its arc, in seconds; penalties included.
    cost_s: f32,
    /// The state before; [`NOTHING`] for the arc on which the search began.
    before: State,
    /// Whether the way up to here passed what may make it worth while to come back: a turn that is forbidden to some, a
    /// barrier, a boat or a street for destinations.
    has_reason_to_return: bool,
}

const UNREACHED: Label = Label { cost_s: f32::INFINITY, before: NOTHING, has_reason_to_return: false };

/// What is known of a node.
#[derive(Clone, Copy, Debug)]
struct Met {
    /// The least that is left from here, in seconds; negative when nobody asked yet.
    least_s: f32,
    /// The first state in which the node was settled, and its cost.
    first: State,
    cost_s: f32,
    has_reason_to_return: bool,
}

const UNMET: Met = Met { least_s: -1.0, first: NOTHING, cost_s: f32::INFINITY, has_reason_to_return: false };

/// Where to go on from a node that is settled once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Onward {
    Everywhere,
    Only(ArcId),
    Nowhere,
}

/// What searches of one thread write into, one after the other.
#[derive(Debug)]
pub(super) struct Workspace {
    labels: Paged<Label>,
    nodes: Paged<Met>,
    /// The bits of the promise, and the state: positive floats are ordered as their bits are.
    queue: BinaryHeap<Reverse<(u32, State)>>,
}

impl Workspace {
    pub(super) const fn new() -> Self {
        Self { labels: Paged::new(UNREACHED), nodes: Paged::new(UNMET), queue: BinaryHeap::new() }
    }
}

/// A point to arrive at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal<'a> {
    pub(super) snap: &'a Snap,
    pub(super) best: Option<Arrival>,
}

/// The best way found to a goal so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) cost_s: f32,
    pub(super) finish: Finish,
}

/// How a goal is entered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Finish {
    /// Both ends lie on one edge and the route never leaves it.
    OnOneEdge { forward: bool },
    /// The goal is the node at the end of this state.
    AtNode { after: State },
    /// From this state onto the goal's edge.
    Onto { after: State, forward: bool },
}

/// What a search aims by: the least seconds from a node to the goal.
pub(super) trait Aim {
    fn least_s(&self, node: u32) -> f32;
}

/// Towards everywhere.
impl Aim for () {
    fn least_s(&self, _: u32) -> f32 {
        0.0
    }
}

pub(super) struct Search<'a, A> {
    pub(super) network: &'a RoadNetwork,
    pub(super) costs: &'a Costs,
    pub(super) start: &'a Snap,
    pub(super) zone: &'a Zone,
    pub(super) aim: A,
    pub(super) work: &'a mut Workspace,
}

impl<A: Aim> Search<'_, A> {
    /// Fills in the best arrival at each of `goals`.
    pub(super) fn run(&mut self, goals: &mut [Goal<'_>]) {
        self.work.labels.clear(self.network.topology.state_count());
        self.work.nodes.clear(self.network.node_count());
        self.work.queue.clear();
        goals.iter_mut().for_each(|goal| self.stay_on_one_edge(goal));
        self.leave_start();
        while let Some(Reverse((bits, state))) = self.work.queue.pop() {
            let promise_s = f32::from_bits(bits);
            if goals.iter().all(|goal| goal.best.is_some_and(|best| best.cost_s <= promise_s)) {
                break;
            }
            let node = self.network.topology.head(self.network.topology.arc_of(state));
            let cost_s = self.work.labels.get(state).cost_s;
            // Otherwise it was reached more cheaply since.
            if cost_s + self.least_s(node) == promise_s {
                self.settle(state, (node, cost_s), goals);
            }
        }
    }

    fn stay_on_one_edge(&self, goal: &mut Goal<'_>) {
        if self.start.edge != goal.snap.edge {
            return;
        }
        let metres = goal.snap.along_m - self.start.along_m;
        let forward = metres >= 0.0;
        let arc = self.start.edge.0 * 2 + u32::from(!forward);
        if metres == 0.0 || self.network.topology.may_travel(arc, self.costs.profile) {
            let cost_s = self.costs.along_s(&self.network.edges[edge_of(arc)], metres.abs());
            offer(goal, cost_s, Finish::OnOneEdge { forward });
        }
    }

    /// A traveller at a node may use any edge there, whichever edge they were found on.
    fn leave_start(&mut self) {
        let edge = &self.network.edges[self.start.edge.0 as usize];
        for (forward, metres) in [(true, edge.length_m - self.start.along_m), (false, self.start.along_m)] {
            let arc = self.start.edge.0 * 2 + u32::from(!forward);
            if metres == 0.0 || self.network.topology.may_travel(arc, self.costs.profile) {
                let has_reason_to_return = self.is_cheap_to_go_on(edge);
                let cost_s = self.costs.along_s(edge, metres);
                self.reach(arc, Label { cost_s, before: NOTHING, has_reason_to_return });
            }
        }
    }

    fn settle(&mut self, state: State, (node, cost_s): (u32, f32), goals: &mut [Goal<'_>]) {
        let network = self.network;
        let arc = network.topology.arc_of(state);
        for goal in goals.iter_mut().filter(|goal| is_at(goal.snap, node, network)) {
            offer(goal, cost_s, Finish::AtNode { after: state });
        }
        let onward = self.onward(state, arc, node, cost_s);
        if onward == Onward::Nowhere {
            return;
        }
        network.topology.for_each_next(state, self.costs.profile, |next, entered| {
            if onward == Onward::Everywhere || onward == Onward::Only(next) {
                self.go_on((arc, state, cost_s), (next, entered), node, goals);
            }
        });
    }

    /// When the node was settled before for so much less that no turn can make up for it, whoever came first gets
    /// everywhere earlier, except back to where they came from: there a forbidden turn may make a loop worth while.
    fn onward(&mut self, state: State, arc: ArcId, node: u32, cost_s: f32) -> Onward {
        let has_reason_to_return = self.work.labels.get(state).has_reason_to_return;
        let met = self.work.nodes.slot(node);
        if met.first == NOTHING {
            (met.first, met.cost_s, met.has_reason_to_return) = (state, cost_s, has_reason_to_return);
            return Onward::Everywhere;
        }
        let met = *met;
        if !self.comes_late(arc, node, cost_s, &met) {
            Onward::Everywhere
        } else if met.has_reason_to_return {
            Onward::Only(self.network.topology.arc_of(met.first) ^ 1)
        } else {
            Onward::Nowhere
        }
    }

    fn comes_late(&self, arc: ArcId, node: u32, cost_s: f32, met: &Met) -> bool {
        cost_s >= met.cost_s + self.costs.passage_slack_s
            && !self.is_cheap_to_go_on(&self.network.edges[edge_of(arc)])
            && self.is_plain(node)
    }

    /// Those who are already aboard, or in a street for destinations, go on more cheaply.
    fn is_cheap_to_go_on(&self, edge: &Edge) -> bool {
        edge.is_ferry || edge.destination.contains(self.costs.profile)
    }

    /// Whether anybody may go on from a node in every direction.
    fn is_plain(&self, node: u32) -> bool {
        let topology = &self.network.topology;
        !topology.has_turns_at(node) && !topology.is_barred(node, self.costs.profile)
    }

    fn go_on(
        &mut self,
        (arc, state, cost_s): (ArcId, State, f32),
        (next, entered): (ArcId, State),
        node: u32,
        goals: &mut [Goal<'_>],
    ) {
        let edge = &self.network.edges[edge_of(next)];
        let cost_s = cost_s + self.passage_s(arc, next, node) + self.penalty_s(arc, next);
        for goal in goals.iter_mut().filter(|goal| goal.snap.edge.0 as usize == edge_of(next)) {
            let forward = is_forward(next);
            let metres = if forward { goal.snap.along_m } else { edge.length_m - goal.snap.along_m };
            offer(goal, cost_s + self.costs.along_s(edge, metres), Finish::Onto { after: state, forward });
        }
        let has_reason_to_return =
            self.work.labels.get(state).has_reason_to_return || !self.is_plain(node) || self.is_cheap_to_go_on(edge);
        let cost_s = cost_s + self.costs.along_s(edge, edge.length_m);
        self.reach(entered, Label { cost_s, before: state, has_reason_to_return });
    }

    /// Seconds that pass between two arcs at `node`.
    pub(super) fn passage_s(&self, arc: ArcId, next: ArcId, node: u32) -> f32 {
        let side = |arc: ArcId| -> (&Edge, bool) { (&self.network.edges[edge_of(arc)], is_forward(arc)) };
        self.costs.passage_s(side(arc), side(next), self.network.meetings[node as usize])
    }

    fn penalty_s(&self, arc: ArcId, next: ArcId) -> f32 {
        let is_closed = |arc: ArcId| self.network.edges[edge_of(arc)].destination.contains(self.costs.profile);
        let enters = is_closed(next) && !is_closed(arc) && !self.zone.contains(edge_of(next) as u32);
        if enters { THROUGH_DESTINATION_S } else { 0.0 }
    }

    fn reach(&mut self, state: State, label: Label) {
        let known = self.work.labels.slot(state);
        if label.cost_s >= known.cost_s {
            return;
        }
        let arc = self.network.topology.arc_of(state);
        let node = self.network.topology.head(arc);
        let met = *self.work.nodes.slot(node);
        // Nobody goes on from there in this state: it need not wait for its turn.
        if met.first != NOTHING && !met.has_reason_to_return && self.comes_late(arc, node, label.cost_s, &met) {
            return;
        }
        *self.work.labels.slot(state) = label;
        let promise_s = label.cost_s + self.least_s(node);
        self.work.queue.push(Reverse((promise_s.to_bits(), state)));
    }

    fn least_s(&mut self, node: u32) -> f32 {
        let met = self.work.nodes.slot(node);
        if met.least_s < 0.0 {
            met.least_s = self.aim.least_s(node).max(0.0);
        }
        met.least_s
    }

    /// The arcs from the start's edge up to `state`, in order.
    pub(super) fn arcs_to(&self, mut state: State) -> Vec<ArcId> {
        let mut arcs = Vec::new();
        while state != NOTHING {
            arcs.push(self.network.topology.arc_of(state));
            state = self.work.labels.get(state).before;
        }
        arcs.reverse();
        arcs
    }
}

fn is_at(snap: &Snap, node: u32, network: &RoadNetwork) -> bool {
    let edge = &network.edges[snap.edge.0 as usize];
    (snap.along_m == 0.0 && edge.from == node) || (snap.along_m == edge.length_m && edge.to == node)
}

fn offer(goal: &mut Goal<'_>, cost_s: f32, finish: Finish) {
    if goal.best.is_none_or(|best| cost_s < best.cost_s) {
        goal.best = Some(Arrival { cost_s, finish });
    }
}
