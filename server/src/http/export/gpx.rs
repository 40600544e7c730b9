//! Fixes as GPX 1.1.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use doorstep_shared::{Fix, geo::coord::round6};

use super::{bounds, plain, segments, time};

/// The schema's longitudes end before 180.
const EASTERNMOST_DEG: f64 = 179.999_999;

pub(super) fn write(courier_name: &str, fixes: &[Fix], now: DateTime<Utc>) -> String {
    let mut file = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"Doorstep\" \
         xmlns=\"http://www.topografix.com/GPX/1/1\" \
         xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v2\">\n",
    );
    push_metadata(&mut file, fixes, now);
    let _ = writeln!(file, "<trk><name>{}</name>", escape_xml(courier_name));
    for segment in segments(fixes) {
        file.push_str("<trkseg>\n");
        segment.iter().for_each(|fix| push_track_point(&mut file, fix));
        file.push_str("</trkseg>\n");
    }
    file.push_str("</trk>\n</gpx>\n");
    file
}

/// When the file was written, and the box around it. GPX knows no box across the antimeridian, so that one goes around.
fn push_metadata(file: &mut String, fixes: &[Fix], now: DateTime<Utc>) {
    let _ = write!(file, "<metadata><time>{}</time>", now.to_rfc3339_opts(SecondsFormat::Secs, true));
    if let Some([west, south, east, north]) = bounds::around(fixes) {
        let (west, east) = if west > east { (-180.0, 180.0) } else { (west, east) };
        let [west, east] = [west, east].map(|lon| lon.min(EASTERNMOST_DEG));
        let _ = write!(file, "<bounds minlat=\"{south}\" minlon=\"{west}\" maxlat=\"{north}\" maxlon=\"{east}\"/>");
    }
    file.push_str("</metadata>\n");
}

/// GPX 1.1 has no speed or course of its own; Garmin's extension does, in m/s and degrees.
fn push_track_point(file: &mut String, fix: &Fix) {
    let point = fix.point();
    let lon = if round6(point.lon()) >= 180.0 { -180.0 } else { round6(point.lon()) };
    let _ = write!(file, "<trkpt lat=\"{}\" lon=\"{lon}\">", round6(point.lat()));
    if let Some(altitude_m) = fix.altitude_m() {
        let _ = write!(file, "<ele>{}</ele>", plain(altitude_m));
    }
    let _ = write!(file, "<time>{}</time>", time(fix));
    if fix.speed_mps().is_some() || fix.heading_deg().is_some() {
        file.push_str("<extensions><gpxtpx:TrackPointExtension>");
        if let Some(speed_mps) = fix.speed_mps() {
            let _ = write!(file, "<gpxtpx:speed>{}</gpxtpx:speed>", plain(speed_mps));
        }
        if let Some(heading_deg) = fix.heading_deg() {
            let _ = write!(file, "<gpxtpx:course>{}</gpxtpx:course>", plain(heading_deg));
        }
        file.push_str("</gpxtpx:TrackPointExtension></extensions>");
    }
    file.push_str("</trkpt>\n");
}

/// Text as it may stand in an element, without the characters that XML 1.0 cannot hold at all.
fn escape_xml(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !matches!(c, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
        .collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use doorstep_shared::RawFix;

    use super::*;
    use crate::{http::export::tests::trip, platform::clock::from_ms};

    fn gpx(courier_name: &str, fixes: &[Fix]) -> String {
        write(courier_name, fixes, from_ms(1_795_219_200_000))
    }

    #[test]
    fn a_gap_starts_a_new_segment_and_the_file_says_when_and_where() {
        let file = gpx("Ana & Co", &trip());
        assert_eq!(file.matches("<trkseg>").count(), 2);
        let metadata = "<metadata><time>2026-11-21T00:00:00Z</time>\
            <bounds minlat=\"35.9\" minlon=\"14.5\" maxlat=\"35.9\" maxlon=\"14.5\"/></metadata>\n<trk>";
        assert!(file.contains(metadata), "{file}");
        assert!(gpx("Ana", &[]).contains("<metadata><time>2026-11-21T00:00:00Z</time></metadata>\n<trk>"));
    }

    #[test]
    fn names_are_escaped_and_times_are_utc() {
        let file = gpx("<Ana> & \"Co\"", &trip());
        assert!(file.contains("<name>&lt;Ana&gt; &amp; &quot;Co&quot;</name>"));
        assert!(file.contains("<time>1970-01-01T00:00:00.000Z</time>"));
    }

    #[test]
    fn the_box_of_a_track_across_the_antimeridian_is_one_that_gpx_knows() {
        let fix = |lon| Fix::try_new(&RawFix { lat: -17.0, lon, ..RawFix::default() }).expect("a fix");
        let file = gpx("Ana", &[fix(179.9), fix(-179.9)]);
        assert!(file.contains("minlon=\"-180\" maxlat=\"-17\" maxlon=\"179.999999\""), "{file}");
    }

    /// What GPX 1.1's schema says about these elements: which children each may have, in which sequence.
    #[test]
    fn a_track_follows_the_schema_to_the_letter() {
        let fixes = [Fix::try_new(&RawFix {
            time_ms: 1_795_219_200_123,
            lat: 35.9,
            lon: 180.0,
            accuracy_m: Some(5.0),
            speed_mps: Some(4.5),
            heading_deg: Some(90.0),
            altitude_m: Some(-0.001),
            battery: Some(0.5),
        })
        .expect("a fix")];
        let file = gpx("Ana \u{ffff}\u{1}& Co", &[fixes[0], trip()[0]]);
        let root = "<gpx version=\"1.1\" creator=\"Doorstep\" xmlns=\"http://www.topografix.com/GPX/1/1\" \
             xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v2\">";
        assert!(file.starts_with(&format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}\n<metadata>")));
        assert!(file.contains("</metadata>\n<trk><name>Ana &amp; Co</name>\n<trkseg>"));
        let children: &[(&str, &[&str])] = &[
            ("gpx", &["metadata", "wpt", "rte", "trk", "extensions"]),
            ("metadata", &["name", "desc", "author", "copyright", "link", "time", "keywords", "bounds", "extensions"]),
            ("trk", &["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "trkseg"]),
            ("trkseg", &["trkpt", "extensions"]),
            ("trkpt", &["ele", "time", "extensions"]),
            ("extensions", &["gpxtpx:TrackPointExtension"]),
            ("gpxtpx:TrackPointExtension", &["gpxtpx:speed", "gpxtpx:course"]),
        ];
        let mut open: Vec<(String, usize)> = Vec::new();
        for tag in file.split('<').skip(2).filter_map(|piece| piece.split('>').next()) {
            if let Some(closed) = tag.strip_prefix('/') {
                assert_eq!(open.pop().map(|(name, _)| name).as_deref(), Some(closed));
                continue;
            }
            let name = tag.split(' ').next().expect("a name");
            if let Some((parent, at)) = open.last_mut() {
                let known = children.iter().find(|(known, _)| known == parent).map_or(&[][..], |(_, of_it)| of_it);
                let place = known.iter().position(|child| *child == name);
                let place = place.unwrap_or_else(|| panic!("{name} does not belong into {parent}"));
                assert!(place >= *at, "{name} comes too late in {parent}");
                *at = place;
            }
            if !tag.ends_with('/') {
                open.push((name.to_owned(), 0));
            }
        }
        assert!(open.is_empty() && file.contains("lon=\"-180\""), "{file}");
        assert!(file.contains("<ele>-0.001</ele><time>2026-11-21T00:00:00.123Z</time>"), "{file}");
    }
}
