//! Coordinates as spreadsheets and maps write them.

/// Degrees with a point or a comma, a sign or the letter of a side, with or without "°".
pub(super) fn read(text: &str) -> Option<f64> {
    let text = text.trim().replace('−', "-").to_uppercase();
    let is_side = |sign: char| "NSEW".contains(sign);
    let side = text.chars().find(|sign| is_side(*sign));
    let number = text.trim_matches(|sign: char| is_side(sign) || sign == '°' || sign.is_whitespace());
    let degrees: f64 = number.replace(',', ".").parse().ok()?;
    let sign = if matches!(side, Some('S' | 'W')) { -1.0 } else { 1.0 };
    degrees.is_finite().then_some(sign * degrees)
}

/// Both coordinates in one cell, as maps copy them: `35.8989, 14.5145`.
pub(super) fn read_pair(text: &str) -> Option<(f64, f64)> {
    let spaced: Vec<&str> = text.split(|sign: char| sign.is_whitespace() || sign == ';').collect();
    let spaced: Vec<&str> =
        spaced.into_iter().map(|part| part.trim_matches(',')).filter(|part| !part.is_empty()).collect();
    match spaced[..] {
        [lat, lon] => Some((read(lat)?, read(lon)?)),
        // With one comma alone it is a decimal comma, unless both have their points.
        [both] => both
            .split_once(',')
            .filter(|(lat, lon)| lat.contains('.') && lon.contains('.'))
            .and_then(|(lat, lon)| Some((read(lat)?, read(lon)?))),
        _ => None,
    }
}

/// Whether a spreadsheet took the decimal point for a sign between thousands: 35.8989 became 358989.
pub(super) fn lost_point(text: &str) -> bool {
    let digits = text.trim().trim_start_matches('-');
    digits.len() >= 4 && digits.bytes().all(|sign| sign.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn degrees_are_read_as_people_have_them() {
        for (text, degrees) in [
            ("35.8989", 35.8989),
            ("35,8989", 35.8989),
            (" 35.8989° N ", 35.8989),
            ("S 35,8989", -35.8989),
            ("14.5145W", -14.5145),
            ("−14.5", -14.5),
        ] {
            assert_eq!(read(text), Some(degrees), "{text}");
        }
        for text in ["", "north", "NaN", "inf", "35.8.9", "N", "1.234,5"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(lost_point("358989") && lost_point("-145145") && !lost_point("145") && !lost_point("35.8989"));
    }

    #[test]
    fn two_coordinates_may_stand_in_one_cell() {
        for text in ["35.8989, 14.5145", "35.8989,14.5145", "35,8989 14,5145", "35.8989;14.5145", "35.8989°N 14.5145°E"]
        {
            assert_eq!(read_pair(text), Some((35.8989, 14.5145)), "{text}");
        }
        for text in ["35,8989", "35.8989", "1 2 3", ""] {
            assert_eq!(read_pair(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_written_makes_it_panic(text in "\\PC{0,30}") {
            let _ = (read(&text), read_pair(&text), lost_point(&text));
        }
    }
}
