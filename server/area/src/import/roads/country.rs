//! What differs from country to country: limits without a sign, and who is used to go where.

use crate::roads::RoadClass;

/// The customs of one country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Customs {
    limits: Limits,
    /// Trunk roads are closed to bicycles, mopeds and walkers without a sign.
    pub(super) trunk_roads_are_for_motors: bool,
    /// Walkers may use cycleways.
    pub(super) cycleways_are_walked: bool,
    /// Bicycles may use bridleways.
    pub(super) bridleways_are_cycled: bool,
}

/// Limits where no sign stands, in km/h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    motorway: u8,
    /// With separate carriageways.
    dual: u8,
    rural: u8,
    urban: u8,
}

/// Whether a street lies where people live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Motorway,
    Dual,
    Rural,
    Urban,
    /// A zone with a limit of its own.
    Limited(u8),
    /// Where walkers go first.
    Living,
}

// Where walkers go first a bicycle's pace is what is driven, whatever the law calls it.
const LIVING_KMH: u8 = 20;
const SERVICE_KMH: u8 = 20;
// What parked cars and corners leave of 50.
const RESIDENTIAL_KMH: u8 = 40;

impl Customs {
    /// Those of the country with this ISO 3166-1 code, or usual ones.
    pub(super) fn of(country: Option<&str>) -> Self {
        let country = country.unwrap_or_default();
        Self {
            limits: limits(country),
            trunk_roads_are_for_motors: ["AT", "BE", "CH", "NL"].contains(&country),
            cycleways_are_walked: !["AT", "CH", "CZ", "DE", "ES", "FR", "HU", "IT", "LU", "PL", "RU", "SK"]
                .contains(&country),
            bridleways_are_cycled: ["GB", "GG", "IE", "IM", "JE"].contains(&country),
        }
    }

    /// What may be driven in `zone`, in km/h.
    pub(super) const fn zone_kmh(&self, zone: Zone) -> u8 {
        match zone {
            Zone::Motorway => self.limits.motorway,
            Zone::Dual => self.limits.dual,
            Zone::Rural => self.limits.rural,
            Zone::Urban => self.limits.urban,
            Zone::Limited(kmh) => kmh,
            Zone::Living => LIVING_KMH,
        }
    }

    /// What may be driven on a way of `class` without any sign, lowered to what smaller streets allow in practice.
    pub(super) fn usual_kmh(&self, class: RoadClass, is_built_up: bool) -> u8 {
        let open_road = if is_built_up { self.limits.urban } else { self.limits.rural };
        match class {
            RoadClass::Motorway => self.limits.motorway,
            RoadClass::Trunk if !is_built_up => self.limits.dual.min(self.limits.rural.saturating_add(10)),
            RoadClass::Trunk | RoadClass::Primary | RoadClass::Secondary | RoadClass::Tertiary => open_road,
            RoadClass::Unclassified => open_road.min(70),
            RoadClass::Residential => self.limits.urban.min(RESIDENTIAL_KMH),
            RoadClass::LivingStreet | RoadClass::Pedestrian => LIVING_KMH,
            _ => SERVICE_KMH,
        }
    }
}

/// Each country's general limits for cars, as its traffic law had them in 2024, in km/h; miles are rounded.
const fn limits(country: &str) -> Limits {
    let [motorway, dual, rural, urban] = match country.as_bytes() {
        b"MT" => [80, 80, 80, 50],
        b"GB" | b"IM" | b"GG" | b"JE" => [113, 113, 97, 48],
        b"IE" => [120, 100, 80, 50],
        b"DE" | b"AT" => [130, 100, 100, 50],
        b"CH" | b"LI" => [120, 100, 80, 50],
        b"FR" => [130, 110, 80, 50],
        b"IT" | b"GR" | b"CZ" | b"HU" | b"SI" | b"HR" | b"LT" | b"UA" => [130, 110, 90, 50],
        b"ES" | b"BE" => [120, 90, 90, 50],
        b"PT" | b"FI" => [120, 100, 90, 50],
        b"NL" => [100, 100, 80, 50],
        b"LU" | b"SK" | b"RO" | b"RS" => [130, 90, 90, 50],
        b"DK" => [130, 80, 80, 50],
        b"SE" | b"NO" => [110, 80, 80, 50],
        b"PL" => [140, 120, 90, 50],
        b"BG" => [140, 90, 90, 50],
        b"EE" | b"LV" => [110, 90, 90, 50],
        b"CY" => [100, 80, 80, 50],
        b"IS" => [90, 90, 90, 50],
        b"TR" => [120, 110, 90, 50],
        b"US" => [105, 89, 89, 40],
        b"CA" => [100, 80, 80, 50],
        b"AU" => [110, 100, 100, 50],
        b"NZ" => [100, 100, 100, 50],
        b"JP" => [100, 60, 60, 40],
        _ => [120, 90, 80, 50],
    };
    Limits { motorway, dual, rural, urban }
}
