//! From ways to a graph: cut where they meet, where somebody must wait and where somebody cannot pass.

use std::collections::{HashMap, HashSet};

use doorstep_shared::{LatLon, geo::polyline::length_m};

use super::{
    country::Customs,
    ferry,
    restrictions::Rule,
    ways::{Found, Way},
};
use crate::{
    import::positions::Positions,
    roads::{Barrier, Halt, Profiles, RoadArc, RoadClass, RoadData, RoadEdge},
};

/// Where the ways of turn restrictions went.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    pub(super) rules: Vec<Rule>,
    /// Their edges in the ways' order, each along its way.
    arcs: HashMap<i64, Vec<RoadArc>>,
    numbers: HashMap<i64, u32>,
}

impl Cuts {
    /// The number of a node on the streets.
    pub(super) fn node(&self, id: i64) -> Option<u32> {
        self.numbers.get(&id).copied()
    }

    /// The way's edges, in both directions.
    pub(super) fn arcs(&self, way: i64) -> impl Iterator<Item = RoadArc> {
        let along = self.arcs.get(&way).map_or(&[][..], Vec::as_slice);
        along.iter().flat_map(|arc| [*arc, back(*arc)])
    }

    /// The whole way as drawn, and against it.
    pub(super) fn both_ways(&self, way: i64) -> [Vec<RoadArc>; 2] {
        let along = self.arcs.get(&way).cloned().unwrap_or_default();
        let against = along.iter().rev().copied().map(back).collect();
        [along, against]
    }
}

const fn back(arc: RoadArc) -> RoadArc {
    RoadArc { edge: arc.edge, forward: !arc.forward }
}

/// Cuts every way where another begins, ends or crosses.
pub(super) fn split(found: Found, positions: &Positions, customs: &Customs) -> (RoadData, Cuts) {
    let meant: HashSet<i64> = found.rules.iter().flat_map(Rule::ways).collect();
    let mut builder = Builder {
        data: RoadData { streets: found.streets, places: found.places, ..RoadData::default() },
        cuts: Cuts { rules: found.rules, ..Cuts::default() },
        positions,
        customs,
        homes: Homes::of(&found.ways, positions),
    };
    let uses = Uses::of(&found.ways);
    let is_cut = |node: i64| {
        let waits = matches!(found.halts.get(&node), Some(Halt::Signals | Halt::Stop));
        waits || found.barriers.contains_key(&node) || uses.is_shared(node)
    };
    for way in &found.ways {
        for piece in pieces(way, positions, is_cut) {
            builder.push(way, piece, meant.contains(&way.id));
        }
    }
    builder.finish(&found.barriers, &found.halts)
}

/// The parts of a way between cuts. An extract ends somewhere: nodes beyond its border are missing and interrupt it.
fn pieces<'a>(way: &'a Way, positions: &Positions, is_cut: impl Fn(i64) -> bool) -> Vec<&'a [i64]> {
    let mut pieces = Vec::new();
    for run in way.nodes.split(|node| positions.e7(*node).is_none()) {
        let mut begin = 0;
        for index in 1..run.len() {
            if index + 1 == run.len() || is_cut(run[index]) {
                pieces.push(&run[begin..=index]);
                begin = index;
            }
        }
    }
    pieces
}

/// How often ways come by a node.
struct Uses {
    /// Each node that more than one way passes, or one way twice; ascending.
    shared: Vec<i64>,
}

impl Uses {
    fn of(ways: &[Way]) -> Self {
        let mut all: Vec<i64> = ways.iter().flat_map(|way| &way.nodes).copied().collect();
        all.sort_unstable();
        let mut shared: Vec<i64> = all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        shared.dedup();
        Self { shared }
    }

    fn is_shared(&self, node: i64) -> bool {
        self.shared.binary_search(&node).is_ok()
    }
}

/// Where people live: small squares with many points of residential streets.
struct Homes(HashMap<[i32; 2], u32>);

// About 450 m.
const SQUARE_E7: i32 = 40_000;
// A village street has as many within three squares.
const BUILT_UP_POINTS: u32 = 12;

impl Homes {
    fn of(ways: &[Way], positions: &Positions) -> Self {
        let mut points = HashMap::new();
        let homes = ways.iter().filter(|way| matches!(way.class, RoadClass::Residential | RoadClass::LivingStreet));
        for place in homes.flat_map(|way| &way.nodes).filter_map(|node| positions.e7(*node)) {
            *points.entry(Self::square(place)).or_default() += 1;
        }
        Self(points)
    }

    fn square([lat, lon]: [i32; 2]) -> [i32; 2] {
        [lat.div_euclid(SQUARE_E7), lon.div_euclid(SQUARE_E7)]
    }

    fn are_around(&self, place: [i32; 2]) -> bool {
        let [row, column] = Self::square(place);
        let around = (row - 1..=row + 1).flat_map(|row| (column - 1..=column + 1).map(move |column| [row, column]));
        around.filter_map(|square| self.0.get(&square)).sum::<u32>() >= BUILT_UP_POINTS
    }
}

struct Builder<'a> {
    data: RoadData,
    cuts: Cuts,
    positions: &'a Positions,
    customs: &'a Customs,
    homes: Homes,
}

impl Builder<'_> {
    fn push(&mut self, way: &Way, piece: &[i64], is_meant: bool) {
        let mut line: Vec<LatLon> = piece.iter().filter_map(|node| self.positions.get(*node)).collect();
        let (mut from, mut to) = (self.number(piece[0]), self.number(piece[piece.len() - 1]));
        if line.len() != piece.len() {
            return;
        }
        let (mut forward, mut backward) = (way.access.forward, way.access.backward);
        // A street that is driven against how it was drawn is turned round: edges lead where vehicles go.
        let against = |of: Profiles| !of.within(Profiles::MOTOR).is_empty();
        let is_turned = against(backward) && !against(forward);
        if is_turned {
            line.reverse();
            (from, to, forward, backward) = (to, from, backward, forward);
        }
        let edge = self.data.edges.len() as u32;
        if is_meant {
            self.cuts.arcs.entry(way.id).or_default().push(RoadArc { edge, forward: !is_turned });
        }
        let is_built_up = self.positions.e7(piece[piece.len() / 2]).is_some_and(|place| self.homes.are_around(place));
        self.data.edges.push(RoadEdge {
            from,
            to,
            class: way.class,
            limit_kmh: way.limit.kmh(way.class, is_built_up, self.customs),
            surface: way.surface,
            forward,
            backward,
            destination: way.access.destination,
            tunnel: way.tunnel,
            ferry_s: (way.class == RoadClass::Ferry).then(|| self.crossing_s(way, &line)),
            street: way.street,
            via: line[1..line.len() - 1].to_vec(),
        });
    }

    /// A piece's share of the whole crossing.
    fn crossing_s(&self, way: &Way, piece: &[LatLon]) -> u32 {
        let whole: Vec<LatLon> = way.nodes.iter().filter_map(|node| self.positions.get(*node)).collect();
        let (whole_m, piece_m) = (length_m(&whole).max(1.0), length_m(piece));
        let whole_s = f64::from(ferry::crossing_s(way.duration.as_deref(), whole_m));
        (whole_s * piece_m / whole_m).round().max(1.0) as u32
    }

    fn number(&mut self, node: i64) -> u32 {
        let (nodes, positions) = (&mut self.data.nodes, self.positions);
        let point = || positions.get(node).unwrap_or_else(|| LatLon::try_new(0.0, 0.0).expect("on earth"));
        *self.cuts.numbers.entry(node).or_insert_with(|| {
            nodes.push(point());
            nodes.len() as u32 - 1
        })
    }

    fn finish(mut self, barriers: &HashMap<i64, Profiles>, halts: &HashMap<i64, Halt>) -> (RoadData, Cuts) {
        let number = |id: &i64| self.cuts.numbers.get(id).copied();
        let barriers =
            barriers.iter().filter_map(|(id, open_to)| Some(Barrier { node: number(id)?, open_to: *open_to }));
        self.data.barriers = barriers.collect();
        self.data.halts = halts.iter().filter_map(|(id, halt)| Some((number(id)?, *halt))).collect();
        self.data.barriers.sort_unstable_by_key(|barrier| barrier.node);
        self.data.halts.sort_unstable();
        (self.data, self.cuts)
    }
}
