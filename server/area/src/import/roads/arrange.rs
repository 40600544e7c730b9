//! Puts a graph's nodes and edges in an order that stores well, and takes out what is not needed.

use std::{cmp::Ordering, collections::HashMap};

use doorstep_shared::LatLon;

use crate::roads::{Barrier, Restriction, RoadArc, RoadData, RoadEdge};

/// Orders nodes along a curve that fills the plane and edges by their nodes: differences between neighbours
/// become small, which is what the file stores, and a route reads memory that lies together.
pub(super) fn put_neighbours_together(data: &mut RoadData) {
    let mut order: Vec<u32> = (0..data.nodes.len() as u32).collect();
    order.sort_by_cached_key(|node| (hilbert_index(data.nodes[*node as usize]), *node));
    take_nodes(data, &order);
    let mut order: Vec<u32> = (0..data.edges.len() as u32).collect();
    order.sort_by(|a, b| {
        let (first, second) = (&data.edges[*a as usize], &data.edges[*b as usize]);
        let by_ends = (first.from, first.to).cmp(&(second.from, second.to));
        by_ends.then_with(|| compare_lines(first, second)).then_with(|| a.cmp(b))
    });
    take_edges(data, &order);
}

fn compare_lines(a: &RoadEdge, b: &RoadEdge) -> Ordering {
    let key = |edge: &RoadEdge| -> Vec<(i64, i64)> {
        edge.via.iter().map(|point| (e7(point.lat()), e7(point.lon()))).collect()
    };
    key(a).cmp(&key(b)).then_with(|| (a.class, a.street).cmp(&(b.class, b.street)))
}

fn e7(degrees: f64) -> i64 {
    (degrees * 1e7).round() as i64
}

/// Takes out edges that nobody may use, and nodes without edges.
pub(super) fn drop_unused_edges(data: &mut RoadData) {
    let edges: Vec<u32> =
        (0..).zip(&data.edges).filter(|(_, edge)| !edge.users().is_empty()).map(|(number, _)| number).collect();
    take_edges(data, &edges);
    let mut is_used = vec![false; data.nodes.len()];
    for edge in &data.edges {
        (is_used[edge.from as usize], is_used[edge.to as usize]) = (true, true);
    }
    let nodes: Vec<u32> = (0..).zip(is_used).filter(|(_, is_used)| *is_used).map(|(number, _)| number).collect();
    take_nodes(data, &nodes);
}

/// Keeps the nodes named in `order`, in that order. No edge may lead elsewhere.
fn take_nodes(data: &mut RoadData, order: &[u32]) {
    let new = new_numbers(order, data.nodes.len());
    data.nodes = order.iter().map(|old| data.nodes[*old as usize]).collect();
    for edge in &mut data.edges {
        for node in [&mut edge.from, &mut edge.to] {
            *node = new[*node as usize].expect("the nodes of edges are kept");
        }
    }
    let barriers = data.barriers.iter().filter_map(|of| Some(Barrier { node: new[of.node as usize]?, ..*of }));
    data.barriers = barriers.collect();
    data.barriers.sort_unstable_by_key(|barrier| barrier.node);
    data.halts = data.halts.iter().filter_map(|(node, halt)| Some((new[*node as usize]?, *halt))).collect();
    data.halts.sort_unstable();
}

/// Keeps the edges named in `order`, in that order, and the restrictions about them.
fn take_edges(data: &mut RoadData, order: &[u32]) {
    let new = new_numbers(order, data.edges.len());
    let mut old: Vec<Option<RoadEdge>> = std::mem::take(&mut data.edges).into_iter().map(Some).collect();
    data.edges = order.iter().filter_map(|number| old[*number as usize].take()).collect();
    let moved = |restriction: &Restriction| {
        let arcs = restriction.arcs.iter();
        let arcs = arcs.map(|arc| Some(RoadArc { edge: new[arc.edge as usize]?, ..*arc })).collect::<Option<_>>()?;
        Some(Restriction { arcs, ..*restriction })
    };
    data.restrictions = data.restrictions.iter().filter_map(moved).collect();
    data.restrictions.sort_unstable();
    data.restrictions.dedup();
}

fn new_numbers(order: &[u32], count: usize) -> Vec<Option<u32>> {
    let mut new = vec![None; count];
    for (number, old) in (0..).zip(order) {
        new[*old as usize] = Some(number);
    }
    new
}

/// Forgets the names of streets that were cut off, and puts the others in the order of the alphabet.
pub(super) fn drop_unused(data: &mut RoadData) {
    let mut used: Vec<u32> = data.edges.iter().filter_map(|edge| edge.street).collect();
    used.sort_unstable();
    used.dedup();
    used.sort_by(|a, b| data.streets[*a as usize].cmp(&data.streets[*b as usize]));
    let new: HashMap<u32, u32> = used.iter().copied().zip(0..).collect();
    data.streets = used.iter().map(|old| data.streets[*old as usize].clone()).collect();
    for edge in &mut data.edges {
        edge.street = edge.street.map(|old| new[&old]);
    }
}

/// The place of a point along a Hilbert curve over the whole earth, with cells of about 10 m.
fn hilbert_index(point: LatLon) -> u64 {
    const BITS: u32 = 22;
    let side = f64::from(1_u32 << BITS);
    let mut x = ((point.lon() + 180.0) / 360.0 * side).min(side - 1.0) as u32;
    let mut y = ((point.lat() + 90.0) / 180.0 * side).min(side - 1.0) as u32;
    let mut index = 0_u64;
    for bit in (0..BITS).rev() {
        let (right, upper) = ((x >> bit) & 1, (y >> bit) & 1);
        index = (index << 2) | u64::from((3 * right) ^ upper);
        // Turn the quadrant so that the curve enters the next one where it leaves this one.
        if upper == 0 {
            let mask = (1 << bit) - 1;
            if right == 1 {
                x = mask - (x & mask);
                y = mask - (y & mask);
            }
            std::mem::swap(&mut x, &mut y);
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_visits_neighbours_one_after_the_other() {
        // On a 4 by 4 board of the curve's own cells, consecutive indices are always adjacent cells.
        let (cell_lat, cell_lon) = (180.0 / f64::from(1 << 22), 360.0 / f64::from(1 << 22));
        let cells = (0..16).map(|n| (n / 4, n % 4));
        let mut visited: Vec<(u64, i32, i32)> = cells
            .map(|(row, column)| {
                let lat = f64::from(row) * cell_lat + cell_lat / 2.0;
                let lon = f64::from(column) * cell_lon + cell_lon / 2.0;
                (hilbert_index(LatLon::try_new(lat, lon).expect("on earth")), row, column)
            })
            .collect();
        visited.sort_unstable();
        for pair in visited.windows(2) {
            let ((_, row_a, column_a), (_, row_b, column_b)) = (pair[0], pair[1]);
            assert_eq!((row_a - row_b).abs() + (column_a - column_b).abs(), 1, "{pair:?}");
        }
    }
}
