//! The box around fixes, on a round earth.

use doorstep_shared::{Fix, geo::coord::round6};

/// West, south, east and north in degrees, as RFC 7946 has it (section 5.2): the smallest box, whose west is greater than
/// its east when it lies on both sides of the antimeridian. `None` without a fix.
pub(super) fn around(fixes: &[Fix]) -> Option<[f64; 4]> {
    let mut lons: Vec<f64> = fixes.iter().map(|fix| round6(fix.point().lon())).collect();
    let lats = || fixes.iter().map(|fix| round6(fix.point().lat()));
    lons.sort_by(f64::total_cmp);
    let (first, last) = (*lons.first()?, *lons.last()?);
    let (south, north) = (lats().fold(90.0, f64::min), lats().fold(-90.0, f64::max));
    // The widest gap between neighbours is outside. All around the back it is from the last to the first.
    let behind = first + 360.0 - last;
    let widest = lons.windows(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
    match widest.filter(|gap| gap[1] - gap[0] > behind) {
        Some(gap) => Some([gap[1], south, gap[0], north]),
        None => Some([first, south, last, north]),
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::LatLon;

    use crate::domain::track::tests::fix;

    #[test]
    fn the_box_is_the_smallest_one_on_either_side_of_the_antimeridian() {
        let around = |lons: &[f64]| {
            let fixes: Vec<_> =
                lons.iter().map(|lon| fix(0, LatLon::try_new(-17.0, *lon).expect("on earth"))).collect();
            super::around(&fixes).map(|[west, _, east, _]| (west, east))
        };
        assert_eq!(around(&[14.5, 14.4, 14.6]), Some((14.4, 14.6)));
        assert_eq!(around(&[179.9, -179.8, 179.7]), Some((179.7, -179.8)));
        assert_eq!(around(&[-10.0, 120.0]), Some((-10.0, 120.0)));
        assert_eq!(around(&[180.0]), Some((180.0, 180.0)));
        assert_eq!(around(&[]), None);
    }
}
