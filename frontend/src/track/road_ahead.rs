//! The road ahead: the street route to the door, cut off behind the courier as they go.

use crate::map::plane::{LonLat, between, distance_m, nearest_share};

/// Farther than this from the route, the courier has taken another.
const OFF_ROUTE_M: f64 = 40.0;

/// A route to the door, and how far along it the courier is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoadAhead {
    line: Vec<LonLat>,
    /// Index of the point that ends the segment the courier is on.
    next: usize,
    /// How far beside the route the courier was last seen.
    offset_m: f64,
}

impl RoadAhead {
    /// A route from near the courier to the door; a line of fewer than two points is none.
    pub fn new(line: Vec<LonLat>) -> Option<Self> {
        (line.len() >= 2).then_some(Self { line, next: 1, offset_m: 0.0 })
    }

    /// Follows the courier to `at`, and answers how many metres beside the route that is.
    ///
    /// Only forwards: where a route meets itself, it is the later part that lies ahead.
    pub fn follow(&mut self, at: LonLat) -> f64 {
        let mut best_m = f64::MAX;
        let mut best = self.next;
        for end in self.next..self.line.len() {
            let offset_m = distance_m(self.nearest(end, at), at);
            if offset_m < best_m {
                (best_m, best) = (offset_m, end);
            }
        }
        (self.next, self.offset_m) = (best, best_m);
        best_m
    }

    /// Whether the courier has taken another way.
    pub fn is_left(&self) -> bool {
        self.offset_m > OFF_ROUTE_M
    }

    /// What lies ahead of a courier at `at`, the courier first.
    pub fn ahead(&self, at: LonLat) -> Vec<LonLat> {
        let mut line = vec![at, self.nearest(self.next, at)];
        line.extend(&self.line[self.next..]);
        line
    }

    /// The whole route.
    pub fn line(&self) -> &[LonLat] {
        &self.line
    }

    fn nearest(&self, end: usize, at: LonLat) -> LonLat {
        let (a, b) = (self.line[end - 1], self.line[end]);
        between(a, b, nearest_share(a, b, at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn straight() -> RoadAhead {
        RoadAhead::new(vec![[14.50, 35.9], [14.51, 35.9], [14.52, 35.9]]).expect("three points")
    }

    #[test]
    fn one_point_is_no_route() {
        assert_eq!(RoadAhead::new(vec![[14.5, 35.9]]), None);
    }

    #[test]
    fn the_route_gets_shorter_as_the_courier_goes() {
        let mut route = straight();
        assert!(route.follow([14.505, 35.9]) < 1.0);
        assert_eq!(route.ahead([14.505, 35.9]).len(), 4);
        assert!(route.follow([14.515, 35.9]) < 1.0);
        let ahead = route.ahead([14.515, 35.9]);
        assert_eq!((ahead[0], ahead.last().copied(), ahead.len()), ([14.515, 35.9], Some([14.52, 35.9]), 3));
    }

    #[test]
    fn a_courier_one_street_over_is_off_the_route() {
        for (at, expected) in [([14.505, 35.9004], true), ([14.505, 35.9002], false)] {
            let mut route = straight();
            route.follow(at);
            assert_eq!(route.is_left(), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_behind_never_comes_back(points in prop::collection::vec((14.50f64..14.52, 35.899f64..35.901), 1..20)) {
            let mut route = straight();
            let mut left = route.line().len();
            for (lon, lat) in points {
                route.follow([lon, lat]);
                let ahead = route.ahead([lon, lat]);
                prop_assert!(ahead.len() - 1 <= left);
                prop_assert_eq!(ahead.last(), Some(&[14.52, 35.9]));
                left = ahead.len() - 1;
            }
        }
    }
}
