//! Streets, rails, water and edges: what is a line.

use super::{drawing, named, with};
use crate::import::tags::Tags;
use crate::import::tiles::feature::{Drawing, Kind, Layer, text, word};

/// How a line is drawn, and written along.
pub(super) fn of(tags: &Tags<'_>) -> Vec<Drawing> {
    if let Some(street) = tags.get("highway").and_then(|value| Street::of(value, tags)) {
        return street.drawings(tags);
    }
    if let Some(class) = tags.get("railway").and_then(rail) {
        return vec![bridged(drawing(Layer::Transportation, Kind::Line, 11, class), tags)];
    }
    if let Some((class, min_zoom)) = tags.get("waterway").and_then(waterway) {
        return waterways(tags, class, min_zoom);
    }
    if let Some(class @ ("runway" | "taxiway")) = tags.get("aeroway") {
        let class = if class == "runway" { "runway" } else { "taxiway" };
        return vec![drawing(Layer::Aeroway, Kind::Line, 11, class)];
    }
    if tags.is("man_made", "pier") {
        return vec![drawing(Layer::Transportation, Kind::Line, 13, "pier")];
    }
    Vec::new()
}

/// A kind of street, as styles know it.
struct Street {
    class: &'static str,
    subclass: Option<&'static str>,
    min_zoom: u8,
    /// From when on its name is written along it.
    name_zoom: u8,
}

impl Street {
    const fn new(class: &'static str, min_zoom: u8, name_zoom: u8) -> Self {
        Self { class, subclass: None, min_zoom, name_zoom }
    }

    /// `None` for what cannot be used yet, or no longer.
    fn of(highway: &str, tags: &Tags<'_>) -> Option<Self> {
        let path = |subclass| Self { subclass: Some(subclass), ..Self::new("path", 13, 14) };
        let street = match highway.trim_end_matches("_link") {
            "motorway" => Self::new("motorway", 5, 11),
            "trunk" => Self::new("trunk", 6, 11),
            "primary" => Self::new("primary", 8, 11),
            "secondary" => Self::new("secondary", 9, 12),
            "tertiary" => Self::new("tertiary", 11, 13),
            "residential" | "unclassified" | "living_street" | "road" => Self::new("minor", 12, 14),
            "service" => Self::new("service", if is_aside(tags) { 14 } else { 13 }, 14),
            "busway" | "bus_guideway" => Self::new("busway", 12, 14),
            "track" => Self::new("track", 13, 14),
            "pedestrian" => path("pedestrian"),
            "footway" => path("footway"),
            "cycleway" => path("cycleway"),
            "bridleway" => path("bridleway"),
            "steps" => path("steps"),
            "path" => path("path"),
            _ => return None,
        };
        let min_zoom = if highway.ends_with("_link") { street.min_zoom.max(11) } else { street.min_zoom };
        let is_beside = ["sidewalk", "crossing"].iter().any(|kind| tags.is("footway", kind));
        Some(Self { min_zoom: if is_beside { 14 } else { min_zoom }, ..street })
    }

    fn drawings(&self, tags: &Tags<'_>) -> Vec<Drawing> {
        let line = |layer, min_zoom| drawing(layer, Kind::Line, min_zoom, self.class);
        let detailed = |drawing| match self.subclass {
            Some(subclass) => with(drawing, "subclass", word(subclass)),
            None => drawing,
        };
        let mut drawings = vec![bridged(detailed(line(Layer::Transportation, self.min_zoom)), tags)];
        let reference = tags.get("ref").filter(|_| self.name_zoom <= 13);
        if tags.name().is_some() || reference.is_some() {
            let label = named(line(Layer::TransportationName, self.name_zoom), tags);
            drawings.push(match reference {
                Some(reference) => with(label, "ref", text(reference)),
                None => label,
            });
        }
        drawings
    }
}

/// A way to one door or within a car park: seen only from near.
fn is_aside(tags: &Tags<'_>) -> bool {
    matches!(tags.get("service"), Some("driveway" | "parking_aisle" | "drive-through"))
}

fn bridged(drawing: Drawing, tags: &Tags<'_>) -> Drawing {
    if tags.has("bridge") {
        with(drawing, "brunnel", word("bridge"))
    } else if tags.has("tunnel") {
        with(drawing, "brunnel", word("tunnel"))
    } else {
        drawing
    }
}

fn rail(value: &str) -> Option<&'static str> {
    match value {
        "rail" | "narrow_gauge" | "preserved" => Some("rail"),
        "light_rail" | "subway" | "tram" | "monorail" | "funicular" => Some("transit"),
        _ => None,
    }
}

fn waterway(value: &str) -> Option<(&'static str, u8)> {
    match value {
        "river" => Some(("river", 9)),
        "canal" => Some(("canal", 12)),
        "stream" => Some(("stream", 13)),
        "drain" => Some(("drain", 14)),
        "ditch" => Some(("ditch", 14)),
        _ => None,
    }
}

fn waterways(tags: &Tags<'_>, class: &'static str, min_zoom: u8) -> Vec<Drawing> {
    let line = bridged(drawing(Layer::Waterway, Kind::Line, min_zoom, class), tags);
    let name = tags.name().map(|_| named(drawing(Layer::WaterName, Kind::Line, 13, class), tags));
    std::iter::once(line).chain(name).collect()
}
