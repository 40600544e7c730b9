//! The street graph, indexed: which street is at a point, and its name.

use super::{
    format::{RoadClass, RoadData, RoadEdge, RoadPlace, RoadsError},
    grid::{Grid, METRES_PER_DEGREE},
    in_space::InSpace,
    route::{self, Route},
};
use crate::{
    LatLon, Vehicle,
    geo::{distance::haversine_m, polyline::length_m},
};

/// A point farther than this from every street is on none: routes do not begin or end there. In metres.
pub const SNAP_LIMIT_M: f64 = 500.0;

// Larger steps between points are not streets, and would fill the grid's cells.
const LONGEST_SEGMENT_M: f64 = 20_000.0;

// Nearer than this to a node is on it. In metres; below what the file's coordinates can tell apart.
const NODE_REACH_M: f64 = 0.05;

/// One edge of a [`RoadNetwork`]; only valid for the network it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeId(pub(super) u32);

/// The point on the streets nearest to a given point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snap {
    /// The edge.
    pub edge: EdgeId,
    /// The point itself.
    pub point: LatLon,
    /// Metres between it and the given point.
    pub distance_m: f64,
    /// Metres along the edge, from its start.
    pub along_m: f64,
    /// Index within the edge's line of the point that begins the segment.
    pub(super) segment: usize,
}

/// The properties of an edge.
#[derive(Clone, Copy, Debug)]
pub struct EdgeView<'a> {
    /// What kind of road it is.
    pub class: RoadClass,
    /// Speed limit in km/h.
    pub limit_kmh: u8,
    /// Driven only in the direction of `line`.
    pub one_way: bool,
    /// Under ground.
    pub tunnel: bool,
    /// The street's name.
    pub street: Option<&'a str>,
    /// Metres from end to end.
    pub length_m: f64,
    /// Its geometry, both ends included.
    pub line: &'a [LatLon],
}

#[derive(Debug)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) length_m: f64,
    pub(super) limit_kmh: u8,
    pub(super) one_way: bool,
    class: RoadClass,
    tunnel: bool,
    street: Option<u32>,
    first_point: u32,
    points: u32,
}

impl Edge {
    /// The node that going along it leads to.
    pub(super) const fn end(&self, forward: bool) -> u32 {
        if forward { self.to } else { self.from }
    }
}

/// A way to leave a node: an edge, and whether it is left forwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arc {
    pub(super) edge: u32,
    pub(super) forward: bool,
}

/// Streets, indexed for search.
#[derive(Debug)]
pub struct RoadNetwork {
    streets: Vec<String>,
    places: Vec<RoadPlace>,
    pub(super) nodes: Vec<LatLon>,
    /// The nodes' places in space, which a search needs for every node that it reaches.
    pub(super) nodes_in_space: Vec<InSpace>,
    pub(super) edges: Vec<Edge>,
    /// The lines of all edges, one after the other, ends included.
    points: Vec<LatLon>,
    /// The edge of each point, so that a segment found in the grid leads back to its edge.
    edge_of_point: Vec<u32>,
    /// Where each node's arcs begin in `arcs`; one more than there are nodes.
    arc_offsets: Vec<u32>,
    arcs: Vec<Arc>,
    grid: Grid,
    pub(super) highest_limit_kmh: u8,
}

impl RoadNetwork {
    /// Reads a file that `cargo xtask bake-roads` wrote.
    ///
    /// # Errors
    /// [`RoadsError`] when the bytes are not such a file, of another version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RoadsError> {
        Self::from_data(&RoadData::from_bytes(bytes)?)
    }

    /// Indexes a graph.
    ///
    /// # Errors
    /// [`RoadsError::Damaged`] when an index refers to nothing.
    pub fn from_data(data: &RoadData) -> Result<Self, RoadsError> {
        let mut network = Self {
            streets: data.streets.clone(),
            places: data.places.clone(),
            nodes: data.nodes.clone(),
            nodes_in_space: data.nodes.iter().copied().map(InSpace::of).collect(),
            edges: Vec::with_capacity(data.edges.len()),
            points: Vec::new(),
            edge_of_point: Vec::new(),
            arc_offsets: Vec::new(),
            arcs: Vec::new(),
            grid: Grid::default(),
            highest_limit_kmh: data.edges.iter().map(|edge| edge.limit_kmh).max().unwrap_or(1),
        };
        for edge in &data.edges {
            network.push_edge(edge)?;
        }
        (network.arc_offsets, network.arcs) = arcs_by_node(network.nodes.len(), &network.edges);
        network.grid = Grid::new(network.segments());
        Ok(network)
    }

    fn push_edge(&mut self, edge: &RoadEdge) -> Result<(), RoadsError> {
        let node = |index: u32| self.nodes.get(index as usize).copied();
        let (Some(from), Some(to)) = (node(edge.from), node(edge.to)) else {
            return Err(RoadsError::Damaged("an edge ends nowhere"));
        };
        if edge.limit_kmh == 0 {
            return Err(RoadsError::Damaged("a speed limit is zero"));
        }
        if edge.street.is_some_and(|street| street as usize >= self.streets.len()) {
            return Err(RoadsError::Damaged("a street's name is missing"));
        }
        let first_point = self.points.len();
        self.points.push(from);
        self.points.extend_from_slice(&edge.via);
        self.points.push(to);
        let line = &self.points[first_point..];
        if line.windows(2).any(|pair| haversine_m(pair[0], pair[1]) > LONGEST_SEGMENT_M) {
            return Err(RoadsError::Damaged("two neighbouring points are far apart"));
        }
        let too_many = |_| RoadsError::Damaged("it holds too many points");
        let number = self.edges.len() as u32;
        self.edge_of_point.resize(self.points.len(), number);
        self.edges.push(Edge {
            from: edge.from,
            to: edge.to,
            length_m: length_m(line),
            limit_kmh: edge.limit_kmh,
            one_way: edge.one_way,
            class: edge.class,
            tunnel: edge.tunnel,
            street: edge.street,
            points: line.len() as u32,
            first_point: u32::try_from(first_point).map_err(too_many)?,
        });
        Ok(())
    }

    /// Every segment of every edge, numbered by its first point.
    fn segments(&self) -> impl Iterator<Item = (u32, LatLon, LatLon)> + Clone {
        let lines = self.edges.iter().map(|edge| (edge.first_point, self.line(edge)));
        lines.flat_map(|(first, line)| (first..).zip(line.windows(2)).map(|(number, pair)| (number, pair[0], pair[1])))
    }

    pub(super) fn line(&self, edge: &Edge) -> &[LatLon] {
        &self.points[edge.first_point as usize..][..edge.points as usize]
    }

    pub(super) fn arcs_from(&self, node: u32) -> &[Arc] {
        let node = node as usize;
        &self.arcs[self.arc_offsets[node] as usize..self.arc_offsets[node + 1] as usize]
    }

    /// Every edge's id, in the file's order, which keeps neighbours together.
    pub fn edge_ids(&self) -> impl ExactSizeIterator<Item = EdgeId> + use<> {
        (0..self.edges.len() as u32).map(EdgeId)
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The properties of an edge.
    ///
    /// # Panics
    /// When `id` came from another network.
    pub fn edge(&self, id: EdgeId) -> EdgeView<'_> {
        let edge = &self.edges[id.0 as usize];
        EdgeView {
            class: edge.class,
            limit_kmh: edge.limit_kmh,
            one_way: edge.one_way,
            tunnel: edge.tunnel,
            street: edge.street.map(|street| self.streets[street as usize].as_str()),
            length_m: edge.length_m,
            line: self.line(edge),
        }
    }

    /// The town, village or quarter whose middle is nearest to `point`; `None` when the file names none.
    pub fn place_near(&self, point: LatLon) -> Option<&str> {
        let distance = |place: &&RoadPlace| haversine_m(place.centre, point);
        let nearest = self.places.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map(|place| place.name.as_str())
    }

    /// The nearest point on any street; `None` when there is none within [`SNAP_LIMIT_M`].
    pub fn nearest(&self, point: LatLon) -> Option<Snap> {
        // Over a few hundred metres the ground is flat: degrees become metres by two factors.
        let metres_per_lon = METRES_PER_DEGREE * point.lat().to_radians().cos();
        let flat =
            |of: LatLon| [(of.lon() - point.lon()) * metres_per_lon, (of.lat() - point.lat()) * METRES_PER_DEGREE];
        let mut best = (SNAP_LIMIT_M, None);
        self.grid.search(point, SNAP_LIMIT_M, |number| {
            let (a, b) = (flat(self.points[number as usize]), flat(self.points[number as usize + 1]));
            let (share, distance_m) = closest_to_origin(a, b);
            // The lower number wins a tie, so that the answer does not depend on the order of the search.
            if distance_m < best.0 || (distance_m == best.0 && best.1.is_some_and(|(held, _)| number < held)) {
                best = (distance_m, Some((number, share)));
            }
            best.0
        });
        let (number, share) = best.1?;
        Some(self.snap(point, number, share))
    }

    fn snap(&self, asked: LatLon, number: u32, share: f64) -> Snap {
        let edge_number = self.edge_of_point[number as usize];
        let edge = &self.edges[edge_number as usize];
        let line = self.line(edge);
        let mut segment = (number - edge.first_point) as usize;
        let mut point = between(line[segment], line[segment + 1], share);
        let mut along_m = length_m(&line[..=segment]) + haversine_m(line[segment], point);
        // An end of an edge belongs to every edge that meets there: it must be the very point.
        if along_m < NODE_REACH_M {
            (segment, point, along_m) = (0, line[0], 0.0);
        } else if edge.length_m - along_m < NODE_REACH_M {
            (segment, point, along_m) = (line.len() - 2, line[line.len() - 1], edge.length_m);
        }
        Snap { edge: EdgeId(edge_number), point, distance_m: haversine_m(asked, point), along_m, segment }
    }

    /// The quickest way for `vehicle`, from the street point nearest to `from` to the one nearest to `to`.
    ///
    /// Walkers may go against one-way streets, vehicles may not. `None` when an end is farther than [`SNAP_LIMIT_M`]
    /// from every street, or when no route exists.
    pub fn route(&self, from: LatLon, to: LatLon, vehicle: Vehicle) -> Option<Route> {
        route::quickest(self, &self.nearest(from)?, &self.nearest(to)?, vehicle)
    }
}

/// Where on the segment from `a` to `b` the origin is nearest, as a share of the segment, and how far it is.
fn closest_to_origin(a: [f64; 2], b: [f64; 2]) -> (f64, f64) {
    let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    let squared = dx * dx + dy * dy;
    let share = if squared > 0.0 { (-(a[0] * dx + a[1] * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
    (share, (a[0] + share * dx).hypot(a[1] + share * dy))
}

/// The point at `share` of the way from `a` to `b`; exactly an end at 0 and 1.
fn between(a: LatLon, b: LatLon, share: f64) -> LatLon {
    if share >= 1.0 {
        return b;
    }
    let lat = a.lat() + share * (b.lat() - a.lat());
    let lon = a.lon() + share * (b.lon() - a.lon());
    LatLon::try_new(lat, lon).unwrap_or(a)
}

/// Compressed rows: all arcs sorted by the node they leave, and where each node's begin.
fn arcs_by_node(nodes: usize, edges: &[Edge]) -> (Vec<u32>, Vec<Arc>) {
    let mut offsets = vec![0_u32; nodes + 1];
    for edge in edges {
        offsets[edge.from as usize + 1] += 1;
        offsets[edge.to as usize + 1] += 1;
    }
    for node in 1..offsets.len() {
        offsets[node] += offsets[node - 1];
    }
    let mut next = offsets.clone();
    let mut arcs = vec![Arc { edge: 0, forward: true }; edges.len() * 2];
    for (number, edge) in (0_u32..).zip(edges) {
        for (node, forward) in [(edge.from, true), (edge.to, false)] {
            let slot = &mut next[node as usize];
            arcs[*slot as usize] = Arc { edge: number, forward };
            *slot += 1;
        }
    }
    (offsets, arcs)
}
