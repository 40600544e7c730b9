//! Which edge may follow which, for each profile.
//!
//! A traveller's state is the arc they are on, an edge in one direction; after part of a turn restriction that spans
//! several edges it is a twin of that arc, which remembers the part ([`super::turns`]). The search for routes and the
//! import, which leaves out what cannot be reached, both walk over these states, so they cannot disagree.

use super::{
    data::{RoadArc, RoadData},
    format::RoadsError,
    profile::{Profile, Profiles},
    turns::Turns,
};

/// An edge in one direction: twice the edge's number, and one more when it is travelled backwards.
pub(crate) type ArcId = u32;
/// An [`ArcId`], or the number of a twin above all of those.
pub(crate) type State = u32;

pub(crate) const fn arc_id(arc: RoadArc) -> ArcId {
    arc.edge * 2 + !arc.forward as u32
}

pub(crate) const fn edge_of(arc: ArcId) -> usize {
    (arc / 2) as usize
}

pub(crate) const fn is_forward(arc: ArcId) -> bool {
    arc.is_multiple_of(2)
}

const fn reverse(arc: ArcId) -> ArcId {
    arc ^ 1
}

/// How edges hang together.
#[derive(Debug)]
pub(crate) struct Topology {
    /// Where each arc leads.
    heads: Vec<u32>,
    /// Who may travel each arc.
    access: Vec<Profiles>,
    /// Where the arcs that leave each node begin in `leaving`; one more than there are nodes.
    offsets: Vec<u32>,
    leaving: Vec<ArcId>,
    /// Who gets past each node.
    open_to: Vec<Profiles>,
    turns: Turns,
}

impl Topology {
    /// # Errors
    /// [`RoadsError::Damaged`] when `data` refers to what is not there.
    pub(crate) fn new(data: &RoadData) -> Result<Self, RoadsError> {
        let nodes = data.nodes.len();
        let too_many = |_| RoadsError::Damaged("it holds too many edges");
        u32::try_from(data.edges.len().saturating_mul(4)).map_err(too_many)?;
        if data.edges.iter().any(|edge| edge.from.max(edge.to) as usize >= nodes) {
            return Err(RoadsError::Damaged("an edge ends nowhere"));
        }
        let heads: Vec<u32> = data.edges.iter().flat_map(|edge| [edge.to, edge.from]).collect();
        let access: Vec<Profiles> = data.edges.iter().flat_map(|edge| [edge.forward, edge.backward]).collect();
        if !access.iter().chain(data.edges.iter().map(|edge| &edge.destination)).all(|set| set.is_known()) {
            return Err(RoadsError::Damaged("an edge is open to unknown travellers"));
        }
        let (offsets, leaving) = arcs_by_tail(nodes, &heads);
        let mut topology =
            Self { heads, access, offsets, leaving, open_to: vec![Profiles::ALL; nodes], turns: Turns::default() };
        for barrier in &data.barriers {
            let open_to = topology.open_to.get_mut(barrier.node as usize);
            *open_to.ok_or(RoadsError::Damaged("a barrier stands nowhere"))? = barrier.open_to;
        }
        topology.turns = Turns::new(&data.restrictions, &topology)?;
        Ok(topology)
    }

    pub(crate) fn arc_count(&self) -> usize {
        self.heads.len()
    }

    pub(crate) fn state_count(&self) -> usize {
        self.heads.len() + self.turns.twin_count()
    }

    pub(crate) fn node_count(&self) -> usize {
        self.open_to.len()
    }

    /// The arc that a traveller in `state` is on.
    pub(crate) fn arc_of(&self, state: State) -> ArcId {
        if (state as usize) < self.heads.len() {
            state
        } else {
            self.turns.arc_of_twin(state - self.heads.len() as u32)
        }
    }

    pub(crate) fn head(&self, arc: ArcId) -> u32 {
        self.heads[arc as usize]
    }

    pub(crate) fn tail(&self, arc: ArcId) -> u32 {
        self.heads[reverse(arc) as usize]
    }

    pub(crate) fn leaving(&self, node: u32) -> &[ArcId] {
        let node = node as usize;
        &self.leaving[self.offsets[node] as usize..self.offsets[node + 1] as usize]
    }

    pub(crate) fn may_travel(&self, arc: ArcId, profile: Profile) -> bool {
        self.access[arc as usize].contains(profile)
    }

    /// Closes to `profile` every arc that is not `kept`.
    pub(crate) fn close(&mut self, profile: Profile, kept: &[bool]) {
        let others = self.access.iter_mut().zip(kept).filter(|(_, kept)| !**kept);
        others.for_each(|(access, _)| *access = access.without(Profiles::only(profile)));
    }

    pub(super) fn has_turns_at(&self, node: u32) -> bool {
        self.turns.are_at(node)
    }

    /// Whether a barrier at `node` stops `profile`: then nobody gets from one of its edges to another.
    pub(super) fn is_barred(&self, node: u32, profile: Profile) -> bool {
        !self.open_to[node as usize].contains(profile)
    }

    /// Calls `visit` with every arc that may follow `state`, and the state in which it is then travelled.
    ///
    /// Travellers turn round only where nothing else is left: before a barrier and at a dead end.
    pub(crate) fn for_each_next(&self, state: State, profile: Profile, mut visit: impl FnMut(ArcId, State)) {
        let arc = self.arc_of(state);
        let node = self.head(arc);
        let back = reverse(arc);
        let mut is_dead_end = true;
        if self.open_to[node as usize].contains(profile) {
            let has_turns = self.turns.are_at(node);
            for next in self.leaving(node).iter().copied() {
                if next == back || !self.may_travel(next, profile) {
                    continue;
                }
                is_dead_end = false;
                if !has_turns {
                    visit(next, next);
                } else if let Some(entered) = self.turns.take(state, next, profile) {
                    visit(next, entered);
                }
            }
        }
        if is_dead_end && self.may_travel(back, profile) {
            visit(back, back);
        }
    }
}

/// Compressed rows: all arcs sorted by the node that they leave, and where each node's begin.
fn arcs_by_tail(nodes: usize, heads: &[u32]) -> (Vec<u32>, Vec<ArcId>) {
    let mut offsets = vec![0_u32; nodes + 1];
    for head in heads {
        offsets[*head as usize + 1] += 1;
    }
    for node in 1..offsets.len() {
        offsets[node] += offsets[node - 1];
    }
    let mut next = offsets.clone();
    let mut leaving = vec![0; heads.len()];
    for arc in 0..heads.len() as ArcId {
        let slot = &mut next[heads[reverse(arc) as usize] as usize];
        leaving[*slot as usize] = arc;
        *slot += 1;
    }
    (offsets, leaving)
}
