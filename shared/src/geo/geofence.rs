//! Circles around a door or a pickup.

use super::{coord::LatLon, distance::haversine_m};

/// A circle on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geofence {
    /// Its middle.
    pub centre: LatLon,
    /// Its radius in metres.
    pub radius_m: f64,
}

impl Geofence {
    /// Whether `point` is inside or on the edge.
    pub fn contains(&self, point: LatLon) -> bool {
        haversine_m(self.centre, point) <= self.radius_m
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::distance::destination;

    #[test]
    fn a_fence_holds_what_is_nearer_than_its_radius() {
        let centre = LatLon::try_new(35.9, 14.5).expect("on earth");
        let fence = Geofence { centre, radius_m: 50.0 };
        assert!(fence.contains(destination(centre, 77.0, 49.9)));
        assert!(!fence.contains(destination(centre, 77.0, 50.1)));
    }
}
