//! From an OpenStreetMap extract to a gazetteer, in two passes over the file.
//!
//! The same extract always gives the same bytes. Ways of one name within one town are one street, for any vehicles:
//! people live in alleys and on stairs, too.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use doorstep_shared::LatLon;
use doorstep_shared::geo::distance::haversine_m;
use doorstep_shared::places::{Gazetteer, House, PlacesData, PointOfInterest, Street, Town};
use doorstep_shared::text::{fold, words};
use osmpbf::{Element, ElementReader};

/// Points of a street that are nearer to the last one are left out. In metres.
const SPACING_M: f64 = 15.0;

/// A house belongs to a street of its name that comes this near. In metres.
const HOUSE_REACH_M: f64 = 300.0;

/// The keys under which a name may stand; the first is on the signs.
const NAME_KEYS: [&str; 7] = ["name", "name:en", "name:mt", "alt_name", "official_name", "short_name", "old_name"];

/// What makes a thing with a name worth finding.
const POINT_KEYS: [&str; 9] =
    ["amenity", "shop", "tourism", "office", "leisure", "healthcare", "historic", "craft", "building"];

/// Things with a name that are no delivery address.
const POINTLESS: [&str; 8] =
    ["parking", "bench", "waste_basket", "parking_space", "recycling", "pitch", "swimming_pool", "information"];

/// Something with a name and the nodes it is drawn with.
struct Drawn {
    names: Vec<String>,
    nodes: Vec<i64>,
}

/// A house as its tags say it.
struct Numbered {
    street: String,
    number: String,
}

/// What the first pass finds.
#[derive(Default)]
struct Finds {
    towns: Vec<Town>,
    streets: Vec<Drawn>,
    areas: Vec<Drawn>,
    points: Vec<(Vec<String>, LatLon)>,
    houses: Vec<(Numbered, LatLon)>,
    house_areas: Vec<(Numbered, Vec<i64>)>,
}

/// Reads `extract`, collects the names, writes them to `output` and says how many there are.
pub fn run(extract: &Path, output: &Path) -> Result<()> {
    let finds = find(extract)?;
    let positions = read_positions(extract, &finds)?;
    let data = bake(finds, &positions);
    let bytes = data.to_bytes();
    let gazetteer = Gazetteer::from_bytes(&bytes).context("what was baked cannot be read back")?;
    ensure!(!gazetteer.is_empty(), "the extract holds no names");
    if let Some(folder) = output.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(output, &bytes).with_context(|| format!("cannot write {}", output.display()))?;
    println!(
        "{}: {} bytes, {} towns, {} streets, {} houses, {} other names",
        output.display(),
        bytes.len(),
        data.towns.len(),
        data.streets.len(),
        data.streets.iter().map(|street| street.houses.len()).sum::<usize>(),
        data.points.len(),
    );
    Ok(())
}

fn find(extract: &Path) -> Result<Finds> {
    let mut finds = Finds::default();
    reader(extract)?.for_each(|element| match element {
        Element::Way(way) => finds.take_way(&way.tags().collect(), way.refs().collect()),
        Element::Node(node) => finds.take_node(&node.tags().collect(), node.lat(), node.lon()),
        Element::DenseNode(node) => finds.take_node(&node.tags().collect(), node.lat(), node.lon()),
        Element::Relation(_) => {}
    })?;
    Ok(finds)
}

type Tags<'a> = HashMap<&'a str, &'a str>;

impl Finds {
    fn take_way(&mut self, tags: &Tags, nodes: Vec<i64>) {
        if let Some(house) = numbered(tags) {
            self.house_areas.push((house, nodes.clone()));
        }
        let names = names(tags);
        if names.is_empty() {
            return;
        }
        if tags.contains_key("highway") {
            self.streets.push(Drawn { names, nodes });
        } else if is_point(tags) {
            self.areas.push(Drawn { names, nodes });
        }
    }

    fn take_node(&mut self, tags: &Tags, lat: f64, lon: f64) {
        let Ok(point) = LatLon::try_new(lat, lon) else { return };
        if let Some(house) = numbered(tags) {
            self.houses.push((house, point));
        }
        let names = names(tags);
        if names.is_empty() {
            return;
        }
        match tags.get("place").copied() {
            Some("city" | "town" | "village" | "suburb" | "quarter" | "hamlet" | "neighbourhood") => {
                self.towns.push(Town { names: town_names(tags, names), centre: point });
            }
            Some(_) => {}
            None if is_point(tags) => self.points.push((names, point)),
            None => {}
        }
    }

    fn nodes(&self) -> HashSet<i64> {
        let drawn = self.streets.iter().chain(&self.areas).flat_map(|drawn| &drawn.nodes);
        drawn.chain(self.house_areas.iter().flat_map(|(_, nodes)| nodes)).copied().collect()
    }
}

/// Every name once, the sign's first. Several in one tag stand behind semicolons.
fn names(tags: &Tags) -> Vec<String> {
    let all = NAME_KEYS.iter().filter_map(|key| tags.get(key)).flat_map(|value| value.split(';'));
    let mut seen = HashSet::new();
    let shown = all.map(str::trim).filter(|name| !words(name).is_empty() && name.chars().count() <= 100);
    shown.filter(|name| seen.insert(fold(name))).map(str::to_owned).collect()
}

/// Towns are called in addresses as in `static/roads`: in English where that differs, and short enough for a label.
fn town_names(tags: &Tags, mut names: Vec<String>) -> Vec<String> {
    if let Some(english) = tags.get("name:en") {
        let short = english.replace("Saint ", "St ");
        names.retain(|name| *name != short);
        names.insert(0, short);
    }
    names
}

fn is_point(tags: &Tags) -> bool {
    let kinds = POINT_KEYS.iter().filter_map(|key| tags.get(key));
    kinds.clone().count() > 0 && !kinds.into_iter().any(|kind| POINTLESS.contains(kind))
}

fn numbered(tags: &Tags) -> Option<Numbered> {
    let number = tags.get("addr:housenumber")?.trim();
    let street = tags.get("addr:street")?.trim();
    let fits = (1..=8).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| Numbered { street: fold(street), number: number.to_owned() })
}

/// Second pass: where everything lies.
fn read_positions(extract: &Path, finds: &Finds) -> Result<HashMap<i64, LatLon>> {
    let wanted = finds.nodes();
    let mut positions = HashMap::with_capacity(wanted.len());
    let mut take = |id: i64, lat: f64, lon: f64| {
        if wanted.contains(&id)
            && let Ok(point) = LatLon::try_new(lat, lon)
        {
            positions.insert(id, point);
        }
    };
    reader(extract)?.for_each(|element| match element {
        Element::Node(node) => take(node.id(), node.lat(), node.lon()),
        Element::DenseNode(node) => take(node.id(), node.lat(), node.lon()),
        Element::Way(_) | Element::Relation(_) => {}
    })?;
    Ok(positions)
}

fn bake(mut finds: Finds, positions: &HashMap<i64, LatLon>) -> PlacesData {
    finds.towns.sort_by(|a, b| a.names.cmp(&b.names).then(a.centre.lat().total_cmp(&b.centre.lat())));
    let mut points = finds.points;
    points.extend(finds.areas.into_iter().filter_map(|area| Some((area.names, centre(&area.nodes, positions)?))));
    let mut houses = finds.houses;
    let areas = finds.house_areas.into_iter();
    houses.extend(areas.filter_map(|(house, nodes)| Some((house, centre(&nodes, positions)?))));
    let towns = finds.towns;
    let mut streets = join(finds.streets, positions, &towns);
    give_houses(&mut streets, houses);
    let point = |(names, point): (Vec<String>, LatLon)| {
        let point = rounded(point);
        PointOfInterest { names, town: town_of(&towns, point), point }
    };
    let mut points: Vec<_> = points.into_iter().map(point).collect();
    points.sort_by(|a, b| {
        let at = |point: LatLon| (point.lat().to_bits(), point.lon().to_bits());
        (a.town, &a.names, at(a.point)).cmp(&(b.town, &b.names, at(b.point)))
    });
    points.dedup();
    PlacesData { towns, streets, points }
}

/// Makes one street of all ways of one name within one town.
fn join(ways: Vec<Drawn>, positions: &HashMap<i64, LatLon>, towns: &[Town]) -> Vec<Street> {
    let mut streets = BTreeMap::<(Option<u32>, String), (BTreeSet<String>, Vec<Vec<LatLon>>)>::new();
    for way in ways {
        let line: Vec<LatLon> = way.nodes.iter().filter_map(|node| positions.get(node).copied()).collect();
        let Some(middle) = line.get(line.len() / 2) else { continue };
        let mut names = way.names.into_iter();
        let Some(name) = names.next() else { continue };
        let (others, lines) = streets.entry((town_of(towns, *middle), name)).or_default();
        others.extend(names);
        lines.push(thinned(&line));
    }
    let street =
        |((town, name), (others, mut lines)): ((Option<u32>, String), (BTreeSet<String>, Vec<Vec<LatLon>>))| {
            lines.sort_by_key(|line| (line[0].lat().to_bits(), line[0].lon().to_bits(), line.len()));
            let names =
                std::iter::once(name.clone()).chain(others.into_iter().filter(|other| *other != name)).collect();
            Street { names, town, lines, houses: Vec::new() }
        };
    streets.into_iter().map(street).collect()
}

/// Both ends, and what is far enough from the point before.
fn thinned(line: &[LatLon]) -> Vec<LatLon> {
    let mut kept: Vec<LatLon> = Vec::new();
    for (index, point) in line.iter().enumerate() {
        let is_end = index == 0 || index + 1 == line.len();
        if is_end || kept.last().is_some_and(|last| haversine_m(*last, *point) >= SPACING_M) {
            kept.push(rounded(*point));
        }
    }
    kept
}

fn give_houses(streets: &mut [Street], houses: Vec<(Numbered, LatLon)>) {
    let mut by_name = HashMap::<String, Vec<usize>>::new();
    for (number, street) in streets.iter().enumerate() {
        for name in &street.names {
            by_name.entry(fold(name)).or_default().push(number);
        }
    }
    for (house, point) in houses {
        let distance = |street: &Street| {
            let distances = street.lines.iter().flatten().map(|on_it| haversine_m(*on_it, point));
            distances.min_by(f64::total_cmp).unwrap_or(f64::INFINITY)
        };
        let named =
            by_name.get(&house.street).into_iter().flatten().map(|number| (distance(&streets[*number]), *number));
        if let Some((distance_m, number)) = named.min_by(|a, b| a.0.total_cmp(&b.0))
            && distance_m <= HOUSE_REACH_M
        {
            streets[number].houses.push(House { number: house.number, point: rounded(point) });
        }
    }
    for street in streets {
        street.houses.sort_by(|a, b| a.number.cmp(&b.number));
        street.houses.dedup_by(|a, b| a.number == b.number);
    }
}

fn centre(nodes: &[i64], positions: &HashMap<i64, LatLon>) -> Option<LatLon> {
    let points: Vec<LatLon> = nodes.iter().filter_map(|node| positions.get(node).copied()).collect();
    let count = points.len() as f64;
    let lat = points.iter().map(|point| point.lat()).sum::<f64>() / count;
    let lon = points.iter().map(|point| point.lon()).sum::<f64>() / count;
    LatLon::try_new(lat, lon).ok()
}

/// To what the file holds, so that equal points stay equal.
fn rounded(point: LatLon) -> LatLon {
    let round = |degrees: f64| (degrees * 1e5).round() / 1e5;
    LatLon::try_new(round(point.lat()), round(point.lon())).unwrap_or(point)
}

fn town_of(towns: &[Town], point: LatLon) -> Option<u32> {
    let nearest = (0_u32..)
        .zip(towns)
        .min_by(|(_, a), (_, b)| haversine_m(a.centre, point).total_cmp(&haversine_m(b.centre, point)));
    nearest.map(|(number, _)| number)
}

fn reader(extract: &Path) -> Result<ElementReader<std::io::BufReader<std::fs::File>>> {
    ElementReader::from_path(extract).with_context(|| format!("cannot read {}", extract.display()))
}
