//! Whether a geocoder's place is the door that was typed.
//!
//! A wrong door is worse than none, so a place must share the street or name, and the town or the postcode where these are
//! typed. What stands before the street, as the name of a house or a company does, may be unknown, but only when the town
//! or the postcode agrees. A house number that the geocoder does not know leaves its street.

use doorstep_area::places::{AddressPart, Doubt, Kind, Number, address_words};

use super::Hit;

/// What the typed words are for.
struct Words {
    /// The street's, or the place's name.
    own: Vec<String>,
    /// Towns and postcode.
    towns: Vec<String>,
    /// County, state, country, and names beside its own.
    around: Vec<String>,
}

/// What the place is for the typed address, and what speaks against it.
pub(super) fn judge(hit: &Hit, typed: &[AddressPart]) -> (Kind, Option<Doubt>) {
    if hit.kind == Kind::Town {
        return (Kind::Town, Some(Doubt::NoStreet));
    }
    let words = Words::of(hit);
    let Some(at) = typed.iter().position(|part| words.own.iter().all(|word| part.words.contains(word))) else {
        let is_explained = typed.iter().all(|part| words.explain(part, &words.own));
        return (hit.kind, Some(if is_explained { Doubt::Spelling } else { Doubt::OtherWords }));
    };
    let is_placed = words.is_placed(typed);
    let (before, from) = typed.split_at(at);
    let is_aside = |part: &AddressPart| is_placed && !part.is_street;
    let is_known = before.iter().all(|part| words.explain(part, &[]) || is_alone(part) || is_aside(part))
        && from.iter().all(|part| words.explain(part, &words.own));
    match door(hit, typed, &words) {
        _ if !is_known => (hit.kind, Some(Doubt::OtherWords)),
        Door::Same => (hit.kind, None),
        Door::OfStreet if is_placed => (Kind::Street, None),
        Door::OfStreet | Door::Other => (hit.kind, Some(Doubt::OtherWords)),
        Door::NotTyped => (hit.kind, Some(Doubt::Spelling)),
    }
}

/// How the typed house number fits.
enum Door {
    /// It is the place's, or neither has one.
    Same,
    /// The geocoder knows the street, and not this number.
    OfStreet,
    /// A house was found, and no number was typed.
    NotTyped,
    /// Another house.
    Other,
}

fn door(hit: &Hit, typed: &[AddressPart], words: &Words) -> Door {
    let numbers = typed.iter().flat_map(|part| &part.numbers).filter(|(_, text)| !words.names(text));
    let numbers: Vec<&Number> = numbers.map(|(number, _)| number).collect();
    let mapped = hit.number.as_deref().and_then(Number::read);
    match (mapped, numbers.as_slice()) {
        (None, []) => Door::Same,
        (None, _) if hit.kind == Kind::Street => Door::OfStreet,
        (None, _) => Door::Other,
        (Some(_), []) => Door::NotTyped,
        (Some(mapped), numbers) if numbers.iter().any(|number| is_same(&mapped, number)) => Door::Same,
        // "12A" is beside house 12.
        (Some(mapped), numbers) if numbers.iter().any(|number| number.value == mapped.value) => Door::OfStreet,
        (Some(_), _) => Door::Other,
    }
}

/// Whether a typed number is that of a mapped house: itself, a door of it, or a range that both share.
fn is_same(mapped: &Number, typed: &Number) -> bool {
    let is_door_of = mapped.suffix.is_empty() && typed.suffix.starts_with('/');
    let has_suffix = mapped.suffix == typed.suffix || is_door_of;
    has_suffix && (mapped.value == typed.value || mapped.covers(typed.value))
}

/// Whether a part is a house number and nothing else: "12, Triq il-Merkanti".
fn is_alone(part: &AddressPart) -> bool {
    part.words.is_empty()
}

impl Words {
    fn of(hit: &Hit) -> Self {
        let of = |text: &String| address_words(text);
        let own = match hit.kind {
            Kind::House | Kind::Street => hit.street.iter().flat_map(of).collect(),
            Kind::Town | Kind::PointOfInterest => hit.name.iter().flat_map(of).collect(),
        };
        let towns = hit.towns.iter().chain(&hit.postcode).flat_map(of).collect();
        let around = hit.around.iter().chain(&hit.name).chain(&hit.street).flat_map(of).collect();
        Self { own, towns, around }
    }

    fn names(&self, word: &str) -> bool {
        self.towns.iter().chain(&self.around).any(|known| known == word)
    }

    /// Whether every word of a part is known; of numbers the house decides.
    fn explain(&self, part: &AddressPart, own: &[String]) -> bool {
        part.words.iter().all(|word| own.contains(word) || self.names(word))
    }

    /// Whether a town or the postcode was typed, and is the place's.
    fn is_placed(&self, typed: &[AddressPart]) -> bool {
        let is_town = |word: &String| self.towns.contains(word) && !self.own.contains(word);
        typed.iter().any(|part| part.words.iter().chain(part.numbers.iter().map(|(_, text)| text)).any(is_town))
    }
}

#[cfg(test)]
mod tests {
    use doorstep_area::places::address_parts;

    use super::*;

    fn merchants(kind: Kind, number: Option<&str>) -> Hit {
        Hit {
            kind,
            name: None,
            number: number.map(str::to_owned),
            street: Some("Triq il-Merkanti".to_owned()),
            towns: vec!["Valletta".to_owned()],
            postcode: Some("VLT 1171".to_owned()),
            around: vec!["Malta".to_owned(), "mt".to_owned()],
            lat: 35.8971,
            lon: 14.5131,
        }
    }

    fn of_house(text: &str) -> (Kind, Option<Doubt>) {
        judge(&merchants(Kind::House, Some("12")), &address_parts(text))
    }

    #[test]
    fn flats_and_names_before_the_street_do_not_hide_the_house() {
        for text in [
            "12 Triq il-Merkanti, Valletta",
            "12, Triq il-Merkanti, Valletta, Malta",
            "Flat 3, 12 Triq il-Merkanti, Valletta",
            "Eve Borg, Casa Rosa, Triq il-Merkanti 12, VLT 1171",
            "12/3 Triq il-Merkanti, Valletta",
            "triq merkanti 12 valletta",
        ] {
            assert_eq!(of_house(text), (Kind::House, None), "{text}");
        }
    }

    #[test]
    fn another_town_street_or_number_is_no_door() {
        for text in [
            "12 Triq il-Merkanti, Mosta",
            "Casa Rosa, 12 Triq il-Merkanti",
            "Triq ir-Repubblika, 12 Triq il-Merkanti, Valletta",
            "5 Triq Santa Lucija, 12 Triq il-Merkanti, Valletta",
            "14 Triq il-Merkanti, Valletta",
            "12 Triq il-Merkanti, Casa Rosa, Valletta",
        ] {
            assert_eq!(of_house(text), (Kind::House, Some(Doubt::OtherWords)), "{text}");
        }
        assert_eq!(of_house("Triq il-Merkanti, Valletta"), (Kind::House, Some(Doubt::Spelling)));
        assert_eq!(of_house("Merkanti 12, Valletta").1, Some(Doubt::Spelling));
    }

    #[test]
    fn a_number_that_is_not_mapped_leaves_the_street_of_the_typed_town() {
        for text in ["12A Triq il-Merkanti, Valletta", "12 bis Triq il-Merkanti, Valletta"] {
            assert_eq!(of_house(text), (Kind::Street, None), "{text}");
        }
        let street = |text: &str| judge(&merchants(Kind::Street, None), &address_parts(text));
        assert_eq!(street("99 Triq il-Merkanti, Valletta"), (Kind::Street, None));
        assert_eq!(street("99 Triq il-Merkanti"), (Kind::Street, Some(Doubt::OtherWords)), "of which town?");
        assert_eq!(street("Triq il-Merkanti"), (Kind::Street, None));
        let range = judge(&merchants(Kind::House, Some("12-14")), &address_parts("14 Triq il-Merkanti, Valletta"));
        assert_eq!(range, (Kind::House, None));
    }
}
