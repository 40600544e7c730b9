//! From ways to a graph: cut at junctions, keep what is connected, put neighbours together.

use std::cmp::Ordering;
use std::collections::HashMap;

use doorstep_shared::LatLon;
use doorstep_shared::roads::{RoadData, RoadEdge};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use super::Way;
use super::tags::Direction;

/// Cuts every way where another begins, ends or crosses.
pub fn split_at_junctions(
    ways: &[Way],
    positions: &HashMap<i64, LatLon>,
    street_numbers: &HashMap<&str, u32>,
) -> RoadData {
    let uses = count_uses(ways);
    let mut builder = Builder::default();
    for way in ways {
        let street = way.street.as_deref().map(|name| street_numbers[name]);
        // An extract ends somewhere: nodes beyond its border are missing and interrupt the way.
        for run in way.nodes.split(|node| !positions.contains_key(node)) {
            let mut piece: Vec<i64> = Vec::new();
            for (index, node) in run.iter().enumerate() {
                piece.push(*node);
                let cut = uses[node] > 1 || index + 1 == run.len();
                if cut && piece.len() > 1 {
                    builder.push(way, &piece, street, positions);
                    piece = vec![*node];
                }
            }
        }
    }
    builder.data
}

/// How many ways meet at each node; the ends of a way count twice, because it is always cut there.
fn count_uses(ways: &[Way]) -> HashMap<i64, u32> {
    let mut uses = HashMap::new();
    for way in ways {
        for node in way.nodes.iter().chain(way.nodes.first()).chain(way.nodes.last()) {
            *uses.entry(*node).or_insert(0) += 1;
        }
    }
    uses
}

#[derive(Default)]
struct Builder {
    data: RoadData,
    numbers: HashMap<i64, u32>,
}

impl Builder {
    fn push(&mut self, way: &Way, piece: &[i64], street: Option<u32>, positions: &HashMap<i64, LatLon>) {
        let mut nodes = piece.to_vec();
        if way.road.direction == Direction::Backward {
            nodes.reverse();
        }
        let [first, inner @ .., last] = nodes.as_slice() else {
            return;
        };
        let edge = RoadEdge {
            from: self.number(*first, positions),
            to: self.number(*last, positions),
            via: inner.iter().map(|node| positions[node]).collect(),
            class: way.road.class,
            limit_kmh: way.road.limit_kmh,
            one_way: way.road.direction != Direction::Both,
            tunnel: way.road.tunnel,
            street,
        };
        self.data.edges.push(edge);
    }

    fn number(&mut self, node: i64, positions: &HashMap<i64, LatLon>) -> u32 {
        let nodes = &mut self.data.nodes;
        *self.numbers.entry(node).or_insert_with(|| {
            nodes.push(positions[&node]);
            nodes.len() as u32 - 1
        })
    }
}

// Gozo, reached by ferry only, has some thousands of nodes; a closed-off car park has a dozen.
const SMALLEST_ISLAND_NODES: usize = 500;

/// Keeps the largest set of nodes that can all be reached from each other, and other islands' such sets.
///
/// What is left out are private grounds, one-way dead ends and roads cut by the extract's border.
pub fn keep_islands(data: &mut RoadData) {
    let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(data.nodes.len(), data.edges.len() * 2);
    let indices: Vec<_> = data.nodes.iter().map(|_| graph.add_node(())).collect();
    for edge in &data.edges {
        let (from, to) = (indices[edge.from as usize], indices[edge.to as usize]);
        graph.add_edge(from, to, ());
        if !edge.one_way {
            graph.add_edge(to, from, ());
        }
    }
    let components = kosaraju_scc(&graph);
    let largest = components.iter().map(Vec::len).max().unwrap_or(0);
    let islands = components.into_iter().filter(|nodes| nodes.len() >= largest.min(SMALLEST_ISLAND_NODES));
    let mut kept: Vec<u32> = islands.flatten().map(|index| index.index() as u32).collect();
    kept.sort_unstable();
    renumber(data, &kept);
}

/// Orders nodes along a curve that fills the plane and edges by their nodes: differences between neighbours
/// become small, which is what the file stores, and a route reads memory that lies together.
pub fn put_neighbours_together(data: &mut RoadData) {
    let mut order: Vec<u32> = (0..data.nodes.len() as u32).collect();
    order.sort_by_key(|node| {
        let point = data.nodes[*node as usize];
        (hilbert_index(point), *node)
    });
    renumber(data, &order);
    data.edges.sort_by(|a, b| (a.from, a.to).cmp(&(b.from, b.to)).then_with(|| compare_lines(a, b)));
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

/// Keeps the nodes named in `order`, in that order, and the edges between them.
fn renumber(data: &mut RoadData, order: &[u32]) {
    let mut new_numbers = vec![None; data.nodes.len()];
    for (new, old) in (0_u32..).zip(order) {
        new_numbers[*old as usize] = Some(new);
    }
    data.nodes = order.iter().map(|old| data.nodes[*old as usize]).collect();
    data.edges.retain_mut(|edge| match (new_numbers[edge.from as usize], new_numbers[edge.to as usize]) {
        (Some(from), Some(to)) => {
            (edge.from, edge.to) = (from, to);
            true
        }
        _ => false,
    });
}

/// Forgets the names of streets that were cut off.
pub fn drop_unused_streets(data: &mut RoadData) {
    let mut used = vec![false; data.streets.len()];
    for street in data.edges.iter().filter_map(|edge| edge.street) {
        used[street as usize] = true;
    }
    let mut new_numbers = Vec::with_capacity(used.len());
    let mut next = 0;
    for is_used in &used {
        new_numbers.push(next);
        next += u32::from(*is_used);
    }
    for edge in &mut data.edges {
        edge.street = edge.street.map(|street| new_numbers[street as usize]);
    }
    let mut keep = used.into_iter();
    data.streets.retain(|_| keep.next().unwrap_or(false));
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
    use super::super::tags::Road;
    use super::*;
    use doorstep_shared::roads::RoadClass;

    fn way(nodes: &[i64], direction: Direction) -> Way {
        let road = Road { class: RoadClass::Residential, limit_kmh: 35, direction, tunnel: false };
        Way { road, street: None, nodes: nodes.to_vec() }
    }

    fn positions(nodes: std::ops::RangeInclusive<i64>) -> HashMap<i64, LatLon> {
        let at = |node: i64| LatLon::try_new(35.9 + node as f64 * 1e-4, 14.5).expect("on earth");
        nodes.map(|node| (node, at(node))).collect()
    }

    fn graph(ways: &[Way], nodes: std::ops::RangeInclusive<i64>) -> RoadData {
        split_at_junctions(ways, &positions(nodes), &HashMap::new())
    }

    #[test]
    fn ways_are_cut_where_they_meet_and_keep_the_points_between() {
        let data = graph(&[way(&[1, 2, 3, 4], Direction::Both), way(&[3, 5], Direction::Both)], 1..=5);
        let via: Vec<usize> = data.edges.iter().map(|edge| edge.via.len()).collect();
        assert_eq!(via, [1, 0, 0]);
        assert_eq!(data.nodes.len(), 4);
    }

    #[test]
    fn a_way_drawn_against_its_direction_is_turned_round() {
        let data = graph(&[way(&[1, 2, 3], Direction::Backward)], 1..=3);
        let [edge] = data.edges.as_slice() else { panic!("one edge: {:?}", data.edges) };
        assert!(edge.one_way);
        assert!(data.nodes[edge.from as usize].lat() > data.nodes[edge.to as usize].lat());
    }

    #[test]
    fn nodes_beyond_the_extract_interrupt_a_way() {
        let data = graph(&[way(&[1, 2, 9, 3, 4], Direction::Both)], 1..=4);
        assert_eq!(data.edges.len(), 2);
    }

    #[test]
    fn a_one_way_dead_end_is_left_out() {
        let ways = [way(&[1, 2], Direction::Both), way(&[2, 3], Direction::Forward)];
        let mut data = graph(&ways, 1..=3);
        keep_islands(&mut data);
        assert_eq!((data.nodes.len(), data.edges.len()), (2, 1));
    }

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
