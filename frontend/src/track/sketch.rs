//! The map without a map: pickup, door, courier and trail, to scale on an empty sheet.
//!
//! The server draws it into the page, so that there is a picture before any script runs, without scripts, and where the
//! browser has no WebGL2. Coordinates are whole numbers: they are attributes of an SVG, and a phone's build that never
//! prints a fraction is smaller.

use super::page::Page;
use crate::map::plane::{LonLat, offset_m};

/// The sketch's side in its own units.
pub const SIDE: i32 = 360;

/// Nothing is drawn nearer than this to the edge: half a pin, and air.
const MARGIN: f64 = 44.0;

/// Less ground than this, in metres, is not magnified to fill the sheet.
const LEAST_GROUND_M: f64 = 200.0;

/// How places become points of the sketch.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    middle: LonLat,
    units_per_m: f64,
}

impl Scale {
    /// A scale that shows everything the page knows the place of.
    pub fn of(page: &Page) -> Self {
        let order = &page.snapshot().order;
        let first = [order.pickup.lon, order.pickup.lat];
        let mut points = vec![first, [order.dropoff.lon, order.dropoff.lat]];
        points.extend(courier(page));
        points.extend(&page.snapshot().trail);
        let (mut low, mut high) = (first, first);
        for point in points {
            low = [low[0].min(point[0]), low[1].min(point[1])];
            high = [high[0].max(point[0]), high[1].max(point[1])];
        }
        let ground_m = offset_m(low, high);
        let widest_m = ground_m[0].max(ground_m[1]).max(LEAST_GROUND_M);
        Self {
            middle: [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0],
            units_per_m: (f64::from(SIDE) - 2.0 * MARGIN) / widest_m,
        }
    }

    /// Where a point lies on the sketch, right and down from its corner.
    pub fn locate(&self, point: LonLat) -> [i32; 2] {
        let [east, north] = offset_m(self.middle, point);
        let half = f64::from(SIDE) / 2.0;
        [(half + east * self.units_per_m) as i32, (half - north * self.units_per_m) as i32]
    }
}

/// Where the courier is drawn, if anywhere.
pub fn courier(page: &Page) -> Option<LonLat> {
    page.drawn_position().map(|position| [position.lon, position.lat])
}

/// The `transform` that puts a pin at a place.
pub fn transform(page: &Page, point: LonLat) -> String {
    let [x, y] = Scale::of(page).locate(point);
    ["translate(", &x.to_string(), " ", &y.to_string(), ")"].concat()
}

/// The `points` of the trail.
pub fn trail(page: &Page) -> String {
    let scale = Scale::of(page);
    let mut text = String::new();
    let mut last = [i32::MIN; 2];
    for point in page.snapshot().trail.iter().copied().chain(courier(page)) {
        let [x, y] = scale.locate(point);
        if [x, y] != last {
            text = text + &x.to_string() + "," + &y.to_string() + " ";
            last = [x, y];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::track::page::tests::on_the_way;

    #[test]
    fn north_is_up_and_east_is_right() {
        let scale = Scale::of(&on_the_way());
        let [x, y] = scale.locate([14.503, 35.897]);
        assert!(scale.locate([14.504, 35.897])[0] > x);
        assert!(scale.locate([14.503, 35.898])[1] < y);
    }

    #[test]
    fn a_resting_courier_adds_no_points_to_the_drawing() {
        let mut page = on_the_way();
        page.order.snapshot.trail = vec![[14.503, 35.897]; 500];
        assert_eq!(trail(&page).matches(',').count(), 1);
    }

    proptest! {
        #[test]
        fn everything_is_on_the_sheet(lon in 14.0f64..15.0, lat in 35.5f64..36.5) {
            let mut page = on_the_way();
            if let Some(position) = page.order.snapshot.position.as_mut() {
                (position.lon, position.lat) = (lon, lat);
            }
            let scale = Scale::of(&page);
            let order = &page.snapshot().order;
            for point in [[lon, lat], [order.pickup.lon, order.pickup.lat], [order.dropoff.lon, order.dropoff.lat]] {
                let [x, y] = scale.locate(point);
                prop_assert!((40..=SIDE - 40).contains(&x) && (40..=SIDE - 40).contains(&y), "{x},{y}");
            }
        }
    }
}
