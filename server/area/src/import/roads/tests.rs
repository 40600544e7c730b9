//! What tags come to mean: tables of ways, nodes and relations as they are mapped, and graphs drawn by hand.

use super::{
    access::Access,
    barriers,
    class::{Kind, surface},
    country::Customs,
    limits::Limit,
    restrictions::Rule,
    ways::Found,
};
use crate::{
    import::{positions::Positions, tags::Tags, watch::Watch},
    roads::{Profile, Profiles, RoadClass, RoadData, Surface},
};

/// `highway=residential oneway=yes`, by spaces.
fn tags(text: &str) -> Tags<'_> {
    Tags::new(text.split_whitespace().filter_map(|tag| tag.split_once('=')))
}

fn access(text: &str, country: &str) -> Access {
    let tags = tags(text);
    let kind = Kind::of(&tags).expect("a way to travel on");
    Access::of(&tags, kind, &Customs::of(Some(country)))
}

/// `fbsmc`: on foot, by bicycle, scooter, motorcycle, car; in capitals where only to begin or end.
fn written(profiles: Profiles, destination: Profiles) -> String {
    let letter = |(profile, letter): (Profile, char)| {
        let letter = if destination.contains(profile) { letter.to_ascii_uppercase() } else { letter };
        profiles.contains(profile).then_some(letter)
    };
    Profile::ALL.into_iter().zip("fbsmc".chars()).filter_map(letter).collect()
}

#[test]
fn who_may_use_a_way_follows_from_its_class_and_its_most_specific_tag() {
    let cases = [
        ("highway=residential", "fbsmc"),
        ("highway=trunk_link", "fbsmc"),
        ("highway=motorway oneway=no", "mc"),
        ("highway=primary motorroad=yes", "mc"),
        ("highway=footway", "f"),
        ("highway=footway access=yes", "f"),
        ("highway=footway bicycle=yes", "fb"),
        ("highway=footway motor_vehicle=destination", "fSMC"),
        ("highway=steps bicycle=yes", "f"),
        ("highway=pedestrian area=yes", "f"),
        ("highway=pedestrian bicycle=dismount", "f"),
        ("highway=cycleway", "b"),
        ("highway=cycleway foot=designated", "fb"),
        ("highway=path", "fb"),
        ("highway=path sac_scale=mountain_hiking", "f"),
        ("highway=bridleway", "f"),
        ("highway=track", "fbSMC"),
        ("highway=track motor_vehicle=agricultural", "fb"),
        ("highway=track motor_vehicle=yes", "fbsmc"),
        ("highway=service access=no motor_vehicle=yes", "smc"),
        ("highway=service access=private foot=yes", "f"),
        ("highway=service access=customers", "FBSMC"),
        ("highway=residential motor_vehicle=no motorcar=delivery", "fbC"),
        ("highway=residential vehicle=no bicycle=yes", "fb"),
        ("highway=tertiary bicycle=use_sidepath", "fsmc"),
        ("highway=residential access=unknown", "fbsmc"),
        ("highway=residential motor_vehicle:conditional=no@(18:00-04:00)", "fbSMC"),
        ("highway=residential bicycle=yes vehicle:conditional=no@(Mo-Fr)", "fbSMC"),
        ("highway=residential access:conditional=no@(weight>7.5)", "fbsmc"),
        ("highway=residential access=no access:conditional=yes@(Su)", ""),
        ("route=ferry", "fb"),
        ("route=ferry bicycle=no motorcar=yes", "fc"),
    ];
    for (text, expected) in cases {
        let access = access(text, "DE");
        assert_eq!(written(access.forward, access.destination), expected, "{text}");
    }
    assert_eq!(written(access("highway=cycleway", "MT").forward, Profiles::NONE), "fb");
    assert_eq!(written(access("highway=bridleway", "IM").forward, Profiles::NONE), "fb");
    assert_eq!(written(access("highway=trunk", "NL").forward, Profiles::NONE), "mc");
    for text in ["highway=proposed", "building=yes", "highway=service area=yes", "route=ferry ferry=tourist"] {
        assert!(Kind::of(&tags(text)).is_none(), "{text}");
    }
}

#[test]
fn each_profile_has_its_own_directions() {
    let cases = [
        ("highway=residential oneway=yes", "fbsmc", "f"),
        ("highway=residential oneway=-1", "f", "fbsmc"),
        ("highway=residential oneway=yes oneway:bicycle=no", "fbsmc", "fb"),
        ("highway=residential oneway=yes cycleway=opposite", "fbsmc", "fb"),
        ("highway=residential oneway=yes cycleway:left=opposite_lane", "fbsmc", "fb"),
        ("highway=residential oneway=yes cycleway:left=lane cycleway:left:oneway=-1", "fbsmc", "fb"),
        ("highway=residential oneway=yes oneway:moped=no", "fbsmc", "fs"),
        ("highway=residential oneway:conditional=yes@(Mo-Fr)", "fbsmc", "f"),
        ("highway=residential oneway=reversible", "f", "f"),
        ("highway=residential motor_vehicle:backward=no", "fbsmc", "fb"),
        ("highway=residential oneway=yes bicycle:backward=yes", "fbsmc", "fb"),
        ("highway=tertiary junction=roundabout", "fbsmc", "f"),
        ("highway=tertiary junction=roundabout oneway=no", "fbsmc", "fbsmc"),
        ("highway=motorway", "mc", ""),
        ("highway=motorway_link", "mc", "mc"),
        ("highway=cycleway oneway=yes foot=yes", "fb", "f"),
        ("highway=steps conveying=forward", "f", ""),
        ("route=ferry oneway=yes", "fb", ""),
    ];
    for (text, forward, backward) in cases {
        let access = access(text, "DE");
        let both = [access.forward, access.backward].map(|profiles| written(profiles, Profiles::NONE));
        assert_eq!(both, [forward, backward], "{text}");
    }
}

#[test]
fn barriers_let_through_whom_they_are_made_for() {
    let cases = [
        ("barrier=bollard", "fb"),
        ("barrier=bollard access=yes", "fb"),
        ("barrier=bollard motor_vehicle=yes", "fbsmc"),
        ("barrier=gate", "fb"),
        ("barrier=gate access=yes", "fbsmc"),
        ("barrier=gate access=private", ""),
        ("barrier=gate access=private foot=yes", "f"),
        ("barrier=gate locked=yes", ""),
        ("barrier=lift_gate", "fbsmc"),
        ("barrier=lift_gate access=no bicycle=yes", "b"),
        ("barrier=lift_gate,lights", "fbsmc"),
        ("barrier=block", "fb"),
        ("barrier=cycle_barrier", "fb"),
        ("barrier=kissing_gate", "f"),
        ("barrier=gate;kissing_gate", "fb"),
        ("barrier=stile", "f"),
        ("barrier=something_new", "fb"),
        ("barrier=cattle_grid", "fbsmc"),
    ];
    for (text, expected) in cases {
        let open_to = barriers::open_to(&tags(text)).expect("a barrier");
        assert_eq!(written(open_to, Profiles::NONE), expected, "{text}");
    }
    assert_eq!(barriers::open_to(&tags("highway=crossing")), None);
}

#[test]
fn limits_come_from_the_sign_the_zone_or_the_country() {
    let residential = RoadClass::Residential;
    let cases = [
        ("DE", residential, "maxspeed=50", false, 50),
        ("IM", residential, "maxspeed=30mph", false, 48),
        ("DE", residential, "maxspeed=walk", false, 6),
        ("DE", RoadClass::Motorway, "maxspeed=none", false, 130),
        ("IM", RoadClass::Secondary, "maxspeed=none", true, 97),
        ("IM", RoadClass::Unclassified, "maxspeed=none", false, 97),
        ("DE", residential, "maxspeed=DE:urban", false, 50),
        ("DE", RoadClass::Tertiary, "source:maxspeed=DE:rural", true, 100),
        ("DE", residential, "maxspeed:type=DE:zone30", true, 30),
        ("DE", residential, "zone:maxspeed=DE:30", true, 30),
        ("MT", RoadClass::Primary, "maxspeed:type=GB:nsl_single", true, 97),
        ("MT", RoadClass::Primary, "maxspeed:type=sign", true, 50),
        ("MT", RoadClass::Primary, "", false, 80),
        ("DE", RoadClass::Tertiary, "maxspeed:forward=70 maxspeed:backward=50", false, 50),
        ("MT", residential, "maxspeed=0", true, 40),
        ("MT", residential, "maxspeed=9999", true, 40),
        ("US", residential, "", true, 40),
        ("XX", RoadClass::Secondary, "", false, 80),
        ("MT", RoadClass::Service, "", true, 20),
    ];
    for (country, class, text, is_built_up, expected) in cases {
        let customs = Customs::of(Some(country));
        let kmh = Limit::of(&tags(text), class, &customs).kmh(class, is_built_up, &customs);
        assert_eq!(kmh, expected, "{country} {class:?} {text}");
    }
}

#[test]
fn wheels_roll_as_the_surface_says_or_as_is_usual() {
    let cases = [
        (RoadClass::Residential, "", Surface::Paved),
        (RoadClass::Residential, "surface=cobblestone:flattened", Surface::Rough),
        (RoadClass::Track, "tracktype=grade1", Surface::Paved),
        (RoadClass::Track, "tracktype=grade5 surface=asphalt", Surface::Paved),
        (RoadClass::Track, "", Surface::Rough),
        (RoadClass::Path, "surface=sand", Surface::Soft),
    ];
    for (class, text, expected) in cases {
        assert_eq!(surface(&tags(text), class), expected, "{text}");
    }
}

/// Its role, whether it is a way, and its id.
type Member<'a> = (&'a str, bool, i64);
/// Its tags and members.
type Relation<'a> = (&'a str, &'a [Member<'a>]);

/// Ways by id, tags and nodes. Node `n` lies on a grid of tens: 12 is one to the north and two to the east.
fn graph(ways: &[(i64, &str, &[i64])], relations: &[Relation<'_>], barriers: &[(i64, &str)]) -> RoadData {
    let customs = Customs::of(Some("DE"));
    let mut found = Found::default();
    for (id, text, nodes) in ways {
        found.take_way(*id, &tags(text), || nodes.to_vec(), &customs);
    }
    for (text, members) in relations {
        found.rules.extend(Rule::all_of(&tags(text), members));
    }
    for (node, text) in barriers {
        found.barriers.insert(*node, barriers::open_to(&tags(text)).expect("a barrier"));
    }
    let place = |node: i64| [(node / 10 * 10_000 + 530_000_000) as i32, (node % 10 * 10_000 + 130_000_000) as i32];
    let positions = Positions::of((0..90).map(|node| (node, place(node))));
    let mut progress = ();
    super::bake(found, &positions, &customs, &Watch::new(&mut progress)).expect("a sound graph")
}

fn by_profile(data: &RoadData) -> Vec<usize> {
    let count = |profile| data.edges.iter().filter(|edge| edge.users().contains(profile)).count();
    Profile::ALL.into_iter().map(count).collect()
}

const STREET: &str = "highway=residential";

#[test]
fn ways_are_cut_where_they_meet_and_keep_the_points_between() {
    let data = graph(&[(1, STREET, &[1, 2, 3, 4]), (2, STREET, &[3, 13])], &[], &[]);
    let mut via: Vec<usize> = data.edges.iter().map(|edge| edge.via.len()).collect();
    via.sort_unstable();
    assert_eq!((via, data.nodes.len()), (vec![0, 0, 1], 4));
}

#[test]
fn a_street_drawn_against_its_direction_is_turned_round() {
    let ring: &[i64] = &[11, 1, 2, 12, 11];
    let data = graph(&[(1, "highway=residential oneway=-1", ring)], &[], &[]);
    let [edge] = data.edges.as_slice() else { panic!("one edge: {:?}", data.edges) };
    assert!(edge.forward.contains(Profile::Car) && !edge.backward.contains(Profile::Car));
    assert!(edge.via[0].lon() > data.nodes[edge.from as usize].lon(), "to the east first: {edge:?}");
}

#[test]
fn nodes_beyond_the_extract_interrupt_a_way() {
    let data = graph(&[(1, STREET, &[1, 2, 99, 3, 4]), (2, STREET, &[2, 12, 13, 3])], &[], &[]);
    assert_eq!(data.edges.len(), 3);
}

#[test]
fn what_cannot_be_left_again_is_closed_to_those_who_cannot_leave_it() {
    let data = graph(&[(1, STREET, &[1, 2]), (2, "highway=residential oneway=yes", &[2, 3])], &[], &[]);
    assert_eq!(by_profile(&data), [2, 1, 1, 1, 1]);
    let gated = graph(&[(1, STREET, &[1, 2, 3, 4]), (2, STREET, &[1, 11])], &[], &[(3, "barrier=bollard")]);
    assert_eq!(by_profile(&gated), [3, 3, 2, 2, 2], "nobody drives behind the bollard");
}

#[test]
fn a_boat_that_lands_beyond_the_extract_does_not_sail() {
    let ways: [(i64, &str, &[i64]); 3] =
        [(1, STREET, &[1, 2]), (2, "route=ferry", &[2, 12]), (3, "route=ferry", &[12, 22, 99])];
    assert_eq!(by_profile(&graph(&ways, &[], &[])), [1; 5]);
    let landing = graph(&[ways[0], ways[1], (4, STREET, &[12, 13])], &[], &[]);
    assert_eq!(by_profile(&landing)[..2], [3, 3]);
}

#[test]
fn a_barrier_and_a_light_cut_a_street() {
    let data = graph(&[(1, STREET, &[1, 2, 3]), (2, STREET, &[1, 11, 12, 13, 3])], &[], &[(2, "barrier=bollard")]);
    assert_eq!((data.edges.len(), data.barriers.len()), (3, 1));
}

/// A crossing at 22 with arms to the west (1), north (2), east (3) and south (4), all joined by a ring.
fn crossing(relations: &[Relation<'_>]) -> Vec<(Vec<[i64; 2]>, Profiles)> {
    let ways: [(i64, &str, &[i64]); 5] = [
        (1, STREET, &[21, 22]),
        (2, STREET, &[22, 32]),
        (3, STREET, &[22, 23]),
        (4, STREET, &[12, 22]),
        (5, STREET, &[21, 31, 32, 33, 23, 13, 12, 11, 21]),
    ];
    let data = graph(&ways, relations, &[]);
    let name = |node: u32| {
        let point = data.nodes[node as usize];
        ((point.lat() - 53.0) * 1e3).round() as i64 * 10 + ((point.lon() - 13.0) * 1e3).round() as i64
    };
    let of = |restriction: &crate::roads::Restriction| {
        let arcs = restriction.arcs.iter().map(|arc| {
            let edge = &data.edges[arc.edge as usize];
            let ends = [name(edge.from), name(edge.to)];
            if arc.forward { ends } else { [ends[1], ends[0]] }
        });
        (arcs.collect(), restriction.profiles)
    };
    let mut all: Vec<_> = data.restrictions.iter().map(of).collect();
    all.sort();
    all
}

const VEHICLES: Profiles = Profiles::ALL.without(Profiles::only(Profile::Foot));

#[test]
fn a_forbidden_turn_is_one_sequence_and_an_only_turn_forbids_the_others() {
    let west_to_north: &[_] = &[("from", true, 1), ("via", false, 22), ("to", true, 2)];
    let turn = |to: i64| vec![[21, 22], [22, to]];
    assert_eq!(crossing(&[("type=restriction restriction=no_left_turn", west_to_north)]), [(turn(32), VEHICLES)]);
    let only = crossing(&[("type=restriction restriction=only_left_turn except=bicycle", west_to_north)]);
    let without_bicycles = VEHICLES.without(Profiles::only(Profile::Bicycle));
    assert_eq!(only, [(turn(12), without_bicycles), (turn(23), without_bicycles)]);
    let at_times = crossing(&[("type=restriction restriction:conditional=no_left_turn@(Mo-Fr)", west_to_north)]);
    assert_eq!(at_times, [(turn(32), VEHICLES)]);
    let of_cars = crossing(&[("type=restriction restriction:motorcar=no_left_turn", west_to_north)]);
    assert_eq!(of_cars, [(turn(32), Profiles::only(Profile::Car))]);
    assert_eq!(crossing(&[("type=restriction restriction:hgv=no_left_turn", west_to_north)]), []);
    let back: &[_] = &[("from", true, 1), ("via", false, 22), ("to", true, 1)];
    let only_back = crossing(&[("type=restriction restriction=only_u_turn", back)]);
    assert_eq!(only_back, [12, 23, 32].map(|to| (turn(to), VEHICLES)));
}

#[test]
fn a_turn_by_way_of_a_street_is_a_longer_sequence() {
    let u_turn: &[_] = &[("from", true, 1), ("via", true, 3), ("to", true, 5)];
    let found = crossing(&[("type=restriction restriction=no_u_turn", u_turn)]);
    let expected = [32, 12].map(|to| (vec![[21, 22], [22, 23], [23, to]], VEHICLES));
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_same_extract_always_makes_the_same_bytes() {
    let ways: [(i64, &str, &[i64]); 3] =
        [(1, "highway=primary name=A", &[1, 2, 3, 4]), (2, "highway=path name=B", &[2, 12, 13]), (3, STREET, &[13, 3])];
    let relation: &[_] = &[("from", true, 1), ("via", false, 3), ("to", true, 3)];
    let make = || graph(&ways, &[("restriction=no_left_turn type=restriction", relation)], &[(12, "barrier=bollard")]);
    assert_eq!(make().to_bytes(), make().to_bytes());
    assert_eq!(RoadData::from_bytes(&make().to_bytes()).map(|data| data.to_bytes()), Ok(make().to_bytes()));
}
