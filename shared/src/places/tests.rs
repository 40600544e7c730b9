//! Searches as people type them, on a few streets.

use proptest::prelude::*;

use super::*;
use crate::LatLon;

fn at(lat: f64, lon: f64) -> LatLon {
    let round = |degrees: f64| (degrees * 1e5).round() / 1e5;
    LatLon::try_new(round(lat), round(lon)).expect("on earth")
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

fn street(of: &[&str], town: u32, from: LatLon, houses: &[(&str, LatLon)]) -> Street {
    let houses = houses.iter().map(|(number, point)| House { number: (*number).to_owned(), point: *point }).collect();
    let line = vec![from, at(from.lat() + 0.001, from.lon()), at(from.lat() + 0.002, from.lon())];
    Street { names: names(of), town: Some(town), lines: vec![line], houses }
}

fn data() -> PlacesData {
    let (valletta, hamrun, zebbug) = (at(35.898, 14.512), at(35.886, 14.489), at(35.872, 14.441));
    PlacesData {
        towns: vec![
            Town { names: names(&["Valletta", "Il-Belt Valletta"]), centre: valletta },
            Town { names: names(&["Ħamrun", "Il-Ħamrun"]), centre: hamrun },
            Town { names: names(&["Ħaż-Żebbuġ"]), centre: zebbug },
        ],
        streets: vec![
            street(&["Triq il-Merkanti", "Merchants Street"], 0, at(35.896, 14.513), &[("12", at(35.8971, 14.5131))]),
            street(&["Triq San Pawl"], 0, at(35.897, 14.515), &[]),
            street(&["Triq San Pawl"], 1, at(35.885, 14.490), &[]),
            street(&["Triq Santa Luċija"], 0, at(35.899, 14.511), &[]),
            street(&["Sqaq il-Merżuq"], 2, at(35.871, 14.440), &[]),
        ],
        points: vec![
            PointOfInterest { names: names(&["Merkanti Bar"]), town: Some(0), point: at(35.8975, 14.5132) },
            PointOfInterest { names: names(&["7-Eleven"]), town: Some(1), point: at(35.8861, 14.4891) },
        ],
    }
}

fn gazetteer() -> Gazetteer {
    Gazetteer::from_bytes(&data().to_bytes()).expect("our own file")
}

fn found(text: &str, near: Option<LatLon>) -> Vec<String> {
    let place = |found: Found| match found.town {
        Some(town) => format!("{}, {town}", found.name),
        None => found.name,
    };
    gazetteer().search(text, near, 5).into_iter().map(place).collect()
}

#[test]
fn what_was_baked_is_read_back() {
    assert_eq!(PlacesData::from_bytes(&data().to_bytes()), Ok(data()));
}

#[test]
fn a_street_is_found_by_pieces_of_its_words() {
    let merchants = ["Triq il-Merkanti, Valletta", "Merkanti Bar, Valletta"];
    for text in ["merkanti", "triq merk", "TRIQ IL-MERKANTI", "merk triq", "il merkanti valletta"] {
        assert_eq!(found(text, None)[..1], merchants[..1], "{text}");
    }
    assert_eq!(found("merkanti", None), merchants);
    assert_eq!(found("merchants street", None), merchants[..1], "its English name leads to the sign's");
    assert_eq!(found("merkanti street", None), merchants, "a street is a triq");
}

#[test]
fn marks_and_slips_do_not_matter() {
    assert_eq!(found("santa lucija", None), ["Triq Santa Luċija, Valletta"]);
    assert_eq!(found("merzuq", None), ["Sqaq il-Merżuq, Ħaż-Żebbuġ"]);
    assert_eq!(found("markanti", None)[0], "Triq il-Merkanti, Valletta");
    assert_eq!(found("vallleta", None), ["Valletta"]);
    assert_eq!(found("hamrun", None), ["Ħamrun"]);
    assert_eq!(found("nothing like it", None), [""; 0]);
}

#[test]
fn of_two_the_nearer_comes_first_and_the_town_decides() {
    let (hamrun, valletta) = ("Triq San Pawl, Ħamrun", "Triq San Pawl, Valletta");
    assert_eq!(found("san pawl", Some(at(35.885, 14.49))), [hamrun, valletta]);
    assert_eq!(found("san pawl", Some(at(35.897, 14.515))), [valletta, hamrun]);
    assert_eq!(found("san pawl hamrun", Some(at(35.897, 14.515))), [hamrun]);
}

#[test]
fn a_house_is_found_where_it_is_known_and_its_number_kept_where_not() {
    let house = &gazetteer().search("12 triq il-merkanti", None, 5)[0];
    assert_eq!((house.name.as_str(), house.kind), ("12 Triq il-Merkanti", Kind::House));
    assert_eq!((house.point.lat(), house.point.lon()), (35.8971, 14.5131));
    let other = &gazetteer().search("Triq il-Merkanti 99b", None, 5)[0];
    assert_eq!((other.name.as_str(), other.kind), ("99B Triq il-Merkanti", Kind::Street));
}

#[test]
fn a_point_is_in_the_street_beside_it() {
    let gazetteer = gazetteer();
    let kinds = |point| gazetteer.at(point).into_iter().map(|found| (found.kind, found.name)).collect::<Vec<_>>();
    let street = (Kind::Street, "Triq il-Merkanti".to_owned());
    assert_eq!(kinds(at(35.8971, 14.51313)), [(Kind::House, "12 Triq il-Merkanti".to_owned()), street.clone()]);
    assert_eq!(kinds(at(35.8965, 14.5130)), [street]);
    assert_eq!(kinds(at(35.95, 14.52)), [(Kind::Town, "Valletta".to_owned())]);
    let beside = &gazetteer.at(at(35.8965, 14.5131))[0];
    assert!((beside.point.lon() - 14.513).abs() < 1e-6, "the point on the street: {beside:?}");
    assert!(beside.distance_m.is_some_and(|metres| (8.0..10.0).contains(&metres)), "{beside:?}");
}

#[test]
fn damaged_files_are_refused() {
    let bytes = data().to_bytes();
    assert_eq!(Gazetteer::from_bytes(b"nonsense").err(), Some(PlacesError::NotPlaces));
    assert_eq!(Gazetteer::from_bytes(b"").err(), Some(PlacesError::NotPlaces));
    let newer = [&bytes[..6], &[9, 0], &bytes[8..]].concat();
    assert_eq!(Gazetteer::from_bytes(&newer).err(), Some(PlacesError::UnsupportedVersion(9)));
    for length in 8..bytes.len() {
        assert!(matches!(Gazetteer::from_bytes(&bytes[..length]), Err(PlacesError::Damaged(_))), "{length}");
    }
}

proptest! {
    #[test]
    fn nothing_typed_makes_it_panic(text in "\\PC{0,60}", lat in -90.0..=90.0, lon in -180.0..=180.0, limit in 0usize..40) {
        let found = gazetteer().search(&text, Some(at(lat, lon)), limit);
        prop_assert!(found.len() <= limit.min(MAX_RESULTS));
        let _ = gazetteer().at(at(lat, lon));
    }

    #[test]
    fn every_street_is_found_by_its_own_name(number in 0usize..5, letters in 3usize..20) {
        let data = data();
        let street = &data.streets[number];
        let typed: String = street.names[0].chars().take(letters.max(9)).collect();
        let found = Gazetteer::new(data.clone()).search(&typed, Some(street.lines[0][1]), 20);
        prop_assert!(found.iter().any(|found| found.name == street.names[0]), "{typed}: {found:?}");
    }
}

#[test]
fn examples_are_streets_that_the_search_finds_again() {
    let gazetteer = Gazetteer::new(data());
    let examples = gazetteer.examples(3);
    assert_eq!(examples.len(), 3);
    for street in &examples {
        let address = format!("{} {}", street.name, street.town.as_deref().expect("a town"));
        assert_eq!(gazetteer.search(&address, None, 1)[0].point, street.point, "{address}");
    }
    assert_eq!(gazetteer.examples(3), examples, "the same ones every time");
    assert!(Gazetteer::new(PlacesData::default()).examples(3).is_empty());
}
