//! Turn restrictions as a small machine.
//!
//! "Not from A into B" depends on the arc that a traveller is on. "Not from A through V into B" depends on the arc
//! before, too: whoever enters V from A gets into a twin of V, whose turn into B is closed, while the others stay on V
//! itself. Twins are the proper beginnings, two arcs or longer, of all restrictions, and a traveller is always in the
//! longest one that their last arcs spell; so overlapping restrictions hold all at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    data::Restriction,
    format::RoadsError,
    profile::{Profile, Profiles},
    topology::{ArcId, State, Topology, arc_id},
};

// The longest that is mapped has about ten; a longer one is damage.
const MAX_ARCS: usize = 100;

#[derive(Clone, Copy, Debug)]
struct Turn {
    entered: State,
    closed_to: Profiles,
}

/// The turns that differ from "any arc may follow".
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The arc whose twin each is.
    twins: Vec<ArcId>,
    /// Whether a node has turns of its own, one bit for each.
    nodes: Vec<u64>,
    /// The state and the arc that follows, ascending.
    keys: Vec<(State, ArcId)>,
    turns: Vec<Turn>,
}

impl Turns {
    pub(super) fn new(restrictions: &[Restriction], topology: &Topology) -> Result<Self, RoadsError> {
        let closed = sequences(restrictions, topology)?;
        let prefixes: BTreeSet<&[ArcId]> =
            closed.keys().flat_map(|arcs| (2..arcs.len()).map(|length| &arcs[..length])).collect();
        let first_twin = topology.arc_count() as State;
        let numbers: BTreeMap<&[ArcId], State> = prefixes.iter().copied().zip(first_twin..).collect();
        let mut all = Self { nodes: vec![0; topology.node_count().div_ceil(64)], ..Self::default() };
        all.twins = prefixes.iter().map(|arcs| arcs[arcs.len() - 1]).collect();
        let mut found = BTreeMap::new();
        let starts: BTreeSet<&[ArcId]> = closed.keys().map(|arcs| &arcs[..1]).chain(prefixes).collect();
        for behind in starts {
            let arc = behind[behind.len() - 1];
            let state = numbers.get(behind).copied().unwrap_or(arc);
            all.mark(topology.head(arc));
            for next in topology.leaving(topology.head(arc)) {
                let path = [behind, &[*next]].concat();
                let turn = turn(&path, &closed, &numbers);
                if turn.entered != *next || !turn.closed_to.is_empty() {
                    found.insert((state, *next), turn);
                }
            }
        }
        (all.keys, all.turns) = found.into_iter().unzip();
        Ok(all)
    }

    fn mark(&mut self, node: u32) {
        self.nodes[node as usize / 64] |= 1 << (node % 64);
    }

    pub(super) fn twin_count(&self) -> usize {
        self.twins.len()
    }

    pub(super) fn arc_of_twin(&self, twin: u32) -> ArcId {
        self.twins[twin as usize]
    }

    pub(super) fn are_at(&self, node: u32) -> bool {
        self.nodes[node as usize / 64] >> (node % 64) & 1 == 1
    }

    /// The state after turning from `state` into `next`; `None` when that is forbidden.
    pub(super) fn take(&self, state: State, next: ArcId, profile: Profile) -> Option<State> {
        let Ok(index) = self.keys.binary_search(&(state, next)) else { return Some(next) };
        let turn = self.turns[index];
        (!turn.closed_to.contains(profile)).then_some(turn.entered)
    }
}

/// What happens when the last arcs that were travelled are `path`.
fn turn(path: &[ArcId], closed: &BTreeMap<Vec<ArcId>, Profiles>, numbers: &BTreeMap<&[ArcId], State>) -> Turn {
    let endings = || (0..path.len() - 1).map(|start| &path[start..]);
    let entered = endings().find_map(|ending| numbers.get(ending)).copied().unwrap_or(path[path.len() - 1]);
    let closed_to = endings().filter_map(|ending| closed.get(ending)).fold(Profiles::NONE, |all, set| all.and(*set));
    Turn { entered, closed_to }
}

/// The restrictions by their arcs.
fn sequences(restrictions: &[Restriction], topology: &Topology) -> Result<BTreeMap<Vec<ArcId>, Profiles>, RoadsError> {
    let mut closed: BTreeMap<Vec<ArcId>, Profiles> = BTreeMap::new();
    for restriction in restrictions {
        if !(2..=MAX_ARCS).contains(&restriction.arcs.len()) || !restriction.profiles.is_known() {
            return Err(RoadsError::Damaged("a turn restriction makes no sense"));
        }
        if restriction.arcs.iter().any(|arc| u64::from(arc.edge) * 2 >= topology.arc_count() as u64) {
            return Err(RoadsError::Damaged("a turn restriction names no edge"));
        }
        let arcs: Vec<ArcId> = restriction.arcs.iter().copied().map(arc_id).collect();
        if arcs.windows(2).any(|pair| topology.head(pair[0]) != topology.tail(pair[1])) {
            return Err(RoadsError::Damaged("a turn restriction jumps"));
        }
        let profiles = closed.entry(arcs).or_default();
        *profiles = profiles.and(restriction.profiles);
    }
    Ok(closed)
}
