//! Gives every house to the street that its tags name, or else to the one beside it.

use super::{finds::Finds, streets::Streets, tags::Address, towns::Towns};
use crate::places::{HouseDraft, Spot};

/// Parts of a list of numbers are no longer than this: "42,44,46A".
const LONGEST_PART: usize = 6;

/// Puts the houses into `streets`, and answers the street of each.
pub(super) fn assign(streets: &mut Streets, finds: &Finds, towns: &Towns) -> Vec<Option<u32>> {
    finds.houses.iter().map(|(address, at)| assign_one(streets, address, *at, towns)).collect()
}

fn assign_one(streets: &mut Streets, address: &Address, at: Spot, towns: &Towns) -> Option<u32> {
    let said = |town: &Option<String>| town.as_ref().and_then(|town| towns.named(town, at));
    let city = said(&address.city);
    let name = address.street.as_ref().or(address.place.as_ref());
    let street = match name {
        Some(name) => streets.named(name, at, city.or_else(|| towns.shown(at))),
        // Villages number their houses through; elsewhere the street goes without saying.
        None => match streets.beside(at) {
            Some(street) => street,
            None => streets.named(address.city.as_ref()?, at, city),
        },
    };
    let own = &mut streets.all[street as usize];
    for town in [city, said(&address.suburb)].into_iter().flatten() {
        *own.said.entry(town).or_default() += 1;
    }
    // A place whose houses are numbered is written where a town stands, too.
    for number in numbers(&address.number).into_iter().chain(address.house_name.clone()) {
        own.houses.push(HouseDraft { number, postcode: address.postcode.clone(), at, is_guessed: name.is_none() });
    }
    Some(street)
}

/// The numbers of a house: several when it has a list of them.
fn numbers(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let parts: Vec<&str> = text.split([',', ';']).map(str::trim).collect();
    let is_list =
        parts.iter().all(|part| part.starts_with(|first: char| first.is_ascii_digit()) && part.len() <= LONGEST_PART);
    if is_list { parts.into_iter().map(str::to_owned).collect() } else { vec![text.to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_several_numbers_and_a_range_is_one() {
        assert_eq!(numbers("42,44, 46A"), ["42", "44", "46A"]);
        assert_eq!(numbers("12;14"), ["12", "14"]);
        assert_eq!(numbers("12-14"), ["12-14"]);
        assert_eq!(numbers("Level 6, Victory House"), ["Level 6, Victory House"]);
        assert!(numbers("").is_empty());
    }
}
