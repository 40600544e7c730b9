//! How long a boat takes.

// What small ferries make, in metres per second: 15 km/h.
const USUAL_MPS: f64 = 4.2;

/// The crossing in seconds: as mapped, or by its length.
pub(super) fn crossing_s(duration: Option<&str>, length_m: f64) -> u32 {
    let mapped = duration.and_then(seconds).filter(|seconds| *seconds > 0);
    mapped.unwrap_or_else(|| (length_m / USUAL_MPS).ceil() as u32).max(1)
}

/// Seconds of `0:25`, `01:45:00`, `25`, `25 min` or `PT1H45M`; `None` for anything else.
fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    if let Some(iso) = text.strip_prefix("PT") {
        return iso_seconds(iso);
    }
    let parts: Vec<u32> =
        text.trim_end_matches("min").trim().split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = match parts[..] {
        [minutes] => [0, minutes, 0],
        [hours, minutes] => [hours, minutes, 0],
        [hours, minutes, seconds] => [hours, minutes, seconds],
        _ => return None,
    };
    Some(hours.min(999) * 3_600 + minutes.min(9_999) * 60 + seconds.min(59))
}

fn iso_seconds(mut text: &str) -> Option<u32> {
    let mut sum = 0;
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let number: u32 = text[..end].parse().ok()?;
        let (unit, rest) = text[end..].split_at_checked(1)?;
        sum += number.min(9_999)
            * match unit {
                "H" => 3_600,
                "M" => 60,
                "S" => 1,
                _ => return None,
            };
        text = rest;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_the_forms_that_are_mapped() {
        let cases =
            [("00:15", 900), ("1:45", 6_300), ("25", 1_500), ("25 min", 1_500), ("PT1H45M", 6_300), ("0:04:30", 270)];
        for (text, expected) in cases {
            assert_eq!(crossing_s(Some(text), 1e6), expected, "{text}");
        }
        for text in ["soon", "", "0", "PT", "1:2:3:4", "PT9"] {
            assert_eq!(crossing_s(Some(text), 4_200.0), 1_000, "{text}");
        }
    }
}
