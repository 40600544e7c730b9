//! What the tags of an element say of names and addresses.

use std::collections::HashSet;

use crate::{
    import::{region::Region, tags::Tags},
    places::{TownKind, folded_words},
};

/// Countries whose people write the number before the street.
const NUMBER_FIRST: [&str; 34] = [
    "AE", "AU", "BB", "BD", "BS", "BZ", "CA", "EG", "FR", "GB", "GG", "GH", "GI", "GY", "HK", "IE", "IM", "IN", "JE",
    "JM", "KE", "LK", "LU", "MC", "MT", "MY", "NG", "NZ", "PH", "SG", "TT", "UG", "US", "ZA",
];

/// Names longer than this many characters are descriptions.
const LONGEST_NAME: usize = 100;

/// What makes a thing with a name worth finding.
const POINT_KEYS: [&str; 11] = [
    "amenity",
    "shop",
    "tourism",
    "office",
    "leisure",
    "healthcare",
    "historic",
    "craft",
    "building",
    "railway",
    "aeroway",
];

/// Things with a name that are no delivery address.
const POINTLESS: [&str; 16] = [
    "parking",
    "bench",
    "waste_basket",
    "parking_space",
    "recycling",
    "pitch",
    "swimming_pool",
    "information",
    "no",
    "rail",
    "signal",
    "milestone",
    "switch",
    "level_crossing",
    "taxiway",
    "runway",
];

impl Tags<'_> {
    pub(super) fn is_point(&self) -> bool {
        let mut kinds = POINT_KEYS.iter().filter_map(|key| self.get(key)).peekable();
        kinds.peek().is_some() && !kinds.any(|kind| POINTLESS.contains(&kind))
    }

    /// What a place or a boundary is.
    pub(super) fn town_kind(&self) -> Option<TownKind> {
        match self.get("place")? {
            "city" => Some(TownKind::City),
            "town" | "municipality" => Some(TownKind::Town),
            "village" => Some(TownKind::Village),
            "borough" | "suburb" | "quarter" | "neighbourhood" | "city_district" | "district" => Some(TownKind::Suburb),
            "hamlet" | "isolated_dwelling" | "farm" => Some(TownKind::Hamlet),
            "country" | "state" | "region" | "province" | "county" | "island" | "archipelago" => Some(TownKind::Region),
            _ => None,
        }
    }
}

/// How people of a country write addresses.
pub(super) struct Habits {
    pub(super) number_first: bool,
    /// The keys under which a name may stand; the first is on the signs.
    name_keys: Vec<String>,
    /// Whether towns are called in English where that differs from the signs.
    is_english_usual: bool,
    /// The country's code, which stands behind some addresses.
    pub(super) country: Option<String>,
}

impl Habits {
    pub(super) fn of(region: &Region) -> Self {
        let mut name_keys = vec!["name".to_owned()];
        name_keys.extend(region.languages.iter().map(|language| format!("name:{language}")));
        let others =
            ["name:en", "alt_name", "official_name", "loc_name", "short_name", "int_name", "old_name", "name:latin"];
        name_keys.extend(others.map(str::to_owned));
        let number_first = region.country.as_deref().is_some_and(|country| NUMBER_FIRST.contains(&country));
        let is_english_usual = region.languages.iter().any(|language| language == "en");
        Self { number_first, name_keys, is_english_usual, country: region.country.clone() }
    }

    /// Every name once, the sign's first. Several in one tag stand behind semicolons, and some signs have two languages.
    pub(super) fn names(&self, tags: &Tags) -> Vec<String> {
        let values = self.name_keys.iter().filter_map(|key| tags.get(key));
        let all = values.flat_map(|value| value.split([';', '/'])).map(str::trim);
        let mut seen = HashSet::new();
        let shown = all.filter(|name| name.chars().count() <= LONGEST_NAME);
        shown.filter(|name| is_new(name, &mut seen)).map(str::to_owned).collect()
    }

    /// Towns are called in English where that is one of the area's languages, and short enough for a label.
    pub(super) fn town_names(&self, tags: &Tags) -> Vec<String> {
        let mut names = self.names(tags);
        if self.is_english_usual
            && let Some(english) = tags.get("name:en")
        {
            let short = english.replace("Saint ", "St ");
            names.retain(|name| *name != short);
            names.insert(0, short);
        }
        names
    }
}

fn is_new(name: &str, seen: &mut HashSet<Vec<String>>) -> bool {
    let words = folded_words(name);
    words.iter().flat_map(|word| word.chars()).any(char::is_alphabetic) && seen.insert(words)
}

/// An address as the tags of a house have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Address {
    /// "12", "12-14", "Block B".
    pub(super) number: String,
    /// "Casa Rosa", beside a number or without one.
    pub(super) house_name: Option<String>,
    pub(super) street: Option<String>,
    /// What houses without a street are numbered in: a village, an estate.
    pub(super) place: Option<String>,
    pub(super) city: Option<String>,
    pub(super) suburb: Option<String>,
    pub(super) postcode: Option<String>,
}

/// A number longer than this many bytes is a sentence.
const LONGEST_NUMBER: usize = 40;

impl Address {
    /// The address in tags; `None` when they have neither a number nor a house's name.
    pub(super) fn of(tags: &Tags) -> Option<Self> {
        let number = tags.get("addr:housenumber").filter(|number| number.len() <= LONGEST_NUMBER);
        let house_name = tags.get("addr:housename").filter(|name| name.len() <= LONGEST_NUMBER);
        number.or(house_name)?;
        let text = |key: &str| tags.get(key).filter(|text| text.chars().count() <= LONGEST_NAME).map(str::to_owned);
        Some(Self {
            number: number.unwrap_or_default().to_owned(),
            house_name: house_name.map(str::to_owned),
            street: text("addr:street"),
            place: text("addr:place"),
            city: text("addr:city"),
            suburb: text("addr:suburb"),
            postcode: text("addr:postcode").filter(|code| code.len() <= 12),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags<'a>(all: &'a [(&'a str, &'a str)]) -> Tags<'a> {
        Tags::new(all.iter().copied())
    }

    #[test]
    fn an_address_needs_a_number_or_a_name() {
        assert_eq!(Address::of(&tags(&[("addr:street", "X")])), None);
        let named = Address::of(&tags(&[("addr:housename", "Casa Rosa"), ("addr:street", " X ")])).expect("a house");
        assert_eq!((named.number.as_str(), named.street.as_deref()), ("", Some("X")));
    }

    #[test]
    fn parkings_and_benches_are_no_addresses() {
        assert!(tags(&[("shop", "bakery")]).is_point());
        assert!(!tags(&[("amenity", "parking")]).is_point() && !tags(&[("natural", "tree")]).is_point());
    }
}
