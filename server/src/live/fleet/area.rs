//! The part of the map that a console shows.

use doorstep_shared::LatLon;

/// Longitudes further out than this are no map's, however often it repeats the world.
const MAX_UNWRAPPED_LON: f64 = 1_080.0;

/// A box on the map. It may cross the antimeridian; it never covers the whole world, because that is no limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

/// Why four numbers are no box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// NaN, infinite, or a longitude that no map shows.
    #[error("bbox is [west, south, east, north] in degrees")]
    OutOfRange,
    /// The box is upside down.
    #[error("the south of bbox is north of its north")]
    UpsideDown,
}

impl Area {
    /// The area of `[west, south, east, north]`; `None` for the whole world.
    ///
    /// Maps repeat the world sideways, so longitudes beyond ±180 are taken for what they show. West beyond east,
    /// both within ±180, is a box across the antimeridian.
    ///
    /// # Errors
    /// [`AreaError`] when the numbers are no box.
    pub fn from_bbox([west, south, east, north]: [f64; 4]) -> Result<Option<Self>, AreaError> {
        let is_lon = |lon: f64| lon.is_finite() && lon.abs() <= MAX_UNWRAPPED_LON;
        if !is_lon(west) || !is_lon(east) || !south.is_finite() || !north.is_finite() {
            return Err(AreaError::OutOfRange);
        }
        if south > north {
            return Err(AreaError::UpsideDown);
        }
        let (west, east) = if east - west >= 360.0 { (-180.0, 180.0) } else { (wrapped(west), wrapped(east)) };
        let is_world = (west, east) == (-180.0, 180.0) && south <= -90.0 && north >= 90.0;
        Ok((!is_world).then_some(Self { west, south, east, north }))
    }

    /// Whether a place is inside; the edges belong to it.
    pub fn contains(&self, place: LatLon) -> bool {
        (self.south..=self.north).contains(&place.lat())
            && self.lon_spans().any(|(from, to)| (from..=to).contains(&place.lon()))
    }

    /// South and north.
    pub fn lat_span(&self) -> (f64, f64) {
        (self.south, self.north)
    }

    /// West and east, in two pieces when the antimeridian is between them.
    pub fn lon_spans(&self) -> impl Iterator<Item = (f64, f64)> + use<> {
        let Self { west, east, .. } = *self;
        let pieces =
            if west <= east { [Some((west, east)), None] } else { [Some((west, 180.0)), Some((-180.0, east))] };
        pieces.into_iter().flatten()
    }
}

fn wrapped(lon: f64) -> f64 {
    if (-180.0..=180.0).contains(&lon) { lon } else { (lon + 180.0).rem_euclid(360.0) - 180.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::try_new(lat, lon).expect("on earth")
    }

    fn area(bbox: [f64; 4]) -> Area {
        Area::from_bbox(bbox).expect("a box").expect("not the world")
    }

    #[test]
    fn a_box_across_the_antimeridian_holds_both_sides_of_it() {
        for bbox in [[170.0, -10.0, -170.0, 10.0], [170.0, -10.0, 190.0, 10.0], [-190.0, -10.0, -170.0, 10.0]] {
            let pacific = area(bbox);
            for inside in [175.0, 180.0, -180.0, -175.0, 170.0, -170.0] {
                assert!(pacific.contains(at(0.0, inside)), "{inside} in {bbox:?}");
            }
            for outside in [0.0, 169.9, -169.9] {
                assert!(!pacific.contains(at(0.0, outside)), "{outside} in {bbox:?}");
            }
        }
    }

    #[test]
    fn the_edges_belong_to_the_box() {
        let malta = area([14.40, 35.80, 14.58, 35.99]);
        assert!(malta.contains(at(35.80, 14.40)) && malta.contains(at(35.99, 14.58)));
        assert!(!malta.contains(at(35.79, 14.5)) && !malta.contains(at(35.9, 14.59)));
    }

    #[test]
    fn the_whole_world_is_no_limit_and_nonsense_is_no_box() {
        assert_eq!(Area::from_bbox([-180.0, -90.0, 180.0, 90.0]), Ok(None));
        assert_eq!(Area::from_bbox([-400.0, -90.0, 400.0, 90.0]), Ok(None));
        assert_eq!(Area::from_bbox([0.0, 10.0, 1.0, 5.0]), Err(AreaError::UpsideDown));
        for bad in [f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Area::from_bbox([bad, 0.0, 1.0, 1.0]), Err(AreaError::OutOfRange));
        }
    }
}
