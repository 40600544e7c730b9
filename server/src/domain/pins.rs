//! Addresses that an operator pinned, in memory, and what they change about an answer of the map.
//!
//! A pin is taken before all else when the typed text is its address, and when the map's own answer is: then the answer
//! keeps its name and gets the pin's point. A text that only begins a pinned address offers the pin with a doubt, so that a
//! person may choose it and no program takes it. [`crate::service::places`] asks this for every search and import.

use std::collections::HashMap;

use doorstep_area::places::{Doubt, Found, Kind, address_words};
use doorstep_shared::{LatLon, PinId, geo::distance::haversine_m};

/// A click or a courier this near to a pin, in metres, is at its door.
const AT_THE_PIN_M: f64 = 25.0;

/// Pinned addresses that are offered while one of them is typed.
const MOST_OFFERED: usize = 3;

/// An address and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin {
    /// Its id.
    pub id: PinId,
    /// The address, as it was written.
    pub address: String,
    /// Where its door is.
    pub point: LatLon,
}

/// A place that was found, and the pin that it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What was found.
    pub found: Found,
    /// The pin that says where it is.
    pub pin: Option<PinId>,
}

/// All pins. Never changes.
#[derive(Debug, Default)]
pub struct Pins {
    pins: Vec<Pin>,
    /// For each pin its words.
    words: Vec<Vec<String>>,
    by_key: HashMap<String, usize>,
}

/// By what an address is recognised; `None` for a text that names nothing.
pub fn key_of(address: &str) -> Option<String> {
    let words = address_words(address);
    (!words.is_empty()).then(|| words.join(" "))
}

impl Pins {
    /// Indexes pins. Of two with one address the last counts.
    pub fn new(pins: Vec<Pin>) -> Self {
        let words: Vec<_> = pins.iter().map(|pin| address_words(&pin.address)).collect();
        let by_key = words.iter().enumerate().map(|(index, words)| (words.join(" "), index)).collect();
        Self { pins, words, by_key }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty()
    }

    /// The pin of exactly this address.
    pub fn of(&self, address: &str) -> Option<&Pin> {
        self.by_key.get(&key_of(address)?).map(|index| &self.pins[*index])
    }

    /// The best places for what was typed: its pin, then the pins that it begins, then what the map `found`, each at its
    /// pin where it has one. Only pins for which `is_here` says so; at most `limit` places.
    pub fn before(
        &self,
        typed: &str,
        found: Vec<Found>,
        (near, limit): (Option<LatLon>, usize),
        is_here: impl Fn(LatLon) -> bool,
    ) -> Vec<Place> {
        let pinned = self.of(typed).map(|pin| (pin, None));
        let begun = self.begun_by(typed).filter(|pin| pinned.is_none_or(|(exact, _)| exact.id != pin.id));
        let offered = pinned.into_iter().chain(begun.map(|pin| (pin, Some(Doubt::Spelling))));
        let offered = offered.filter(|(pin, _)| is_here(pin.point)).take(MOST_OFFERED);
        let mut places: Vec<Place> = offered.map(|(pin, doubt)| place_of(pin, near, doubt)).collect();
        for found in found {
            let place = self.corrected(found, near, &is_here);
            if place.pin.is_none() || places.iter().all(|known| known.pin != place.pin) {
                places.push(place);
            }
        }
        places.truncate(limit);
        places
    }

    /// The place of an address for a program, which chooses among nothing: its pin, or what the map `found`.
    pub fn place(
        &self,
        address: &str,
        found: impl FnOnce() -> Option<Found>,
        near: Option<LatLon>,
        is_here: impl Fn(LatLon) -> bool,
    ) -> Option<Place> {
        match self.of(address).filter(|pin| is_here(pin.point)) {
            Some(pin) => Some(place_of(pin, near, None)),
            None => found().map(|found| self.corrected(found, near, is_here)),
        }
    }

    /// What is at a point: the pin there, and what the map `found`.
    pub fn at(&self, point: LatLon, found: Vec<Found>) -> Vec<Place> {
        let distances = self.pins.iter().map(|pin| (haversine_m(point, pin.point), pin));
        let nearest = distances.min_by(|a, b| a.0.total_cmp(&b.0)).filter(|(metres, _)| *metres <= AT_THE_PIN_M);
        let pinned = nearest.map(|(_, pin)| place_of(pin, Some(point), None));
        // A house that was pinned elsewhere is not here.
        let is_elsewhere = |found: &Found| self.of(&full_name(found)).is_some();
        let mapped = found.into_iter().filter(|found| !is_elsewhere(found)).map(|found| Place { found, pin: None });
        pinned.into_iter().chain(mapped).collect()
    }

    /// An answer of the map, at its pin if it has one.
    pub fn corrected(&self, found: Found, near: Option<LatLon>, is_here: impl Fn(LatLon) -> bool) -> Place {
        let pin = if self.is_empty() { None } else { self.of(&full_name(&found)) };
        let Some(pin) = pin.filter(|pin| is_here(pin.point)) else { return Place { found, pin: None } };
        let distance_m = near.map(|near| haversine_m(near, pin.point));
        Place { found: Found { kind: Kind::House, point: pin.point, distance_m, ..found }, pin: Some(pin.id) }
    }

    /// Pins whose words the typed ones begin, in any order.
    fn begun_by(&self, typed: &str) -> impl Iterator<Item = &Pin> {
        let typed = address_words(typed);
        let begins = move |words: &[String]| {
            let has = |part: &String| words.iter().any(|word| word.starts_with(part.as_str()));
            !typed.is_empty() && typed.iter().all(has)
        };
        self.pins.iter().zip(&self.words).filter(move |(_, words)| begins(words)).map(|(pin, _)| pin)
    }
}

fn place_of(pin: &Pin, near: Option<LatLon>, doubt: Option<Doubt>) -> Place {
    let (name, town) = match pin.address.rsplit_once(',') {
        Some((name, town)) if !name.trim().is_empty() => {
            (name.trim(), Some(town.trim()).filter(|town| !town.is_empty()))
        }
        _ => (pin.address.as_str(), None),
    };
    let distance_m = near.map(|near| haversine_m(near, pin.point));
    let (name, town, kind, point) = (name.to_owned(), town.map(str::to_owned), Kind::House, pin.point);
    Place { found: Found { name, town, kind, point, distance_m, doubt }, pin: Some(pin.id) }
}

fn full_name(found: &Found) -> String {
    match &found.town {
        Some(town) => format!("{}, {town}", found.name),
        None => found.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::try_new(lat, lon).expect("on earth")
    }

    fn pin(address: &str, point: LatLon) -> Pin {
        Pin { id: PinId::new(), address: address.to_owned(), point }
    }

    fn street(name: &str, town: &str) -> Found {
        let (name, town) = (name.to_owned(), Some(town.to_owned()));
        Found { name, town, kind: Kind::Street, point: at(35.9, 14.5), distance_m: None, doubt: None }
    }

    fn everywhere(_: LatLon) -> bool {
        true
    }

    #[test]
    fn a_pin_comes_before_what_the_map_knows() {
        let door = at(35.91, 14.51);
        let pins = Pins::new(vec![pin("12 Triq il-Merkanti, Valletta", door)]);
        let mapped = || vec![street("Triq il-Merkanti 12", "Valletta"), street("Triq il-Merkanti", "Valletta")];
        let places = pins.before("triq merkanti 12 valletta", mapped(), (Some(door), 8), everywhere);
        let points: Vec<_> = places.iter().map(|place| (place.found.point, place.pin.is_some())).collect();
        assert_eq!(points, [(door, true), (at(35.9, 14.5), false)], "the house that the map knows is the pinned one");
        assert_eq!((places[0].found.doubt, places[0].found.kind), (None, Kind::House));
        assert_eq!(
            (&*places[0].found.name, places[0].found.town.as_deref()),
            ("12 Triq il-Merkanti", Some("Valletta"))
        );
        assert_eq!(places[0].found.distance_m, Some(0.0));
    }

    #[test]
    fn an_answer_of_the_map_stands_at_its_pin_however_it_was_asked_for() {
        let door = at(35.91, 14.51);
        let pins = Pins::new(vec![pin("12 Triq il-Merkanti, Valletta", door)]);
        let doubtful = Found { doubt: Some(Doubt::OtherWords), ..street("12 Triq il-Merkanti", "Valletta") };
        let places = pins.before("Merchants Street 12, VLT 1172", vec![doubtful], (None, 8), everywhere);
        assert_eq!((places[0].found.point, places[0].found.doubt), (door, Some(Doubt::OtherWords)));
    }

    #[test]
    fn a_pin_is_offered_while_it_is_typed_and_is_no_certain_answer_then() {
        let pins = Pins::new(vec![pin("7 New Quay, Gzira", at(35.9, 14.49)), pin("New Quay, Sliema", at(35.91, 14.5))]);
        let names = |typed: &str| {
            let places = pins.before(typed, vec![], (None, 8), everywhere);
            places.into_iter().map(|place| (place.found.name, place.found.doubt)).collect::<Vec<_>>()
        };
        assert_eq!(names("new qu gz"), [("7 New Quay".to_owned(), Some(Doubt::Spelling))]);
        assert_eq!(names("new quay").len(), 2);
        assert_eq!(names("new quay sliema"), [("New Quay".to_owned(), None)]);
        assert!(names("").is_empty() && names("old quay").is_empty());
    }

    #[test]
    fn a_program_takes_the_pin_of_an_address_and_none_that_it_only_begins() {
        let pins = Pins::new(vec![pin("7 New Quay, Gzira", at(35.9, 14.49))]);
        let place = |address: &str| {
            let found = || Some(street("New Quay", "Gzira"));
            pins.place(address, found, None, everywhere).expect("the map knows it").found.point
        };
        assert_eq!(place("new quay 7, GZIRA"), at(35.9, 14.49));
        assert_eq!(place("New Quay, Gzira"), at(35.9, 14.5));
    }

    #[test]
    fn a_pin_of_another_area_is_not_answered() {
        let pins = Pins::new(vec![pin("Ahornweg 5, Neustadt", at(53.5, 13.2))]);
        let is_south = |point: LatLon| point.lat() < 40.0;
        let mapped = street("Ahornweg 5", "Neustadt");
        let places = pins.before("Ahornweg 5, Neustadt", vec![mapped.clone()], (None, 8), is_south);
        assert_eq!(places, [Place { found: mapped, pin: None }]);
    }

    #[test]
    fn a_point_at_a_pin_is_its_door_and_a_house_pinned_elsewhere_is_not_there() {
        let (door, mapped) = (at(35.91, 14.51), at(35.9, 14.5));
        let pins = Pins::new(vec![pin("12 Triq il-Merkanti, Valletta", door)]);
        let house = Found { kind: Kind::House, ..street("12 Triq il-Merkanti", "Valletta") };
        let road = street("Triq il-Merkanti", "Valletta");
        let here = pins.at(mapped, vec![house, road.clone()]);
        assert_eq!(here, [Place { found: road, pin: None }]);
        let near = at(35.9101, 14.51);
        assert_eq!(pins.at(near, vec![])[0].found.name, "12 Triq il-Merkanti");
    }

    proptest! {
        #[test]
        fn an_address_finds_its_own_pin(street in "[a-zß-öø-ž]{3,9}weg", number in 1u32..400, town in "[a-z]{4,9}") {
            let address = format!("{street} {number}, {town}");
            let pins = Pins::new(vec![pin("Elsewhere 1, Town", at(1.0, 1.0)), pin(&address, at(2.0, 2.0))]);
            prop_assert_eq!(pins.of(&format!("{number} {}, {town}", street.to_uppercase())).map(|pin| pin.point), Some(at(2.0, 2.0)));
        }
    }
}
