//! Which things of an extract are drawn, in which layer and from which zoom on.
//!
//! The layers and classes are those of the OpenMapTiles schema, as far as our styles and the usual ones ask for them.
//! Names stand under `name` as people there write them, and under `name:latin` in letters that everybody's map can show.

mod ground;
mod labels;
mod lines;

use super::feature::{Attributes, Drawing, Kind, Layer, Value, text};
use crate::import::tags::Tags;

impl<'a> Tags<'a> {
    /// Whether it is said and not denied.
    fn has(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value != "no")
    }

    /// What it is called, if it fits on a map.
    fn name(&self) -> Option<&'a str> {
        self.get("name").filter(|name| name.len() <= LONGEST_NAME_BYTES)
    }

    /// What it is called in Latin letters: as it is written there, in English, or as people there spell it in them.
    fn latin_name(&self) -> Option<&'a str> {
        let is_spelled = |key: &str| key.starts_with("name:") && LATIN_SPELLINGS.iter().any(|end| key.ends_with(end));
        let others = self.get("name:en").into_iter().chain(self.get("int_name")).chain(self.of_keys(is_spelled));
        let mut all = self.name().into_iter().chain(others);
        all.find(|name| !name.is_empty() && name.len() <= LONGEST_NAME_BYTES && is_latin(name))
    }
}

/// `name:sr-Latn`, `name:ja_rm`, `name:zh_pinyin`.
const LATIN_SPELLINGS: [&str; 4] = ["-Latn", "_rm", "-latn", "_pinyin"];

/// Whether all letters of a text are Latin ones, with or without marks.
fn is_latin(text: &str) -> bool {
    let is_latin = |letter: char| matches!(letter, '\u{0}'..='\u{2ff}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}' | '\u{a720}'..='\u{a7ff}');
    text.chars().filter(|letter| letter.is_alphabetic()).all(is_latin)
}

// A name that is longer is a description.
const LONGEST_NAME_BYTES: usize = 120;

/// How a point is drawn.
pub(super) fn of_point(tags: &Tags<'_>) -> Vec<Drawing> {
    labels::of(tags)
}

/// How an open or closed line is drawn that is no area.
pub(super) fn of_line(tags: &Tags<'_>) -> Vec<Drawing> {
    lines::of(tags)
}

/// How an area is drawn: what fills it, and the points in its middle.
pub(super) fn of_area(tags: &Tags<'_>) -> Vec<Drawing> {
    let mut drawings: Vec<Drawing> = ground::of(tags).into_iter().collect();
    drawings.extend(labels::of(tags));
    drawings
}

/// Whether a closed line with these tags is an area. A roundabout is none, a square with `area=yes` is one.
pub(super) fn is_area(tags: &Tags<'_>) -> bool {
    match tags.get("area") {
        Some("yes") => true,
        Some("no") => false,
        _ => !tags.has("highway") || tags.has("building"),
    }
}

/// A drawing of this class, with its name where it has one.
fn drawing(layer: Layer, kind: Kind, min_zoom: u8, class: &'static str) -> Drawing {
    Drawing { layer, kind, min_zoom, attributes: vec![("class", super::feature::word(class))] }
}

fn with(mut drawing: Drawing, key: &'static str, value: Value) -> Drawing {
    drawing.attributes.push((key, value));
    drawing
}

/// With its name, and with the same in Latin letters, and in others where it is written in others, as styles ask for them.
fn named(drawing: Drawing, tags: &Tags<'_>) -> Drawing {
    let Some(name) = tags.name() else { return drawing };
    let drawing = with(drawing, "name", text(name));
    let drawing = match tags.latin_name() {
        Some(latin) => with(drawing, "name:latin", text(latin)),
        None => drawing,
    };
    if is_latin(name) { drawing } else { with(drawing, "name:nonlatin", text(name)) }
}

/// The value of an attribute that is a text.
pub(super) fn word_of<'a>(attributes: &'a Attributes, key: &str) -> Option<&'a str> {
    attributes.iter().find(|(known, _)| *known == key).and_then(|(_, value)| match value {
        Value::Text(text) => Some(text.as_ref()),
        Value::Number(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(drawings: &[Drawing]) -> Vec<String> {
        let one = |it: &Drawing| {
            let class = word_of(&it.attributes, "class").unwrap_or("-");
            let name = word_of(&it.attributes, "name").unwrap_or("-");
            format!("{} {:?} {} {class} {name}", it.layer.name(), it.kind, it.min_zoom)
        };
        drawings.iter().map(one).collect()
    }

    fn area(tags: &[(&str, &str)]) -> Vec<String> {
        described(&of_area(&Tags::new(tags.iter().copied())))
    }

    fn line(tags: &[(&str, &str)]) -> Vec<String> {
        described(&of_line(&Tags::new(tags.iter().copied())))
    }

    fn point(tags: &[(&str, &str)]) -> Vec<String> {
        described(&of_point(&Tags::new(tags.iter().copied())))
    }

    #[test]
    fn streets_are_drawn_with_their_class_and_named_apart() {
        assert_eq!(
            line(&[("highway", "residential"), ("name", "Ringstraße")]),
            ["transportation Line 12 minor -", "transportation_name Line 14 minor Ringstraße"]
        );
        assert_eq!(line(&[("highway", "motorway")]), ["transportation Line 5 motorway -"]);
        assert_eq!(line(&[("highway", "primary_link")]), ["transportation Line 11 primary -"]);
        assert_eq!(line(&[("highway", "footway"), ("footway", "sidewalk")]), ["transportation Line 14 path -"]);
        assert_eq!(line(&[("highway", "steps")]), ["transportation Line 13 path -"]);
    }

    #[test]
    fn what_is_not_there_yet_or_no_longer_or_is_a_ferry_is_not_drawn() {
        for tags in [("highway", "construction"), ("highway", "proposed"), ("route", "ferry"), ("railway", "abandoned")]
        {
            assert!(line(&[tags]).is_empty(), "{tags:?}");
        }
        assert!(area(&[("building", "no")]).is_empty());
    }

    #[test]
    fn areas_are_filled_by_what_covers_them() {
        assert_eq!(area(&[("landuse", "forest")]), ["landcover Area 7 wood -"]);
        assert_eq!(
            area(&[("natural", "water"), ("name", "Tollensesee")]),
            ["water Area 3 lake -", "water_name Point 11 lake Tollensesee"]
        );
        assert_eq!(area(&[("leisure", "park")]), ["landcover Area 7 grass -"]);
        assert_eq!(
            area(&[("building", "yes"), ("addr:housenumber", "12")]),
            ["building Area 13 - -", "housenumber Point 14 - -"]
        );
        assert_eq!(area(&[("amenity", "grave_yard")]), ["landuse Area 8 cemetery -"]);
        assert_eq!(area(&[("highway", "pedestrian"), ("area", "yes")]), ["transportation Area 13 path -"]);
        assert_eq!(area(&[("leisure", "nature_reserve")]), ["park Area 8 nature_reserve -"]);
        assert_eq!(area(&[("aeroway", "apron")]), ["aeroway Area 11 apron -"]);
    }

    #[test]
    fn names_are_written_in_latin_letters_too() {
        let names = |tags: &[(&'static str, &'static str)]| {
            let drawings = of_point(&Tags::new([("place", "town")].into_iter().chain(tags.iter().copied())));
            ["name", "name:latin", "name:nonlatin"].map(|key| word_of(&drawings[0].attributes, key).map(str::to_owned))
        };
        let shown = |texts: [Option<&str>; 3]| texts.map(|text| text.map(str::to_owned));
        assert_eq!(names(&[("name", "Żejtun")]), shown([Some("Żejtun"), Some("Żejtun"), None]));
        let greek = [("name", "Πάτρα"), ("name:en", "Patras")];
        assert_eq!(names(&greek), shown([Some("Πάτρα"), Some("Patras"), Some("Πάτρα")]));
        let serbian = [("name", "Ниш"), ("name:sr-Latn", "Niš")];
        assert_eq!(names(&serbian), shown([Some("Ниш"), Some("Niš"), Some("Ниш")]));
        assert_eq!(names(&[("name", "Ниш")]), shown([Some("Ниш"), None, Some("Ниш")]));
    }

    #[test]
    fn closed_streets_are_lines_unless_they_say_otherwise() {
        let is = |tags: &[(&'static str, &'static str)]| is_area(&Tags::new(tags.iter().copied()));
        assert!(!is(&[("highway", "residential"), ("junction", "roundabout")]));
        assert!(is(&[("highway", "pedestrian"), ("area", "yes")]));
        assert!(is(&[("building", "yes"), ("barrier", "city_wall")]));
        assert!(!is(&[("leisure", "track"), ("area", "no")]));
    }

    #[test]
    fn places_are_named_by_their_importance() {
        assert_eq!(point(&[("place", "town"), ("name", "Neubrandenburg")]), ["place Point 7 town Neubrandenburg"]);
        assert_eq!(point(&[("place", "town")]), [""; 0], "without a name there is nothing to write");
        assert_eq!(
            point(&[("natural", "peak"), ("name", "Snaefell"), ("ele", "621 m")]),
            ["mountain_peak Point 11 peak Snaefell"]
        );
        assert_eq!(point(&[("amenity", "restaurant"), ("name", "Zum Löwen")]), ["poi Point 14 restaurant Zum Löwen"]);
        assert_eq!(
            point(&[("aeroway", "aerodrome"), ("name", "Ronaldsway")]),
            ["aerodrome_label Point 10 other Ronaldsway"]
        );
    }
}
