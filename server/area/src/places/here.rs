//! Which house and street are at a point.

use super::{
    gazetteer::{Doubt, Found, Gazetteer, Kind},
    lists::Spot,
};
use doorstep_shared::LatLon;

/// A street farther away than this is not "here", nor is a house farther than the other. In metres.
const STREET_REACH_M: f64 = 250.0;
const HOUSE_REACH_M: f64 = 20.0;

/// No name is given to a point that is farther than this from all that has one. In metres.
const NAME_REACH_M: f64 = 1_000.0;

impl Gazetteer {
    /// The places at a point: a house when one stands there, then the nearest street. Where there is none, a street or the
    /// middle of a town within a kilometre; nothing beyond.
    pub fn at(&self, point: LatLon) -> Vec<Found> {
        let here = Spot::of(point);
        let mut found: Vec<Found> = self.house_at(here).into_iter().collect();
        found.extend(self.street_at(here, STREET_REACH_M));
        if found.is_empty() {
            found.extend(self.town_at(here).or_else(|| self.street_at(here, NAME_REACH_M)));
        }
        found
    }

    fn house_at(&self, here: Spot) -> Option<Found> {
        let near = self.houses.near(here, HOUSE_REACH_M).map(|house| house as usize);
        let mapped = near.filter(|house| !self.data.house(*house).is_guessed);
        let (distance_m, house) =
            nearest(mapped.map(|house| (here.distance_m(self.data.house_spots[house]), house)), HOUSE_REACH_M)?;
        let street = self.street_of_house(house);
        let number = self.data.numbers.get(self.data.house(house).number);
        Some(Found {
            name: self.address(number, self.street_name(street)),
            town: self.town_of_street(street),
            kind: Kind::House,
            point: self.data.house_spots[house].point(),
            distance_m: Some(distance_m),
            doubt: None,
        })
    }

    fn street_at(&self, here: Spot, reach_m: f64) -> Option<Found> {
        let on_segments = self.segments.near(here, reach_m).map(|first| {
            let spot = self.nearest_on(first as usize, here);
            (here.distance_m(spot), (first as usize, spot))
        });
        let (distance_m, (first, spot)) = nearest(on_segments, reach_m)?;
        let street = self.street_of_spot(first);
        Some(Found { point: spot.point(), distance_m: Some(distance_m), ..self.street(street) })
    }

    fn town_at(&self, here: Spot) -> Option<Found> {
        let near = self.towns.near(here, NAME_REACH_M).map(|town| town as usize).filter(|town| self.is_local(*town));
        let (distance_m, town) =
            nearest(near.map(|town| (here.distance_m(self.data.town_spots[town]), town)), NAME_REACH_M)?;
        Some(Found {
            name: self.town_name(town).to_owned(),
            town: None,
            kind: Kind::Town,
            point: self.data.town_spots[town].point(),
            distance_m: Some(distance_m),
            doubt: Some(Doubt::NoStreet),
        })
    }

    /// The spot nearest to `here` on the segment that begins with the point `first`.
    fn nearest_on(&self, first: usize, here: Spot) -> Spot {
        let line = part_of(first, self.data.line_ends.len(), |line| self.data.line_ends.range(line).end);
        let last = self.data.line_ends.range(line).end - 1;
        let [a, b] = [self.data.line_spots[first], self.data.line_spots[(first + 1).min(last)]];
        here.nearest_between(a, b)
    }

    fn street_of_spot(&self, spot: usize) -> usize {
        let line = part_of(spot, self.data.line_ends.len(), |line| self.data.line_ends.range(line).end);
        part_of(line, self.data.streets(), |street| self.data.street_lines.range(street).end)
    }

    pub(super) fn street_of_house(&self, house: usize) -> usize {
        part_of(house, self.data.streets(), |street| self.data.street_houses.range(street).end)
    }
}

/// The part that holds an item, when part `n` ends before the item `end(n)`.
fn part_of(item: usize, parts: usize, end: impl Fn(usize) -> usize) -> usize {
    let (mut from, mut to) = (0, parts);
    while from < to {
        let middle = usize::midpoint(from, to);
        if end(middle) <= item { from = middle + 1 } else { to = middle }
    }
    from
}

/// The nearest of some things within reach; of two equally near ones the first in the file.
fn nearest<T: Copy>(of: impl Iterator<Item = (f64, T)>, reach_m: f64) -> Option<(f64, T)> {
    of.filter(|(distance_m, _)| *distance_m <= reach_m).min_by(|a, b| a.0.total_cmp(&b.0))
}
