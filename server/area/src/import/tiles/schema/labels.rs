//! Names and numbers that stand at a point.

use super::{drawing, named, with};
use crate::import::tags::Tags;
use crate::import::tiles::feature::{Drawing, Kind, Layer, Value, text, word};

/// The labels of a thing, all of them: a hotel has a number, too.
pub(super) fn of(tags: &Tags<'_>) -> Vec<Drawing> {
    [place(tags), housenumber(tags), peak(tags), aerodrome(tags), water(tags), poi(tags)]
        .into_iter()
        .flatten()
        .collect()
}

/// How important a settlement is: the lower, the sooner it is written where there is room for one.
fn importance(kind: &str, population: u64, is_capital: bool) -> i64 {
    match (kind, population) {
        _ if is_capital => 1,
        ("city", 1_000_000..) => 2,
        ("city", 300_000..) => 3,
        ("city", 100_000..) => 4,
        ("city", 1..) => 5,
        ("city", _) => 6,
        ("town", 50_000..) => 6,
        ("town", 20_000..) => 7,
        ("town", _) => 8,
        ("village", 5_000..) => 9,
        ("island", _) => 10,
        ("village", _) => 11,
        ("suburb", 20_000..) => 11,
        ("suburb", _) => 12,
        ("hamlet", _) => 14,
        _ => 15,
    }
}

fn place(tags: &Tags<'_>) -> Option<Drawing> {
    const PLACES: [(&str, u8); 13] = [
        ("country", 1),
        ("city", 4),
        ("town", 7),
        ("island", 9),
        ("village", 10),
        ("suburb", 11),
        ("quarter", 12),
        ("hamlet", 12),
        ("islet", 13),
        ("neighbourhood", 13),
        ("locality", 14),
        ("isolated_dwelling", 14),
        ("square", 14),
    ];
    let value = tags.get("place")?;
    let (class, min_zoom) = PLACES.into_iter().find(|(class, _)| *class == value)?;
    let population = tags.get("population").and_then(|number| number.parse().ok()).unwrap_or(0);
    let rank = importance(class, population, tags.is("capital", "yes"));
    tags.name()?;
    Some(with(named(drawing(Layer::Place, Kind::Point, min_zoom, class), tags), "rank", Value::Number(rank)))
}

fn housenumber(tags: &Tags<'_>) -> Option<Drawing> {
    let number = tags.get("addr:housenumber").filter(|number| number.len() <= 20)?;
    let attributes = vec![("housenumber", text(number))];
    Some(Drawing { layer: Layer::Housenumber, kind: Kind::Point, min_zoom: 14, attributes })
}

fn peak(tags: &Tags<'_>) -> Option<Drawing> {
    let class = match tags.get("natural")? {
        "peak" => "peak",
        "volcano" => "volcano",
        _ => return None,
    };
    tags.name()?;
    let label = named(drawing(Layer::MountainPeak, Kind::Point, 11, class), tags);
    let height = tags.get("ele").map(|ele| ele.trim_end_matches(" m")).and_then(|ele| ele.parse::<f64>().ok());
    Some(match height {
        Some(metres) => with(label, "ele", Value::Number(metres.round() as i64)),
        None => label,
    })
}

fn aerodrome(tags: &Tags<'_>) -> Option<Drawing> {
    tags.name().filter(|_| tags.is("aeroway", "aerodrome"))?;
    let kind = tags.get("aerodrome:type").or_else(|| tags.get("aerodrome"));
    let class = if kind == Some("international") { "international" } else { "other" };
    let label = named(drawing(Layer::AerodromeLabel, Kind::Point, 10, class), tags);
    Some(match tags.get("iata") {
        Some(iata) => with(label, "iata", text(iata)),
        None => label,
    })
}

fn water(tags: &Tags<'_>) -> Option<Drawing> {
    let (class, min_zoom) = match tags.get("natural")? {
        "water" => ("lake", 11),
        "bay" => ("bay", 12),
        "strait" => ("strait", 9),
        _ => return None,
    };
    tags.name()?;
    Some(named(drawing(Layer::WaterName, Kind::Point, min_zoom, class), tags))
}

/// What people look for on a map. Benches, bins and bollards are none of it.
fn poi(tags: &Tags<'_>) -> Option<Drawing> {
    const KEYS: [&str; 7] = ["amenity", "shop", "tourism", "leisure", "office", "historic", "railway"];
    const DULL: [&str; 16] = [
        "parking",
        "parking_space",
        "bench",
        "waste_basket",
        "recycling",
        "information",
        "pitch",
        "swimming_pool",
        "bicycle_parking",
        "vending_machine",
        "hunting_stand",
        "yes",
        "no",
        "vacant",
        "rail",
        "level_crossing",
    ];
    tags.name()?;
    let (key, value) = KEYS.iter().find_map(|key| Some((*key, tags.get(key)?)))?;
    if DULL.contains(&value) || value.len() > 40 {
        return None;
    }
    let class = match key {
        "shop" => word(if value == "supermarket" { "grocery" } else { "shop" }),
        "office" => word("office"),
        _ => text(value),
    };
    let attributes = vec![("class", class), ("subclass", text(value))];
    Some(named(Drawing { layer: Layer::Poi, kind: Kind::Point, min_zoom: 14, attributes }, tags))
}
