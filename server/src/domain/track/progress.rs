//! How far it is to the door: along a planned route where there is one, else by a rule of thumb.

use doorstep_arrival::way::{StreetKind, Way};
use doorstep_shared::{
    LatLon,
    geo::{distance::haversine_m, polyline},
};

/// Farther than this from the planned line the courier has chosen another way.
pub const OFF_ROUTE_M: f64 = 60.0;

/// Streets are this much longer than the straight line: the usual detour index of towns is 1.3 to 1.4.
const DETOUR_FACTOR: f64 = 1.35;

/// The way from where it was planned to a target.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRoute {
    /// Where it leads.
    pub target: LatLon,
    /// Along the streets.
    pub line: Vec<LatLon>,
    /// The seconds that each segment of the line takes, and its kind of street; empty where nobody timed them.
    pub segments: Vec<(f64, StreetKind)>,
}

impl PlannedRoute {
    /// The route as the estimator of arrivals follows it, at `speed_mps` where its streets were not timed.
    pub fn way(&self, speed_mps: f64) -> Way {
        let segments = match self.segments.is_empty() {
            true => self.line.windows(2).map(|pair| untimed(pair, speed_mps)).collect(),
            false => self.segments.clone(),
        };
        Way::new(self.target, self.line.clone(), segments, speed_mps)
    }
}

fn untimed(pair: &[LatLon], speed_mps: f64) -> (f64, StreetKind) {
    (haversine_m(pair[0], pair[1]) / speed_mps, StreetKind::Unknown)
}

/// How far a courier has come on a route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Metres to the target, along the streets where they are known.
    pub remaining_m: f64,
    /// Whether the courier left the planned line, so that it should be planned anew.
    pub off_route: bool,
}

/// A courier's progress from `here` to `target`, by `route` if it leads to that target.
pub fn progress(here: LatLon, target: LatLon, route: Option<&PlannedRoute>) -> Progress {
    let line = route.filter(|route| route.target == target).map_or(&[][..], |route| &route.line);
    match polyline::nearest(line, here) {
        Some(nearest) if nearest.offset_m <= OFF_ROUTE_M => {
            let to_door_m = line.last().map_or(0.0, |end| haversine_m(*end, target));
            Progress { remaining_m: nearest.remaining_m(line) + to_door_m, off_route: false }
        }
        _ => Progress { remaining_m: estimated_street_m(here, target), off_route: true },
    }
}

/// A guess at the distance along the streets between two points, where no map is at hand.
pub fn estimated_street_m(from: LatLon, to: LatLon) -> f64 {
    haversine_m(from, to) * DETOUR_FACTOR
}

/// The part of the route that is still ahead of `here`, beginning beside it.
pub fn ahead(here: LatLon, route: &PlannedRoute) -> Vec<LatLon> {
    match polyline::nearest(&route.line, here) {
        Some(nearest) => {
            std::iter::once(nearest.point).chain(route.line[nearest.next_index..].iter().copied()).collect()
        }
        None => route.line.clone(),
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::distance::destination;

    use super::*;
    use crate::domain::track::tests::start;

    fn east(metres: f64) -> LatLon {
        destination(start(), 90.0, metres)
    }

    #[test]
    fn on_the_route_the_rest_of_it_remains() {
        let route =
            PlannedRoute { target: east(1_000.0), line: vec![start(), east(500.0), east(1_000.0)], segments: vec![] };
        let on_it = progress(destination(east(400.0), 0.0, 20.0), route.target, Some(&route));
        assert!(!on_it.off_route && (on_it.remaining_m - 600.0).abs() < 2.0, "{on_it:?}");
        assert_eq!(ahead(east(400.0), &route).len(), 3);
    }

    #[test]
    fn off_the_route_or_without_one_the_street_is_guessed() {
        let route = PlannedRoute { target: east(1_000.0), line: vec![start(), east(1_000.0)], segments: vec![] };
        let away = progress(destination(start(), 0.0, 500.0), route.target, Some(&route));
        assert!(away.off_route);
        let elsewhere = progress(start(), east(2_000.0), Some(&route));
        assert!(elsewhere.off_route, "a route to another target says nothing");
        assert!((elsewhere.remaining_m - 2_700.0).abs() < 5.0);
    }
}
