//! Compact lists: all texts in one string, lists of lists in two vectors, points in metres from each other.
//!
//! A city of a million houses would be a million small allocations otherwise. Each writes itself as differences, and
//! reads back nothing that could make an index panic.

use serde::{Deserialize, Serialize};

use doorstep_shared::LatLon;

/// A sequence of lengths as running ends: the n-th part goes from the end before it to its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
pub struct Ends(Vec<u32>);

impl Ends {
    /// Adds a part up to `end`, which is not before the last one.
    pub(super) fn push(&mut self, end: usize) {
        self.0.push(end as u32);
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where all parts end.
    pub fn last(&self) -> usize {
        self.0.last().map_or(0, |end| *end as usize)
    }

    /// Where a part lies.
    pub fn range(&self, part: usize) -> std::ops::Range<usize> {
        let from = part.checked_sub(1).map_or(0, |before| self.0[before] as usize);
        from..self.0[part] as usize
    }
}

impl TryFrom<Vec<u32>> for Ends {
    type Error = &'static str;

    fn try_from(lengths: Vec<u32>) -> Result<Self, Self::Error> {
        let mut end = 0u32;
        let ends = lengths.into_iter().map(|length| {
            end = end.checked_add(length)?;
            Some(end)
        });
        ends.collect::<Option<_>>().map(Self).ok_or("too long")
    }
}

impl From<Ends> for Vec<u32> {
    fn from(ends: Ends) -> Self {
        let mut before = 0;
        ends.0.into_iter().map(|end| end - std::mem::replace(&mut before, end)).collect()
    }
}

/// Texts, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    text: String,
    ends: Ends,
}

impl Texts {
    /// Adds a text and answers its number.
    pub fn push(&mut self, text: &str) -> u32 {
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.ends.len() as u32 - 1
    }

    /// The text of a number.
    pub fn get(&self, number: u32) -> &str {
        &self.text[self.ends.range(number as usize)]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|number| &self.text[self.ends.range(number)])
    }

    /// Whether every text can be taken out.
    pub(super) fn is_sound(&self) -> bool {
        let whole = self.ends.last() == self.text.len();
        whole && (0..self.ends.len()).all(|number| self.text.is_char_boundary(self.ends.range(number).end))
    }
}

/// Lists of numbers, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lists {
    ends: Ends,
    items: Vec<u32>,
}

impl Lists {
    /// Adds a list.
    pub fn push(&mut self, list: impl IntoIterator<Item = u32>) {
        self.items.extend(list);
        self.ends.push(self.items.len());
    }

    /// The list with a number.
    pub fn get(&self, list: usize) -> &[u32] {
        &self.items[self.ends.range(list)]
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether the lists hold only numbers below `limit`.
    pub(super) fn is_sound(&self, limit: usize) -> bool {
        self.ends.last() == self.items.len() && self.items.iter().all(|item| (*item as usize) < limit)
    }

    /// `pairs` of a list and an item, as `lists` lists. The items of a list keep the order of the pairs.
    pub(super) fn from_pairs(lists: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = vec![0u32; lists + 1];
        pairs.iter().for_each(|(list, _)| starts[*list as usize + 1] += 1);
        (1..=lists).for_each(|list| starts[list] += starts[list - 1]);
        let ends = Ends(starts[1..].to_vec());
        let mut items = vec![0; pairs.len()];
        for (list, item) in pairs {
            let place = &mut starts[*list as usize];
            items[*place as usize] = *item;
            *place += 1;
        }
        Self { ends, items }
    }
}

/// A point in hundred-thousandths of a degree, about a metre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// Latitude.
    pub lat: i32,
    /// Longitude.
    pub lon: i32,
}

const E5: f64 = 1e5;
const METRES_PER_UNIT: f64 = 1.111_95;

impl Spot {
    /// The nearest one to a point.
    pub fn of(point: LatLon) -> Self {
        Self { lat: (point.lat() * E5).round() as i32, lon: (point.lon() * E5).round() as i32 }
    }

    /// The point itself.
    pub fn point(self) -> LatLon {
        let (lat, lon) = (f64::from(self.lat) / E5, f64::from(self.lon) / E5);
        LatLon::try_new(lat.clamp(-90.0, 90.0), lon.clamp(-180.0, 180.0)).expect("clamped to the earth")
    }

    /// Metres from here to `other`, east and north, as if the ground were flat: right within a city.
    pub fn metres_to(self, other: Self) -> [f64; 2] {
        let north = f64::from(other.lat - self.lat) * METRES_PER_UNIT;
        let east = f64::from(other.lon - self.lon) * METRES_PER_UNIT;
        [east * (f64::from(self.lat) / E5).to_radians().cos(), north]
    }

    /// Metres between two spots; see [`Self::metres_to`].
    pub fn distance_m(self, other: Self) -> f64 {
        let [east, north] = self.metres_to(other);
        east.hypot(north)
    }

    /// The spot nearest to this one on the straight line between two others.
    pub fn nearest_between(self, a: Self, b: Self) -> Self {
        let ([ax, ay], [bx, by]) = (self.metres_to(a), self.metres_to(b));
        let (dx, dy) = (bx - ax, by - ay);
        let squared = dx * dx + dy * dy;
        let share = if squared > 0.0 { (-(ax * dx + ay * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
        a.towards(b, share)
    }

    /// The spot after a share of the way to another, from 0 to 1.
    pub fn towards(self, other: Self, share: f64) -> Self {
        let mix = |from: i32, to: i32| from + (f64::from(to - from) * share).round() as i32;
        Self { lat: mix(self.lat, other.lat), lon: mix(self.lon, other.lon) }
    }

    const fn is_on_earth(self) -> bool {
        self.lat.unsigned_abs() <= 9_000_000 && self.lon.unsigned_abs() <= 18_000_000
    }
}

/// Points, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<i32>", into = "Vec<i32>")]
pub struct Spots(pub(super) Vec<Spot>);

impl std::ops::Deref for Spots {
    type Target = [Spot];

    fn deref(&self) -> &[Spot] {
        &self.0
    }
}

impl TryFrom<Vec<i32>> for Spots {
    type Error = &'static str;

    fn try_from(steps: Vec<i32>) -> Result<Self, Self::Error> {
        let mut here = Spot::default();
        let spots = steps.chunks(2).map(|step| {
            let [lat, lon] = step else { return None };
            here = Spot { lat: here.lat.checked_add(*lat)?, lon: here.lon.checked_add(*lon)? };
            here.is_on_earth().then_some(here)
        });
        spots.collect::<Option<_>>().map(Self).ok_or("a point is not on earth")
    }
}

impl From<Spots> for Vec<i32> {
    fn from(spots: Spots) -> Self {
        let mut last = Spot::default();
        let step = |spot: Spot| {
            let before = std::mem::replace(&mut last, spot);
            [spot.lat - before.lat, spot.lon - before.lon]
        };
        spots.0.into_iter().flat_map(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_are_written_and_read_back(
            texts in prop::collection::vec("\\PC{0,6}", 0..6),
            lists in prop::collection::vec(prop::collection::vec(0u32..9, 0..4), 0..6),
            spots in prop::collection::vec((-9_000_000i32..=9_000_000, -18_000_000i32..=18_000_000), 0..6),
        ) {
            let mut all = (Texts::default(), Lists::default(), Spots::default());
            texts.iter().for_each(|text| _ = all.0.push(text));
            lists.iter().for_each(|list| all.1.push(list.iter().copied()));
            all.2.0.extend(spots.iter().map(|(lat, lon)| Spot { lat: *lat, lon: *lon }));
            let bytes = postcard::to_allocvec(&all).expect("lengths are known");
            let read: (Texts, Lists, Spots) = postcard::from_bytes(&bytes).expect("our own bytes");
            prop_assert!(read.0.is_sound() && read.1.is_sound(9));
            prop_assert_eq!(read.0.iter().collect::<Vec<_>>(), texts);
            prop_assert_eq!(read, all);
        }

        #[test]
        fn pairs_become_lists_in_their_order(pairs in prop::collection::vec((0u32..5, 0u32..50), 0..30)) {
            let lists = Lists::from_pairs(5, &pairs);
            for list in 0..5 {
                let expected: Vec<u32> = pairs.iter().filter(|pair| pair.0 == list).map(|pair| pair.1).collect();
                prop_assert_eq!(lists.get(list as usize), &expected[..]);
            }
        }
    }
}
