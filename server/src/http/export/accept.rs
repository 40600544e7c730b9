//! Which format a request's `Accept` asks for (RFC 9110, section 12.5.1).

use std::cmp::Reverse;

use actix_web::http::header::{self, HeaderMap};

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

/// A media range: which formats it means, and how much the client wants them.
#[derive(Clone, Debug)]
struct Range {
    /// In lower case.
    kind: String,
    /// Thousandths.
    quality: u16,
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

    /// The format that the client wants most, of several the one that it names first; JSON without an `Accept`. `None` when
    /// it wants none of ours.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let lines: Vec<_> = headers.get_all(header::ACCEPT).map(|line| line.to_str().unwrap_or_default()).collect();
        let ranges: Vec<Range> = lines.join(",").split(',').filter_map(Range::read).collect();
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let wanted = |format: Self| {
            let (place, range) = ranges.iter().enumerate().filter(|(_, range)| range.means(format) > 0).max_by_key(
                |(place, range)| {
                    // The range that says most about a format decides, even to refuse it.
                    (range.means(format), Reverse(*place))
                },
            )?;
            (range.quality > 0).then_some(((range.quality, Reverse(place)), format))
        };
        // Of formats that one range means the first of ours is taken.
        let best = Self::ALL.into_iter().rev().filter_map(wanted).max_by_key(|(rank, _)| *rank);
        best.map(|(_, format)| format)
    }
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().filter(|kind| !kind.is_empty())?.to_ascii_lowercase();
        let quality = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f64>().unwrap_or(1.0))
        });
        Some(Self { kind, quality: (quality.unwrap_or(1.0).clamp(0.0, 1.0) * 1_000.0) as u16 })
    }

    /// How exactly it means a format; 0 when it does not.
    fn means(&self, format: Format) -> u8 {
        let kind = format.media_type().split(';').next().unwrap_or_default();
        let family = kind.split('/').next().unwrap_or_default();
        match self.kind.split_once('/') {
            _ if self.kind == kind => 3,
            Some((own, "*")) if own == family => 2,
            Some(("*", "*")) => 1,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn accepted(lines: &[&'static str]) -> Option<Format> {
        let mut headers = HeaderMap::new();
        lines.iter().for_each(|line| headers.append(header::ACCEPT, HeaderValue::from_static(line)));
        Format::accepted(&headers)
    }

    #[test]
    fn the_format_that_is_wanted_most_is_taken() {
        for (accept, format) in [
            ("*/*", Some(Format::Json)),
            ("application/gpx+xml", Some(Format::Gpx)),
            ("APPLICATION/GPX+XML", Some(Format::Gpx)),
            ("image/png, text/csv;q=0.5", Some(Format::Csv)),
            ("application/json;q=0.2, text/csv;q=0.9", Some(Format::Csv)),
            ("application/json; q=0.5 , application/geo+json ;Q=0.8", Some(Format::GeoJson)),
            ("text/csv, application/gpx+xml", Some(Format::Csv)),
            ("application/gpx+xml, text/csv", Some(Format::Gpx)),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Some(Format::Json)),
            ("*/*;q=0.1, text/*", Some(Format::Csv)),
            ("application/*", Some(Format::Json)),
            ("application/json;q=0, */*", Some(Format::GeoJson)),
            ("application/json;charset=utf-8", Some(Format::Json)),
            ("text/csv;q=much", Some(Format::Csv)),
            ("", Some(Format::Json)),
            ("image/png", None),
            ("text/csv;q=0", None),
            ("*/*;q=0", None),
        ] {
            assert_eq!(accepted(&[accept]), format, "{accept}");
        }
        assert_eq!(accepted(&[]), Some(Format::Json));
        assert_eq!(accepted(&["image/png", "text/csv"]), Some(Format::Csv), "two lines are one list");
    }
}
