//! The way to the next stop without a map: line, courier and stop, to scale on an empty box.
//!
//! It stands in the map's place until the streets come, and for good where the browser cannot draw them.

use super::{
    intent::Screen,
    state::{Shift, StopCard},
};
use crate::map::plane::{LonLat, offset_m};

/// The box in its own units.
pub const SIZE: [i32; 2] = [380, 168];

/// Nothing is drawn nearer than this to the edge: half a pin, and air.
const MARGIN: f64 = 36.0;

/// Less ground than this, in metres, is not magnified to fill the box.
const LEAST_GROUND_M: f64 = 200.0;

/// Stops that get a pin with their number; nobody makes more in one tour, and the list names all.
pub const MAX_PINS: usize = 60;

/// How places become points of the box.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    middle: LonLat,
    units_per_m: f64,
}

impl Frame {
    /// A frame that shows the courier, the stop and the way between them; or the whole tour.
    pub fn of(shift: &Shift, card: &StopCard) -> Self {
        let first = [card.stop.lon, card.stop.lat];
        let (mut low, mut high) = (first, first);
        for point in points(shift).into_iter().chain(tour(shift)) {
            low = [low[0].min(point[0]), low[1].min(point[1])];
            high = [high[0].max(point[0]), high[1].max(point[1])];
        }
        let [width_m, height_m] = offset_m(low, high);
        let room = SIZE.map(|side| f64::from(side) - 2.0 * MARGIN);
        let across = room[0] / width_m.max(LEAST_GROUND_M);
        let along = room[1] / height_m.max(LEAST_GROUND_M * room[1] / room[0]);
        Self { middle: [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0], units_per_m: across.min(along) }
    }

    /// Where a place lies, right and down from the box's corner.
    pub fn place(&self, point: LonLat) -> [i32; 2] {
        let [east, north] = offset_m(self.middle, point);
        let [x, y] = SIZE.map(|side| f64::from(side) / 2.0);
        [(x + east * self.units_per_m) as i32, (y - north * self.units_per_m) as i32]
    }
}

/// The way from the courier on.
pub fn points(shift: &Shift) -> Vec<LonLat> {
    shift.position.map(|here| [here.lon, here.lat]).into_iter().chain(shift.way.iter().copied()).collect()
}

/// The stops, where the whole tour is shown.
pub fn tour(shift: &Shift) -> Vec<LonLat> {
    let places = shift.stops.iter().map(|card| [card.stop.lon, card.stop.lat]);
    if shift.screen == Screen::Plan { places.take(MAX_PINS).collect() } else { Vec::new() }
}

/// The `points` of the line through the whole tour: straight, where no way is known.
pub fn tour_line(shift: &Shift, card: &StopCard) -> String {
    let here = points(shift).first().copied().filter(|_| shift.way.is_empty());
    let stops = tour(shift);
    let begin = here.filter(|_| !stops.is_empty());
    joined(&Frame::of(shift, card), begin.into_iter().chain(stops))
}

/// The `transform` that puts a pin at a place.
pub fn transform(frame: &Frame, point: LonLat) -> String {
    let [x, y] = frame.place(point);
    format!("translate({x} {y})")
}

/// The `points` of the way.
pub fn line(shift: &Shift, card: &StopCard) -> String {
    joined(&Frame::of(shift, card), points(shift).into_iter())
}

fn joined(frame: &Frame, points: impl Iterator<Item = LonLat>) -> String {
    let mut places: Vec<[i32; 2]> = points.map(|point| frame.place(point)).collect();
    places.dedup();
    let texts: Vec<String> = places.into_iter().map(|[x, y]| format!("{x},{y}")).collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::courier::{state::Here, text::tests::online};

    proptest! {
        #[test]
        fn everything_is_in_the_box(lon in 14.0f64..15.0, lat in 35.5f64..36.5) {
            let mut shift = online();
            shift.position = Some(Here { lon, lat, heading_deg: None });
            let card = shift.stops[0].clone();
            let frame = Frame::of(&shift, &card);
            let stop = [card.stop.lon, card.stop.lat];
            for point in points(&shift).into_iter().chain([stop]) {
                let [x, y] = frame.place(point);
                prop_assert!((30..=SIZE[0] - 30).contains(&x) && (30..=SIZE[1] - 30).contains(&y), "{x},{y}");
            }
        }
    }

    #[test]
    fn a_waiting_courier_adds_no_points() {
        let mut shift = online();
        shift.position = None;
        shift.way = vec![[14.5, 35.9]; 50];
        assert_eq!(line(&shift, &shift.stops[0].clone()).matches(',').count(), 1);
    }
}
