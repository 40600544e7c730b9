//! Finds the point that an address in a file means.
//!
//! The search itself is the caller's; this decides which parts of the address to search for.

use doorstep_shared::{LatLon, places::Found};

/// The place of an address, if there is one. The nearer to the point the better.
pub type FindAddress<'a> = dyn Fn(&str, Option<LatLon>) -> Option<Found> + 'a;

/// The place that an address means. The parts between its commas may be a flat or a post code that no map knows, so the
/// street alone, with or without its town, is enough.
pub(super) fn find(address: &str, near: Option<LatLon>, find: &FindAddress) -> Option<Found> {
    let parts: Vec<&str> = address.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let mut candidates = vec![parts.join(" ")];
    if let [first, .., last] = parts.as_slice() {
        candidates.push(format!("{first} {}", parts[1]));
        candidates.push(format!("{first} {last}"));
        candidates.push((*first).to_owned());
    }
    candidates.dedup();
    candidates.iter().find_map(|text| find(text, near))
}
