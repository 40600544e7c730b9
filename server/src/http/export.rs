//! Fixes as files: GeoJSON (RFC 7946), GPX 1.1 and CSV.

use std::fmt::Write;

use actix_web::http::header::HeaderValue;
use chrono::SecondsFormat;
use doorstep_shared::{Fix, geo::coord::round6};
use serde_json::json;

use crate::platform::clock::from_ms;

/// A silence longer than this starts a new segment: what lies between is unknown.
const SEGMENT_GAP_MS: i64 = 120_000;

/// A way to write fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Wire objects, in pages.
    Json,
    /// A feature for each segment.
    GeoJson,
    /// A track with a segment for each gap.
    Gpx,
    /// A line for each fix.
    Csv,
}

impl Format {
    const ALL: [Self; 4] = [Self::Json, Self::GeoJson, Self::Gpx, Self::Csv];

    /// What it is called in `Content-Type`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::GeoJson => "application/geo+json",
            Self::Gpx => "application/gpx+xml",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// How such a file's name ends; `None` for what is no file.
    pub const fn extension(self) -> Option<&'static str> {
        match self {
            Self::Json => None,
            Self::GeoJson => Some("geojson"),
            Self::Gpx => Some("gpx"),
            Self::Csv => Some("csv"),
        }
    }

    /// The first format in an `Accept` header that we can write; JSON without one. `None` when there is none.
    pub fn accepted(accept: Option<&HeaderValue>) -> Option<Self> {
        let Some(accept) = accept else { return Some(Self::Json) };
        let named = |kind: &str| match kind {
            "*/*" | "application/*" => Some(Self::Json),
            "text/*" => Some(Self::Csv),
            exact => Self::ALL.into_iter().find(|format| format.media_type().split(';').next() == Some(exact)),
        };
        let kinds = accept.to_str().ok()?.split(',');
        kinds.filter_map(|kind| kind.split(';').next()).find_map(|kind| named(kind.trim()))
    }
}

/// What a browser should call the file: the courier's name in plain letters, and the day.
pub fn file_name(extension: &str, courier_name: &str, day: &str) -> String {
    let folded = doorstep_shared::text::fold(courier_name);
    let words: Vec<_> = folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { "courier".to_owned() } else { words.join("-") };
    format!("{name}-{day}.{extension}")
}

/// The fixes, oldest first, as a file.
pub fn write(format: Format, courier_name: &str, fixes: &[Fix]) -> String {
    match format {
        Format::Json => json!({ "items": fixes.iter().map(Fix::to_raw).collect::<Vec<_>>() }).to_string(),
        Format::GeoJson => geo_json(fixes),
        Format::Gpx => gpx(courier_name, fixes),
        Format::Csv => csv(fixes),
    }
}

fn segments(fixes: &[Fix]) -> impl Iterator<Item = &[Fix]> {
    fixes.chunk_by(|before, after| after.recorded_at_ms() - before.recorded_at_ms() <= SEGMENT_GAP_MS)
}

fn time(fix: &Fix) -> String {
    from_ms(fix.recorded_at_ms()).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn geo_json(fixes: &[Fix]) -> String {
    let features = segments(fixes).map(|segment| {
        let coordinates: Vec<_> = segment.iter().map(|fix| fix.point().to_lon_lat()).collect();
        // RFC 7946: a line has two positions or more.
        let geometry = match coordinates.as_slice() {
            [only] => json!({ "type": "Point", "coordinates": only }),
            line => json!({ "type": "LineString", "coordinates": line }),
        };
        let times: Vec<_> = segment.iter().map(time).collect();
        json!({ "type": "Feature", "geometry": geometry, "properties": { "coordTimes": times } })
    });
    json!({ "type": "FeatureCollection", "features": features.collect::<Vec<_>>() }).to_string()
}

fn gpx(courier_name: &str, fixes: &[Fix]) -> String {
    let mut file = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"Doorstep\" \
         xmlns=\"http://www.topografix.com/GPX/1/1\" \
         xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v2\">\n",
    );
    let _ = writeln!(file, "<trk><name>{}</name>", escape_xml(courier_name));
    for segment in segments(fixes) {
        file.push_str("<trkseg>\n");
        segment.iter().for_each(|fix| push_track_point(&mut file, fix));
        file.push_str("</trkseg>\n");
    }
    file.push_str("</trk>\n</gpx>\n");
    file
}

/// GPX 1.1 has no speed or course of its own; Garmin's extension does, in m/s and degrees.
fn push_track_point(file: &mut String, fix: &Fix) {
    let point = fix.point();
    // The schema's longitudes end before 180.
    let lon = if round6(point.lon()) >= 180.0 { -180.0 } else { round6(point.lon()) };
    let _ = write!(file, "<trkpt lat=\"{}\" lon=\"{lon}\">", round6(point.lat()));
    if let Some(altitude_m) = fix.altitude_m() {
        let _ = write!(file, "<ele>{altitude_m}</ele>");
    }
    let _ = write!(file, "<time>{}</time>", time(fix));
    if fix.speed_mps().is_some() || fix.heading_deg().is_some() {
        file.push_str("<extensions><gpxtpx:TrackPointExtension>");
        if let Some(speed_mps) = fix.speed_mps() {
            let _ = write!(file, "<gpxtpx:speed>{speed_mps}</gpxtpx:speed>");
        }
        if let Some(heading_deg) = fix.heading_deg() {
            let _ = write!(file, "<gpxtpx:course>{heading_deg}</gpxtpx:course>");
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

fn csv(fixes: &[Fix]) -> String {
    let mut file = String::from("time,lat,lon,accuracy_m,speed_mps,heading_deg,altitude_m,battery\r\n");
    for fix in fixes {
        let cell = |value: Option<f32>| value.map(|number| number.to_string()).unwrap_or_default();
        let _ = write!(
            file,
            "{},{},{},{},{},{},{},{}\r\n",
            time(fix),
            fix.point().lat(),
            fix.point().lon(),
            cell(fix.accuracy_m()),
            cell(fix.speed_mps()),
            cell(fix.heading_deg()),
            cell(fix.altitude_m()),
            cell(fix.battery()),
        );
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::track::tests::{fix, start};

    fn trip() -> Vec<Fix> {
        [0, 1_000, 2_000, 600_000, 601_000].map(|time_ms| fix(time_ms, start())).to_vec()
    }

    #[test]
    fn a_gap_starts_a_new_segment() {
        assert_eq!(gpx("Ana & Co", &trip()).matches("<trkseg>").count(), 2);
        let collection: serde_json::Value = serde_json::from_str(&geo_json(&trip())).expect("JSON");
        assert_eq!(collection["features"].as_array().map(Vec::len), Some(2));
        assert_eq!(collection["features"][0]["geometry"]["coordinates"][0], serde_json::json!([14.5, 35.9]));
    }

    #[test]
    fn names_are_escaped_and_times_are_utc() {
        let file = gpx("<Ana> & \"Co\"", &trip());
        assert!(file.contains("<name>&lt;Ana&gt; &amp; &quot;Co&quot;</name>"));
        assert!(file.contains("<time>1970-01-01T00:00:00.000Z</time>"));
        assert_eq!(csv(&trip()).lines().count(), 6);
    }

    #[test]
    fn a_file_is_named_for_the_courier_and_the_day() {
        assert_eq!(file_name("gpx", "Ġorġ \"X\"/..\\ Ħarrub\n", "2026-11-21"), "gorg-x-harrub-2026-11-21.gpx");
        assert_eq!(file_name("csv", "小王", "2026-11-21"), "courier-2026-11-21.csv");
    }

    /// What GPX 1.1's schema says about these elements: which children each may have, in which sequence.
    #[test]
    fn a_track_follows_the_schema_to_the_letter() {
        let fixes = [Fix::try_new(&doorstep_shared::RawFix {
            time_ms: 1_795_219_200_123,
            lat: 35.9,
            lon: 180.0,
            accuracy_m: Some(5.0),
            speed_mps: Some(4.5),
            heading_deg: Some(90.0),
            altitude_m: Some(-1e-5),
            battery: Some(0.5),
        })
        .expect("a fix")];
        let file = gpx("Ana \u{ffff}\u{1}& Co", &[fixes[0], trip()[0]]);
        let root = "<gpx version=\"1.1\" creator=\"Doorstep\" xmlns=\"http://www.topografix.com/GPX/1/1\" \
             xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v2\">";
        assert!(file.starts_with(&format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}\n<trk><name>Ana &amp; Co</name>\n<trkseg>"
        )));
        let children: &[(&str, &[&str])] = &[
            ("gpx", &["metadata", "wpt", "rte", "trk", "extensions"]),
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
            open.push((name.to_owned(), 0));
        }
        assert!(open.is_empty() && file.contains("lon=\"-180\""), "{file}");
        assert!(file.contains("<ele>-0.00001</ele><time>2026-11-21T00:00:00.123Z</time>"), "{file}");
    }

    #[test]
    fn the_first_known_format_is_taken() {
        let accepted = |text| Format::accepted(Some(&HeaderValue::from_static(text)));
        assert_eq!(Format::accepted(None), Some(Format::Json));
        assert_eq!(accepted("*/*"), Some(Format::Json));
        assert_eq!(accepted("application/gpx+xml"), Some(Format::Gpx));
        assert_eq!(accepted("image/png, text/csv;q=0.5"), Some(Format::Csv));
        assert_eq!(accepted("image/png"), None);
    }
}
