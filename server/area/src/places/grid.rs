//! What lies near a point: a grid of squares, each with its items.
//!
//! Filled once, from a list of spots or of short lines. A square is some hundred metres wide, and wider where the area is
//! so large that there would be more than a million squares.

use super::lists::{Lists, Spot};

const MOST_CELLS: f64 = 1_000_000.0;

/// Units of a [`Spot`] for a metre of latitude.
const UNITS_PER_METRE: f64 = 1.0 / 1.111_95;

#[derive(Debug, Default)]
pub(crate) struct Grid {
    corner: Spot,
    cell: [i32; 2],
    columns: usize,
    rows: usize,
    cells: Lists,
}

impl Grid {
    /// Puts items into squares of about `wanted_m` metres; each reaches from one spot to another.
    pub(crate) fn new(wanted_m: f64, items: impl Iterator<Item = (u32, [Spot; 2])> + Clone) -> Self {
        let Some(mut grid) = Self::empty(wanted_m, items.clone().flat_map(|(_, ends)| ends)) else {
            return Self::default();
        };
        let mut pairs = Vec::new();
        for (item, [a, b]) in items {
            let [low, high] = [grid.place(a.min_with(b)), grid.place(a.max_with(b))];
            for row in low[0]..=high[0] {
                pairs.extend((low[1]..=high[1]).map(|column| ((row * grid.columns + column) as u32, item)));
            }
        }
        grid.cells = Lists::from_pairs(grid.columns * grid.rows, &pairs);
        grid
    }

    fn empty(wanted_m: f64, spots: impl Iterator<Item = Spot>) -> Option<Self> {
        let (low, high) = spots.fold(None, |range: Option<(Spot, Spot)>, spot| {
            let (low, high) = range.unwrap_or((spot, spot));
            Some((low.min_with(spot), high.max_with(spot)))
        })?;
        let squeeze = Spot { lat: low.lat.midpoint(high.lat), lon: 0 }.point().lat().to_radians().cos().max(0.05);
        let height = f64::from(high.lat) - f64::from(low.lat) + 1.0;
        let width = f64::from(high.lon) - f64::from(low.lon) + 1.0;
        let least = (height * width * squeeze / MOST_CELLS).sqrt();
        let side = (wanted_m * UNITS_PER_METRE).max(least).ceil();
        let cell = [side as i32, (side / squeeze).ceil() as i32];
        let count = |length: f64, side: i32| (length / f64::from(side)) as usize + 1;
        let (rows, columns) = (count(height, cell[0]), count(width, cell[1]));
        Some(Self { corner: low, cell, columns, rows, cells: Lists::default() })
    }

    /// Row and column of a spot, or of the nearest square.
    fn place(&self, spot: Spot) -> [usize; 2] {
        let at = |value: i32, corner: i32, side: i32, count: usize| {
            let steps = (i64::from(value) - i64::from(corner)).max(0) / i64::from(side);
            (steps as usize).min(count - 1)
        };
        [
            at(spot.lat, self.corner.lat, self.cell[0], self.rows),
            at(spot.lon, self.corner.lon, self.cell[1], self.columns),
        ]
    }

    /// The items of all squares that come within `reach_m` of a spot; some of them lie farther, some come twice.
    pub(crate) fn near(&self, spot: Spot, reach_m: f64) -> impl Iterator<Item = u32> + '_ {
        let (rows, columns) = self.window(spot, reach_m);
        rows.flat_map(move |row| columns.clone().map(move |column| row * self.columns + column))
            .flat_map(|cell| self.cells.get(cell).iter().copied())
    }

    fn window(&self, spot: Spot, reach_m: f64) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        if self.rows == 0 {
            return (0..0, 0..0);
        }
        let squeeze = spot.point().lat().to_radians().cos().max(0.01);
        let reach = [reach_m * UNITS_PER_METRE, reach_m * UNITS_PER_METRE / squeeze].map(|units| units.ceil() as i32);
        let low = Spot { lat: spot.lat.saturating_sub(reach[0]), lon: spot.lon.saturating_sub(reach[1]) };
        let high = Spot { lat: spot.lat.saturating_add(reach[0]), lon: spot.lon.saturating_add(reach[1]) };
        let end = |corner: i32, side: i32, count: usize| i64::from(corner) + i64::from(side) * count as i64;
        let misses = high.lat < self.corner.lat
            || high.lon < self.corner.lon
            || i64::from(low.lat) > end(self.corner.lat, self.cell[0], self.rows)
            || i64::from(low.lon) > end(self.corner.lon, self.cell[1], self.columns);
        if misses {
            return (0..0, 0..0);
        }
        let ([bottom, left], [top, right]) = (self.place(low), self.place(high));
        (bottom..top + 1, left..right + 1)
    }
}

impl Spot {
    fn min_with(self, other: Self) -> Self {
        Self { lat: self.lat.min(other.lat), lon: self.lon.min(other.lon) }
    }

    fn max_with(self, other: Self) -> Self {
        Self { lat: self.lat.max(other.lat), lon: self.lon.max(other.lon) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everything_within_reach_is_found(
            spots in prop::collection::vec((5_400_000i32..5_410_000, 1_000_000i32..1_010_000), 1..40),
            at in (5_390_000i32..5_420_000, 990_000i32..1_020_000),
            reach_m in 1.0..3_000.0,
        ) {
            let spots: Vec<Spot> = spots.into_iter().map(|(lat, lon)| Spot { lat, lon }).collect();
            let grid = Grid::new(200.0, (0u32..).zip(spots.iter().map(|spot| [*spot; 2])));
            let at = Spot { lat: at.0, lon: at.1 };
            let found: Vec<u32> = grid.near(at, reach_m).collect();
            for (number, spot) in (0u32..).zip(&spots) {
                prop_assert!(at.distance_m(*spot) > reach_m || found.contains(&number));
            }
        }
    }

    #[test]
    fn nothing_is_found_where_there_is_nothing() {
        assert_eq!(Grid::default().near(Spot::default(), 1_000.0).count(), 0);
    }
}
