//! The graph turned on its side: columns of small numbers, as they stand in a file.
//!
//! Every column of `i32` holds differences to what came before.

use std::collections::BTreeMap;

use doorstep_shared::LatLon;
use serde::{Deserialize, Serialize};

use super::{
    class::{Halt, RoadClass, Surface},
    data::{Barrier, Restriction, RoadArc, RoadData, RoadEdge, RoadPlace},
    format::RoadsError,
    points::{PointColumns, PointE6},
    profile::Profiles,
};

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Columns {
    drives_on_left: bool,
    streets: Vec<String>,
    place_names: Vec<String>,
    places: PointColumns,
    nodes: PointColumns,
    barrier_node: Vec<i32>,
    barrier_open_to: Vec<Profiles>,
    halt_node: Vec<i32>,
    halt: Vec<Halt>,
    edge_from: Vec<i32>,
    /// Relative to the edge's own `from`.
    edge_to: Vec<i32>,
    class: Vec<RoadClass>,
    limit_kmh: Vec<u8>,
    surface: Vec<Surface>,
    forward: Vec<Profiles>,
    backward: Vec<Profiles>,
    destination: Vec<Profiles>,
    tunnel: Vec<bool>,
    /// 0 is unnamed, 1 the first street.
    street: Vec<u32>,
    via_count: Vec<u32>,
    /// The first point of an edge is relative to the edge's `from` node.
    via: PointColumns,
    /// Of the few edges that are boats' lines.
    ferry_s: BTreeMap<u32, u32>,
    restriction_profiles: Vec<Profiles>,
    restriction_arc_count: Vec<u32>,
    /// Twice the edge, and one more backwards.
    restriction_arc: Vec<i32>,
    landmarks: Vec<Vec<Vec<i32>>>,
}

/// Numbers as differences between neighbours.
fn differences(numbers: impl IntoIterator<Item = u32>) -> Vec<i32> {
    let mut before = 0_i32;
    let one = |number: u32| {
        let number = number as i32;
        let difference = number.wrapping_sub(before);
        before = number;
        difference
    };
    numbers.into_iter().map(one).collect()
}

fn sums(differences: &[i32]) -> impl Iterator<Item = u32> {
    differences.iter().scan(0_i32, |sum, difference| {
        *sum = sum.wrapping_add(*difference);
        Some(*sum as u32)
    })
}

impl Columns {
    pub(super) fn from_data(data: &RoadData) -> Self {
        let mut columns = Self {
            drives_on_left: data.drives_on_left,
            streets: data.streets.clone(),
            place_names: data.places.iter().map(|place| place.name.clone()).collect(),
            places: PointColumns::chain_of(data.places.iter().map(|place| place.centre)),
            nodes: PointColumns::chain_of(data.nodes.iter().copied()),
            barrier_node: differences(data.barriers.iter().map(|barrier| barrier.node)),
            barrier_open_to: data.barriers.iter().map(|barrier| barrier.open_to).collect(),
            halt_node: differences(data.halts.iter().map(|(node, _)| *node)),
            halt: data.halts.iter().map(|(_, halt)| *halt).collect(),
            edge_from: differences(data.edges.iter().map(|edge| edge.from)),
            landmarks: data
                .landmarks
                .iter()
                .map(|group| group.iter().map(|of| distance_column(of)).collect())
                .collect(),
            ..Self::default()
        };
        for (number, edge) in (0..).zip(&data.edges) {
            columns.push_edge(number, edge);
            let mut before = PointE6::new(data.nodes[edge.from as usize]);
            for point in &edge.via {
                before = columns.via.push(*point, before);
            }
        }
        columns.push_restrictions(&data.restrictions);
        columns
    }

    fn push_edge(&mut self, number: u32, edge: &RoadEdge) {
        self.edge_to.push((edge.to as i32).wrapping_sub(edge.from as i32));
        self.class.push(edge.class);
        self.limit_kmh.push(edge.limit_kmh);
        self.surface.push(edge.surface);
        self.forward.push(edge.forward);
        self.backward.push(edge.backward);
        self.destination.push(edge.destination);
        self.tunnel.push(edge.tunnel);
        self.street.push(edge.street.map_or(0, |street| street + 1));
        self.via_count.push(edge.via.len() as u32);
        self.ferry_s.extend(edge.ferry_s.map(|seconds| (number, seconds)));
    }

    fn push_restrictions(&mut self, restrictions: &[Restriction]) {
        self.restriction_profiles = restrictions.iter().map(|of| of.profiles).collect();
        self.restriction_arc_count = restrictions.iter().map(|of| of.arcs.len() as u32).collect();
        let arcs = restrictions.iter().flat_map(|of| &of.arcs);
        self.restriction_arc = differences(arcs.map(|arc| arc.edge * 2 + u32::from(!arc.forward)));
    }

    pub(super) fn into_data(self) -> Result<RoadData, RoadsError> {
        let nodes = self.nodes.chain()?;
        let edges = self.edges(&nodes)?;
        let centres = self.places.chain()?;
        equal("places and their names differ in number", &[centres.len(), self.place_names.len()])?;
        equal("barriers differ in number", &[self.barrier_node.len(), self.barrier_open_to.len()])?;
        equal("traffic lights differ in number", &[self.halt_node.len(), self.halt.len()])?;
        let barriers = sums(&self.barrier_node).zip(&self.barrier_open_to);
        let barriers = barriers.map(|(node, open_to)| Barrier { node, open_to: *open_to }).collect();
        let halts = sums(&self.halt_node).zip(self.halt.iter().copied()).collect();
        let restrictions = self.restrictions()?;
        let of_group = |group: &Vec<Vec<i32>>| group.iter().map(|column| distances(column)).collect::<Result<_, _>>();
        let landmarks = self.landmarks.iter().map(of_group).collect::<Result<_, _>>()?;
        let places = self.place_names.into_iter().zip(centres);
        let places = places.map(|(name, centre)| RoadPlace { name, centre }).collect();
        Ok(RoadData {
            streets: self.streets,
            places,
            nodes,
            edges,
            barriers,
            halts,
            restrictions,
            drives_on_left: self.drives_on_left,
            landmarks,
        })
    }

    fn edges(&self, nodes: &[LatLon]) -> Result<Vec<RoadEdge>, RoadsError> {
        let count = self.edge_from.len();
        let numbers = [self.edge_to.len(), self.limit_kmh.len(), self.street.len(), self.via_count.len()];
        let kinds = [self.class.len(), self.surface.len(), self.tunnel.len()];
        let access = [self.forward.len(), self.backward.len(), self.destination.len()];
        equal("its columns differ in length", &[&[count], &numbers[..], &kinds, &access].concat())?;
        let mut next_via = 0;
        let edge = |(index, from): (usize, u32)| {
            let start = nodes.get(from as usize).ok_or(RoadsError::Damaged("an edge has no start"))?;
            let via_count = self.via_count[index] as usize;
            let via = self.via.part(*start, next_via, via_count)?;
            next_via += via_count;
            Ok(RoadEdge {
                from,
                to: (from as i32).wrapping_add(self.edge_to[index]) as u32,
                via,
                class: self.class[index],
                limit_kmh: self.limit_kmh[index],
                surface: self.surface[index],
                forward: self.forward[index],
                backward: self.backward[index],
                destination: self.destination[index],
                tunnel: self.tunnel[index],
                ferry_s: self.ferry_s.get(&(index as u32)).copied(),
                street: self.street[index].checked_sub(1),
            })
        };
        sums(&self.edge_from).enumerate().map(edge).collect()
    }

    fn restrictions(&self) -> Result<Vec<Restriction>, RoadsError> {
        equal("restrictions differ in number", &[self.restriction_profiles.len(), self.restriction_arc_count.len()])?;
        let mut arcs = sums(&self.restriction_arc).map(|arc| RoadArc { edge: arc / 2, forward: arc.is_multiple_of(2) });
        let one = |(profiles, count): (&Profiles, &u32)| {
            let of: Vec<RoadArc> = arcs.by_ref().take(*count as usize).collect();
            equal("a restriction lacks a part", &[of.len(), *count as usize])?;
            Ok(Restriction { arcs: of, profiles: *profiles })
        };
        self.restriction_profiles.iter().zip(&self.restriction_arc_count).map(one).collect()
    }
}

fn distance_column(distances: &[u16]) -> Vec<i32> {
    differences(distances.iter().map(|distance| u32::from(*distance)))
}

fn distances(column: &[i32]) -> Result<Vec<u16>, RoadsError> {
    let too_far = |_| RoadsError::Damaged("a landmark is too far away");
    sums(column).map(|seconds| u16::try_from(seconds).map_err(too_far)).collect()
}

fn equal(otherwise: &'static str, lengths: &[usize]) -> Result<(), RoadsError> {
    if lengths.windows(2).all(|pair| pair[0] == pair[1]) { Ok(()) } else { Err(RoadsError::Damaged(otherwise)) }
}
