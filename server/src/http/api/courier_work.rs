//! Checks how and when a courier works, as a new or changed courier's body says it.

use doorstep_shared::api::plan::{CourierShift, Depot};

use crate::{domain::courier::MAX_CAPACITY, http::body::field_errors::FieldErrors, platform::clock::is_usable};

/// Checks a capacity.
pub(super) fn check_capacity(capacity: Option<u32>, errors: &mut FieldErrors) {
    let fits = capacity.is_none_or(|capacity| (1..=MAX_CAPACITY).contains(&capacity));
    errors.check(fits, "capacity", "must be 1 to 100000");
}

/// Checks a shift: it ends after it begins, and its break lies within.
pub(super) fn check_shift(shift: Option<&CourierShift>, errors: &mut FieldErrors) {
    let Some(CourierShift { from, until, r#break }) = shift else { return };
    for (field, time) in [("shift.from", from), ("shift.until", until)] {
        errors.check(is_usable(*time), field, "must have a year of four digits");
    }
    errors.check(from < until, "shift.until", "must be after the shift's start");
    let Some(pause) = r#break else { return };
    errors.check(pause.from < pause.until, "shift.break.until", "must be after the break's start");
    let is_within = *from <= pause.from && pause.until <= *until;
    errors.check(is_within, "shift.break.from", "the break must lie within the shift");
}

/// Checks a depot.
pub(super) fn check_depot(depot: Option<&Depot>, errors: &mut FieldErrors) {
    let Some(depot) = depot else { return };
    errors.check_text(&depot.address, 300, "depot.address");
    errors.check_point(depot.lat, depot.lon, "depot");
}

/// Skills as they are kept: each once, in small letters, as orders' requirements are compared.
pub(super) fn kept_skills(skills: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for skill in skills.iter().map(|skill| skill.to_lowercase()) {
        if !kept.contains(&skill) {
            kept.push(skill);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use doorstep_shared::api::plan::Span;

    use super::*;
    use crate::platform::clock::from_ms;

    fn refused(shift: CourierShift) -> Vec<String> {
        let mut errors = FieldErrors::default();
        check_shift(Some(&shift), &mut errors);
        errors.into_vec().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_shift_ends_after_it_begins_and_its_break_lies_within() {
        let hour = |hour: i64| from_ms(1_795_219_200_000 + hour * 3_600_000);
        let shift = |from, until, pause: Option<(i64, i64)>| CourierShift {
            from: hour(from),
            until: hour(until),
            r#break: pause.map(|(from, until)| Span { from: hour(from), until: hour(until) }),
        };
        assert!(refused(shift(8, 16, Some((12, 13)))).is_empty());
        assert!(refused(shift(8, 16, Some((8, 16)))).is_empty(), "a break as long as the shift is odd, and allowed");
        assert_eq!(refused(shift(16, 8, None)), ["shift.until"]);
        assert_eq!(refused(shift(8, 8, None)), ["shift.until"]);
        assert_eq!(refused(shift(8, 16, Some((13, 12)))), ["shift.break.until"]);
        assert_eq!(refused(shift(8, 16, Some((7, 9)))), ["shift.break.from"]);
        assert_eq!(refused(shift(8, 16, Some((15, 17)))), ["shift.break.from"]);
    }

    #[test]
    fn skills_are_kept_once_in_small_letters() {
        assert_eq!(kept_skills(&["Van".into(), "cold".into(), "VAN".into()]), ["van", "cold"]);
    }
}
