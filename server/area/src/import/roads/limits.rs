//! The speed limit of a way: from its sign, from the zone that it lies in, or from what is usual.

use crate::import::tags::Tags;
use crate::roads::RoadClass;

use super::country::{Customs, Zone};

/// A mile in kilometres.
const MPH: f64 = 1.609_344;

/// What a way's tags say of its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// In km/h, at least 1.
    Signed(u8),
    /// No tag tells; it depends on whether people live around it.
    Usual,
}

impl Limit {
    pub(super) fn of(tags: &Tags<'_>, class: RoadClass, customs: &Customs) -> Self {
        let both = ["maxspeed:forward", "maxspeed:backward"];
        let signed = tags.get("maxspeed").and_then(|text| signed_kmh(text, class, customs));
        let lower = || both.iter().filter_map(|key| signed_kmh(tags.get(key)?, class, customs)).min();
        let zones = ["maxspeed:type", "source:maxspeed", "zone:maxspeed", "zone:traffic"];
        let zoned = || zones.iter().find_map(|key| zone_kmh(tags.get(key)?, customs));
        signed.or_else(lower).or_else(zoned).map_or(Self::Usual, Self::Signed)
    }

    /// In km/h.
    pub(super) fn kmh(self, class: RoadClass, is_built_up: bool, customs: &Customs) -> u8 {
        match self {
            Self::Signed(kmh) => kmh,
            Self::Usual => customs.usual_kmh(class, is_built_up),
        }
    }
}

/// `50`, `50 km/h`, `30 mph`, `walk`, `none` or a zone; of several the first. `None` for other words.
fn signed_kmh(text: &str, class: RoadClass, customs: &Customs) -> Option<u8> {
    let (first, _) = text.split_once([';', '|']).unwrap_or((text, ""));
    let first = first.trim();
    match first {
        "walk" => return Some(6),
        "none" if class == RoadClass::Motorway => return Some(customs.zone_kmh(Zone::Motorway)),
        // On the Isle of Man that is every open road.
        "none" if class <= RoadClass::Unclassified => return Some(customs.zone_kmh(Zone::Rural)),
        "none" => return Some(customs.usual_kmh(class, false)),
        _ => {}
    }
    let end = first.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(first.len());
    let Ok(number) = first[..end].parse::<f64>() else { return zone_kmh(first, customs) };
    let kmh = match first[end..].trim() {
        "mph" => number * MPH,
        "" | "km/h" | "kmh" | "kph" => number,
        _ => return None,
    };
    (1.0..=250.0).contains(&kmh).then_some(kmh.round() as u8)
}

/// `DE:urban`, `GB:nsl_single`, `DE:zone30`, `DE:30` or, as `zone:maxspeed` has it, a number; `None` for what is no
/// zone, such as "sign".
fn zone_kmh(text: &str, customs: &Customs) -> Option<u8> {
    let (country, name) = text.split_once(':').map_or((None, text), |(country, name)| (Some(country), name));
    let there = country.map(|code| Customs::of(Some(code)));
    let zone = match name {
        "urban" | "nsl_restricted" => Zone::Urban,
        "rural" | "nsl_single" => Zone::Rural,
        "trunk" | "nsl_dual" => Zone::Dual,
        "motorway" => Zone::Motorway,
        "living_street" => Zone::Living,
        "bicycle_road" => Zone::Limited(30),
        other => {
            let digits = other.strip_prefix("zone").unwrap_or(other).trim_start_matches(':');
            Zone::Limited(digits.parse().ok().filter(|kmh| (5..=130).contains(kmh))?)
        }
    };
    Some(there.as_ref().unwrap_or(customs).zone_kmh(zone))
}
