//! Where all couriers are, in squares, so that a box around a street is answered without going through the whole fleet.

use std::collections::HashMap;

use doorstep_shared::LatLon;

use super::area::Area;

/// A square's side: about two kilometres, a few squares for a city's quarter.
const CELL_DEG: f64 = 0.02;

type Cell = (i32, i32);

/// An index of numbered places. A number is in it at most once.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    // A busy square may hold the whole fleet, and each of its couriers moves every second: no lists here.
    cells: HashMap<Cell, HashMap<u32, LatLon>>,
    cell_of: HashMap<u32, Cell>,
}

impl Grid {
    /// Puts `number` at `place`, wherever it was before.
    pub(super) fn put(&mut self, number: u32, place: LatLon) {
        let cell = cell_of(place.lat(), place.lon());
        if let Some(former) = self.cell_of.insert(number, cell).filter(|former| *former != cell) {
            self.remove_from(former, number);
        }
        self.cells.entry(cell).or_default().insert(number, place);
    }

    /// Takes `number` out, if it is in.
    pub(super) fn remove(&mut self, number: u32) {
        if let Some(cell) = self.cell_of.remove(&number) {
            self.remove_from(cell, number);
        }
    }

    fn remove_from(&mut self, cell: Cell, number: u32) {
        let Some(held) = self.cells.get_mut(&cell) else { return };
        held.remove(&number);
        if held.is_empty() {
            self.cells.remove(&cell);
        }
    }

    /// Every number inside `area`, in no particular order.
    pub(super) fn inside(&self, area: &Area) -> Vec<u32> {
        let mut found = Vec::new();
        for (west, east) in area.lon_spans() {
            self.collect(area, west, east, &mut found);
        }
        found
    }

    fn collect(&self, area: &Area, west: f64, east: f64, found: &mut Vec<u32>) {
        let (south, north) = area.lat_span();
        let ((first_row, first_column), (last_row, last_column)) = (cell_of(south, west), cell_of(north, east));
        let (rows, columns) = (first_row..=last_row, first_column..=last_column);
        let mut look = |held: &HashMap<u32, LatLon>| {
            // Both pieces of a box across the antimeridian may touch a square; a place is counted by its own piece.
            let is_in = |place: &LatLon| area.contains(*place) && (west..=east).contains(&place.lon());
            found.extend(held.iter().filter(|(_, place)| is_in(place)).map(|(number, _)| *number));
        };
        let squares = i64::from(last_row - first_row + 1) * i64::from(last_column - first_column + 1);
        // A box of half the world has more squares than anybody has couriers.
        if squares > self.cells.len() as i64 {
            let touched = self.cells.iter().filter(|((row, column), _)| rows.contains(row) && columns.contains(column));
            touched.for_each(|(_, held)| look(held));
        } else {
            let squares = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
            squares.filter_map(|cell| self.cells.get(&cell)).for_each(look);
        }
    }
}

fn cell_of(lat: f64, lon: f64) -> Cell {
    let index = |degrees: f64| (degrees / CELL_DEG).floor() as i32;
    // Latitudes of a box may be beyond the poles, where nobody is.
    (index(lat.clamp(-91.0, 91.0)), index(lon))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> impl Strategy<Value = LatLon> {
        // Half of them in one town, the others anywhere, the edges of the map among them.
        let town = (35.8f64..36.0, 14.4f64..14.6);
        let world = (-90.0f64..=90.0, prop_oneof![-180.0f64..=180.0, Just(180.0), Just(-180.0)]);
        prop_oneof![town, world].prop_map(|(lat, lon)| LatLon::try_new(lat, lon).expect("on earth"))
    }

    fn bbox() -> impl Strategy<Value = [f64; 4]> {
        let small = (14.3f64..14.6, 35.7f64..36.0, 0.0f64..0.2, 0.0f64..0.2);
        let large = (-180.0f64..180.0, -90.0f64..90.0, 0.0f64..400.0, 0.0f64..180.0);
        prop_oneof![small, large].prop_map(|(west, south, width, height)| [west, south, west + width, south + height])
    }

    proptest! {
        #[test]
        fn the_index_finds_what_a_look_at_everybody_finds(
            moves in prop::collection::vec((0u32..40, place()), 0..120), bbox in bbox(),
        ) {
            let mut grid = Grid::default();
            let mut everybody = HashMap::new();
            for (number, place) in moves {
                grid.put(number, place);
                everybody.insert(number, place);
            }
            let Some(area) = Area::from_bbox(bbox).expect("a box") else { return Ok(()) };
            let mut found = grid.inside(&area);
            found.sort_unstable();
            let mut expected: Vec<u32> =
                everybody.iter().filter(|(_, place)| area.contains(**place)).map(|(number, _)| *number).collect();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn nobody_is_left_behind_in_a_square(moves in prop::collection::vec((0u32..5, place()), 1..60)) {
            let mut grid = Grid::default();
            moves.iter().for_each(|(number, place)| grid.put(*number, *place));
            let held: usize = grid.cells.values().map(HashMap::len).sum();
            prop_assert_eq!(held, grid.cell_of.len());
            prop_assert!(grid.cells.values().all(|held| !held.is_empty()));
        }
    }
}
