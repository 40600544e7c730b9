//! Names of settlements, fewer the farther away the view is.

use std::collections::{HashMap, HashSet};

use super::{
    feature::{Drawing, Value},
    schema::word_of,
    world::{MAX_ZOOM, Point, tile_bits},
};

/// Settlements with where they are.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(Drawing, Point)>);

// A screen point is an eighth of a tile's steps; a name takes about 128 points.
const CELL_BITS: u32 = 2;

// Names of one cell that a map may choose from: the first may not find room.
const PER_CELL: usize = 4;

// A settlement is drawn as a point and as an area, and nobody wants to read it twice.
const SAME_BITS: u32 = 17;

impl Places {
    pub(super) fn add(&mut self, drawing: Drawing, at: Point) {
        self.0.push((drawing, at));
    }

    /// Each once, the most important first, and from the zoom on in which it finds room beside more important ones.
    pub(super) fn thinned(mut self) -> Vec<(Drawing, Point)> {
        self.0.sort_by_key(|(drawing, at)| (rank(drawing), *at));
        let mut seen = HashSet::new();
        self.0.retain(|(drawing, at)| {
            let name = word_of(&drawing.attributes, "name").unwrap_or_default().to_owned();
            let near = at.map(|value| value >> SAME_BITS);
            let around = (-1..=1).flat_map(|x| (-1..=1).map(move |y| [near[0] + x, near[1] + y]));
            let is_new = around.into_iter().all(|cell| !seen.contains(&(name.clone(), cell)));
            seen.insert((name, near));
            is_new
        });
        let mut taken = HashMap::<(u8, Point), usize>::new();
        for (drawing, at) in &mut self.0 {
            let cell = |zoom: u8| (zoom, at.map(|value| value >> (tile_bits(zoom) - CELL_BITS)));
            let has_room = |zoom: &u8| taken.get(&cell(*zoom)).copied().unwrap_or(0) < PER_CELL;
            drawing.min_zoom = (drawing.min_zoom..MAX_ZOOM).find(has_room).unwrap_or(MAX_ZOOM);
            for zoom in drawing.min_zoom..MAX_ZOOM {
                *taken.entry(cell(zoom)).or_default() += 1;
            }
        }
        self.0
    }
}

fn rank(drawing: &Drawing) -> i64 {
    let rank = drawing.attributes.iter().find_map(|(key, value)| match value {
        Value::Number(rank) if *key == "rank" => Some(*rank),
        _ => None,
    });
    rank.unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tiles::feature::{Kind, Layer, text};

    fn place(name: &str, rank: i64) -> Drawing {
        let attributes = vec![("name", text(name)), ("rank", Value::Number(rank))];
        Drawing { layer: Layer::Place, kind: Kind::Point, min_zoom: 7, attributes }
    }

    fn thinned(places: &[(&str, i64, Point)]) -> Vec<(String, u8)> {
        let places = Places(places.iter().map(|(name, rank, at)| (place(name, *rank), *at)).collect());
        let named = |(drawing, _): (Drawing, Point)| {
            (word_of(&drawing.attributes, "name").unwrap_or_default().to_owned(), drawing.min_zoom)
        };
        places.thinned().into_iter().map(named).collect()
    }

    #[test]
    fn the_last_of_many_names_in_one_spot_waits_until_there_is_room() {
        let spot = thinned(&[
            ("E", 9, [100_000, 0]),
            ("A", 1, [0, 0]),
            ("B", 5, [50_000, 0]),
            ("C", 6, [9_000, 0]),
            ("D", 7, [5, 5]),
        ]);
        assert!(spot[..PER_CELL].iter().all(|(_, zoom)| *zoom == 7), "{spot:?}");
        assert_eq!(spot[PER_CELL].0, "E");
        assert!(spot[PER_CELL].1 > 10, "{spot:?}");
    }

    #[test]
    fn a_place_that_is_drawn_twice_is_named_once() {
        assert_eq!(thinned(&[("A", 1, [0, 0]), ("A", 3, [90_000, 0]), ("A", 3, [9_000_000, 0])]).len(), 2);
    }
}
