//! Finds the door that an address in a file means.
//!
//! The search itself is the caller's; this decides what may be taken without asking. A wrong door is worse than none: what
//! is not certain is refused, and named, so that a person can say that it is the one.

use doorstep_area::places::{Doubt, Found};
use doorstep_shared::{LatLon, geo::distance::haversine_m};

/// The best place for an address, if there is one. The nearer to the point the better.
pub type FindAddress<'a> = dyn Fn(&str, Option<LatLon>) -> Option<Found> + 'a;

/// No courier of a city rides this far between the two ends of an order, in metres.
pub(super) const FARTHEST_DOOR_M: f64 = 100_000.0;

/// The place that an address means, near its pickup.
///
/// # Errors
/// The reason as a sentence, when nothing was found that is certain.
pub(super) fn find(address: &str, near: Option<LatLon>, find: &FindAddress) -> Result<Found, String> {
    let Some(found) = find(address, near) else {
        return Err("no such address was found; correct it, or give lat and lon".to_owned());
    };
    if let Some(metres) = near.map(|near| haversine_m(near, found.point)).filter(|metres| *metres > FARTHEST_DOOR_M) {
        return Err(format!("the nearest such address is {} km from its pickup; give lat and lon", kilometres(metres)));
    }
    match found.doubt {
        None => Ok(found),
        Some(doubt) => Err(format!("{}; correct it, or give lat and lon", unlike(doubt, &full_name(&found)))),
    }
}

/// Why `found` may be another place.
fn unlike(doubt: Doubt, found: &str) -> String {
    match doubt {
        Doubt::NoStreet => format!("only the town was found: {found}"),
        Doubt::OtherWords => format!("this address is not known, only {found}"),
        Doubt::OtherTown => format!("no such street is known in this town, only {found}"),
        Doubt::OtherKind => format!("no such street is known, only {found}"),
        Doubt::Spelling => format!("the nearest name is {found}"),
        Doubt::Several => format!("there are several of this name, one of them {found}: add the town or the postcode"),
    }
}

/// Name and town.
pub(super) fn full_name(found: &Found) -> String {
    let town = found.town.as_deref().map(|town| format!(", {town}")).unwrap_or_default();
    format!("{}{town}", found.name)
}

/// Whole kilometres, with a space at thousands.
pub(super) fn kilometres(metres: f64) -> String {
    let whole = (metres / 1_000.0).round() as u64;
    if whole < 1_000 { whole.to_string() } else { format!("{} {:03}", whole / 1_000, whole % 1_000) }
}

#[cfg(test)]
mod tests {
    use doorstep_area::places::Kind;

    use super::*;

    fn found(doubt: Option<Doubt>) -> Found {
        let point = LatLon::try_new(53.55, 13.26).expect("on earth");
        let (name, town) = ("Ahornweg 5".to_owned(), Some("Neustadt".to_owned()));
        Found { name, town, kind: Kind::House, point, distance_m: None, doubt }
    }

    #[test]
    fn only_what_is_certain_is_a_door() {
        assert_eq!(find("x", None, &|_, _| Some(found(None))), Ok(found(None)));
        for doubt in
            [Doubt::NoStreet, Doubt::OtherWords, Doubt::OtherTown, Doubt::OtherKind, Doubt::Spelling, Doubt::Several]
        {
            let reason = find("x", None, &|_, _| Some(found(Some(doubt)))).expect_err("not certain");
            assert!(reason.contains("Ahornweg 5, Neustadt") && reason.contains("lat and lon"), "{reason}");
        }
        assert!(find("x", None, &|_, _| None).is_err());
    }

    #[test]
    fn a_door_is_not_a_hundred_kilometres_from_its_pickup() {
        let pickup = LatLon::try_new(35.9, 14.5).ok();
        let reason = find("x", pickup, &|_, _| Some(found(None))).expect_err("too far");
        assert!(reason.contains("1 965 km from its pickup"), "{reason}");
        let near = LatLon::try_new(53.0, 13.26).ok();
        assert!(find("x", near, &|_, _| Some(found(None))).is_ok());
    }
}
