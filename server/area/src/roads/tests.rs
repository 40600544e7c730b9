//! The graph's guarantees, on a small town drawn by hand, on random towns, and on the Malta that we ship.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::LazyLock,
};

use proptest::{prelude::*, sample::select};

use super::*;
use doorstep_shared::{
    LatLon, Vehicle,
    geo::{distance::haversine_m, polyline},
};

fn at(lat: f64, lon: f64) -> LatLon {
    LatLon::try_new(lat, lon).expect("test points are on earth")
}

fn edge(from: u32, to: u32) -> RoadEdge {
    RoadEdge::open(from, to, RoadClass::Residential, 36)
}

fn one_way(from: u32, to: u32) -> RoadEdge {
    RoadEdge { backward: Profiles::only(Profile::Foot), ..edge(from, to) }
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
        ..RoadData::default()
    }
}

fn network(data: &RoadData) -> RoadNetwork {
    RoadNetwork::from_data(data).expect("the graph is sound")
}

static MALTA_BYTES: &[u8] = include_bytes!("../../../../static/area/streets.bin");
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
        let open_to = if step.forward { view.forward } else { view.backward };
        // Where there is nowhere to go, the step has no direction.
        let moves = route.line[step.first_point] != route.line[next];
        assert!(!moves || open_to.contains(Profile::of(vehicle)), "{vehicle} goes where it may not");
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
    let pace = |class, limit| cruise_mps(Vehicle::Car, class, limit, Surface::Paved);
    let driving_s: f64 = [(90.1, pace(RoadClass::Residential, 36)), (111.2, pace(RoadClass::Residential, 36))]
        .into_iter()
        .chain([(180.2 + 55.6, pace(RoadClass::Service, 15))])
        .map(|(metres, mps)| metres / mps)
        .sum();
    // Three streets meet at one corner only. Round the other side of the block the lane leads straight on from it.
    let corner_s = wait_s(Vehicle::Car, Passage::First, None);
    let expected_s = driving_s + corner_s;
    assert!((route.duration_s - expected_s).abs() < 0.5, "{} s, not {expected_s} s", route.duration_s);
    let turning = network.route(at(35.9005, 14.501), at(35.901, 14.502), Vehicle::Car).expect("a way exists");
    let pace_s = |metres: f64, class, limit| metres / pace(class, limit);
    let driving_s = pace_s(55.6, RoadClass::Residential, 36) + pace_s(90.1, RoadClass::Service, 15);
    let expected_s = driving_s + corner_s + turn_s(Vehicle::Car, 90.0);
    assert!((turning.duration_s - expected_s).abs() < 0.5, "{} s, not {expected_s} s", turning.duration_s);
}

fn forbidden(arcs: &[(u32, bool)]) -> Restriction {
    let arcs = arcs.iter().map(|(edge, forward)| RoadArc { edge: *edge, forward: *forward }).collect();
    Restriction { arcs, profiles: Profiles::ALL.without(Profiles::only(Profile::Foot)) }
}

/// Two blocks of 100 m, whose streets all go both ways:
///
/// ```text
/// 3 ── 4 ── 5
/// │    │    │
/// 0 ── 1 ── 2
/// ```
fn two_blocks() -> RoadData {
    let nodes = (0..6_u32).map(|n| at(35.9 + f64::from(n / 3) * 0.001, 14.5 + f64::from(n % 3) * 0.001));
    let ends = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)];
    RoadData {
        nodes: nodes.collect(),
        edges: ends.into_iter().map(|(from, to)| edge(from, to)).collect(),
        ..RoadData::default()
    }
}

#[test]
fn a_forbidden_turn_is_driven_round_and_walked() {
    let mut data = two_blocks();
    data.restrictions = vec![forbidden(&[(0, true), (5, true)])];
    let network = network(&data);
    let (from, to) = (at(35.9, 14.5005), at(35.9005, 14.501));
    let walked = network.route(from, to, Vehicle::Foot).expect("a way exists");
    assert!(walked.length_m < 105.0, "{} m", walked.length_m);
    let driven = network.route(from, to, Vehicle::Car).expect("a way exists");
    assert!(driven.length_m > 250.0, "{} m", driven.length_m);
    let through = network.route(at(35.9, 14.5015), to, Vehicle::Car).expect("a way exists");
    assert!(through.length_m < 105.0, "from the other side nothing is forbidden: {} m", through.length_m);
}

#[test]
fn a_turn_that_is_forbidden_after_another_is_open_to_those_who_come_from_elsewhere() {
    let mut data = two_blocks();
    // Not from 0 along 1–2 up to 5, though straight from 1–2 one may: those who come down from 4 do.
    data.restrictions = vec![forbidden(&[(0, true), (1, true), (6, true)])];
    let network = network(&data);
    let to = at(35.9006, 14.502);
    let from_west = network.route(at(35.9, 14.5005), to, Vehicle::Scooter).expect("a way exists");
    let passes_the_north = |line: &[LatLon]| line.iter().any(|point| haversine_m(*point, at(35.901, 14.501)) < 1.0);
    assert!(passes_the_north(&from_west.line), "round the other side: {:?}", from_west.line);
    let from_north = network.route(at(35.9002, 14.501), to, Vehicle::Scooter).expect("a way exists");
    assert!(!passes_the_north(&from_north.line), "{:?}", from_north.line);
}

#[test]
fn a_barrier_stops_only_those_whom_it_is_meant_for() {
    let mut data = two_blocks();
    data.barriers = vec![Barrier { node: 1, open_to: Profiles::ALL.without(Profiles::MOTOR) }];
    let network = network(&data);
    let (from, to) = (at(35.9, 14.5005), at(35.9, 14.5015));
    for (vehicle, passes) in
        [(Vehicle::Foot, true), (Vehicle::Bicycle, true), (Vehicle::Scooter, false), (Vehicle::Van, false)]
    {
        let length_m = network.route(from, to, vehicle).expect("a way exists").length_m;
        assert_eq!(length_m < 100.0, passes, "{vehicle}: {length_m} m");
    }
}

#[test]
fn a_street_for_residents_is_no_short_cut_and_still_reached() {
    let mut data = two_blocks();
    data.edges[5].destination = Profiles::MOTOR;
    let network = network(&data);
    let (south, north) = (at(35.9, 14.5009), at(35.901, 14.5009));
    assert!(network.route(south, north, Vehicle::Bicycle).expect("a way exists").length_m < 150.0);
    assert!(network.route(south, north, Vehicle::Car).expect("a way exists").length_m > 250.0);
    let door = at(35.9005, 14.501);
    for (from, to) in [(south, door), (door, north)] {
        let route = network.route(from, to, Vehicle::Car).expect("a way exists");
        assert!(route.length_m < 80.0 && route.duration_s < 60.0, "{} m, {} s", route.length_m, route.duration_s);
    }
}

#[test]
fn a_boat_takes_its_time_and_nobody_begins_on_it() {
    let mut data = two_blocks();
    data.edges.retain(|edge| edge.to != 4 && edge.to != 2);
    data.edges.push(RoadEdge { class: RoadClass::Ferry, ferry_s: Some(600), ..edge(0, 2) });
    let network = network(&data);
    let route = network.route(at(35.9002, 14.5), at(35.9002, 14.502), Vehicle::Bicycle).expect("a boat leads across");
    let riding_s = 45.0 / cruise_mps(Vehicle::Bicycle, RoadClass::Residential, 36, Surface::Paved);
    assert!((route.duration_s - 600.0 - BOARDING_S - riding_s).abs() < 5.0, "{} s", route.duration_s);
    let at_sea = network.nearest(at(35.9, 14.5015)).expect("a quay is near");
    assert!(at_sea.distance_m > 40.0, "{} m", at_sea.distance_m);
}

#[test]
fn who_may_not_use_a_street_begins_on_the_next() {
    let mut data = two_blocks();
    (data.edges[2].forward, data.edges[2].backward) = (Profiles::only(Profile::Foot), Profiles::only(Profile::Foot));
    let network = network(&data);
    let on_it = at(35.901, 14.5004);
    assert!(network.nearest_for(on_it, Vehicle::Foot).expect("a street is near").distance_m < 0.1);
    let driven = network.nearest_for(on_it, Vehicle::Car).expect("a street is near");
    assert!(driven.distance_m > 30.0, "{} m", driven.distance_m);
}

#[test]
fn a_lane_without_a_limit_is_no_motorway() {
    let [lane, road, motorway] = [RoadClass::Unclassified, RoadClass::Primary, RoadClass::Motorway]
        .map(|class| [50, 97].map(|limit_kmh| 3.6 * cruise_mps(Vehicle::Car, class, limit_kmh, Surface::Paved)));
    assert!(lane[0] < 40.0 && lane[1] < 50.0, "{lane:?}");
    assert!(road[0] < 45.0 && (65.0..75.0).contains(&road[1]), "{road:?}");
    assert!(motorway[1] > 80.0, "{motorway:?}");
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
    let spoil: [fn(&mut RoadData); 11] = [
        |data| data.edges[0].to = 99,
        |data| data.edges[0].limit_kmh = 0,
        |data| data.edges[0].street = Some(2),
        |data| data.edges[0].via = vec![at(-10.0, 100.0)],
        |data| data.barriers = vec![Barrier { node: 5, open_to: Profiles::NONE }],
        |data| data.halts = vec![(5, Halt::Signals)],
        |data| data.restrictions = vec![forbidden(&[(0, true)])],
        |data| data.restrictions = vec![forbidden(&[(0, true), (2, true)])],
        |data| data.restrictions = vec![forbidden(&[(4, true), (5, true)])],
        |data| data.landmarks = vec![vec![vec![0; 5]]],
        |data| data.landmarks = vec![vec![vec![0; 4]]; 5],
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
    newer[6] = 4;
    assert_eq!(RoadData::from_bytes(&newer), Err(RoadsError::UnsupportedVersion(4)));
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
    assert!(data.to_bytes() == MALTA_BYTES, "baking is deterministic");
}

#[test]
fn damage_anywhere_in_the_shipped_file_is_noticed() {
    for at in (0..MALTA_BYTES.len()).step_by(MALTA_BYTES.len() / 40) {
        let mut damaged = MALTA_BYTES.to_vec();
        damaged[at] ^= 0x10;
        // The last byte before the checksum is filled up with bits that mean nothing.
        let read = RoadData::from_bytes(&damaged);
        assert!(read.is_err() || read.is_ok_and(|data| data.to_bytes() == MALTA_BYTES), "byte {at}");
        assert!(RoadNetwork::from_bytes(&MALTA_BYTES[..at]).is_err(), "cut to {at} bytes");
    }
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
            let backward = if one_way { Profiles::only(Profile::Foot) } else { Profiles::ALL };
            RoadEdge { backward, limit_kmh, via, ..edge(from, to) }
        });
        let edges = edges.collect();
        let nodes =
            (0..SIDE * SIDE).map(|n| at((place(n).lat() * 1e6).round() / 1e6, (place(n).lon() * 1e6).round() / 1e6));
        RoadData { nodes: nodes.collect(), edges, ..RoadData::default() }
    })
}

/// A town with barriers that stop motors, and turns of two or three arcs that are forbidden.
fn any_strict_town() -> impl Strategy<Value = RoadData> {
    let picks = prop::collection::vec(any::<[prop::sample::Index; 3]>(), 0..12);
    (any_town(), picks, prop::collection::btree_set(0..25_u32, 0..3)).prop_map(|(mut town, picks, barriers)| {
        let open_to = Profiles::ALL.without(Profiles::MOTOR);
        town.barriers = barriers.into_iter().map(|node| Barrier { node, open_to }).collect();
        let arcs = |town: &RoadData, leaving: Option<u32>| -> Vec<RoadArc> {
            let all =
                (0..town.edges.len() as u32).flat_map(|edge| [true, false].map(|forward| RoadArc { edge, forward }));
            let tail = |arc: &RoadArc| head(town, RoadArc { forward: !arc.forward, ..*arc });
            all.filter(|arc| leaving.is_none_or(|node| tail(arc) == node)).collect()
        };
        for (number, [a, b, c]) in picks.into_iter().enumerate() {
            let mut sequence: Vec<RoadArc> = Vec::new();
            for pick in [a, b, c].iter().take(2 + number % 2) {
                let leaving = sequence.last().map(|arc| head(&town, *arc));
                let choice = arcs(&town, leaving);
                sequence.extend(choice.get(pick.index(choice.len().max(1))));
            }
            if sequence.len() >= 2 {
                town.restrictions.push(Restriction { arcs: sequence, profiles: Profiles::ALL });
            }
        }
        town
    })
}

fn head(town: &RoadData, arc: RoadArc) -> u32 {
    let edge = &town.edges[arc.edge as usize];
    if arc.forward { edge.to } else { edge.from }
}

/// The least cost from one point on an edge to another, the slow and obvious way: over pairs of arcs, so that every
/// forbidden sequence of up to three is seen as it stands in the data.
fn least_s(town: &RoadData, network: &RoadNetwork, vehicle: Vehicle, start: &Snap, goal: &Snap) -> f64 {
    let (profile, costs) = (Profile::of(vehicle), network.costs(vehicle));
    let side = |arc: RoadArc| (&network.edges[arc.edge as usize], arc.forward);
    let open = |arc: RoadArc| {
        let edge = &town.edges[arc.edge as usize];
        (if arc.forward { edge.forward } else { edge.backward }).contains(profile)
    };
    let along_s = |edge: u32, metres: f64| f64::from(costs.along_s(&network.edges[edge as usize], metres));
    let part_m = |snap: &Snap, forward: bool| {
        let whole_m = network.edges[snap.edge.0 as usize].length_m;
        if forward { snap.along_m } else { whole_m - snap.along_m }
    };
    let directions = |edge: u32| [true, false].map(|forward| RoadArc { edge, forward });
    let mut best = f64::INFINITY;
    let mut reached: BTreeMap<(Option<RoadArc>, RoadArc), f64> = BTreeMap::new();
    for arc in directions(start.edge.0).into_iter().filter(|arc| open(*arc)) {
        let metres = part_m(goal, arc.forward) - part_m(start, arc.forward);
        if start.edge == goal.edge && metres >= 0.0 {
            best = best.min(along_s(arc.edge, metres));
        }
        reached.insert((None, arc), along_s(arc.edge, part_m(start, !arc.forward)));
    }
    let mut waiting: VecDeque<_> = reached.keys().copied().collect();
    while let Some((before, arc)) = waiting.pop_front() {
        let cost_s = reached[&(before, arc)];
        let node = head(town, arc);
        let all = (0..town.edges.len() as u32).flat_map(directions);
        let leaving = all.filter(|next| head(town, RoadArc { forward: !next.forward, ..*next }) == node && open(*next));
        let (back, onward): (Vec<RoadArc>, Vec<RoadArc>) = leaving.partition(|next| next.edge == arc.edge);
        let is_barred = town.barriers.iter().any(|at| at.node == node && !at.open_to.contains(profile));
        let choice = if is_barred || onward.is_empty() { back } else { onward };
        for next in choice {
            let path: Vec<RoadArc> = before.into_iter().chain([arc, next]).collect();
            if town.restrictions.iter().any(|of| next.edge != arc.edge && path.ends_with(&of.arcs)) {
                continue;
            }
            let cost_s = cost_s + f64::from(costs.passage_s(side(arc), side(next), network.meetings[node as usize]));
            if next.edge == goal.edge.0 {
                best = best.min(cost_s + along_s(next.edge, part_m(goal, next.forward)));
            }
            let cost_s = cost_s + along_s(next.edge, network.edges[next.edge as usize].length_m);
            if reached.get(&(Some(arc), next)).is_none_or(|held| cost_s < *held - 1e-6) {
                reached.insert((Some(arc), next), cost_s);
                waiting.push_back((Some(arc), next));
            }
        }
    }
    best
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
            let mut file = b"DSROAD\x03\0".to_vec();
            file.extend(miniz_oxide::deflate::compress_to_vec_zlib(&bytes, 1));
            bytes = file;
        }
        // A few sequences of nonsense do spell a tiny graph; then its parts must fit together.
        if let Ok(network) = RoadNetwork::from_bytes(&bytes) {
            network.nearest(at(0.0, 0.0));
        }
    }

    #[test]
    fn no_permitted_way_is_quicker_than_the_one_found(
        town in any_strict_town(), from: prop::sample::Index, to: prop::sample::Index, vehicle in any_vehicle(),
    ) {
        prop_assume!(!town.edges.is_empty());
        let network = network(&town);
        let somewhere = |edge: prop::sample::Index, share: f64| {
            let id = EdgeId(edge.index(town.edges.len()) as u32);
            let line = network.edge(id).line;
            let (a, b) = (line[0], line[1]);
            at(a.lat() + share * (b.lat() - a.lat()), a.lon() + share * (b.lon() - a.lon()))
        };
        let (from, to) = (somewhere(from, 0.3), somewhere(to, 0.6));
        let ends = network.nearest_for(from, vehicle).zip(network.nearest_for(to, vehicle));
        let (start, goal) = ends.expect("both lie on streets");
        let least_s = least_s(&town, &network, vehicle, &start, &goal);
        let found = network.route(from, to, vehicle);
        let in_table = network.one_to_many(from, &[to, from], vehicle)[0];
        prop_assert_eq!(found.is_some(), least_s.is_finite());
        if let Some(route) = found {
            assert_sound(&network, &route, vehicle);
            prop_assert!((route.duration_s - least_s).abs() < 0.01, "{} s, though {least_s} s is the least", route.duration_s);
            let in_table = in_table.expect("the table has what the route has");
            prop_assert!((in_table.duration_s - least_s).abs() < 0.01 && (in_table.length_m - route.length_m).abs() < 0.1);
        }
    }

    #[test]
    fn every_route_in_malta_is_a_connected_line_of_streets(
        from in somewhere_in_malta(), to in somewhere_in_malta(), vehicle in any_vehicle(),
    ) {
        let ends = MALTA.nearest_for(from, vehicle).zip(MALTA.nearest_for(to, vehicle));
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
        let edges: Vec<EdgeId> =
            MALTA.edge_ids().filter(|id| MALTA.edge(*id).class != RoadClass::Ferry).collect();
        let nearest_m = MALTA.nearest(point).map_or(SNAP_LIMIT_M, |snap| snap.distance_m);
        for edge in looked_at.iter().map(|index| edges[index.index(edges.len())]) {
            let along = polyline::locate(MALTA.edge(edge).line, point).expect("an edge has two points or more");
            prop_assert!(along.offset_m >= nearest_m - 0.1, "{} m, though one is {} m away", nearest_m, along.offset_m);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_a_search_aims_by_never_promises_too_much(
        from in somewhere_in_malta(), to in somewhere_in_malta(), vehicle in any_vehicle(),
    ) {
        // A search for many goals aims at none of them.
        let without_aim = MALTA.one_to_many(from, &[to], vehicle)[0].map(|way| way.duration_s);
        let route_s = MALTA.route(from, to, vehicle).map(|route| route.duration_s);
        prop_assert_eq!(route_s.is_some(), without_aim.is_some());
        if let (Some(aimed_s), Some(least_s)) = (route_s, without_aim) {
            prop_assert!((aimed_s - least_s).abs() < 0.2, "{aimed_s} s, though {least_s} s is possible");
        }
    }
}
