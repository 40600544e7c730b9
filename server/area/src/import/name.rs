//! What an area is called when nobody says it.
//!
//! An island or a town with all its districts is called as its administrative area is, not as its largest town; any
//! other piece of the world as the most important place near its middle.

use super::survey::{PointE7, Settlement, Survey, contains};

// That many streets are enough to say what share of them lies inside a boundary.
const SAMPLE: usize = 500;

// Streets at the edge of an extract lead a little beyond its boundary.
const COVERED: f64 = 0.9;

// Islands own the sea for 12 miles around; a country around one town is something else.
const LARGEST: f64 = 10.0;

/// The area's name as people there write it.
pub(super) fn of(survey: &Survey, bounds: [f64; 4], center: PointE7) -> Option<String> {
    boundary(survey, bounds).or_else(|| settlement(&survey.settlements, bounds, center))
}

/// The smallest administrative area that most of the streets lie in.
fn boundary(survey: &Survey, [west, south, east, north]: [f64; 4]) -> Option<String> {
    let sample: Vec<PointE7> =
        survey.streets.iter().copied().step_by(survey.streets.len().div_ceil(SAMPLE).max(1)).collect();
    let most = LARGEST * (east - west) * (north - south) * 1e14;
    let candidates = survey.boundaries.iter().filter(|boundary| {
        let inside = sample.iter().filter(|point| is_inside(&boundary.rings, **point)).count();
        inside as f64 >= COVERED * sample.len() as f64
    });
    let sized = candidates.map(|boundary| (extent(&boundary.rings), &boundary.name)).filter(|(size, _)| *size <= most);
    sized.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1))).map(|(_, name)| name.clone())
}

/// Even-odd over all rings: holes are outside.
fn is_inside(rings: &[Vec<PointE7>], [lat, lon]: PointE7) -> bool {
    let crosses = |pair: &[PointE7]| {
        let ([from_lat, from_lon], [to_lat, to_lon]) = (pair[0].map(f64::from), pair[1].map(f64::from));
        let at = f64::from(lat);
        (from_lat > at) != (to_lat > at)
            && f64::from(lon) < (to_lon - from_lon) * (at - from_lat) / (to_lat - from_lat) + from_lon
    };
    rings.iter().map(|ring| ring.windows(2).filter(|pair| crosses(pair)).count()).sum::<usize>() % 2 == 1
}

/// The size of the box around, in square 1e-7 degrees.
fn extent(rings: &[Vec<PointE7>]) -> f64 {
    let span = |axis: usize| {
        let values = || rings.iter().flatten().map(|point| f64::from(point[axis]));
        values().fold(f64::MIN, f64::max) - values().fold(f64::MAX, f64::min)
    };
    span(0) * span(1)
}

/// The most important place, of equals the one with the most people, of those the one nearest to the middle.
fn settlement(settlements: &[Settlement], bounds: [f64; 4], center: PointE7) -> Option<String> {
    let [lat, lon] = center.map(|e7| f64::from(e7) / 1e7);
    let narrowing = lat.to_radians().cos();
    let distance = |place: &Settlement| {
        let [place_lat, place_lon] = place.at.map(|e7| f64::from(e7) / 1e7);
        (place_lat - lat).hypot((place_lon - lon) * narrowing)
    };
    let inside = settlements.iter().filter(|place| contains(bounds, place.at));
    let most = inside.max_by(|a, b| {
        let size = (a.rank, a.population).cmp(&(b.rank, b.population));
        size.then(distance(b).total_cmp(&distance(a))).then(b.name.cmp(&a.name))
    });
    most.map(|place| place.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::survey::Boundary;

    fn town(name: &str, rank: u8, population: u64, at: PointE7) -> Settlement {
        Settlement { name: name.into(), rank, population, at }
    }

    fn square(name: &str, from: i32, to: i32) -> Boundary {
        let ring = vec![[from, from], [from, to], [to, to], [to, from], [from, from]];
        Boundary { name: name.into(), rings: vec![ring] }
    }

    fn survey() -> Survey {
        Survey {
            streets: (0..100).map(|step| [step * 10_000, step * 10_000]).collect(),
            settlements: vec![
                town("Capital", 4, 90, [900_000, 900_000]),
                town("Village", 3, 5000, [500_000, 500_000]),
                town("Beyond", 5, 9000, [90_000_000, 90_000_000]),
            ],
            ..Survey::default()
        }
    }

    fn name(survey: &Survey) -> Option<String> {
        of(survey, [0.0, 0.0, 0.1, 0.1], [500_000, 500_000])
    }

    #[test]
    fn an_island_is_not_called_as_its_largest_town() {
        let mut island = survey();
        island.boundaries = vec![
            square("Empire", -900_000_000, 900_000_000),
            square("Island", -100_000, 1_100_000),
            square("County", -500_000, 1_200_000),
            square("Town", 0, 300_000),
        ];
        assert_eq!(name(&island).as_deref(), Some("Island"));
    }

    #[test]
    fn a_piece_of_the_world_is_called_as_its_most_important_place() {
        assert_eq!(name(&survey()).as_deref(), Some("Capital"));
    }

    #[test]
    fn where_nothing_has_a_name_there_is_none() {
        assert_eq!(name(&Survey { settlements: vec![], ..survey() }), None);
    }
}
