//! How far it is at least between two points, from how far both are from a few places at the area's edge.
//!
//! Where motorways and lanes lie side by side, the straight line at the highest speed promises far too much, and a
//! search looks at half a city. Distances to landmarks know the streets: the triangle inequality makes them a bound
//! that is seldom far off. The import measures them, for each group of vehicles whose speeds go by the same rule; they
//! hold for each of its vehicles, because every edge counts as open in both directions and at the pace of the quickest,
//! and every junction as passed with the right of way.

use std::{cmp::Reverse, collections::BinaryHeap, thread};

use doorstep_shared::Vehicle;

use super::{data::RoadData, network::RoadNetwork, profile::Profile, profile::Profiles};

/// Vehicles that aim by the same distances. A van is slower than a car by the same factor everywhere, so that the car's
/// distances, multiplied, serve it, too.
pub(super) const GROUPS: [&[Vehicle]; 5] =
    [&[Vehicle::Foot], &[Vehicle::Bicycle], &[Vehicle::Scooter], &[Vehicle::Motorcycle], &[Vehicle::Car, Vehicle::Van]];

/// The unit of a group's distances, in milliseconds: a `u16` reaches across a region, and rounding costs some metres.
const UNIT_MS: [u32; GROUPS.len()] = [4_000, 1_000, 500, 500, 500];

/// How many landmarks a group has. More make a file of 1 M junctions larger by 1 MB each; fewer leave searches across a
/// city twice as wide. Those whose streets differ most in speed need most.
const LANDMARKS: [usize; GROUPS.len()] = [8, 8, 8, 16, 16];

// Below this a search is quick with few of them.
const MANY_NODES: usize = 100_000;
const FEW_LANDMARKS: usize = 4;

/// Distances that are compared at once.
const LANES: usize = 8;

// In a town the straight line serves.
const FEWEST_NODES: usize = 20_000;

/// Farther than a `u16` counts, or not reached.
const UNKNOWN: u16 = u16::MAX;

/// The group of a vehicle.
pub(super) fn group_of(vehicle: Vehicle) -> usize {
    GROUPS.iter().position(|group| group.contains(&vehicle)).expect("every vehicle has a group")
}

/// Seconds in the unit of a group.
pub(super) fn units(group: usize, seconds: f64) -> f64 {
    seconds * 1e3 / f64::from(UNIT_MS[group])
}

/// The distances for [`RoadData::landmarks`]. `None` when a thread failed.
pub(crate) fn measure(data: &RoadData, network: &RoadNetwork) -> Option<Vec<Vec<Vec<u16>>>> {
    if data.nodes.len() < FEWEST_NODES {
        return Some(Vec::new());
    }
    thread::scope(|scope| {
        let groups: Vec<_> =
            (0..GROUPS.len()).map(|group| scope.spawn(move || of_group(data, network, group))).collect();
        // All are joined before the first failure counts: a scope panics for one that is not.
        groups.into_iter().map(|thread| thread.join().ok()).collect::<Vec<_>>().into_iter().collect()
    })
}

fn of_group(data: &RoadData, network: &RoadNetwork, group: usize) -> Vec<Vec<u16>> {
    let count = if data.nodes.len() < MANY_NODES { FEW_LANDMARKS } else { LANDMARKS[group] };
    let links = Links::new(data, network, group);
    let Some(anywhere) = links.anywhere() else { return Vec::new() };
    let mut nearest = links.units_from(anywhere);
    let mut all: Vec<Vec<u16>> = Vec::with_capacity(count);
    while all.len() < count {
        // The first lies farthest from anywhere, each other one farthest from those before.
        let known = (0_u32..).zip(&nearest).filter(|(_, distance)| **distance != UNKNOWN);
        let Some((farthest, _)) = known.max_by_key(|(node, distance)| (**distance, Reverse(*node))) else { break };
        let distances = links.units_from(farthest);
        let is_first = all.is_empty();
        for (least, here) in nearest.iter_mut().zip(&distances) {
            *least = if is_first { *here } else { (*least).min(*here) };
        }
        all.push(distances);
    }
    all
}

/// Edges from node to node, as if all were open in both directions.
struct Links {
    unit_ms: u32,
    offsets: Vec<u32>,
    /// The other end, and milliseconds to it.
    links: Vec<(u32, u32)>,
}

impl Links {
    fn new(data: &RoadData, network: &RoadNetwork, group: usize) -> Self {
        let users: Profiles = GROUPS[group].iter().map(|vehicle| Profile::of(*vehicle)).collect();
        let usable = data.edges.iter().enumerate().filter(|(_, edge)| !edge.users().within(users).is_empty());
        let mut offsets = vec![0_u32; data.nodes.len() + 1];
        for (_, edge) in usable.clone() {
            offsets[edge.from as usize + 1] += 1;
            offsets[edge.to as usize + 1] += 1;
        }
        for node in 1..offsets.len() {
            offsets[node] += offsets[node - 1];
        }
        let mut next = offsets.clone();
        let mut links = vec![(0, 0); *offsets.last().unwrap_or(&0) as usize];
        for (number, edge) in usable {
            // Half the wait at each end: a way waits the whole at every node that it passes.
            let waits_s = network.least_wait_s(group, edge.from) + network.least_wait_s(group, edge.to);
            // Rounded down, so that the sum promises no more than the way costs.
            let ms = ((network.least_along_s(group, number) + waits_s / 2.0) * 1e3) as u32;
            for (from, to) in [(edge.from, edge.to), (edge.to, edge.from)] {
                let slot = &mut next[from as usize];
                links[*slot as usize] = (to, ms);
                *slot += 1;
            }
        }
        Self { unit_ms: UNIT_MS[group], offsets, links }
    }

    /// The first node that has a link.
    fn anywhere(&self) -> Option<u32> {
        self.offsets.windows(2).position(|pair| pair[0] < pair[1]).map(|node| node as u32)
    }

    fn units_from(&self, start: u32) -> Vec<u16> {
        let mut reached_ms = vec![u32::MAX; self.offsets.len() - 1];
        let mut queue = BinaryHeap::from([Reverse((0_u32, start))]);
        reached_ms[start as usize] = 0;
        while let Some(Reverse((ms, node))) = queue.pop() {
            if ms > reached_ms[node as usize] {
                continue;
            }
            let range = self.offsets[node as usize] as usize..self.offsets[node as usize + 1] as usize;
            for (to, link_ms) in &self.links[range] {
                let there_ms = ms.saturating_add(*link_ms);
                if there_ms < reached_ms[*to as usize] {
                    reached_ms[*to as usize] = there_ms;
                    queue.push(Reverse((there_ms, *to)));
                }
            }
        }
        reached_ms.into_iter().map(|ms| u16::try_from(ms / self.unit_ms).unwrap_or(UNKNOWN)).collect()
    }
}

/// How far a place is from some landmarks; unknown where there are fewer.
pub(super) type Distances = [u16; LANES];

/// The distances of one group.
#[derive(Debug, Default)]
pub(super) struct Landmarks {
    /// How many parts of `distances` each node has.
    parts: usize,
    /// Node by node.
    distances: Vec<Distances>,
}

impl Landmarks {
    /// From columns of equal length.
    pub(super) fn new(columns: &[Vec<u16>]) -> Self {
        let (nodes, parts) = (columns.first().map_or(0, Vec::len), columns.len().div_ceil(LANES));
        let part = |node: usize, part: usize| {
            let distance = |column: &Vec<u16>| column[node];
            std::array::from_fn(|lane| columns.get(part * LANES + lane).map_or(UNKNOWN, distance))
        };
        let of_node = |node: usize| (0..parts).map(move |number| part(node, number));
        Self { parts, distances: (0..nodes).flat_map(of_node).collect() }
    }

    fn of(&self, node: u32) -> &[Distances] {
        &self.distances[node as usize * self.parts..][..self.parts]
    }

    /// A point on an edge, given how far it is from the edge's ends, in units.
    pub(super) fn of_point(&self, [(a, along_a), (b, along_b)]: [(u32, f64); 2]) -> Vec<Distances> {
        let through = |there: u16, along: f64| if there == UNKNOWN { f64::INFINITY } else { f64::from(there) + along };
        // An infinite one becomes the largest, which is unknown.
        let least = |a: u16, b: u16| through(a, along_a).min(through(b, along_b)) as u16;
        let parts = self.of(a).iter().zip(self.of(b));
        parts.map(|(a, b)| std::array::from_fn(|lane| least(a[lane], b[lane]))).collect()
    }

    /// What the way between `node` and `goal` takes at least, in units.
    pub(super) fn least(&self, node: u32, goal: &[Distances]) -> u16 {
        let mut most = [0; LANES];
        for (here, there) in self.of(node).iter().zip(goal) {
            for lane in 0..LANES {
                let is_known = here[lane] != UNKNOWN && there[lane] != UNKNOWN;
                most[lane] = most[lane].max(if is_known { here[lane].abs_diff(there[lane]) } else { 0 });
            }
        }
        // The node's distance was rounded down, and the goal's twice, by less than one each.
        most.into_iter().max().unwrap_or(0).saturating_sub(2)
    }
}
