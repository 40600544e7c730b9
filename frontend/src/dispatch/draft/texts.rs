//! What typed texts mean, and what looks mistyped.

/// Words separated by commas.
pub fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Minutes as they are typed, in seconds; four hours at the most.
pub(super) fn seconds(minutes: &str) -> Option<u32> {
    let minutes: f64 = minutes.replace(',', ".").parse().ok()?;
    (0.0..=240.0).contains(&minutes).then(|| (minutes * 60.0).round() as u32)
}

/// Seconds as minutes are typed.
pub(super) fn minutes_text(seconds: u32) -> String {
    format!("{}", (f64::from(seconds) / 0.6).round() / 100.0)
}

/// `A-1042` → `A-1043`; a reference without a number at its end says nothing about the next.
pub(super) fn next_reference(reference: &str) -> String {
    let digits = reference.len() - reference.trim_end_matches(|last: char| last.is_ascii_digit()).len();
    let (stem, number) = reference.split_at(reference.len() - digits);
    match number.parse::<u64>() {
        Ok(number) if digits < 18 => format!("{stem}{:0digits$}", number + 1),
        _ => String::new(),
    }
}
