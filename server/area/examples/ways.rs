//! Plans seeded trips on an area's streets and prints them, one JSON object a line: `ways STREETS TRIPS`.
//!
//! `cargo xtask bench --row area-routes` gives them to its referee, and reads how long each search took a core.

#![allow(clippy::disallowed_methods, reason = "those rules guard the server's clock and tasks")]

use std::{
    fs,
    io::{BufWriter, Write, stdout},
    ops::RangeInclusive,
};

use anyhow::{Context, Result, bail};
use doorstep_area::roads::{EdgeId, Profile, RoadClass, RoadNetwork};
use doorstep_shared::{LatLon, Vehicle, geo::distance::haversine_m};
use nix::{
    sys::time::{TimeSpec, TimeValLike},
    time::{ClockId, clock_gettime},
};
use serde_json::json;

/// One vehicle for each profile.
const VEHICLES: [Vehicle; 5] = [Vehicle::Foot, Vehicle::Bicycle, Vehicle::Scooter, Vehicle::Motorcycle, Vehicle::Car];

/// As the crow flies: from a street away to across a city.
const DISTANCE_M: RangeInclusive<f64> = 300.0..=20_000.0;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [streets, trips] = &arguments[..] else { bail!("usage: ways STREETS TRIPS") };
    let trips: usize = trips.parse().context("TRIPS is a number")?;
    let network = RoadNetwork::from_bytes(&fs::read(streets)?)?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut out = BufWriter::new(stdout().lock());
    for vehicle in VEHICLES {
        let ends = ends(&network, vehicle);
        if ends.is_empty() {
            continue;
        }
        for _ in 0..trips {
            let (from, to) = pair(&network, &ends, &mut random);
            writeln!(out, "{}", trip(&network, from, to, vehicle)?)?;
        }
    }
    Ok(out.flush()?)
}

/// The streets on which a trip may begin or end: no estates, where it is a matter of taste whether a router lets in
/// travellers, no tunnels, whose points lie under other streets, and no boats.
fn ends(network: &RoadNetwork, vehicle: Vehicle) -> Vec<EdgeId> {
    let profile = Profile::of(vehicle);
    let fits = |id: &EdgeId| {
        let edge = network.edge(*id);
        let is_open = edge.forward.and(edge.backward).contains(profile) && !edge.destination.contains(profile);
        is_open && !edge.tunnel && edge.class != RoadClass::Ferry
    };
    network.edge_ids().filter(fits).collect()
}

fn pair(network: &RoadNetwork, ends: &[EdgeId], random: &mut Random) -> (LatLon, LatLon) {
    // A village is smaller than the least distance: then any pair serves.
    let draws =
        (0..1_000).map(|_| [random.below(ends.len()), random.below(ends.len())].map(|end| middle(network, ends[end])));
    let mut last = None;
    for [from, to] in draws {
        last = Some((from, to));
        if DISTANCE_M.contains(&haversine_m(from, to)) {
            break;
        }
    }
    last.expect("a pair was drawn")
}

fn middle(network: &RoadNetwork, edge: EdgeId) -> LatLon {
    let line = network.edge(edge).line;
    let (a, b) = (line[(line.len() - 1) / 2], line[line.len().div_ceil(2)]);
    LatLon::try_new(f64::midpoint(a.lat(), b.lat()), f64::midpoint(a.lon(), b.lon())).unwrap_or(a)
}

fn trip(network: &RoadNetwork, from: LatLon, to: LatLon, vehicle: Vehicle) -> Result<serde_json::Value> {
    let began_ns = core_ns()?;
    let route = network.route(from, to, vehicle);
    let core_ms = (core_ns()? - began_ns) as f64 / 1e6;
    let point = |point: &LatLon| [point.lat(), point.lon()];
    let way = route.map(|route| {
        let line: Vec<[f64; 2]> = route.line.iter().map(point).collect();
        json!({ "length_m": route.length_m, "duration_s": route.duration_s, "line": line })
    });
    Ok(json!({
        "profile": vehicle.as_str(), "from": point(&from), "to": point(&to), "way": way, "core_ms": core_ms,
        "nodes": network.node_count(),
    }))
}

/// How long this thread has had a core: other programs on the machine do not count.
fn core_ns() -> Result<i64> {
    Ok(TimeSpec::num_nanoseconds(&clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?))
}

/// xorshift64: the same trips on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
