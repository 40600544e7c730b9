//! Closes what a profile cannot both get to and get away from.
//!
//! What is closed are private grounds, one-way dead ends, paths behind a gate and roads cut by the extract's border. It
//! asks the same [`Topology`] as the search, so turn restrictions count.

use super::arrange;
use crate::{
    import::{error::ImportError, watch::Watch},
    roads::{
        Profile, Profiles, RoadData,
        topology::{State, Topology},
    },
};

// An island that no boat serves has some hundreds of nodes; a closed-off car park has a dozen. In states, four of which
// make about a node.
const SMALLEST_ISLAND_STATES: usize = 2_000;

/// An island smaller than this part of the largest is none that couriers have been sent to.
const SMALLEST_SHARE: usize = 50;

/// Keeps, for each profile, the largest set of states that can all be reached from each other, and other islands' sets.
pub(super) fn keep_connected(data: &mut RoadData, watch: &Watch<'_>) -> Result<(), ImportError> {
    close_boats_to_nowhere(data);
    let mut topology = Topology::new(data).map_err(|_| ImportError::Panicked)?;
    for profile in Profile::ALL {
        watch.go_on()?;
        // A way out that leads nowhere would hide that a street is a dead end, where travellers turn round: it is closed
        // first, as if they turned round everywhere.
        topology.close(profile, &connected_arcs(&topology, profile, TurningRound::Everywhere));
        let kept = connected_arcs(&topology, profile, TurningRound::AtDeadEnds);
        let only = Profiles::only(profile);
        for (edge, kept) in data.edges.iter_mut().zip(kept.as_chunks::<2>().0) {
            if !kept[0] {
                edge.forward = edge.forward.without(only);
            }
            if !kept[1] {
                edge.backward = edge.backward.without(only);
            }
            edge.destination = edge.destination.within(edge.users());
        }
    }
    arrange::drop_unused_edges(data);
    Ok(())
}

/// An extract cuts off the other shores of its sea.
fn close_boats_to_nowhere(data: &mut RoadData) {
    let mut ends = vec![0_u32; data.nodes.len()];
    for edge in &data.edges {
        ends[edge.from as usize] += 1;
        ends[edge.to as usize] += 1;
    }
    let boats: Vec<usize> = (0..data.edges.len()).filter(|edge| data.edges[*edge].ferry_s.is_some()).collect();
    // Each that is closed may leave the one before it without a shore.
    let mut closed_one = true;
    while closed_one {
        closed_one = false;
        for edge in &boats {
            let edge = &mut data.edges[*edge];
            let (from, to) = (edge.from as usize, edge.to as usize);
            if !edge.users().is_empty() && (ends[from] == 1 || ends[to] == 1) {
                (edge.forward, edge.backward, closed_one) = (Profiles::NONE, Profiles::NONE, true);
                ends[from] -= 1;
                ends[to] -= 1;
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TurningRound {
    Everywhere,
    AtDeadEnds,
}

/// For each arc, whether some state on it belongs to a set that is kept.
fn connected_arcs(topology: &Topology, profile: Profile, turning: TurningRound) -> Vec<bool> {
    let components = Components::of(topology, profile, turning);
    let largest = components.sizes.iter().copied().max().unwrap_or(0);
    let least = largest.min(SMALLEST_ISLAND_STATES.max(largest / SMALLEST_SHARE));
    let mut kept = vec![false; topology.arc_count()];
    for (state, component) in (0..).zip(&components.of_state) {
        if *component != UNSEEN && components.sizes[*component as usize] >= least {
            kept[topology.arc_of(state) as usize] = true;
        }
    }
    kept
}

const UNSEEN: u32 = u32::MAX;

/// Tarjan's strongly connected components, without recursion: streets are millions of states deep.
struct Components<'a> {
    topology: &'a Topology,
    profile: Profile,
    turning: TurningRound,
    of_state: Vec<u32>,
    sizes: Vec<usize>,
    /// When each state was first seen, and the earliest that it leads back to.
    seen_at: Vec<u32>,
    leads_to: Vec<u32>,
    clock: u32,
    open: Vec<State>,
    calls: Vec<Call>,
    /// The states that follow those in `calls`.
    following: Vec<State>,
}

struct Call {
    state: State,
    /// Where its own part of `following` begins.
    begin: usize,
}

impl<'a> Components<'a> {
    fn of(topology: &'a Topology, profile: Profile, turning: TurningRound) -> Self {
        let count = topology.state_count();
        let mut all = Self {
            topology,
            profile,
            turning,
            of_state: vec![UNSEEN; count],
            sizes: Vec::new(),
            seen_at: vec![UNSEEN; count],
            leads_to: vec![UNSEEN; count],
            clock: 0,
            open: Vec::new(),
            calls: Vec::new(),
            following: Vec::new(),
        };
        for arc in 0..topology.arc_count() as State {
            if all.seen_at[arc as usize] == UNSEEN && topology.may_travel(arc, profile) {
                all.visit(arc);
            }
        }
        all
    }

    fn visit(&mut self, root: State) {
        self.enter(root);
        while let Some(Call { state, begin }) = self.calls.last() {
            let (state, begin) = (*state, *begin);
            if self.following.len() == begin {
                self.calls.pop();
                self.leave(state);
            } else if let Some(next) = self.following.pop() {
                if self.seen_at[next as usize] == UNSEEN {
                    self.enter(next);
                } else if self.of_state[next as usize] == UNSEEN {
                    self.note(state, self.seen_at[next as usize]);
                }
            }
        }
    }

    fn enter(&mut self, state: State) {
        self.seen_at[state as usize] = self.clock;
        self.leads_to[state as usize] = self.clock;
        self.clock += 1;
        self.open.push(state);
        self.calls.push(Call { state, begin: self.following.len() });
        let following = &mut self.following;
        self.topology.for_each_next(state, self.profile, |_, entered| following.push(entered));
        let back = self.topology.arc_of(state) ^ 1;
        if self.turning == TurningRound::Everywhere && self.topology.may_travel(back, self.profile) {
            self.following.push(back);
        }
    }

    fn note(&mut self, state: State, earlier: u32) {
        let least = &mut self.leads_to[state as usize];
        *least = (*least).min(earlier);
    }

    fn leave(&mut self, state: State) {
        let least = self.leads_to[state as usize];
        if least == self.seen_at[state as usize] {
            let component = self.sizes.len() as u32;
            let mut size = 0;
            while let Some(member) = self.open.pop() {
                self.of_state[member as usize] = component;
                size += 1;
                if member == state {
                    break;
                }
            }
            self.sizes.push(size);
        }
        if let Some(Call { state: caller, .. }) = self.calls.last() {
            self.note(*caller, least);
        }
    }
}
