//! What OpenStreetMap's tags say about driving on a way.

use std::collections::HashMap;

use doorstep_shared::roads::RoadClass;

type Tags<'a> = HashMap<&'a str, &'a str>;

/// Which way a road is driven, seen from the order of its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Both,
    /// As drawn.
    Forward,
    /// Against how it was drawn.
    Backward,
}

/// A way that vehicles may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Road {
    pub class: RoadClass,
    pub limit_kmh: u8,
    pub direction: Direction,
    pub tunnel: bool,
}

impl Road {
    /// `None` for whatever is not a road that the public may drive on.
    pub fn from_tags(tags: &Tags) -> Option<Self> {
        let highway = *tags.get("highway")?;
        let class = class(highway)?;
        if !open_to_vehicles(tags) || tags.get("area") == Some(&"yes") {
            return None;
        }
        let limit = tags.get("maxspeed").and_then(|text| limit_kmh(text));
        Some(Self {
            class,
            limit_kmh: limit.unwrap_or(class.default_limit_kmh()),
            direction: direction(highway, tags),
            tunnel: tags.get("tunnel").is_some_and(|kind| *kind == "yes"),
        })
    }
}

fn class(highway: &str) -> Option<RoadClass> {
    Some(match highway.strip_suffix("_link").unwrap_or(highway) {
        "motorway" => RoadClass::Motorway,
        "trunk" => RoadClass::Trunk,
        "primary" => RoadClass::Primary,
        "secondary" => RoadClass::Secondary,
        "tertiary" => RoadClass::Tertiary,
        "unclassified" | "road" => RoadClass::Unclassified,
        "residential" => RoadClass::Residential,
        "living_street" => RoadClass::LivingStreet,
        "service" => RoadClass::Service,
        _ => return None,
    })
}

/// The most specific tag decides.
fn open_to_vehicles(tags: &Tags) -> bool {
    let decisive = ["motor_vehicle", "vehicle", "access"].iter().find_map(|key| tags.get(key));
    !decisive.is_some_and(|value| matches!(*value, "no" | "private" | "agricultural" | "forestry" | "military"))
}

fn direction(highway: &str, tags: &Tags) -> Direction {
    match tags.get("oneway").copied() {
        Some("yes" | "true" | "1") => Direction::Forward,
        Some("-1" | "reverse") => Direction::Backward,
        Some(_) => Direction::Both,
        None if matches!(tags.get("junction"), Some(&("roundabout" | "circular"))) => Direction::Forward,
        None if highway == "motorway" => Direction::Forward,
        None => Direction::Both,
    }
}

/// km/h from `50`, `50 km/h`, `30 mph` or a country's named limit; `None` for words without a number.
fn limit_kmh(text: &str) -> Option<u8> {
    match text.trim() {
        "MT:urban" => return Some(50),
        "MT:rural" => return Some(80),
        "walk" => return Some(6),
        _ => {}
    }
    let digits = text.trim_start();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number: f64 = digits[..end].parse().ok()?;
    let kmh = if digits[end..].trim() == "mph" { number * 1.609_344 } else { number };
    (1.0..=250.0).contains(&kmh).then_some(kmh.round() as u8)
}

/// The name of a settlement, in the form that addresses use.
pub fn place_name<'a>(tags: &Tags<'a>) -> Option<&'a str> {
    let kind = tags.get("place")?;
    if !matches!(*kind, "city" | "town" | "village" | "suburb") {
        return None;
    }
    tags.get("name:en").or_else(|| tags.get("name")).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn road(tags: &[(&'static str, &'static str)]) -> Option<Road> {
        Road::from_tags(&tags.iter().copied().collect())
    }

    #[test]
    fn only_what_the_public_may_drive_on_is_a_road() {
        let roads: [&[_]; 4] = [
            &[("highway", "residential")],
            &[("highway", "trunk_link")],
            &[("highway", "service"), ("access", "no"), ("motor_vehicle", "yes")],
            &[("highway", "service"), ("access", "customers")],
        ];
        let others: [&[_]; 5] = [
            &[("highway", "footway")],
            &[("highway", "service"), ("access", "private")],
            &[("highway", "residential"), ("motor_vehicle", "no")],
            &[("highway", "service"), ("area", "yes")],
            &[("building", "yes")],
        ];
        for tags in roads {
            assert!(road(tags).is_some(), "{tags:?}");
        }
        for tags in others {
            assert!(road(tags).is_none(), "{tags:?}");
        }
    }

    #[test]
    fn roundabouts_are_one_way_without_saying_so() {
        let cases: [(&[_], _); 6] = [
            (&[("highway", "residential")], Direction::Both),
            (&[("highway", "residential"), ("oneway", "yes")], Direction::Forward),
            (&[("highway", "residential"), ("oneway", "-1")], Direction::Backward),
            (&[("highway", "tertiary"), ("junction", "roundabout")], Direction::Forward),
            (&[("highway", "tertiary"), ("junction", "roundabout"), ("oneway", "no")], Direction::Both),
            (&[("highway", "motorway")], Direction::Forward),
        ];
        for (tags, expected) in cases {
            assert_eq!(road(tags).map(|road| road.direction), Some(expected), "{tags:?}");
        }
    }

    #[test]
    fn speed_limits_are_understood_or_take_the_default_of_their_class() {
        let cases =
            [("50", 50), ("30 mph", 48), ("60 km/h", 60), ("MT:urban", 50), ("none", 35), ("0", 35), ("9999", 35)];
        for (text, expected) in cases {
            let road = road(&[("highway", "residential"), ("maxspeed", text)]);
            assert_eq!(road.map(|road| road.limit_kmh), Some(expected), "{text}");
        }
    }
}
