//! The graph's guarantees, on a small town drawn by hand, on random towns, and on the Malta that we ship.

use std::{sync::LazyLock, time::Instant};

use proptest::{prelude::*, sample::select};

use super::*;
use crate::{
    LatLon, Vehicle,
    geo::{distance::haversine_m, polyline},
};

fn at(lat: f64, lon: f64) -> LatLon {
    LatLon::try_new(lat, lon).expect("test points are on earth")
}

fn edge(from: u32, to: u32) -> RoadEdge {
    RoadEdge {
        from,
        to,
        via: Vec::new(),
        class: RoadClass::Residential,
        limit_kmh: 36,
        one_way: false,
        tunnel: false,
        street: None,
    }
}

fn one_way(from: u32, to: u32) -> RoadEdge {
    RoadEdge { one_way: true, ..edge(from, to) }
}

/// A square of about 100 m with a one-way bottom, and a bent lane leading away from it:
///
/// ```text
/// 3 ─── 2 ──╮
/// │     │   4
/// 0 ──▶ 1
/// ```
fn square() -> RoadData {
    RoadData {
        streets: vec!["Triq il-Baħar".into(), "Triq is-Suq".into()],
        places: vec![RoadPlace { name: "Valletta".into(), centre: at(35.9, 14.5) }],
        nodes: vec![at(35.9, 14.5), at(35.9, 14.501), at(35.901, 14.501), at(35.901, 14.5), at(35.9005, 14.503)],
        edges: vec![
            RoadEdge { street: Some(0), ..one_way(0, 1) },
            RoadEdge { street: Some(1), ..edge(1, 2) },
            edge(2, 3),
            RoadEdge { tunnel: true, ..edge(3, 0) },
            RoadEdge { via: vec![at(35.901, 14.503)], class: RoadClass::Service, limit_kmh: 15, ..edge(2, 4) },
        ],
    }
}

fn network(data: &RoadData) -> RoadNetwork {
    RoadNetwork::from_data(data).expect("the graph is sound")
}

static MALTA_BYTES: &[u8] = include_bytes!("../../../static/roads/malta.roads");
static MALTA: LazyLock<RoadNetwork> =
    LazyLock::new(|| RoadNetwork::from_bytes(MALTA_BYTES).expect("the file we ship can be read"));

/// What must hold for every route: it is a line along its steps, which are streets driven as they may be.
fn assert_sound(network: &RoadNetwork, route: &Route, vehicle: Vehicle) {
    assert!(route.line.len() >= 2);
    assert!((polyline::length_m(&route.line) - route.length_m).abs() < 1e-6);
    let ends_m = haversine_m(route.line[0], route.line[route.line.len() - 1]);
    assert!(route.length_m >= ends_m - 1e-6, "{} m is less than the {ends_m} m between the ends", route.length_m);
    assert!(route.duration_s >= 0.0 && route.duration_s.is_finite());
    assert_eq!(route.steps[0].first_point, 0);
    for (index, step) in route.steps.iter().enumerate() {
        let next = route.steps.get(index + 1).map_or(route.line.len() - 1, |next| next.first_point);
        assert!(next > step.first_point, "every step covers some of the line");
        let view = network.edge(step.edge);
        assert_eq!(step.limit_kmh, view.limit_kmh);
        assert!(step.forward || !view.one_way || vehicle == Vehicle::Foot, "a one-way street is driven backwards");
        assert_follows(view.line, &route.line[step.first_point..=next], step.forward);
    }
}

/// How exactly a point is found again on a street, in metres. The nearest point on a great circle is computed through
/// an arc cosine near 1, where the last digit of a double is a decimetre on the earth.
const FOUND_WITHIN_M: f64 = 0.2;

/// `part` runs along `street` in one direction, and each of its points lies on it.
fn assert_follows(street: &[LatLon], part: &[LatLon], forward: bool) {
    let mut before_m = None;
    for point in part {
        let along = polyline::locate(street, *point).expect("an edge has two points or more");
        assert!(along.offset_m < FOUND_WITHIN_M, "{} m beside the street", along.offset_m);
        let travelled_m = if forward { along.travelled_m } else { along.remaining_m };
        // A street may touch itself, where the nearest place on it is ambiguous.
        let touches_itself = street.first() == street.last();
        assert!(
            touches_itself || before_m.is_none_or(|before_m: f64| travelled_m > before_m - FOUND_WITHIN_M),
            "it turns back"
        );
        before_m = Some(travelled_m);
    }
}

#[test]
fn a_point_beside_a_street_is_moved_onto_it() {
    let network = network(&square());
    let snap = network.nearest(at(35.8999, 14.5003)).expect("a street is near");
    let view = network.edge(snap.edge);
    assert_eq!(view.street, Some("Triq il-Baħar"));
    assert!((snap.point.lat() - 35.9).abs() < 1e-9 && (snap.point.lon() - 14.5003).abs() < 1e-9);
    assert!((snap.distance_m - 11.1).abs() < 0.1, "{}", snap.distance_m);
    assert!((snap.along_m - 0.3 * view.length_m).abs() < 0.1, "{}", snap.along_m);
    assert_eq!(network.place_near(snap.point), Some("Valletta"));
}

#[test]
fn half_a_kilometre_from_every_street_is_nowhere() {
    let network = network(&square());
    assert!(network.nearest(at(35.8960, 14.5)).is_some(), "445 m away");
    assert!(network.nearest(at(35.8954, 14.5)).is_none(), "511 m away");
    assert!(network.route(at(35.9, 14.5), at(35.8954, 14.5), Vehicle::Car).is_none());
    assert!(network.nearest(at(-35.9, -170.0)).is_none());
    assert!(network.nearest(at(90.0, 0.0)).is_none());
}

#[test]
fn a_one_way_street_is_driven_round_the_block_and_walked_straight() {
    let network = network(&square());
    let (west, east) = (at(35.9, 14.5002), at(35.9, 14.5008));
    let along = network.route(west, east, Vehicle::Scooter).expect("a way exists");
    assert!((along.length_m - haversine_m(west, east)).abs() < 0.1);
    let against = network.route(east, west, Vehicle::Scooter).expect("a way exists");
    assert!(against.length_m > 300.0, "round the block, not {} m", against.length_m);
    let walked = network.route(east, west, Vehicle::Foot).expect("a way exists");
    assert!((walked.length_m - along.length_m).abs() < 0.1);
    for (route, vehicle) in [(along, Vehicle::Scooter), (against, Vehicle::Scooter), (walked, Vehicle::Foot)] {
        assert_sound(&network, &route, vehicle);
    }
}

#[test]
fn a_route_knows_its_streets_their_limits_and_its_bends() {
    let network = network(&square());
    let route = network.route(at(35.9, 14.5), at(35.9005, 14.503), Vehicle::Car).expect("a way exists");
    let limits: Vec<u8> = route.steps.iter().map(|step| step.limit_kmh).collect();
    assert_eq!(limits, [36, 36, 15]);
    assert!(route.line.contains(&at(35.901, 14.503)), "the bend between two nodes");
    let driving_s: f64 = [(90.1, 36), (111.2, 36), (180.2 + 55.6, 15)]
        .into_iter()
        .map(|(metres, limit)| metres / cruise_mps(Vehicle::Car, limit))
        .sum();
    let expected_s = driving_s + junction_delay_s(Vehicle::Car);
    assert!((route.duration_s - expected_s).abs() < 0.5, "{} s, not {expected_s} s", route.duration_s);
}

#[test]
fn going_nowhere_is_a_route_of_no_length() {
    let network = network(&square());
    for place in [at(35.9, 14.5005), at(35.9, 14.5), at(35.901, 14.501)] {
        let route = network.route(place, place, Vehicle::Van).expect("already there");
        assert_eq!((route.line.len(), route.length_m, route.duration_s), (2, 0.0, 0.0));
        assert_sound(&network, &route, Vehicle::Van);
    }
}

#[test]
fn an_empty_graph_has_no_streets_and_no_routes() {
    let network = network(&RoadData::default());
    assert!(network.nearest(at(35.9, 14.5)).is_none());
    assert!(network.place_near(at(35.9, 14.5)).is_none());
    assert_eq!(network.edge_ids().len(), 0);
}

#[test]
fn a_graph_that_refers_to_what_is_not_there_is_refused() {
    let spoil: [fn(&mut RoadData); 4] = [
        |data| data.edges[0].to = 99,
        |data| data.edges[0].limit_kmh = 0,
        |data| data.edges[0].street = Some(2),
        |data| data.edges[0].via = vec![at(-10.0, 100.0)],
    ];
    for spoil in spoil {
        let mut data = square();
        spoil(&mut data);
        assert!(matches!(RoadNetwork::from_data(&data), Err(RoadsError::Damaged(_))), "{data:?}");
    }
}

#[test]
fn bytes_of_something_else_are_told_apart_from_damage() {
    let bytes = square().to_bytes();
    assert_eq!(RoadData::from_bytes(b"PK\x03\x04 a zip archive"), Err(RoadsError::NotRoads));
    let mut newer = bytes.clone();
    newer[6] = 2;
    assert_eq!(RoadData::from_bytes(&newer), Err(RoadsError::UnsupportedVersion(2)));
    for length in 0..bytes.len() {
        assert!(RoadData::from_bytes(&bytes[..length]).is_err(), "cut to {length} bytes");
    }
}

#[test]
fn the_shipped_file_holds_malta_and_gozo_and_survives_a_round_trip() {
    assert!(MALTA.node_count() > 20_000 && MALTA.edge_ids().len() > 30_000);
    for (place, lat, lon) in
        [("Valletta", 35.8989, 14.5146), ("Sliema", 35.9110, 14.5020), ("Victoria", 36.0443, 14.2397)]
    {
        assert_eq!(MALTA.place_near(at(lat, lon)), Some(place));
        let snap = MALTA.nearest(at(lat, lon)).expect("a town has streets");
        assert!(snap.distance_m < 60.0, "{place}: {} m", snap.distance_m);
    }
    let data = RoadData::from_bytes(MALTA_BYTES).expect("the file we ship can be read");
    assert_eq!(data.to_bytes(), MALTA_BYTES, "baking is deterministic");
}

#[test]
fn damage_anywhere_in_the_shipped_file_is_noticed() {
    for at in (0..MALTA_BYTES.len()).step_by(MALTA_BYTES.len() / 40) {
        let mut damaged = MALTA_BYTES.to_vec();
        damaged[at] ^= 0x10;
        assert!(RoadNetwork::from_bytes(&damaged).is_err(), "byte {at}");
        assert!(RoadNetwork::from_bytes(&MALTA_BYTES[..at]).is_err(), "cut to {at} bytes");
    }
}

/// How long routes take; run it with `cargo test --release … route_times -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check: absolute times are noise on shared machines"]
fn route_times() {
    let started = Instant::now();
    let malta = RoadNetwork::from_bytes(MALTA_BYTES).expect("the file we ship can be read");
    println!("from_bytes: {:?}", started.elapsed());
    let trips = [
        ("Ċirkewwa to Marsaxlokk, across", at(35.9870, 14.3290), at(35.8410, 14.5440)),
        ("Marsaxlokk to Ċirkewwa, across", at(35.8410, 14.5440), at(35.9870, 14.3290)),
        ("Dingli to St Paul's Bay", at(35.8600, 14.3820), at(35.9500, 14.4010)),
        ("Valletta to Sliema, typical", at(35.8989, 14.5146), at(35.9110, 14.5020)),
        ("St Julian's to Gżira, typical", at(35.9180, 14.4890), at(35.9050, 14.4930)),
    ];
    for (name, from, to) in trips {
        let mut times: Vec<_> = (0..50)
            .map(|_| {
                let started = Instant::now();
                assert!(malta.route(from, to, Vehicle::Car).is_some());
                started.elapsed()
            })
            .collect();
        times.sort_unstable();
        let route = malta.route(from, to, Vehicle::Car).expect("a way exists");
        println!(
            "{name}: {:.1} km, {:.1} min, {} points; median {:?}, worst {:?} of 50",
            route.length_m / 1_000.0,
            route.duration_s / 60.0,
            route.line.len(),
            times[25],
            times[49],
        );
    }
    let started = Instant::now();
    let found = (0..10_000).filter(|n| {
        malta.nearest(at(35.82 + f64::from(n % 100) * 1.5e-3, 14.35 + f64::from(n / 100) * 2e-3)).is_some()
    });
    println!("nearest: {} of 10 000 points within reach, {:?} each", found.count(), started.elapsed() / 10_000);
}

fn any_vehicle() -> impl Strategy<Value = Vehicle> {
    select(Vehicle::ALL.to_vec())
}

fn somewhere_in_malta() -> impl Strategy<Value = LatLon> {
    (35.82..36.0_f64, 14.34..14.57_f64).prop_map(|(lat, lon)| at(lat, lon))
}

/// Five by five crossings 100 m apart, randomly joined to their neighbours.
fn any_town() -> impl Strategy<Value = RoadData> {
    const SIDE: u32 = 5;
    let place = |n: u32| at(35.9 + f64::from(n / SIDE) * 0.0009, 14.5 + f64::from(n % SIDE) * 0.0011);
    let east = (0..SIDE * SIDE).filter(|n| n % SIDE + 1 < SIDE).map(|n| (n, n + 1));
    let north = (0..SIDE * (SIDE - 1)).map(|n| (n, n + SIDE));
    let pairs: Vec<(u32, u32)> = east.chain(north).collect();
    let streets: Vec<_> = pairs
        .into_iter()
        .map(|(a, b)| {
            (any::<[bool; 3]>(), 0..4_u8, 10..90_u8).prop_map(move |(flags, kind, limit)| (a, b, flags, kind, limit))
        })
        .collect();
    streets.prop_map(move |streets| {
        let built = streets.into_iter().filter(|(.., kind, _)| *kind > 0);
        let edges = built.map(|(a, b, [turned, one_way, bent], _, limit_kmh)| {
            let (from, to) = if turned { (b, a) } else { (a, b) };
            let middle = at((place(a).lat() + place(b).lat()) / 2.0 + 0.000_2, (place(a).lon() + place(b).lon()) / 2.0);
            let round = |degrees: f64| (degrees * 1e6).round() / 1e6;
            let via = if bent { vec![at(round(middle.lat()), round(middle.lon()))] } else { Vec::new() };
            RoadEdge { one_way, limit_kmh, via, ..edge(from, to) }
        });
        let edges = edges.collect();
        let nodes =
            (0..SIDE * SIDE).map(|n| at((place(n).lat() * 1e6).round() / 1e6, (place(n).lon() * 1e6).round() / 1e6));
        RoadData { nodes: nodes.collect(), edges, ..RoadData::default() }
    })
}

/// The least cost between every two nodes, the slow and obvious way (Floyd–Warshall).
fn all_costs(network: &RoadNetwork, vehicle: Vehicle) -> Vec<Vec<f64>> {
    let count = network.node_count();
    let mut costs = vec![vec![f64::INFINITY; count]; count];
    for edge in &network.edges {
        let cost_s = edge.length_m / cruise_mps(vehicle, edge.limit_kmh);
        for (node, forward) in [(edge.from, true), (edge.to, false)] {
            if forward || !edge.one_way || vehicle == Vehicle::Foot {
                let delay_s = if network.arcs_from(node).len() > 2 { junction_delay_s(vehicle) } else { 0.0 };
                let cost = &mut costs[node as usize][edge.end(forward) as usize];
                *cost = cost.min(delay_s + cost_s);
            }
        }
    }
    for middle in 0..count {
        for from in 0..count {
            for to in 0..count {
                costs[from][to] = costs[from][to].min(costs[from][middle] + costs[middle][to]);
            }
        }
    }
    costs
}

proptest! {
    #[test]
    fn a_graph_survives_being_written_and_read(town in any_town()) {
        prop_assert_eq!(RoadData::from_bytes(&town.to_bytes()), Ok(town));
    }

    #[test]
    fn arbitrary_bytes_are_an_error_and_never_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), framed: bool) {
        if framed {
            // Past the header and the packing, so that the columns themselves are nonsense.
            let mut file = b"DSROAD\x01\0".to_vec();
            file.extend(miniz_oxide::deflate::compress_to_vec_zlib(&bytes, 1));
            bytes = file;
        }
        // A few sequences of nonsense do spell a tiny graph; then its parts must fit together.
        if let Ok(network) = RoadNetwork::from_bytes(&bytes) {
            network.nearest(at(0.0, 0.0));
        }
    }

    #[test]
    fn no_way_is_quicker_than_the_one_found(
        town in any_town(), from in 0..25_u32, to in 0..25_u32, vehicle in any_vehicle(),
    ) {
        let network = network(&town);
        let has_street = |node: u32| !network.arcs_from(node).is_empty();
        prop_assume!(has_street(from) && has_street(to));
        let found = network.route(town.nodes[from as usize], town.nodes[to as usize], vehicle);
        if let Some(route) = &found {
            assert_sound(&network, route, vehicle);
        }
        // The route may not pay for the crossing it starts on, and may have to leave a one-way street first.
        let least_s = all_costs(&network, vehicle)[from as usize][to as usize];
        if from != to && let Some(route) = found {
            prop_assert!(route.duration_s <= least_s + 1e-6, "{} s, though {least_s} s is possible", route.duration_s);
            let start_delay_s = junction_delay_s(vehicle);
            prop_assert!(
                route.duration_s >= least_s - start_delay_s - 1e-6,
                "{} s, though at least {least_s} s are needed", route.duration_s
            );
        }
    }

    #[test]
    fn every_route_in_malta_is_a_connected_line_of_streets(
        from in somewhere_in_malta(), to in somewhere_in_malta(), vehicle in any_vehicle(),
    ) {
        let ends = MALTA.nearest(from).zip(MALTA.nearest(to));
        let route = MALTA.route(from, to, vehicle);
        prop_assert_eq!(ends.is_some(), route.is_some(), "a route exists between any two points of an island");
        if let (Some((start, goal)), Some(route)) = (ends, route) {
            assert_sound(&MALTA, &route, vehicle);
            prop_assert!(haversine_m(route.line[0], start.point) < 0.01);
            prop_assert!(haversine_m(route.line[route.line.len() - 1], goal.point) < 0.01);
        }
    }

    #[test]
    fn nothing_is_nearer_than_the_nearest_street(point in somewhere_in_malta(), looked_at in prop::collection::vec(any::<prop::sample::Index>(), 50)) {
        let edges: Vec<EdgeId> = MALTA.edge_ids().collect();
        let nearest_m = MALTA.nearest(point).map_or(SNAP_LIMIT_M, |snap| snap.distance_m);
        for edge in looked_at.iter().map(|index| edges[index.index(edges.len())]) {
            let along = polyline::locate(MALTA.edge(edge).line, point).expect("an edge has two points or more");
            prop_assert!(along.offset_m >= nearest_m - 0.1, "{} m, though one is {} m away", nearest_m, along.offset_m);
        }
    }
}
