//! The streets that couriers drive on: those of an area, and where people live on them.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use doorstep_area::{
    built_in, files,
    roads::{EdgeId, EdgeView, Profile, RoadClass, RoadNetwork},
};
use doorstep_shared::{
    LatLon,
    api::area::AreaView,
    geo::{coord::round6, distance::haversine_m},
};
use rand::Rng;

// Doors stand along streets like these; there are no deliveries to a trunk road.
const SHORTEST_DOOR_EDGE_M: f64 = 25.0;

/// How many doors are looked at for one that fits. Most conditions need a route, of about a millisecond each.
const TRIES: usize = 400;

/// The cells in which streets are counted, in degrees of latitude: some 1.1 km.
const CELL_DEG: f64 = 0.01;

/// Where people write a house's number before the street, by languages.
const NUMBERS_FIRST: [&str; 5] = ["en", "fr", "ga", "lb", "mt"];

/// The streets of one area. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Streets {
    roads: Arc<RoadNetwork>,
    numbers_first: bool,
}

impl Streets {
    /// The streets of an area.
    pub fn of(roads: Arc<RoadNetwork>, area: &AreaView) -> Self {
        let numbers_first = area.languages.first().is_none_or(|language| NUMBERS_FIRST.contains(&language.as_str()));
        Self { roads, numbers_first }
    }

    /// The streets of the built-in area. The first call takes some tens of milliseconds.
    pub fn built_in() -> &'static Self {
        static STREETS: LazyLock<Streets> = LazyLock::new(|| {
            let bytes = built_in::file(files::STREETS).expect("the program holds all files of its area");
            let roads = RoadNetwork::from_bytes(bytes).expect("that crate's tests read this very file");
            Streets::of(Arc::new(roads), &built_in::manifest().area)
        });
        &STREETS
    }

    /// The graph.
    pub fn roads(&self) -> &RoadNetwork {
        &self.roads
    }

    /// The middle of where most streets with doors are; `None` where there are none.
    pub fn busiest_place(&self) -> Option<LatLon> {
        let mut cells: HashMap<(i32, i32), Cell> = HashMap::new();
        for edge in self.roads.edge_ids().map(|id| self.roads.edge(id)).filter(has_doors) {
            let middle = middle(&edge);
            // Cells of the same width in metres wherever the area is.
            let width = CELL_DEG / middle.lat().to_radians().cos().max(0.01);
            let cell = ((middle.lat() / CELL_DEG).floor() as i32, (middle.lon() / width).floor() as i32);
            cells.entry(cell).or_default().add(middle, edge.length_m);
        }
        let around = |(row, column): (i32, i32)| -> f64 {
            let near = (row - 1..=row + 1).flat_map(|row| (column - 1..=column + 1).map(move |column| (row, column)));
            near.filter_map(|cell| cells.get(&cell)).map(|cell| cell.metres).sum()
        };
        // The lower cell wins a tie, so that the same streets always have the same middle.
        let busiest = cells.keys().copied().max_by(|a, b| around(*a).total_cmp(&around(*b)).then(b.cmp(a)))?;
        cells[&busiest].middle()
    }

    fn address(&self, number: u32, edge: &EdgeView<'_>, point: LatLon) -> String {
        let street = edge.street.unwrap_or_default();
        let place = self.roads.place_near(point).map_or(String::new(), |place| format!(", {place}"));
        if self.numbers_first { format!("{number} {street}{place}") } else { format!("{street} {number}{place}") }
    }
}

/// Streets with doors in one square.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    metres: f64,
    lat: f64,
    lon: f64,
}

impl Cell {
    fn add(&mut self, middle: LatLon, metres: f64) {
        self.metres += metres;
        self.lat += middle.lat() * metres;
        self.lon += middle.lon() * metres;
    }

    fn middle(&self) -> Option<LatLon> {
        LatLon::try_new(self.lat / self.metres, self.lon / self.metres).ok()
    }
}

/// A point on a street where a customer might live or a shop be, with its address.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// Where it is, on the street.
    pub point: LatLon,
    /// "12 Triq il-Merkanti, Valletta", or "Treptower Straße 12, Neubrandenburg".
    pub address: String,
}

/// Draws doors within `radius_m` of `centre`. Building one looks at every edge once; drawing is cheap.
#[derive(Clone, Debug)]
pub struct Quarter {
    streets: Streets,
    edges: Vec<EdgeId>,
}

impl Quarter {
    /// Every named street of the kind that people live in, near `centre`.
    pub fn around(streets: &Streets, centre: LatLon, radius_m: f64) -> Self {
        Self::where_edges(streets, |edge| has_doors(edge) && haversine_m(middle(edge), centre) <= radius_m)
    }

    /// The same of the larger streets alone, where shops and kitchens are; all where there are no larger ones.
    pub fn of_shops(streets: &Streets, centre: LatLon, radius_m: f64) -> Self {
        let is_large = |edge: &EdgeView<'_>| matches!(edge.class, RoadClass::Secondary | RoadClass::Tertiary);
        let shops = Self::where_edges(streets, |edge| {
            is_large(edge) && has_doors(edge) && haversine_m(middle(edge), centre) <= radius_m
        });
        if shops.is_empty() { Self::around(streets, centre, radius_m) } else { shops }
    }

    fn where_edges(streets: &Streets, fits: impl Fn(&EdgeView<'_>) -> bool) -> Self {
        let roads = &streets.roads;
        let edges = roads.edge_ids().filter(|id| fits(&roads.edge(*id))).collect();
        Self { streets: streets.clone(), edges }
    }

    /// How many stretches of street there are to draw from.
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// Whether there is nothing to draw from.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// A door somewhere in the quarter.
    ///
    /// # Panics
    /// When the quarter is empty.
    pub fn any_door(&self, random: &mut impl Rng) -> Door {
        let id = self.edges[random.random_range(0..self.edges.len())];
        let edge = self.streets.roads.edge(id);
        let segment = random.random_range(0..edge.line.len() - 1);
        let share: f64 = random.random_range(0.2..0.8);
        let (a, b) = (edge.line[segment], edge.line[segment + 1]);
        let lerp = |from: f64, to: f64| round6(from + share * (to - from));
        let point = LatLon::try_new(lerp(a.lat(), b.lat()), lerp(a.lon(), b.lon())).unwrap_or(a);
        let number = random.random_range(1..140);
        Door { point, address: self.streets.address(number, &edge, point) }
    }

    /// The first door drawn that misses by nothing, or of many the one that misses by the least.
    ///
    /// # Panics
    /// When the quarter is empty.
    pub fn best_door(&self, random: &mut impl Rng, mut miss: impl FnMut(&Door) -> f64) -> Door {
        let mut best: Option<(f64, Door)> = None;
        for _ in 0..TRIES {
            let door = self.any_door(random);
            let by = miss(&door);
            if by <= 0.0 {
                return door;
            }
            if best.as_ref().is_none_or(|(least, _)| by < *least) {
                best = Some((by, door));
            }
        }
        best.map_or_else(|| self.any_door(random), |(_, door)| door)
    }
}

fn middle(edge: &EdgeView<'_>) -> LatLon {
    edge.line[edge.line.len() / 2]
}

fn has_doors(edge: &EdgeView<'_>) -> bool {
    let lived_in = matches!(
        edge.class,
        RoadClass::Secondary | RoadClass::Tertiary | RoadClass::Residential | RoadClass::LivingStreet
    );
    let driven = edge.forward.and(edge.backward).contains(Profile::Car);
    lived_in && driven && !edge.tunnel && edge.length_m >= SHORTEST_DOOR_EDGE_M && edge.street.is_some_and(is_a_street)
}

/// Some names in a map are route numbers ("B 96") or lists of several; a street's has a word of at least three letters.
fn is_a_street(name: &str) -> bool {
    let words = name.split(|letter: char| !letter.is_alphabetic());
    !name.contains(';') && words.map(|word| word.chars().count()).max() >= Some(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;

    #[test]
    fn doors_lie_on_named_streets_of_the_quarter() {
        let streets = Streets::built_in();
        let sliema = LatLon::try_new(35.9122, 14.5020).expect("on earth");
        let quarter = Quarter::around(streets, sliema, 800.0);
        assert!(quarter.len() > 50, "{} stretches of street", quarter.len());
        let mut random = generator(1, 0);
        for _ in 0..100 {
            let door = quarter.any_door(&mut random);
            let snap = streets.roads().nearest(door.point).expect("a door is on a street");
            assert!(snap.distance_m < 1.0, "{door:?} is {} m beside the street", snap.distance_m);
            assert!(haversine_m(door.point, sliema) < 1_500.0, "{door:?}");
            assert!(door.address.contains(", "), "{door:?} names no place");
        }
    }

    #[test]
    fn the_busiest_place_has_streets_all_around() {
        let streets = Streets::built_in();
        let middle = streets.busiest_place().expect("there are streets");
        let quarter = Quarter::around(streets, middle, 1_500.0);
        assert!(quarter.len() > 500, "{} stretches of street", quarter.len());
        assert!(!Quarter::of_shops(streets, middle, 700.0).is_empty());
    }

    #[test]
    fn numbers_stand_where_people_write_them() {
        let roads = Arc::clone(&Streets::built_in().roads);
        let id = roads.edge_ids().find(|id| has_doors(&roads.edge(*id))).expect("there are doors");
        let edge = roads.edge(id);
        let street = edge.street.expect("doors have streets");
        let mut area = built_in::manifest().area.clone();
        for (language, begins) in [("en", format!("12 {street}")), ("de", format!("{street} 12"))] {
            area.languages = vec![language.to_owned()];
            let streets = Streets::of(Arc::clone(&roads), &area);
            let address = streets.address(12, &edge, edge.line[0]);
            assert!(address.starts_with(&begins), "{address}");
        }
    }

    #[test]
    fn a_route_number_is_no_street() {
        for (name, expected) in
            [("Treptower Straße", true), ("Triq il-Merkanti", true), ("B 96", false), ("A1", false), ("A; Long", false)]
        {
            assert_eq!(is_a_street(name), expected, "{name}");
        }
    }
}
