//! An area's names and houses, ready to be searched.

use super::{
    clues::postcode_key,
    data::{PlacesData, TownKind},
    format::PlacesError,
    grid::Grid,
    lists::{Lists, Spot},
    names::Names,
};
use doorstep_shared::LatLon;

/// The longest answer.
pub const MAX_RESULTS: usize = 20;

/// What a found place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A street.
    Street,
    /// A house with a number.
    House,
    /// A town, a village, a quarter or a postcode.
    Town,
    /// Something else with a name.
    PointOfInterest,
}

/// Why a found place may not be the door that an address means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// It is a town or a postcode, and no street.
    NoStreet,
    /// The address has words that this place does not have.
    OtherWords,
    /// The address names another town or postcode.
    OtherTown,
    /// The address says another kind of way: a lane for a road.
    OtherKind,
    /// The name is spelled otherwise, or only begun.
    Spelling,
    /// There are several of this name, and the address does not say in which town.
    Several,
}

/// A place that fits a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// As an address begins: "12 Triq il-Merkanti", "Lange Straße 12".
    pub name: String,
    /// The town it is in; `None` when it is one.
    pub town: Option<String>,
    /// What it is. A house whose number is not mapped is a [`Kind::Street`], at its mapped neighbours.
    pub kind: Kind,
    /// Where; the middle of a street.
    pub point: LatLon,
    /// Metres from the requested point.
    pub distance_m: Option<f64>,
    /// Why it should not be taken without asking; `None` for what is certain.
    pub doubt: Option<Doubt>,
}

/// Something with a name, by its index in [`PlacesData`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Subject {
    Town(usize),
    Street(usize),
    Point(usize),
}

/// An area's names, indexed for search. Read-only: threads share it freely.
#[derive(Debug)]
pub struct Gazetteer {
    pub(super) data: PlacesData,
    pub(super) names: Names,
    /// For each name the things that bear it: towns, then streets, then points.
    pub(super) bearers: Lists,
    /// The middle of each street.
    pub(super) middles: Vec<Spot>,
    /// The length of each street in metres.
    pub(super) lengths_m: Vec<f32>,
    /// The middle of each postcode's houses.
    pub(super) postcode_spots: Vec<Option<Spot>>,
    /// Each postcode without spaces, and their numbers in alphabetical order of those.
    pub(super) postcode_keys: Vec<String>,
    pub(super) postcode_order: Vec<u32>,
    /// Segments of streets' lines, by the index of their first point.
    pub(super) segments: Grid,
    pub(super) houses: Grid,
    pub(super) towns: Grid,
}

// Few lines are as long as that, and few streets so near to each other that a square holds many.
const SEGMENT_CELL_M: f64 = 200.0;
const HOUSE_CELL_M: f64 = 100.0;
const TOWN_CELL_M: f64 = 2_000.0;

impl Gazetteer {
    /// Reads a file that [`crate::import`] made.
    ///
    /// # Errors
    /// [`PlacesError`] when the bytes are not such a file, of another version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlacesError> {
        Ok(Self::new(PlacesData::from_bytes(bytes)?))
    }

    /// Indexes the names.
    pub fn new(data: PlacesData) -> Self {
        let names = Names::new(&data.names);
        let bearers = bearers(&data);
        let middles: Vec<Spot> = (0..data.streets()).map(|street| middle(&data, street)).collect();
        let lengths_m = (0..data.streets()).map(|street| length_m(&data, street)).collect();
        let segments = Grid::new(SEGMENT_CELL_M, segments(&data));
        let houses = Grid::new(HOUSE_CELL_M, (0u32..).zip(data.house_spots.iter().map(|spot| [*spot; 2])));
        let towns = Grid::new(TOWN_CELL_M, (0u32..).zip(data.town_spots.iter().map(|spot| [*spot; 2])));
        let postcode_spots = postcode_spots(&data, &middles);
        let postcode_keys: Vec<String> = data.postcodes.iter().map(postcode_key).collect();
        let mut postcode_order: Vec<u32> = (0..postcode_keys.len() as u32).collect();
        postcode_order.sort_by_key(|code| &postcode_keys[*code as usize]);
        Self {
            names,
            bearers,
            middles,
            lengths_m,
            postcode_spots,
            postcode_keys,
            postcode_order,
            segments,
            houses,
            towns,
            data,
        }
    }

    /// How many names there are to find.
    pub fn len(&self) -> usize {
        self.data.towns() + self.data.streets() + self.data.points()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many houses are mapped.
    pub fn houses(&self) -> usize {
        self.data.houses()
    }

    /// At most `limit` streets for examples, each of which the search finds by its name and town. The same ones every time.
    pub fn examples(&self, limit: usize) -> Vec<Found> {
        const TRIED_FOR_EACH: usize = 20;
        let apart = (self.data.streets() / limit.max(1)).max(1);
        let starts = (0..self.data.streets()).step_by(apart);
        let tried = |from: usize| from..self.data.streets().min(from + apart.min(TRIED_FOR_EACH));
        let found = |from| tried(from).map(|street| self.street(street)).find(|street| self.finds(street));
        starts.filter_map(found).take(limit).collect()
    }

    /// A street as an answer.
    pub(super) fn street(&self, street: usize) -> Found {
        Found {
            name: self.street_name(street).to_owned(),
            town: self.town_of_street(street),
            kind: Kind::Street,
            point: self.middles[street].point(),
            distance_m: None,
            doubt: None,
        }
    }

    /// Whether the search finds a street by its name and town before any other.
    fn finds(&self, street: &Found) -> bool {
        let address = format!("{}, {}", street.name, street.town.as_deref().unwrap_or_default());
        let found = self.search(&address, None, 1);
        found.first().is_some_and(|found| (&found.name, &found.town, found.doubt) == (&street.name, &street.town, None))
    }

    pub(super) fn subject(&self, bearer: u32) -> Subject {
        let (bearer, towns, streets) = (bearer as usize, self.data.towns(), self.data.streets());
        match bearer {
            town if town < towns => Subject::Town(town),
            street if street < towns + streets => Subject::Street(street - towns),
            point => Subject::Point(point - towns - streets),
        }
    }

    pub(super) fn spot(&self, subject: Subject) -> Spot {
        match subject {
            Subject::Town(town) => self.data.town_spots[town],
            Subject::Street(street) => self.middles[street],
            Subject::Point(point) => self.data.point_spots[point],
        }
    }

    pub(super) fn street_name(&self, street: usize) -> &str {
        self.data.names.get(self.data.street_names.get(street)[0])
    }

    pub(super) fn town_name(&self, town: usize) -> &str {
        self.data.names.get(self.data.town_names.get(town)[0])
    }

    pub(super) fn town_of_street(&self, street: usize) -> Option<String> {
        self.data.street_towns.get(street).first().map(|town| self.town_name(*town as usize).to_owned())
    }

    /// A number and a street in the order of the country.
    pub(super) fn address(&self, number: &str, street: &str) -> String {
        if self.data.number_first { format!("{number} {street}") } else { format!("{street} {number}") }
    }
}

fn bearers(data: &PlacesData) -> Lists {
    let lists = [&data.town_names, &data.street_names, &data.point_names];
    let of_each = lists.into_iter().flat_map(|list| (0..list.len()).map(move |index| list.get(index)));
    let pairs: Vec<(u32, u32)> =
        (0u32..).zip(of_each).flat_map(|(bearer, names)| names.iter().map(move |name| (*name, bearer))).collect();
    Lists::from_pairs(data.names.len(), &pairs)
}

fn segments(data: &PlacesData) -> impl Iterator<Item = (u32, [Spot; 2])> + Clone + '_ {
    (0..data.line_ends.len()).flat_map(move |line| {
        let range = data.line_ends.range(line);
        let last = range.end - 1;
        // A line of one point is a segment of no length.
        range
            .filter(move |at| *at != last || last == data.line_ends.range(line).start)
            .map(move |at| (at as u32, [data.line_spots[at], data.line_spots[(at + 1).min(last)]]))
    })
}

fn length_m(data: &PlacesData, street: usize) -> f32 {
    let lines = data.lines(street).flat_map(|line| line.windows(2));
    lines.map(|pair| pair[0].distance_m(pair[1])).sum::<f64>() as f32
}

/// The point of the street that is nearest to the middle of all its points; of its houses where it has no line.
fn middle(data: &PlacesData, street: usize) -> Spot {
    let houses = data.street_houses.range(street).map(|house| data.house_spots[house]);
    let lines = data.street_lines.range(street);
    let on_lines = lines.flat_map(|line| data.line_ends.range(line)).map(|spot| data.line_spots[spot]);
    if data.street_lines.range(street).is_empty() { nearest_to_mean(houses) } else { nearest_to_mean(on_lines) }
}

fn nearest_to_mean(spots: impl Iterator<Item = Spot> + Clone) -> Spot {
    let mean = mean(spots.clone()).unwrap_or_default();
    spots.min_by(|a, b| a.distance_m(mean).total_cmp(&b.distance_m(mean))).unwrap_or_default()
}

fn mean(spots: impl Iterator<Item = Spot>) -> Option<Spot> {
    let mut sum = (0i64, 0i64, 0i64);
    spots.for_each(|spot| sum = (sum.0 + i64::from(spot.lat), sum.1 + i64::from(spot.lon), sum.2 + 1));
    (sum.2 > 0).then(|| Spot { lat: (sum.0 / sum.2) as i32, lon: (sum.1 / sum.2) as i32 })
}

fn postcode_spots(data: &PlacesData, middles: &[Spot]) -> Vec<Option<Spot>> {
    let mut spots = vec![Vec::new(); data.postcodes.len()];
    for house in (0..data.houses()).map(|house| data.house(house)) {
        house.postcode.into_iter().for_each(|code| spots[code as usize].push(house.at));
    }
    let without: Vec<bool> = spots.iter().map(Vec::is_empty).collect();
    for (street, middle) in middles.iter().enumerate() {
        let codes = data.street_postcodes.get(street).iter().map(|code| *code as usize);
        codes.filter(|code| without[*code]).for_each(|code| spots[code].push(*middle));
    }
    let near_mean = |spots: Vec<Spot>| (!spots.is_empty()).then(|| nearest_to_mean(spots.into_iter()));
    spots.into_iter().map(near_mean).collect()
}

impl Gazetteer {
    /// Whether a town is one that tells streets apart.
    pub(super) fn is_local(&self, town: usize) -> bool {
        self.data.town_kinds[town] != TownKind::Region
    }
}
