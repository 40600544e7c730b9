//! Fixes as GeoJSON (RFC 7946): a feature for each segment, with all that the phone measured.
//!
//! A line that crosses the antimeridian is cut there (section 3.1.9), because maps would draw it around the earth.

use doorstep_shared::{
    Fix,
    api::track::{
        CoordNumbers, CoordTimes, TrackFile, TrackFileType, TrackGeometry, TrackProperties, TrackSegment,
        TrackSegmentType,
    },
    geo::coord::round6,
};

use super::{bounds, plain, segments};
use crate::platform::clock::from_ms;

/// A point of a line.
#[derive(Clone, Copy)]
struct Sample<'a> {
    lon: f64,
    lat: f64,
    time_ms: i64,
    /// What was measured; nothing where the line was cut.
    fix: Option<&'a Fix>,
}

pub(super) fn write(fixes: &[Fix]) -> String {
    let file = TrackFile {
        r#type: TrackFileType::FeatureCollection,
        bbox: bounds::around(fixes),
        features: segments(fixes).filter_map(feature).collect(),
    };
    serde_json::to_string(&file).expect("a file is texts, numbers and lists")
}

fn feature(segment: &[Fix]) -> Option<TrackSegment> {
    let lines = cut(segment);
    Some(TrackSegment {
        r#type: TrackSegmentType::Feature,
        bbox: bounds::around(segment)?,
        geometry: geometry(&lines),
        properties: properties(&lines),
    })
}

/// A segment as lines of which none crosses the antimeridian.
fn cut(segment: &[Fix]) -> Vec<Vec<Sample<'_>>> {
    let mut lines: Vec<Vec<Sample>> = vec![Vec::new()];
    for sample in segment.iter().map(Sample::of) {
        let before = lines.last().and_then(|line| line.last()).copied();
        if let Some([end, beginning]) = before.and_then(|before| before.crossing(sample)) {
            add(lines.last_mut().expect("there is a line"), end);
            lines.push(vec![beginning]);
        }
        add(lines.last_mut().expect("there is a line"), sample);
    }
    // A line that only touches the antimeridian is part of the one beside it.
    if lines.len() > 1 {
        lines.retain(|line| line.len() > 1);
    }
    lines
}

/// Adds a point to a line, unless it is at the cut already.
fn add<'a>(line: &mut Vec<Sample<'a>>, sample: Sample<'a>) {
    match line.last_mut() {
        Some(last) if last.is_cut_at(sample) => *last = sample,
        Some(last) if sample.is_cut_at(*last) => {}
        _ => line.push(sample),
    }
}

impl<'a> Sample<'a> {
    fn of(fix: &'a Fix) -> Self {
        let point = fix.point();
        Self { lon: round6(point.lon()), lat: round6(point.lat()), time_ms: fix.recorded_at_ms(), fix: Some(fix) }
    }

    /// Whether this is a cut at the same place as another point.
    fn is_cut_at(self, other: Self) -> bool {
        self.fix.is_none() && (self.lon, self.lat) == (other.lon, other.lat)
    }

    /// Where the way to `next` crosses the antimeridian: the end on this side, and the beginning on the other.
    fn crossing(self, next: Self) -> Option<[Self; 2]> {
        if (next.lon - self.lon).abs() <= 180.0 {
            return None;
        }
        let side = 180.0_f64.copysign(self.lon);
        let width = 360.0 - (next.lon - self.lon).abs();
        // Both may be at the antimeridian itself.
        let share = if width > 0.0 { (side - self.lon).abs() / width } else { 0.0 };
        let lat = round6(self.lat + (next.lat - self.lat) * share);
        let time_ms = self.time_ms + ((next.time_ms - self.time_ms) as f64 * share).round() as i64;
        let at = |lon, fix| Self { lon, lat, time_ms, fix };
        // A fix at the antimeridian itself stands on both sides, with all that is known of it.
        let [end, beginning] = [next.fix.filter(|_| next.lon == -side), self.fix.filter(|_| self.lon == side)];
        Some([at(side, end), at(-side, beginning)])
    }
}

fn geometry(lines: &[Vec<Sample>]) -> TrackGeometry {
    let points = |line: &[Sample]| line.iter().map(|sample| [sample.lon, sample.lat]).collect::<Vec<_>>();
    match lines {
        [line] => match line.as_slice() {
            // RFC 7946: a line has two positions or more.
            [only] => TrackGeometry::Point { coordinates: [only.lon, only.lat] },
            line => TrackGeometry::LineString { coordinates: points(line) },
        },
        lines => TrackGeometry::MultiLineString { coordinates: lines.iter().map(|line| points(line)).collect() },
    }
}

fn properties(lines: &[Vec<Sample>]) -> TrackProperties {
    let times = |line: &Vec<Sample>| line.iter().map(|sample| from_ms(sample.time_ms)).collect::<Vec<_>>();
    TrackProperties {
        coord_times: match lines {
            [line] => CoordTimes::Line(times(line)),
            lines => CoordTimes::Lines(lines.iter().map(times).collect()),
        },
        accuracy_m: numbers(lines, Fix::accuracy_m),
        speed_mps: numbers(lines, Fix::speed_mps),
        heading_deg: numbers(lines, Fix::heading_deg),
        altitude_m: numbers(lines, Fix::altitude_m),
        battery: numbers(lines, Fix::battery),
    }
}

fn numbers(lines: &[Vec<Sample>], of: fn(&Fix) -> Option<f32>) -> Option<CoordNumbers> {
    let number = |sample: &Sample| sample.fix.and_then(of).map(plain);
    if !lines.iter().flatten().any(|sample| number(sample).is_some()) {
        return None;
    }
    let of_line = |line: &Vec<Sample>| line.iter().map(number).collect::<Vec<_>>();
    Some(match lines {
        [line] => CoordNumbers::Line(of_line(line)),
        lines => CoordNumbers::Lines(lines.iter().map(of_line).collect()),
    })
}

#[cfg(test)]
mod tests {
    use doorstep_shared::RawFix;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::http::export::tests::trip;

    fn fix(time_ms: i64, lon: f64, speed_mps: Option<f32>) -> Fix {
        let raw = RawFix { time_ms, lat: -17.0, lon, speed_mps, ..RawFix::default() };
        Fix::try_new(&raw).expect("a fix")
    }

    fn file(fixes: &[Fix]) -> Value {
        serde_json::from_str(&write(fixes)).expect("JSON")
    }

    #[test]
    fn a_gap_starts_a_new_segment() {
        let collection = file(&trip());
        assert_eq!(collection["features"].as_array().map(Vec::len), Some(2));
        assert_eq!(collection["features"][0]["geometry"]["coordinates"][0], json!([14.5, 35.9]));
        assert_eq!(collection["bbox"], json!([14.5, 35.9, 14.5, 35.9]));
        assert_eq!(file(&[]), json!({ "type": "FeatureCollection", "features": [] }));
    }

    #[test]
    fn everything_that_was_measured_is_kept_and_nothing_else_named() {
        let raw = RawFix {
            time_ms: 1_000,
            lat: -17.0,
            lon: 178.5,
            accuracy_m: Some(5.1),
            speed_mps: Some(4.1),
            heading_deg: Some(90.0),
            altitude_m: Some(12.25),
            battery: Some(0.7),
        };
        let all = [Fix::try_new(&raw).expect("a fix"), fix(2_000, 178.6, None)];
        let properties = file(&all)["features"][0]["properties"].clone();
        assert_eq!(
            properties,
            json!({ "coordTimes": ["1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"], "accuracy_m": [5.1, null],
                "speed_mps": [4.1, null], "heading_deg": [90.0, null], "altitude_m": [12.25, null], "battery": [0.7, null] })
        );
        let bare = file(&[fix(0, 178.6, None)])["features"][0].clone();
        assert_eq!(bare["geometry"], json!({ "type": "Point", "coordinates": [178.6, -17.0] }));
        assert_eq!(bare["properties"], json!({ "coordTimes": ["1970-01-01T00:00:00Z"] }));
    }

    #[test]
    fn a_line_is_cut_at_the_antimeridian() {
        let fixes = [fix(0, 179.9, Some(5.0)), fix(4_000, -179.7, Some(6.0)), fix(5_000, -179.6, None)];
        let feature = file(&fixes)["features"][0].clone();
        assert_eq!(feature["bbox"], json!([179.9, -17.0, -179.6, -17.0]));
        assert_eq!(
            feature["geometry"],
            json!({ "type": "MultiLineString", "coordinates": [
                [[179.9, -17.0], [180.0, -17.0]], [[-180.0, -17.0], [-179.7, -17.0], [-179.6, -17.0]]] })
        );
        let (first, second) = ("1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z");
        assert_eq!(feature["properties"]["coordTimes"][0], json!([first, second]));
        assert_eq!(feature["properties"]["speed_mps"], json!([[5.0, null], [null, 6.0, null]]));
    }

    #[test]
    fn a_fix_at_the_antimeridian_stands_on_both_sides() {
        let coordinates = |lons: &[f64]| {
            let fixes: Vec<_> = (0..).zip(lons).map(|(second, lon)| fix(second * 1_000, *lon, Some(1.0))).collect();
            let feature = file(&fixes)["features"][0].clone();
            (feature["geometry"]["coordinates"].clone(), feature["properties"]["speed_mps"].clone())
        };
        let at = |lon: f64| json!([lon, -17.0]);
        let (lines, speeds) = coordinates(&[180.0, -179.9]);
        assert_eq!((lines, speeds), (json!([at(-180.0), at(-179.9)]), json!([1.0, 1.0])));
        let (lines, speeds) = coordinates(&[179.9, -180.0, -179.9]);
        let expected = json!([[at(179.9), at(180.0)], [at(-180.0), at(-179.9)]]);
        assert_eq!((lines, speeds), (expected.clone(), json!([[1.0, 1.0], [1.0, 1.0]])));
        let (lines, speeds) = coordinates(&[179.9, 180.0, -179.9]);
        assert_eq!((lines, speeds), (expected, json!([[1.0, 1.0], [1.0, 1.0]])));
    }

    proptest! {
        #[test]
        fn no_line_crosses_and_no_measurement_is_lost(lons in prop::collection::vec(prop_oneof![-180.0..=-179.0, 179.0..=180.0, Just(180.0), Just(-180.0)], 1..12)) {
            let fixes: Vec<_> = (0..).zip(&lons).map(|(second, lon)| fix(second * 1_000, *lon, Some(second as f32))).collect();
            let lines = cut(&fixes);
            for line in &lines {
                prop_assert!(lines.len() == 1 || line.len() > 1);
                prop_assert!(line.windows(2).all(|pair| (pair[1].lon - pair[0].lon).abs() <= 180.0));
            }
            for fix in &fixes {
                let is_it = |sample: &&Sample| sample.fix.is_some_and(|own| own == fix);
                prop_assert!(lines.iter().flatten().any(|sample| is_it(&sample)));
            }
        }
    }
}
