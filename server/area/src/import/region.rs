//! What follows from where an area lies: its zone, its country, and the country's habits.

use std::{collections::BTreeMap, sync::LazyLock};

use doorstep_shared::api::area::{DrivingSide, Units};
use tzf_rs::EmbeddedFinder;

use super::{error::ImportError, survey::PointE7};

/// An area's place in the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// West, south, east and north of its streets, in degrees.
    pub bounds: [f64; 4],
    /// The IANA name of its zone.
    pub time_zone: String,
    /// The country's ISO 3166-1 code of two letters; `None` where borders are unknown.
    pub country: Option<String>,
    /// The side of the street that vehicles keep to.
    pub driving_side: DrivingSide,
    /// The units of road signs: `maxspeed=30` is km/h either way, only signs with a unit are not.
    pub units: Units,
    /// What people speak there, the most usual first, by ISO 639-1 codes.
    pub languages: Vec<String>,
}

// Enough for a vote near a border, and few enough that it takes no time.
const VOTES: usize = 200;

// A stray way, by a mapper's slip or at the end of a ferry, has far less than a thousandth of the points.
const STRAY: f64 = 0.001;

// Streets that lie this much beyond all but the stray points still belong to the area.
const REACH: f64 = 0.25;

impl Region {
    /// The region of streets with these points.
    ///
    /// # Errors
    /// [`ImportError::Empty`] when there are none.
    pub(super) fn of(streets: &[PointE7]) -> Result<Self, ImportError> {
        let ([south, north], [west, east]) = (extent(streets, 0)?, extent(streets, 1)?);
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        let time_zone = zone(streets);
        let country = Country::of_zone(&time_zone);
        Ok(Self {
            bounds: [degrees(west), degrees(south), degrees(east), degrees(north)],
            country: country.map(|country| country.code.to_owned()),
            driving_side: country.map_or(DrivingSide::Right, |country| country.driving_side),
            units: country.map_or(Units::Metric, |country| country.units),
            languages: country.map_or_else(Vec::new, |country| country.languages.iter().map(|&it| it.into()).collect()),
            time_zone,
        })
    }
}

/// The least and the greatest of a coordinate, stray points left out.
fn extent(points: &[PointE7], axis: usize) -> Result<[i32; 2], ImportError> {
    let mut values: Vec<i32> = points.iter().map(|point| point[axis]).collect();
    if values.is_empty() {
        return Err(ImportError::Empty);
    }
    values.sort_unstable();
    let stray = (values.len() as f64 * STRAY) as usize;
    let (low, high) = (values[stray], values[values.len() - 1 - stray]);
    let reach = ((f64::from(high) - f64::from(low)) * REACH) as i32;
    let (lowest, highest) = (low.saturating_sub(reach), high.saturating_add(reach));
    let first = values.iter().copied().find(|value| *value >= lowest).unwrap_or(low);
    let last = values.iter().rev().copied().find(|value| *value <= highest).unwrap_or(high);
    Ok([first, last])
}

/// The point of a street that is nearest to the middle of most streets, which itself may lie in the sea.
///
/// # Errors
/// [`ImportError::Empty`] when there are none.
pub(super) fn center(points: &[PointE7]) -> Result<PointE7, ImportError> {
    let median = |axis: usize| {
        let mut values: Vec<i32> = points.iter().map(|point| point[axis]).collect();
        let middle = values.len() / 2;
        *values.select_nth_unstable(middle).1
    };
    if points.is_empty() {
        return Err(ImportError::Empty);
    }
    let (lat, lon) = (median(0), median(1));
    let narrowing = (f64::from(lat) / 1e7).to_radians().cos();
    let distance = |point: &&PointE7| {
        let (north, east) = (f64::from(point[0]) - f64::from(lat), f64::from(point[1]) - f64::from(lon));
        north.hypot(east * narrowing)
    };
    points.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).copied().ok_or(ImportError::Empty)
}

/// The zone that most of the streets lie in.
fn zone(points: &[PointE7]) -> String {
    let finder = EmbeddedFinder::new();
    let mut votes = BTreeMap::<&str, usize>::new();
    for [lat, lon] in points.iter().step_by(points.len().div_ceil(VOTES).max(1)) {
        *votes.entry(finder.get_tz_name(f64::from(*lon) / 1e7, f64::from(*lat) / 1e7)).or_default() += 1;
    }
    let most = votes.into_iter().filter(|(name, _)| !name.is_empty()).max_by_key(|(_, count)| *count);
    most.map_or("Etc/UTC", |(name, _)| name).to_owned()
}

/// A line of the table of countries.
#[derive(Debug)]
struct Country {
    code: &'static str,
    driving_side: DrivingSide,
    units: Units,
    languages: Vec<&'static str>,
    zones: Vec<&'static str>,
}

static COUNTRIES: LazyLock<Vec<Country>> =
    LazyLock::new(|| include_str!("countries.txt").lines().filter_map(Country::read).collect());

impl Country {
    /// `None` for a comment.
    fn read(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ').filter(|_| !line.starts_with('#'));
        Some(Self {
            code: words.next()?,
            driving_side: if words.next()? == "left" { DrivingSide::Left } else { DrivingSide::Right },
            units: if words.next()? == "imperial" { Units::Imperial } else { Units::Metric },
            languages: words.next()?.split(',').collect(),
            zones: words.collect(),
        })
    }

    /// The country whose zone that is; `None` at sea.
    fn of_zone(zone: &str) -> Option<&'static Self> {
        COUNTRIES.iter().find(|country| country.zones.contains(&zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(lat: f64, lon: f64) -> Region {
        let e7 = |degrees: f64| (degrees * 1e7) as i32;
        let points: Vec<PointE7> = (-20..=20).map(|step| [e7(lat) + step * 1000, e7(lon) + step * 900]).collect();
        Region::of(&points).expect("there are points")
    }

    #[test]
    fn zone_country_and_habits_follow_from_where_the_streets_are() {
        let cases = [
            (35.899, 14.514, "Europe/Malta", "MT", DrivingSide::Left, Units::Metric, "mt,en"),
            (54.150, -4.482, "Europe/Isle_of_Man", "IM", DrivingSide::Left, Units::Imperial, "en,gv"),
            (53.557, 13.260, "Europe/Berlin", "DE", DrivingSide::Right, Units::Metric, "de"),
            (47.377, 8.541, "Europe/Zurich", "CH", DrivingSide::Right, Units::Metric, "de,fr,it"),
            (40.713, -74.006, "America/New_York", "US", DrivingSide::Right, Units::Imperial, "en,es"),
            (51.507, -0.128, "Europe/London", "GB", DrivingSide::Left, Units::Imperial, "en"),
            (18.466, -66.106, "America/Puerto_Rico", "PR", DrivingSide::Right, Units::Imperial, "es,en"),
            (35.681, 139.767, "Asia/Tokyo", "JP", DrivingSide::Left, Units::Metric, "ja"),
            (-23.551, -46.633, "America/Sao_Paulo", "BR", DrivingSide::Right, Units::Metric, "pt"),
            (22.572, 88.363, "Asia/Kolkata", "IN", DrivingSide::Left, Units::Metric, "hi,en"),
            (35.167, 33.363, "Asia/Nicosia", "CY", DrivingSide::Left, Units::Metric, "el,tr"),
        ];
        for (lat, lon, zone, country, side, units, languages) in cases {
            let region = around(lat, lon);
            assert_eq!(region.time_zone, zone);
            assert_eq!(region.country.as_deref(), Some(country));
            assert_eq!((region.driving_side, region.units), (side, units), "{zone}");
            assert_eq!(region.languages.join(","), languages, "{zone}");
        }
    }

    #[test]
    fn every_zone_on_land_has_a_country() {
        let finder = EmbeddedFinder::new();
        let unknown: Vec<_> = finder
            .timezonenames()
            .into_iter()
            .filter(|zone| !zone.starts_with("Etc/") && Country::of_zone(zone).is_none())
            .map(str::to_owned)
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn every_country_is_written_as_the_contract_wants_it() {
        assert!(COUNTRIES.len() > 240);
        for country in COUNTRIES.iter() {
            assert!(
                country.code.len() == 2 && country.code.bytes().all(|byte| byte.is_ascii_uppercase()),
                "{country:?}"
            );
            assert!((1..=8).contains(&country.languages.len()), "{country:?}");
            assert!(country.languages.iter().all(|it| it.len() == 2), "{country:?}");
            assert!(!country.zones.is_empty(), "{country:?}");
        }
    }

    #[test]
    fn at_sea_there_is_no_country() {
        let region = around(40.0, -40.0);
        assert_eq!(region.country, None);
        assert!(region.time_zone.starts_with("Etc/"), "{}", region.time_zone);
    }

    #[test]
    fn a_stray_way_does_not_stretch_the_bounds() {
        let mut points: Vec<PointE7> =
            (0..5000).map(|step| [541_500_000 + step * 10, -44_800_000 + step * 12]).collect();
        points.extend([[541_500_000, -200_000_000], [600_000_000, -44_800_000]]);
        let region = Region::of(&points).expect("there are points");
        assert_eq!(region.bounds, [-4.48, 54.15, -4.474_001_2, 54.154_999]);
        assert!(Region::of(&[]).is_err());
    }
}
