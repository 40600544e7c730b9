//! Makes streets of ways: those of one name within one town that are not far apart.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, HashMap},
};

use super::{finds::NamedWay, towns::Towns};
use crate::places::{Grid, HouseDraft, Spot, StreetDraft, folded_words, name_keys};

/// Points of a street that are nearer to the last one are left out. In metres.
const SPACING_M: f64 = 15.0;

/// Ways of one name and town that come as near as this belong together, in units of a [`Spot`]; a square or a junction is
/// often between them.
const GAP: i32 = 300;

/// A house belongs to a street of its name that comes this near. In metres.
const HOUSE_REACH_M: f64 = 1_000.0;

/// A house whose tags name no street is on the nearest one that comes this near. In metres.
const BESIDE_M: f64 = 60.0;

/// The side of a square in which streets are looked for by name, in units of a [`Spot`].
const SQUARE: i32 = 1_000;

/// Points of a street that are asked in which towns they are.
const SAMPLES: usize = 6;

/// A street that is being made.
#[derive(Default)]
pub(super) struct Street {
    pub(super) names: Vec<String>,
    town: Option<u32>,
    lines: Vec<Vec<Spot>>,
    postcodes: Vec<String>,
    pub(super) houses: Vec<HouseDraft>,
    /// How many houses say that they are in a town.
    pub(super) said: BTreeMap<u32, u32>,
}

pub(super) struct Streets {
    pub(super) all: Vec<Street>,
    /// The key of a name, a square, and the street that has both, in order.
    squares: Vec<(u64, [i32; 2], u32)>,
    /// Streets that only houses know, by key and town.
    of_houses: HashMap<(u64, Option<u32>), u32>,
    /// Which streets come by; made when a house asks first, because most areas have none that does.
    around: OnceCell<Grid>,
}

impl Streets {
    pub(super) fn join(ways: Vec<NamedWay>, towns: &Towns) -> Self {
        let mut groups = BTreeMap::<(String, Option<u32>), Vec<NamedWay>>::new();
        for way in ways.into_iter().filter(|way| !way.line.is_empty()) {
            let town = towns.shown(way.line[way.line.len() / 2]);
            groups.entry((folded_words(&way.names[0]).concat(), town)).or_default().push(way);
        }
        let mut all = Vec::new();
        for ((_, town), ways) in groups {
            all.extend(together(ways).into_iter().map(|ways| Street::of(ways, town)));
        }
        share_names(&mut all);
        let mut streets = Self { all, squares: Vec::new(), of_houses: HashMap::new(), around: OnceCell::new() };
        streets.index();
        streets
    }

    fn index(&mut self) {
        for (number, street) in (0u32..).zip(&self.all) {
            let mut squares: Vec<[i32; 2]> = street
                .lines
                .iter()
                .flat_map(|line| line.windows(2).flat_map(steps).chain(line.iter().copied().map(square)))
                .collect();
            squares.sort_unstable();
            squares.dedup();
            let mut keys: Vec<u64> = street.names.iter().flat_map(|name| name_keys(name)).collect();
            keys.sort_unstable();
            keys.dedup();
            self.squares.extend(keys.iter().flat_map(|key| squares.iter().map(move |square| (*key, *square, number))));
        }
        self.squares.sort_unstable();
    }

    /// The street that a house names: the nearest of that name, or one of its own.
    pub(super) fn named(&mut self, name: &str, at: Spot, town: Option<u32>) -> u32 {
        let [whole, core] = name_keys(name);
        let near = self.near(whole, at).or_else(|| self.near(core, at));
        near.unwrap_or_else(|| self.of_its_houses(whole, name, town))
    }

    fn near(&self, key: u64, at: Spot) -> Option<u32> {
        let [row, column] = square(at);
        let around = (row - 1..=row + 1).flat_map(|row| (column - 2..=column + 2).map(move |column| [row, column]));
        let in_square = |square: [i32; 2]| {
            let from = self.squares.partition_point(|(other, place, _)| (*other, *place) < (key, square));
            self.squares[from..]
                .iter()
                .take_while(move |(other, place, _)| (*other, *place) == (key, square))
                .map(|(.., street)| *street)
        };
        let mut streets: Vec<u32> = around.flat_map(in_square).collect();
        streets.sort_unstable();
        streets.dedup();
        let distances = streets.into_iter().map(|street| (self.all[street as usize].distance_m(at), street));
        distances
            .filter(|(metres, _)| *metres <= HOUSE_REACH_M)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, street)| street)
    }

    /// The nearest street with lines beside a place.
    pub(super) fn beside(&self, at: Spot) -> Option<u32> {
        let mut near: Vec<u32> = self.around.get_or_init(|| self.grid()).near(at, BESIDE_M).collect();
        near.sort_unstable();
        near.dedup();
        let distances = near.into_iter().map(|street| (self.all[street as usize].distance_m(at), street));
        let nearest = distances.min_by(|a, b| a.0.total_cmp(&b.0))?;
        (nearest.0 <= BESIDE_M).then_some(nearest.1)
    }

    fn grid(&self) -> Grid {
        let streets =
            (0u32..).zip(&self.all).flat_map(|(number, street)| street.lines.iter().map(move |line| (number, line)));
        let pieces = streets.flat_map(|(number, line)| line.windows(2).map(move |ends| (number, [ends[0], ends[1]])));
        Grid::new(2.0 * BESIDE_M, pieces)
    }

    fn of_its_houses(&mut self, key: u64, name: &str, town: Option<u32>) -> u32 {
        let all = &mut self.all;
        *self.of_houses.entry((key, town)).or_insert_with(|| {
            all.push(Street { names: vec![name.to_owned()], town, ..Street::default() });
            all.len() as u32 - 1
        })
    }

    pub(super) fn into_drafts(self, towns: &Towns) -> Vec<StreetDraft> {
        self.all.into_iter().map(|street| street.into_draft(towns)).collect()
    }
}

/// Another name that at least so many streets of one name have belongs to the name, and not to a street.
const STREETS_OF_A_NAME: u32 = 2;

/// Gives what streets of one name are called in another language to all streets of the name: a few of them are mapped with
/// it, and people use it everywhere.
fn share_names(all: &mut [Street]) {
    let key = |street: &Street| folded_words(&street.names[0]).concat();
    let mut others = HashMap::<String, BTreeMap<String, u32>>::new();
    for street in all.iter() {
        let of_name = others.entry(key(street)).or_default();
        street.names[1..].iter().for_each(|name| *of_name.entry(name.clone()).or_default() += 1);
    }
    for street in all {
        let usual = others.get(&key(street)).into_iter().flatten().filter(|(_, count)| **count >= STREETS_OF_A_NAME);
        for (name, _) in usual {
            if !street.names.contains(name) {
                street.names.push(name.clone());
            }
        }
    }
}

impl Street {
    fn of(ways: Vec<NamedWay>, town: Option<u32>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut postcodes = Vec::new();
        let mut lines = Vec::with_capacity(ways.len());
        for way in ways {
            let known =
                |name: &String, names: &[String]| names.iter().any(|other| folded_words(other) == folded_words(name));
            for name in way.names {
                if !known(&name, &names) {
                    names.push(name);
                }
            }
            postcodes.extend(way.postcode);
            lines.push(thinned(&way.line));
        }
        Self { names, town, lines, postcodes, ..Self::default() }
    }

    fn distance_m(&self, at: Spot) -> f64 {
        let on_line = |line: &Vec<Spot>| {
            let pairs = line.windows(2).map(|pair| at.distance_m(at.nearest_between(pair[0], pair[1])));
            pairs.chain(line.first().map(|first| at.distance_m(*first))).fold(f64::INFINITY, f64::min)
        };
        self.lines.iter().map(on_line).fold(f64::INFINITY, f64::min)
    }

    fn into_draft(mut self, towns: &Towns) -> StreetDraft {
        let spots: Vec<Spot> = match self.lines.is_empty() {
            true => self.houses.iter().map(|house| house.at).collect(),
            false => self.lines.iter().flatten().copied().collect(),
        };
        let apart = (spots.len() / SAMPLES).max(1);
        let samples: Vec<Spot> = spots.iter().copied().step_by(apart).collect();
        // What most houses say is what people write; the first of those that equally many say.
        let mut own: Vec<(u32, u32)> = self.said.iter().map(|(town, count)| (u32::MAX - count, *town)).collect();
        own.sort_unstable();
        let said = own.into_iter().map(|(_, town)| town);
        let all = said.chain(self.town).chain(samples.iter().flat_map(|at| towns.of(*at)));
        let mut of_street: Vec<u32> = Vec::new();
        for town in all {
            if !of_street.contains(&town) {
                of_street.push(town);
            }
        }
        self.postcodes.extend(samples.iter().flat_map(|at| towns.postcodes(*at)));
        self.postcodes.sort();
        self.postcodes.dedup();
        self.houses.sort_by(|a, b| {
            (number_value(&a.number), &a.number, a.is_guessed, a.at).cmp(&(
                number_value(&b.number),
                &b.number,
                b.is_guessed,
                b.at,
            ))
        });
        self.houses.dedup_by(|b, a| a.number == b.number && (b.is_guessed || a.at.distance_m(b.at) < SPACING_M));
        let Self { names, lines, postcodes, houses, .. } = self;
        StreetDraft { names, towns: of_street, postcodes, lines, houses }
    }
}

fn number_value(number: &str) -> u32 {
    crate::places::Number::read(number).map_or(u32::MAX, |number| number.value)
}

/// Parts ways of one name into groups of which each is in one piece, or nearly.
fn together(mut ways: Vec<NamedWay>) -> Vec<Vec<NamedWay>> {
    ways.sort_by(|a, b| (&a.line, &a.names).cmp(&(&b.line, &b.names)));
    let mut group: Vec<usize> = (0..ways.len()).collect();
    let mut squares = HashMap::<[i32; 2], Vec<usize>>::new();
    for (number, way) in ways.iter().enumerate() {
        for end in [way.line[0], way.line[way.line.len() - 1], way.line[way.line.len() / 2]] {
            let place = gap_square(end);
            for [row, column] in
                (-1..=1).flat_map(|row| (-1..=1).map(move |column| [place[0] + row, place[1] + column]))
            {
                for other in squares.get(&[row, column]).into_iter().flatten() {
                    let (a, b) = (root(&mut group, number), root(&mut group, *other));
                    group[a.max(b)] = a.min(b);
                }
            }
            squares.entry(place).or_default().push(number);
        }
    }
    let mut parts = BTreeMap::<usize, Vec<NamedWay>>::new();
    for (number, way) in ways.into_iter().enumerate() {
        parts.entry(root(&mut group, number)).or_default().push(way);
    }
    parts.into_values().collect()
}

fn root(group: &mut [usize], mut of: usize) -> usize {
    while group[of] != of {
        group[of] = group[group[of]];
        of = group[of];
    }
    of
}

fn gap_square(spot: Spot) -> [i32; 2] {
    // Squares need not be square: to the north they are narrower, and streets a little less far apart are one.
    [spot.lat.div_euclid(GAP), spot.lon.div_euclid(GAP * 3 / 2)]
}

fn square(spot: Spot) -> [i32; 2] {
    [spot.lat.div_euclid(SQUARE), spot.lon.div_euclid(SQUARE)]
}

/// The squares along a straight line.
fn steps(pair: &[Spot]) -> Vec<[i32; 2]> {
    let length = (pair[0].lat - pair[1].lat).abs().max((pair[0].lon - pair[1].lon).abs());
    let count = length / SQUARE + 1;
    (0..=count).map(|step| square(pair[0].towards(pair[1], f64::from(step) / f64::from(count)))).collect()
}

/// Both ends, and what is far enough from the point before.
fn thinned(line: &[Spot]) -> Vec<Spot> {
    let mut kept: Vec<Spot> = Vec::new();
    for (index, spot) in line.iter().enumerate() {
        let is_end = index == 0 || index + 1 == line.len();
        if is_end || kept.last().is_some_and(|last| last.distance_m(*spot) >= SPACING_M) {
            kept.push(*spot);
        }
    }
    kept
}
