//! Everything of an area that has a name or a number, as the file holds it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::lists::{Ends, Lists, Spot, Spots, Texts};

/// What a town is, by how far around its middle people say its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TownKind {
    /// Some hundreds of thousands live there.
    City,
    /// A town.
    Town,
    /// A village.
    Village,
    /// A part of a city or town.
    Suburb,
    /// Some houses.
    Hamlet,
    /// A country, state or island: people write it, but it tells no two streets of the area apart.
    Region,
}

impl TownKind {
    /// Metres around the middle within which addresses may bear the name.
    pub const fn reach_m(self) -> f64 {
        match self {
            Self::City => 15_000.0,
            Self::Town => 5_000.0,
            Self::Village => 2_500.0,
            Self::Suburb => 2_000.0,
            Self::Hamlet => 1_000.0,
            Self::Region => 0.0,
        }
    }
}

/// A house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct House {
    /// Index into [`PlacesData::numbers`].
    pub number: u32,
    /// Index into [`PlacesData::postcodes`].
    pub postcode: Option<u32>,
    /// Where.
    pub at: Spot,
    /// Whether only an interpolation says so, and no house is mapped there.
    pub is_guessed: bool,
}

/// Everything that has a name. Made by [`PlacesBuilder`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlacesData {
    /// Whether people write "12 High Street", and not "High Street 12".
    pub number_first: bool,
    /// Every name once, as it is written.
    pub names: Texts,
    /// Every house number once, and names of houses.
    pub numbers: Texts,
    /// Every postcode once.
    pub postcodes: Texts,
    /// For each town its names, the usual first.
    pub(super) town_names: Lists,
    pub(super) town_kinds: Vec<TownKind>,
    pub(super) town_spots: Spots,
    /// For each street its names, the sign's first.
    pub(super) street_names: Lists,
    /// For each street the towns whose names its addresses may bear, the usual first.
    pub(super) street_towns: Lists,
    /// For each street its postcodes.
    pub(super) street_postcodes: Lists,
    /// For each street its lines, as parts of `line_ends`.
    pub(super) street_lines: Ends,
    /// For each line its points, as parts of `line_spots`.
    pub(super) line_ends: Ends,
    pub(super) line_spots: Spots,
    /// For each street its houses, by ascending number.
    pub(super) street_houses: Ends,
    /// Index of the number, doubled, and one more for a guessed one.
    house_numbers: Vec<u32>,
    /// Index of the postcode and one; 0 for none.
    house_postcodes: Vec<u32>,
    pub(super) house_spots: Spots,
    /// For each other thing with a name its names.
    pub(super) point_names: Lists,
    /// The town of each and one; 0 for none.
    point_towns: Vec<u32>,
    pub(super) point_spots: Spots,
}

impl PlacesData {
    /// How many towns there are.
    pub fn towns(&self) -> usize {
        self.town_kinds.len()
    }

    /// How many streets there are.
    pub fn streets(&self) -> usize {
        self.street_names.len()
    }

    /// How many other things with a name there are.
    pub fn points(&self) -> usize {
        self.point_names.len()
    }

    /// How many houses there are.
    pub fn houses(&self) -> usize {
        self.house_numbers.len()
    }

    pub(super) fn house(&self, house: usize) -> House {
        let number = self.house_numbers[house];
        House {
            number: number / 2,
            postcode: self.house_postcodes[house].checked_sub(1),
            at: self.house_spots[house],
            is_guessed: number % 2 == 1,
        }
    }

    pub(super) fn point_town(&self, point: usize) -> Option<u32> {
        self.point_towns[point].checked_sub(1)
    }

    /// The lines of a street.
    pub(super) fn lines(&self, street: usize) -> impl Iterator<Item = &[Spot]> {
        self.street_lines.range(street).map(|line| &self.line_spots[self.line_ends.range(line)])
    }

    /// Why an index somewhere leads nowhere.
    pub(super) fn flaw(&self) -> Option<&'static str> {
        let (towns, streets, points, houses) = (self.towns(), self.streets(), self.points(), self.houses());
        let named = |lists: &Lists| {
            lists.is_sound(self.names.len()) && (0..lists.len()).all(|list| !lists.get(list).is_empty())
        };
        let texts = [&self.names, &self.numbers, &self.postcodes].into_iter().all(Texts::is_sound);
        let counts = self.town_names.len() == towns
            && self.town_spots.len() == towns
            && self.street_towns.len() == streets
            && self.street_postcodes.len() == streets
            && self.street_lines.len() == streets
            && self.street_houses.len() == streets
            && self.point_towns.len() == points
            && self.point_spots.len() == points
            && self.house_postcodes.len() == houses
            && self.house_spots.len() == houses;
        let lines = self.street_lines.last() == self.line_ends.len()
            && self.line_ends.last() == self.line_spots.len()
            && (0..self.line_ends.len()).all(|line| !self.line_ends.range(line).is_empty());
        let numbers = self.street_houses.last() == houses
            && self.house_numbers.iter().all(|number| (*number as usize / 2) < self.numbers.len())
            && self.house_postcodes.iter().all(|code| *code as usize <= self.postcodes.len());
        let somewhere =
            |street| !self.street_lines.range(street).is_empty() || !self.street_houses.range(street).is_empty();
        [
            (texts, "texts are cut"),
            (counts, "lists differ in length"),
            (named(&self.town_names) && named(&self.street_names) && named(&self.point_names), "a name is missing"),
            (self.street_towns.is_sound(towns), "a town is missing"),
            (self.point_towns.iter().all(|town| *town as usize <= towns), "a town is missing"),
            (self.street_postcodes.is_sound(self.postcodes.len()), "a postcode is missing"),
            (lines, "a line is empty"),
            (numbers, "a house has no number"),
        ]
        .into_iter()
        .find_map(|(holds, flaw)| (!holds).then_some(flaw))
        .or_else(|| (!(0..streets).all(somewhere)).then_some("a street is nowhere"))
    }
}

/// A house before it is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct HouseDraft {
    /// As it is written: "12", "12A", "Casa Rosa".
    pub number: String,
    /// Its postcode.
    pub postcode: Option<String>,
    /// Where.
    pub at: Spot,
    /// See [`House::is_guessed`].
    pub is_guessed: bool,
}

/// A street before it is counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreetDraft {
    /// Its names, the sign's first; at least one.
    pub names: Vec<String>,
    /// What [`PlacesBuilder::town`] answered for the towns whose names its addresses may bear.
    pub towns: Vec<u32>,
    /// Its postcodes, beside those of its houses.
    pub postcodes: Vec<String>,
    /// Where it runs.
    pub lines: Vec<Vec<Spot>>,
    /// Its houses.
    pub houses: Vec<HouseDraft>,
}

/// Fills [`PlacesData`]. The same calls in the same order always make the same data.
#[derive(Debug, Default)]
pub struct PlacesBuilder {
    data: PlacesData,
    known: [HashMap<String, u32>; 3],
}

const NAMES: usize = 0;
const NUMBERS: usize = 1;
const POSTCODES: usize = 2;

impl PlacesBuilder {
    /// Begins; see [`PlacesData::number_first`].
    pub fn new(number_first: bool) -> Self {
        Self { data: PlacesData { number_first, ..PlacesData::default() }, ..Self::default() }
    }

    fn number_of(&mut self, kind: usize, text: &str) -> u32 {
        if let Some(number) = self.known[kind].get(text) {
            return *number;
        }
        let texts = match kind {
            NAMES => &mut self.data.names,
            NUMBERS => &mut self.data.numbers,
            _ => &mut self.data.postcodes,
        };
        let number = texts.push(text);
        self.known[kind].insert(text.to_owned(), number);
        number
    }

    fn name_numbers(&mut self, names: &[String]) -> Vec<u32> {
        names.iter().map(|name| self.number_of(NAMES, name)).collect()
    }

    /// Adds a town with at least one name, and answers its number.
    pub fn town(&mut self, names: &[String], kind: TownKind, at: Spot) -> u32 {
        let names = self.name_numbers(names);
        self.data.town_names.push(names);
        self.data.town_kinds.push(kind);
        self.data.town_spots.0.push(at);
        self.data.towns() as u32 - 1
    }

    /// Adds a street. One without a name, or without a line and a house, is left out.
    pub fn street(&mut self, street: StreetDraft) {
        let lines: Vec<_> = street.lines.into_iter().filter(|line| !line.is_empty()).collect();
        if street.names.is_empty() || (lines.is_empty() && street.houses.is_empty()) {
            return;
        }
        let names = self.name_numbers(&street.names);
        self.data.street_names.push(names);
        self.data.street_towns.push(street.towns);
        for line in lines {
            self.data.line_spots.0.extend(line);
            self.data.line_ends.push(self.data.line_spots.len());
        }
        self.data.street_lines.push(self.data.line_ends.len());
        let mut postcodes: Vec<u32> = street.postcodes.iter().map(|code| self.number_of(POSTCODES, code)).collect();
        for house in street.houses {
            let number = self.number_of(NUMBERS, &house.number) * 2 + u32::from(house.is_guessed);
            let postcode = house.postcode.map(|code| self.number_of(POSTCODES, &code));
            postcodes.extend(postcode);
            self.data.house_numbers.push(number);
            self.data.house_postcodes.push(postcode.map_or(0, |code| code + 1));
            self.data.house_spots.0.push(house.at);
        }
        self.data.street_houses.push(self.data.house_numbers.len());
        postcodes.sort_unstable();
        postcodes.dedup();
        self.data.street_postcodes.push(postcodes);
    }

    /// Adds another thing with at least one name.
    pub fn point(&mut self, names: &[String], town: Option<u32>, at: Spot) {
        let names = self.name_numbers(names);
        self.data.point_names.push(names);
        self.data.point_towns.push(town.map_or(0, |town| town + 1));
        self.data.point_spots.0.push(at);
    }

    /// All that was added.
    pub fn finish(self) -> PlacesData {
        self.data
    }
}
