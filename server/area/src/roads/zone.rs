//! The streets around a route's ends that are only open to those who begin or end there.

use std::collections::BTreeSet;

use super::{network::RoadNetwork, network::Snap, profile::Profile};

// An estate has some hundreds of edges; nature reserves, where such streets never end, more.
const MOST_EDGES: usize = 4_000;

/// A set of edges that may be entered freely.
#[derive(Debug, Default)]
pub(super) struct Zone(BTreeSet<u32>);

impl Zone {
    /// What hangs together with the edges of `ends`, all of it open only to destinations.
    pub(super) fn around<'a>(
        network: &RoadNetwork,
        profile: Profile,
        ends: impl IntoIterator<Item = &'a Snap>,
    ) -> Self {
        let is_closed = |edge: u32| network.edges[edge as usize].destination.contains(profile);
        let mut zone = BTreeSet::new();
        let mut waiting: Vec<u32> = ends.into_iter().map(|end| end.edge.0).filter(|edge| is_closed(*edge)).collect();
        while let Some(edge) = waiting.pop() {
            if zone.len() >= MOST_EDGES || !zone.insert(edge) {
                continue;
            }
            let edge = &network.edges[edge as usize];
            let around = [edge.from, edge.to].into_iter().flat_map(|node| network.topology.leaving(node));
            waiting.extend(around.map(|arc| arc / 2).filter(|next| is_closed(*next) && !zone.contains(next)));
        }
        Self(zone)
    }

    pub(super) fn contains(&self, edge: u32) -> bool {
        self.0.contains(&edge)
    }
}
