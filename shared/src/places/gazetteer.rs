//! The names, indexed by their words.

use std::collections::{BTreeMap, HashSet};

use super::{
    format::{House, PlacesData, PlacesError, Street, Town},
    matching::{self, Cost, NO_FIT},
};
use crate::{
    LatLon,
    geo::{distance::haversine_m, polyline::length_m},
    text::{fold, words},
};

/// The longest answer.
pub const MAX_RESULTS: usize = 20;

/// Words beyond this many are ignored.
const MAX_WORDS: usize = 8;

/// A street farther away than this is not "here", nor is a house farther than the other. In metres.
const STREET_REACH_M: f64 = 250.0;
const HOUSE_REACH_M: f64 = 20.0;

const METRES_PER_DEGREE: f64 = 111_195.0;

/// Words that say only that something is a street. People who type the English one for a Maltese street mean it all the
/// same.
const GENERIC: [&str; 15] = [
    "triq", "street", "st", "str", "road", "rd", "sqaq", "alley", "lane", "misrah", "pjazza", "square", "trejqet",
    "vjal", "avenue",
];

/// What a found place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A street.
    Street,
    /// A house with a number.
    House,
    /// A town, a village or a quarter.
    Town,
    /// Something else with a name.
    PointOfInterest,
}

/// A place that fits a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// As an address begins: "12 Triq il-Merkanti".
    pub name: String,
    /// The town it is in; `None` when it is one.
    pub town: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// Where; the middle of a street.
    pub point: LatLon,
    /// Metres from the requested point.
    pub distance_m: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Subject {
    Town(u32),
    Street(u32),
    Point(u32),
}

/// A named thing, ready to be compared.
#[derive(Debug)]
struct Entry {
    subject: Subject,
    /// For each of its names the words, as indices into the vocabulary.
    names: Vec<Vec<u32>>,
    town: Option<u32>,
    point: LatLon,
    /// The cost of its kind; see [`rank`].
    rank: u32,
}

/// An area's names, indexed for search.
#[derive(Debug)]
pub struct Gazetteer {
    data: PlacesData,
    entries: Vec<Entry>,
    /// Every word of every name, folded, in alphabetical order.
    vocabulary: Vec<String>,
    /// For each word of the vocabulary the entries that have it.
    postings: Vec<Vec<u32>>,
    /// For each town the words of its names.
    town_words: Vec<Vec<u32>>,
}

/// Whether typing errors are forgiven.
#[derive(Clone, Copy)]
enum Slips {
    None,
    Forgiven,
}

/// A typed search.
struct Query {
    /// Words that must fit, and whether each is one of [`GENERIC`].
    words: Vec<(String, bool)>,
    house: Option<String>,
}

impl Query {
    fn read(text: &str) -> Self {
        let mut query = Self { words: Vec::new(), house: None };
        for word in words(text).into_iter().take(MAX_WORDS) {
            match is_house_number(&word) {
                true if query.house.is_none() => query.house = Some(word),
                _ => query.words.push((word.clone(), GENERIC.contains(&word.as_str()))),
            }
        }
        // "Triq" alone is searched for; beside a name it need not fit.
        if query.words.iter().all(|(_, generic)| *generic) {
            query.words.iter_mut().for_each(|(_, generic)| *generic = false);
        }
        query
    }
}

/// "12", "12a", but no word and no year on a monument.
fn is_house_number(word: &str) -> bool {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &word[digits..];
    (1..=4).contains(&digits) && rest.len() <= 1 && rest.bytes().all(|letter| letter.is_ascii_lowercase())
}

impl Gazetteer {
    /// Reads a file that `cargo xtask bake-places` wrote.
    ///
    /// # Errors
    /// [`PlacesError`] when the bytes are not such a file, of another version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlacesError> {
        Ok(Self::new(PlacesData::from_bytes(bytes)?))
    }

    /// Indexes the names.
    pub fn new(data: PlacesData) -> Self {
        let mut numbers = BTreeMap::<String, u32>::new();
        let all = data.towns.iter().map(|town| &town.names);
        let all = all.chain(data.streets.iter().map(|street| &street.names));
        for name in all.chain(data.points.iter().map(|point| &point.names)).flatten() {
            numbers.extend(words(name).into_iter().map(|word| (word, 0)));
        }
        numbers.values_mut().zip(0..).for_each(|(number, place)| *number = place);
        let numbered = |names: &[String]| -> Vec<Vec<u32>> {
            names.iter().map(|name| words(name).iter().map(|word| numbers[word]).collect()).collect()
        };
        let mut entries = Vec::new();
        for (town, number) in data.towns.iter().zip(0..) {
            let names = numbered(&town.names);
            entries.push(Entry { subject: Subject::Town(number), names, town: None, point: town.centre, rank: 0 });
        }
        for (street, number) in data.streets.iter().zip(0..) {
            let (names, point) = (numbered(&street.names), middle(street));
            let rank = rank(street);
            entries.push(Entry { subject: Subject::Street(number), names, town: street.town, point, rank });
        }
        for (place, number) in data.points.iter().zip(0..) {
            let names = numbered(&place.names);
            entries.push(Entry {
                subject: Subject::Point(number),
                names,
                town: place.town,
                point: place.point,
                rank: POINT_RANK,
            });
        }
        let mut postings = vec![Vec::new(); numbers.len()];
        for (entry, number) in entries.iter().zip(0..) {
            let own: HashSet<u32> = entry.names.iter().flatten().copied().collect();
            own.into_iter().for_each(|word| postings[word as usize].push(number));
        }
        let town_words = data.towns.iter().map(|town: &Town| numbered(&town.names).concat()).collect();
        Self { entries, vocabulary: numbers.into_keys().collect(), postings, town_words, data }
    }

    /// How many names there are to find.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// At most `limit` streets for examples, each of which the search finds by its name and town. The same ones every time.
    pub fn examples(&self, limit: usize) -> Vec<Found> {
        const TRIED_FOR_EACH: usize = 20;
        let query = Query { words: Vec::new(), house: None };
        let streets = self.entries.iter().filter(|entry| matches!(entry.subject, Subject::Street(_)));
        let streets: Vec<_> = streets.map(|street| self.found(street, &query, None)).collect();
        let apart = (streets.len() / limit.max(1)).max(1);
        let first_found = |near: &[Found]| near.iter().take(TRIED_FOR_EACH).find(|street| self.finds(street)).cloned();
        streets.chunks(apart).filter_map(first_found).take(limit).collect()
    }

    /// Whether the search finds a street by its name and town before any other.
    fn finds(&self, street: &Found) -> bool {
        let address = format!("{} {}", street.name, street.town.as_deref().unwrap_or_default());
        let found = self.search(&address, None, 1);
        found.first().is_some_and(|found| (&found.name, &found.town) == (&street.name, &street.town))
    }

    /// At most `limit` places that fit the text, the best first; places near `near` before places far from it.
    ///
    /// Every word must begin a word of the name or of its town. Small slips are forgiven when nothing fits without.
    pub fn search(&self, text: &str, near: Option<LatLon>, limit: usize) -> Vec<Found> {
        let query = Query::read(text);
        if query.words.is_empty() {
            return Vec::new();
        }
        let limit = limit.min(MAX_RESULTS);
        let mut found = self.fitting(&query, near, limit, Slips::None);
        if found.is_empty() {
            found = self.fitting(&query, near, limit, Slips::Forgiven);
        }
        found
    }

    /// What each word of the vocabulary costs for a typed one.
    fn costs(&self, typed: &str, slips: Slips) -> Vec<Cost> {
        let mut costs = vec![NO_FIT; self.vocabulary.len()];
        let first = typed.chars().next().map_or(0, char::len_utf8);
        // The vocabulary is in alphabetical order: words with the same beginning stand together.
        let (beginning, fit): (_, fn(&str, &str) -> Cost) = match slips {
            Slips::None => (typed, matching::plain),
            Slips::Forgiven => (&typed[..first], matching::forgiving),
        };
        let from = self.vocabulary.partition_point(|word| word.as_str() < beginning);
        let alike = self.vocabulary[from..].iter().take_while(|word| word.starts_with(beginning));
        alike.zip(&mut costs[from..]).for_each(|(word, cost)| *cost = fit(typed, word));
        costs
    }

    fn fitting(&self, query: &Query, near: Option<LatLon>, limit: usize, slips: Slips) -> Vec<Found> {
        let costs: Vec<Vec<Cost>> = query.words.iter().map(|(typed, _)| self.costs(typed, slips)).collect();
        let candidates: HashSet<u32> = costs
            .iter()
            .zip(&query.words)
            .filter(|(_, (_, generic))| !generic)
            .flat_map(|(costs, _)| (0..).zip(costs).filter(|(_, cost)| **cost != NO_FIT))
            .flat_map(|(word, _): (usize, _)| self.postings[word].iter().copied())
            .collect();
        let mut scored: Vec<_> = candidates
            .into_iter()
            .filter_map(|number| {
                let entry = &self.entries[number as usize];
                Some((self.score(query, &costs, entry)? + far(entry.point, near), number))
            })
            .collect();
        scored.sort_unstable();
        let mut seen = HashSet::new();
        let answers = scored.into_iter().map(|(_, number)| self.found(&self.entries[number as usize], query, near));
        // A chain of shops or a street in pieces under one address is one answer.
        answers.filter(|found| seen.insert((found.name.clone(), found.town.clone()))).take(limit).collect()
    }

    /// How well an entry fits, smaller is better; `None` when a word does not fit.
    fn score(&self, query: &Query, costs: &[Vec<Cost>], entry: &Entry) -> Option<u32> {
        let kind = match entry.subject {
            Subject::Street(_) if query.house.is_some() => 0,
            _ => entry.rank,
        };
        let of_names = entry.names.iter().filter_map(|name| self.name_score(query, costs, name, entry.town));
        Some(of_names.min()? + kind)
    }

    fn name_score(&self, query: &Query, costs: &[Vec<Cost>], name: &[u32], town: Option<u32>) -> Option<u32> {
        let town = town.map_or(&[][..], |town| &self.town_words[town as usize]);
        let (mut score, mut own) = (0, 0);
        for (costs, (_, generic)) in costs.iter().zip(&query.words) {
            let best = |words: &[u32]| words.iter().map(|word| costs[*word as usize]).min().unwrap_or(NO_FIT);
            match (best(name), best(town)) {
                (NO_FIT, NO_FIT) if *generic => score += 10,
                (NO_FIT, NO_FIT) => return None,
                (NO_FIT, in_town) => score += 10 * u32::from(in_town) + 5,
                (in_name, _) => {
                    score += 10 * u32::from(in_name);
                    own += usize::from(!generic);
                }
            }
        }
        // Words of the name that were not typed: the shorter name is meant.
        let untyped = name.len().saturating_sub(query.words.len()) as u32;
        (own > 0).then_some(score + 2 * untyped)
    }

    fn found(&self, entry: &Entry, query: &Query, near: Option<LatLon>) -> Found {
        let town = entry.town.map(|town| self.data.towns[town as usize].names[0].clone());
        let (name, kind, point) = match entry.subject {
            Subject::Town(town) => (self.data.towns[town as usize].names[0].clone(), Kind::Town, entry.point),
            Subject::Point(place) => {
                (self.data.points[place as usize].names[0].clone(), Kind::PointOfInterest, entry.point)
            }
            Subject::Street(street) => street_found(&self.data.streets[street as usize], query, entry.point),
        };
        Found { name, town, kind, point, distance_m: near.map(|near| haversine_m(near, point)) }
    }

    /// The places at a point: a house when one stands there, then the nearest street; only the town where there is
    /// none.
    pub fn at(&self, point: LatLon) -> Vec<Found> {
        let metres_per_lon = METRES_PER_DEGREE * point.lat().to_radians().cos();
        // Comparing four numbers excludes nearly every line.
        let is_far = |other: LatLon, reach_m: f64| {
            (other.lat() - point.lat()).abs() * METRES_PER_DEGREE > reach_m
                || (other.lon() - point.lon()).abs() * metres_per_lon > reach_m
        };
        let mut street: Option<(f64, &Street, LatLon)> = None;
        let mut house: Option<(f64, &Street, &House)> = None;
        for candidate in &self.data.streets {
            for line in &candidate.lines {
                for pair in line.windows(2).chain((line.len() == 1).then_some(&line[..])) {
                    let nearest = nearest_on(pair[0], pair[pair.len() - 1], point, metres_per_lon);
                    if is_far(nearest, STREET_REACH_M) {
                        continue;
                    }
                    let distance_m = haversine_m(nearest, point);
                    if distance_m <= street.map_or(STREET_REACH_M, |(best_m, ..)| best_m) {
                        street = Some((distance_m, candidate, nearest));
                    }
                }
            }
            for known in candidate.houses.iter().filter(|known| !is_far(known.point, HOUSE_REACH_M)) {
                let distance_m = haversine_m(known.point, point);
                if distance_m <= house.map_or(HOUSE_REACH_M, |(best_m, ..)| best_m) {
                    house = Some((distance_m, candidate, known));
                }
            }
        }
        let town_of = |town: Option<u32>| town.map(|town| self.data.towns[town as usize].names[0].clone());
        let mut found = Vec::new();
        if let Some((distance_m, street, house)) = house {
            let name = format!("{} {}", house.number, street.names[0]);
            let (kind, point, distance_m) = (Kind::House, house.point, Some(distance_m));
            found.push(Found { name, town: town_of(street.town), kind, point, distance_m });
        }
        if let Some((distance_m, street, point)) = street {
            let (name, kind, distance_m) = (street.names[0].clone(), Kind::Street, Some(distance_m));
            found.push(Found { name, town: town_of(street.town), kind, point, distance_m });
        }
        if found.is_empty() {
            let distance = |town: &&Town| haversine_m(town.centre, point);
            let nearest = self.data.towns.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            found.extend(nearest.map(|town| Found {
                name: town.names[0].clone(),
                town: None,
                kind: Kind::Town,
                point: town.centre,
                distance_m: Some(haversine_m(town.centre, point)),
            }));
        }
        found
    }
}

/// A street, or the requested house on it. A number that is not mapped stays in the address.
fn street_found(street: &Street, query: &Query, middle: LatLon) -> (String, Kind, LatLon) {
    let name = &street.names[0];
    let Some(number) = &query.house else { return (name.clone(), Kind::Street, middle) };
    match street.houses.iter().find(|house| fold(&house.number) == *number) {
        Some(house) => (format!("{} {name}", house.number), Kind::House, house.point),
        None => (format!("{} {name}", number.to_uppercase()), Kind::Street, middle),
    }
}

/// The cost of distance: as much as an incomplete word at a kilometre, and ever less more beyond.
fn far(point: LatLon, near: Option<LatLon>) -> u32 {
    near.map_or(0, |near| (10.0 * (1.0 + haversine_m(point, near) / 1_000.0).log2()) as u32)
}

/// The cost of not being a street.
const POINT_RANK: u32 = 12;

/// The cost of a street: a long one is meant more often than the short one of the same name beside it.
fn rank(street: &Street) -> u32 {
    let length_m: f64 = street.lines.iter().map(|line| length_m(line)).sum();
    8 - (length_m / 100.0).min(8.0) as u32
}

/// The point of the street that is nearest to the middle of all its points.
fn middle(street: &Street) -> LatLon {
    let points: Vec<LatLon> = street.lines.iter().flatten().copied().collect();
    let count = points.len() as f64;
    let lat = points.iter().map(|point| point.lat()).sum::<f64>() / count;
    let lon = points.iter().map(|point| point.lon()).sum::<f64>() / count;
    let mean = LatLon::try_new(lat, lon).unwrap_or(points[0]);
    let nearest = points.iter().min_by(|a, b| haversine_m(**a, mean).total_cmp(&haversine_m(**b, mean)));
    *nearest.expect("no street is without points")
}

/// The point between `a` and `b` that is nearest to `here`. The ground is flat over so short a way.
fn nearest_on(a: LatLon, b: LatLon, here: LatLon, metres_per_lon: f64) -> LatLon {
    let flat =
        |point: LatLon| [(point.lon() - here.lon()) * metres_per_lon, (point.lat() - here.lat()) * METRES_PER_DEGREE];
    let ([ax, ay], [bx, by]) = (flat(a), flat(b));
    let (dx, dy) = (bx - ax, by - ay);
    let squared = dx * dx + dy * dy;
    let share = if squared > 0.0 { (-(ax * dx + ay * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
    let (lat, lon) = (a.lat() + share * (b.lat() - a.lat()), a.lon() + share * (b.lon() - a.lon()));
    LatLon::try_new(lat, lon).unwrap_or(a)
}
