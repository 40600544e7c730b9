//! The street graph, indexed: which street is at a point, and its name.

use super::{
    class::{RoadClass, Surface},
    costs::{Costs, Least, Meeting, Pace, Paces, direction, meetings},
    data::{RoadData, RoadEdge, RoadPlace},
    format::RoadsError,
    grid::{Grid, METRES_PER_DEGREE},
    in_space::InSpace,
    landmarks::{GROUPS, Landmarks},
    matrix::{self, Distance},
    profile::{Profile, Profiles},
    route::{self, Route},
    topology::Topology,
};
use doorstep_shared::{
    LatLon, Vehicle,
    geo::{distance::haversine_m, polyline::length_m},
};

/// A point farther than this from every street is on none: routes do not begin or end there. In metres.
pub const SNAP_LIMIT_M: f64 = 500.0;

// Larger steps between points are not streets, and would fill the grid's cells. Boats take them.
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
    /// What kind of way it is.
    pub class: RoadClass,
    /// Speed limit in km/h.
    pub limit_kmh: u8,
    /// How well it rolls.
    pub surface: Surface,
    /// Who may travel along `line`.
    pub forward: Profiles,
    /// Who may travel against `line`.
    pub backward: Profiles,
    /// Those of them who may only begin or end here.
    pub destination: Profiles,
    /// Closed to some against the direction of `line` that may travel along it.
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

/// What a search reads of an edge.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) length_m: f64,
    pub(super) pace: u16,
    pub(super) rank: u8,
    pub(super) destination: Profiles,
    pub(super) is_ferry: bool,
    /// The line's direction at its start and at its end.
    directions: [u8; 2],
}

impl Edge {
    /// The direction in which a traveller enters it.
    pub(super) const fn leaves_towards(&self, forward: bool) -> u8 {
        if forward { self.directions[0] } else { self.directions[1].wrapping_add(128) }
    }

    /// The direction in which a traveller comes to its end.
    pub(super) const fn arrives_towards(&self, forward: bool) -> u8 {
        if forward { self.directions[1] } else { self.directions[0].wrapping_add(128) }
    }
}

/// What only people ask of an edge.
#[derive(Debug)]
struct Details {
    forward: Profiles,
    backward: Profiles,
    surface: Surface,
    tunnel: bool,
    street: Option<u32>,
    first_point: u32,
    points: u32,
}

/// Streets, indexed for search.
#[derive(Debug)]
pub struct RoadNetwork {
    streets: Vec<String>,
    places: Vec<RoadPlace>,
    /// The nodes' places in space, which a search needs for every node that it reaches.
    pub(super) nodes_in_space: Vec<InSpace>,
    pub(super) meetings: Vec<Meeting>,
    pub(super) edges: Vec<Edge>,
    details: Vec<Details>,
    pub(super) topology: Topology,
    /// In the order of [`GROUPS`]; none when the area has no landmarks.
    pub(super) landmarks: Vec<Landmarks>,
    /// In the order of [`GROUPS`].
    least: Vec<Least>,
    paces: Vec<Pace>,
    /// In the order of [`Vehicle::ALL`].
    costs: Vec<Costs>,
    /// Where boats land.
    pub(super) quays: Vec<InSpace>,
    /// The lines of all edges, one after the other, ends included.
    points: Vec<LatLon>,
    /// The edge of each point, so that a segment found in the grid leads back to its edge.
    edge_of_point: Vec<u32>,
    grid: Grid,
}

impl RoadNetwork {
    /// Reads a file that [`crate::import`] made.
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
        check(data)?;
        let mut network = Self {
            streets: data.streets.clone(),
            places: data.places.clone(),
            nodes_in_space: data.nodes.iter().copied().map(InSpace::of).collect(),
            meetings: Vec::new(),
            edges: Vec::with_capacity(data.edges.len()),
            details: Vec::with_capacity(data.edges.len()),
            topology: Topology::new(data)?,
            landmarks: data.landmarks.iter().map(|columns| Landmarks::new(columns)).collect(),
            least: Vec::new(),
            paces: Vec::new(),
            costs: Vec::new(),
            quays: quays(data),
            points: Vec::new(),
            edge_of_point: Vec::new(),
            grid: Grid::default(),
        };
        network.meetings = meetings(data);
        let mut paces = Paces::default();
        for edge in &data.edges {
            network.push_edge(edge, &data.nodes, &mut paces)?;
        }
        network.least = GROUPS.iter().map(|vehicles| Least::new(vehicles, &paces.all)).collect();
        let costs = |vehicle| Costs::new(vehicle, &paces.all, &network.least, data.drives_on_left);
        network.costs = Vehicle::ALL.map(costs).into();
        network.paces = paces.all;
        network.grid = Grid::new(network.segments());
        Ok(network)
    }

    fn push_edge(&mut self, edge: &RoadEdge, nodes: &[LatLon], paces: &mut Paces) -> Result<(), RoadsError> {
        let first_point = self.points.len();
        self.points.push(nodes[edge.from as usize]);
        self.points.extend_from_slice(&edge.via);
        self.points.push(nodes[edge.to as usize]);
        let line = &self.points[first_point..];
        let is_far = |pair: &[LatLon]| haversine_m(pair[0], pair[1]) > LONGEST_SEGMENT_M;
        if edge.ferry_s.is_none() && line.windows(2).any(is_far) {
            return Err(RoadsError::Damaged("two neighbouring points are far apart"));
        }
        let too_many = |_| RoadsError::Damaged("it holds too many points");
        let length_m = length_m(line);
        let end = line.len() - 1;
        self.edges.push(Edge {
            from: edge.from,
            to: edge.to,
            length_m,
            pace: paces.number(edge, length_m).ok_or(RoadsError::Damaged("it holds too many speeds"))?,
            rank: edge.class.rank(),
            destination: edge.destination,
            is_ferry: edge.ferry_s.is_some(),
            directions: [direction(line[0], line[1]), direction(line[end - 1], line[end])],
        });
        self.details.push(Details {
            forward: edge.forward,
            backward: edge.backward,
            surface: edge.surface,
            tunnel: edge.tunnel,
            street: edge.street,
            points: line.len() as u32,
            first_point: u32::try_from(first_point).map_err(too_many)?,
        });
        let number = self.edges.len() as u32 - 1;
        self.edge_of_point.resize(self.points.len(), number);
        Ok(())
    }

    /// Every segment of every edge, numbered by its first point. Nobody is found on a boat's line.
    fn segments(&self) -> impl Iterator<Item = (u32, LatLon, LatLon)> + Clone {
        let on_land = (0..self.edges.len() as u32).filter(|edge| !self.edges[*edge as usize].is_ferry);
        let lines = on_land.map(|edge| (self.details[edge as usize].first_point, self.line(EdgeId(edge))));
        lines.flat_map(|(first, line)| (first..).zip(line.windows(2)).map(|(number, pair)| (number, pair[0], pair[1])))
    }

    pub(super) fn line(&self, id: EdgeId) -> &[LatLon] {
        let details = &self.details[id.0 as usize];
        &self.points[details.first_point as usize..][..details.points as usize]
    }

    pub(super) fn costs(&self, vehicle: Vehicle) -> &Costs {
        &self.costs[vehicle as usize]
    }

    /// The least that a vehicle of a group needs for a whole edge, in seconds.
    pub(super) fn least_along_s(&self, group: usize, edge: usize) -> f64 {
        self.least[group].along_s(&self.edges[edge])
    }

    /// The least that a vehicle of a group waits at a node that it passes, in seconds.
    pub(super) fn least_wait_s(&self, group: usize, node: u32) -> f64 {
        self.least[group].wait_s(self.meetings[node as usize])
    }

    /// Every edge's id, in the file's order, which keeps neighbours together.
    pub fn edge_ids(&self) -> impl ExactSizeIterator<Item = EdgeId> + use<> {
        (0..self.edges.len() as u32).map(EdgeId)
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes_in_space.len()
    }

    /// The speed limit on an edge in km/h.
    pub(super) fn limit_kmh(&self, id: EdgeId) -> u8 {
        self.paces[usize::from(self.edges[id.0 as usize].pace)].limit_kmh
    }

    /// The properties of an edge.
    ///
    /// # Panics
    /// When `id` came from another network.
    pub fn edge(&self, id: EdgeId) -> EdgeView<'_> {
        let (edge, details) = (&self.edges[id.0 as usize], &self.details[id.0 as usize]);
        EdgeView {
            class: self.paces[usize::from(edge.pace)].class,
            limit_kmh: self.limit_kmh(id),
            surface: details.surface,
            forward: details.forward,
            backward: details.backward,
            destination: edge.destination,
            one_way: !details.forward.without(details.backward).is_empty(),
            tunnel: details.tunnel,
            street: details.street.map(|street| self.streets[street as usize].as_str()),
            length_m: edge.length_m,
            line: self.line(id),
        }
    }

    /// The town, village or quarter whose middle is nearest to `point`; `None` when the file names none.
    pub fn place_near(&self, point: LatLon) -> Option<&str> {
        let distance = |place: &&RoadPlace| haversine_m(place.centre, point);
        let nearest = self.places.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map(|place| place.name.as_str())
    }

    /// The nearest point on any street or path; `None` when there is none within [`SNAP_LIMIT_M`].
    pub fn nearest(&self, point: LatLon) -> Option<Snap> {
        self.nearest_where(point, |_| true)
    }

    /// The nearest point on what `vehicle` may use; `None` when there is none within [`SNAP_LIMIT_M`].
    pub fn nearest_for(&self, point: LatLon, vehicle: Vehicle) -> Option<Snap> {
        let profile = Profile::of(vehicle);
        self.nearest_where(point, |details| details.forward.and(details.backward).contains(profile))
    }

    fn nearest_where(&self, point: LatLon, may_use: impl Fn(&Details) -> bool) -> Option<Snap> {
        // Over a few hundred metres the ground is flat: degrees become metres by two factors.
        let metres_per_lon = METRES_PER_DEGREE * point.lat().to_radians().cos();
        let flat =
            |of: LatLon| [(of.lon() - point.lon()) * metres_per_lon, (of.lat() - point.lat()) * METRES_PER_DEGREE];
        let mut best = (SNAP_LIMIT_M, None);
        self.grid.search(point, SNAP_LIMIT_M, |number| {
            let (a, b) = (flat(self.points[number as usize]), flat(self.points[number as usize + 1]));
            let (share, distance_m) = closest_to_origin(a, b);
            // The lower number wins a tie, so that the answer does not depend on the order of the search.
            let wins = distance_m < best.0 || (distance_m == best.0 && best.1.is_some_and(|(held, _)| number < held));
            if wins && may_use(&self.details[self.edge_of_point[number as usize] as usize]) {
                best = (distance_m, Some((number, share)));
            }
            best.0
        });
        let (number, share) = best.1?;
        Some(self.snap(point, number, share))
    }

    fn snap(&self, asked: LatLon, number: u32, share: f64) -> Snap {
        let edge_number = self.edge_of_point[number as usize];
        let length_of_edge_m = self.edges[edge_number as usize].length_m;
        let line = self.line(EdgeId(edge_number));
        let mut segment = (number - self.details[edge_number as usize].first_point) as usize;
        let mut point = between(line[segment], line[segment + 1], share);
        let mut along_m = length_m(&line[..=segment]) + haversine_m(line[segment], point);
        // An end of an edge belongs to every edge that meets there: it must be the very point.
        if along_m < NODE_REACH_M {
            (segment, point, along_m) = (0, line[0], 0.0);
        } else if length_of_edge_m - along_m < NODE_REACH_M {
            (segment, point, along_m) = (line.len() - 2, line[line.len() - 1], length_of_edge_m);
        }
        Snap { edge: EdgeId(edge_number), point, distance_m: haversine_m(asked, point), along_m, segment }
    }

    /// The quickest way for `vehicle`, from the point nearest to `from` that it may use to the one nearest to `to`.
    ///
    /// Streets that are only open to those who begin or end there are passed through where nothing else leads on.
    /// `None` when an end is farther than [`SNAP_LIMIT_M`] from every such street, or when no route exists.
    pub fn route(&self, from: LatLon, to: LatLon, vehicle: Vehicle) -> Option<Route> {
        route::quickest(self, &self.nearest_for(from, vehicle)?, &self.nearest_for(to, vehicle)?, vehicle)
    }

    /// How far each of `targets` is from `from`, in one search; `None` where [`Self::route`] finds none.
    pub fn one_to_many(&self, from: LatLon, targets: &[LatLon], vehicle: Vehicle) -> Vec<Option<Distance>> {
        matrix::one_to_many(self, from, targets, vehicle)
    }
}

/// Checks what [`Topology`] does not.
fn check(data: &RoadData) -> Result<(), RoadsError> {
    let nodes = data.nodes.len();
    if data.edges.iter().any(|edge| edge.limit_kmh == 0) {
        return Err(RoadsError::Damaged("a speed limit is zero"));
    }
    let streets = data.streets.len();
    if data.edges.iter().any(|edge| edge.street.is_some_and(|street| street as usize >= streets)) {
        return Err(RoadsError::Damaged("a street's name is missing"));
    }
    if data.edges.iter().any(|edge| edge.from.max(edge.to) as usize >= nodes) {
        return Err(RoadsError::Damaged("an edge ends nowhere"));
    }
    if data.halts.iter().any(|(node, _)| *node as usize >= nodes) {
        return Err(RoadsError::Damaged("a traffic light stands nowhere"));
    }
    if !data.landmarks.is_empty() && data.landmarks.len() != GROUPS.len() {
        return Err(RoadsError::Damaged("landmarks know other vehicles"));
    }
    if data.landmarks.iter().flatten().any(|column| column.len() != nodes) {
        return Err(RoadsError::Damaged("a landmark does not know every node"));
    }
    Ok(())
}

fn quays(data: &RoadData) -> Vec<InSpace> {
    let boats = data.edges.iter().filter(|edge| edge.ferry_s.is_some());
    let mut nodes: Vec<u32> = boats.flat_map(|edge| [edge.from, edge.to]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes.into_iter().map(|node| InSpace::of(data.nodes[node as usize])).collect()
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
