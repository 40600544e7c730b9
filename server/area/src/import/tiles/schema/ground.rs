//! What fills an area.

use super::{drawing, with};
use crate::import::tags::Tags;
use crate::import::tiles::feature::{Drawing, Kind, Layer, word};

/// The one thing that fills an area; the first that applies.
pub(super) fn of(tags: &Tags<'_>) -> Option<Drawing> {
    let area = |layer, min_zoom, class| drawing(layer, Kind::Area, min_zoom, class);
    if is_underground(tags) {
        return None;
    }
    if tags.has("building") {
        return Some(Drawing { layer: Layer::Building, kind: Kind::Area, min_zoom: 13, attributes: vec![] });
    }
    if let Some(class) = water(tags) {
        return Some(area(Layer::Water, if class == "swimming_pool" { 14 } else { 3 }, class));
    }
    if let Some(class) = street(tags) {
        return Some(area(Layer::Transportation, 13, class));
    }
    if let Some(class) = tags.get("aeroway").and_then(aeroway) {
        return Some(area(Layer::Aeroway, if class == "aerodrome" { 10 } else { 11 }, class));
    }
    if let Some(class) = park(tags) {
        return Some(area(Layer::Park, 8, class));
    }
    // Grass that is a pitch is a pitch.
    if let Some(class) = landuse(tags) {
        return Some(area(Layer::Landuse, 8, class));
    }
    let (class, subclass) = landcover(tags)?;
    Some(with(area(Layer::Landcover, 7, class), "subclass", word(subclass)))
}

fn is_underground(tags: &Tags<'_>) -> bool {
    tags.is("location", "underground") || tags.is("tunnel", "culvert") || tags.is("tunnel", "yes")
}

fn water(tags: &Tags<'_>) -> Option<&'static str> {
    match (tags.get("natural"), tags.get("landuse"), tags.get("waterway"), tags.get("leisure")) {
        (Some("water"), ..) => Some(match tags.get("water") {
            Some("river" | "canal" | "stream") => "river",
            Some("pond" | "basin") => "pond",
            _ => "lake",
        }),
        (_, Some("reservoir" | "basin"), ..) => Some("lake"),
        (_, _, Some("riverbank" | "dock"), _) => Some("river"),
        (_, _, _, Some("swimming_pool")) => Some("swimming_pool"),
        _ => None,
    }
}

/// Squares, and piers that are wider than a line.
fn street(tags: &Tags<'_>) -> Option<&'static str> {
    match tags.get("highway") {
        Some("pedestrian" | "footway" | "path" | "platform") => Some("path"),
        Some("service") => Some("service"),
        Some("residential" | "unclassified" | "living_street") => Some("minor"),
        _ if tags.is("man_made", "pier") => Some("pier"),
        _ => None,
    }
}

fn aeroway(value: &str) -> Option<&'static str> {
    ["runway", "taxiway", "apron", "aerodrome", "helipad", "hangar", "stopway"]
        .into_iter()
        .find(|known| *known == value)
}

fn park(tags: &Tags<'_>) -> Option<&'static str> {
    match (tags.get("boundary"), tags.get("leisure")) {
        (Some("national_park"), _) => Some("national_park"),
        (Some("protected_area"), _) => Some("protected_area"),
        (_, Some("nature_reserve")) => Some("nature_reserve"),
        _ => None,
    }
}

fn landuse(tags: &Tags<'_>) -> Option<&'static str> {
    const LEISURE: [&str; 4] = ["pitch", "playground", "stadium", "track"];
    const AMENITY: [&str; 7] =
        ["school", "university", "college", "kindergarten", "hospital", "library", "bus_station"];
    const LANDUSE: [&str; 8] =
        ["residential", "commercial", "industrial", "retail", "railway", "military", "cemetery", "quarry"];
    let one_of = |key: &str, known: &[&'static str]| {
        let value = tags.get(key)?;
        known.iter().copied().find(|it| *it == value)
    };
    if tags.is("amenity", "grave_yard") {
        return Some("cemetery");
    }
    one_of("leisure", &LEISURE)
        .or_else(|| one_of("amenity", &AMENITY))
        .or_else(|| one_of("tourism", &["zoo", "theme_park"]))
        .or_else(|| one_of("landuse", &LANDUSE))
}

/// Class and subclass.
fn landcover(tags: &Tags<'_>) -> Option<(&'static str, &'static str)> {
    const COVERS: [(&str, &str, &str); 32] = [
        ("landuse", "farmland", "farmland"),
        ("landuse", "farm", "farmland"),
        ("landuse", "orchard", "farmland"),
        ("landuse", "vineyard", "farmland"),
        ("landuse", "plant_nursery", "farmland"),
        ("landuse", "forest", "wood"),
        ("landuse", "grass", "grass"),
        ("landuse", "meadow", "grass"),
        ("landuse", "village_green", "grass"),
        ("landuse", "recreation_ground", "grass"),
        ("landuse", "allotments", "grass"),
        ("landuse", "flowerbed", "grass"),
        ("leisure", "park", "grass"),
        ("leisure", "garden", "grass"),
        ("leisure", "golf_course", "grass"),
        ("leisure", "common", "grass"),
        ("natural", "wood", "wood"),
        ("natural", "grassland", "grass"),
        ("natural", "heath", "grass"),
        ("natural", "scrub", "grass"),
        ("natural", "fell", "grass"),
        ("natural", "tundra", "grass"),
        ("natural", "wetland", "wetland"),
        ("natural", "beach", "sand"),
        ("natural", "sand", "sand"),
        ("natural", "dune", "sand"),
        ("natural", "glacier", "ice"),
        ("natural", "bare_rock", "rock"),
        ("natural", "scree", "rock"),
        ("natural", "shingle", "rock"),
        ("wetland", "swamp", "wetland"),
        ("wetland", "bog", "wetland"),
    ];
    let (_, subclass, class) = COVERS.iter().find(|(key, value, _)| tags.is(key, value))?;
    Some((class, subclass))
}
