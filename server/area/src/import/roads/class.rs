//! What kind of way it is, and what it is paved with.

use crate::roads::{RoadClass, Surface};

use crate::import::tags::Tags;

/// A way's class, with what the class alone does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) class: RoadClass,
    /// Leads onto or off a road of the class.
    pub(super) is_link: bool,
    /// A bridleway.
    pub(super) for_horses: bool,
}

impl Kind {
    /// `None` for what nobody travels on.
    pub(super) fn of(tags: &Tags<'_>) -> Option<Self> {
        let Some(highway) = tags.get("highway") else { return Self::of_boat(tags) };
        let (name, is_link) = highway.strip_suffix("_link").map_or((highway, false), |road| (road, true));
        let class = class(name)?;
        // One walks around a square, and drives on no area.
        let is_area = tags.get("area") == Some("yes");
        if is_area && !matches!(class, RoadClass::Pedestrian | RoadClass::Footway) {
            return None;
        }
        Some(Self { class, is_link, for_horses: name == "bridleway" })
    }

    fn of_boat(tags: &Tags<'_>) -> Option<Self> {
        let is_excursion = tags.get("ferry") == Some("tourist") || tags.get("usage") == Some("tourism");
        let is_line = tags.get("route") == Some("ferry") && !is_excursion;
        is_line.then_some(Self { class: RoadClass::Ferry, is_link: false, for_horses: false })
    }
}

fn class(highway: &str) -> Option<RoadClass> {
    Some(match highway {
        "motorway" => RoadClass::Motorway,
        "trunk" => RoadClass::Trunk,
        "primary" => RoadClass::Primary,
        "secondary" => RoadClass::Secondary,
        "tertiary" => RoadClass::Tertiary,
        "unclassified" | "road" => RoadClass::Unclassified,
        "residential" => RoadClass::Residential,
        "living_street" => RoadClass::LivingStreet,
        "service" => RoadClass::Service,
        "pedestrian" => RoadClass::Pedestrian,
        "track" | "byway" => RoadClass::Track,
        "cycleway" => RoadClass::Cycleway,
        "footway" | "corridor" | "platform" => RoadClass::Footway,
        "path" | "bridleway" => RoadClass::Path,
        "steps" => RoadClass::Steps,
        _ => return None,
    })
}

/// The way's surface: as mapped, or what ways of its class usually have.
pub(super) fn surface(tags: &Tags<'_>, class: RoadClass) -> Surface {
    let mapped = tags.get("surface").and_then(of_material);
    let graded = || match tags.get("tracktype")? {
        "grade1" => Some(Surface::Paved),
        "grade2" => Some(Surface::Firm),
        "grade3" | "grade4" => Some(Surface::Rough),
        "grade5" => Some(Surface::Soft),
        _ => None,
    };
    mapped.or_else(graded).unwrap_or(match class {
        RoadClass::Track => Surface::Rough,
        RoadClass::Path => Surface::Firm,
        _ => Surface::Paved,
    })
}

fn of_material(surface: &str) -> Option<Surface> {
    let (first, _) = surface.split_once([';', ':']).unwrap_or((surface, ""));
    Some(match first {
        "asphalt" | "concrete" | "paving_stones" | "paved" | "bricks" | "brick" | "metal" | "wood" | "chipseal" => {
            Surface::Paved
        }
        "compacted" | "fine_gravel" | "sett" | "metal_grid" | "grass_paver" => Surface::Firm,
        "gravel" | "cobblestone" | "unhewn_cobblestone" | "pebblestone" | "unpaved" | "ground" | "dirt" | "earth"
        | "rock" | "stone" | "woodchips" => Surface::Rough,
        "sand" | "mud" | "grass" | "snow" | "clay" => Surface::Soft,
        _ => return None,
    })
}
