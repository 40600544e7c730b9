//! Whether two texts are the same address, however it was typed.
//!
//! An operator corrects an address once, and then it must be recognised whatever its case, marks, short forms and articles
//! are, and on whichever side of the street the number stands. Unlike the search this knows no map: a town that one text
//! names and the other does not makes two addresses, because they may be two doors.

use super::{
    generic::Role,
    number::Number,
    query::{NOISE, Query},
};

/// What a person wrote between two commas, without what tells no place from another: articles, "no", "Flat 3".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPart {
    /// Its words in their usual forms, as [`address_words`] has them, without numbers.
    pub words: Vec<String>,
    /// Its numbers, each also as a word: "12a", "17033".
    pub numbers: Vec<(Number, String)>,
    /// Whether it says a street: it has a kind of way, or a house number beside a word.
    pub is_street: bool,
}

/// The parts of an address that tell something, in their order.
pub fn address_parts(text: &str) -> Vec<AddressPart> {
    let query = Query::read(text);
    let streets = query.of_streets();
    let telling = query.telling();
    let parts = query.segments().into_iter().map(|segment| {
        let own = segment & telling & query.mask(|token| token.role != Role::Small);
        let tokens: Vec<_> =
            (0..).zip(&query.tokens).filter(|(at, _)| own >> at & 1 == 1).map(|(_, token)| token).collect();
        let last = tokens.len();
        let words = tokens.iter().enumerate().filter(|(_, token)| token.number.is_none());
        let numbers = tokens.iter().filter_map(|token| Some((token.number.as_ref()?.0.clone(), token.text.clone())));
        AddressPart {
            words: words.map(|(at, token)| usual(token.text_at(at > 0 && at + 1 == last)).to_owned()).collect(),
            numbers: numbers.collect(),
            is_street: streets & segment != 0,
        }
    });
    parts.filter(|part| !part.words.is_empty() || !part.numbers.is_empty()).collect()
}

/// The words of an address in their usual forms, without articles, the house number behind the name of its street.
///
/// Two texts with equal words are one address. Empty for a text that names nothing.
pub fn address_words(text: &str) -> Vec<String> {
    let mut tokens = Query::read(text).tokens;
    tokens.retain(|token| token.number.is_some() || token.role != Role::Small && !NOISE.contains(&token.text.as_str()));
    if let [first, second, ..] = &tokens[..]
        && first.number.is_some()
        && second.number.is_none()
    {
        // "12, Triq il-Merkanti" is written with a comma, too, so the street's piece is the second word's.
        let street = second.segment;
        let behind = tokens.iter().rposition(|token| token.segment == street).unwrap_or(0);
        tokens[..=behind].rotate_left(1);
    }
    let last = tokens.len();
    tokens.iter().enumerate().map(|(at, token)| usual(token.text_at(at + 1 == last)).to_owned()).collect()
}

/// One form for words that have one short form: "str." is a street's or a Straße's.
fn usual(word: &str) -> &str {
    if word == "strasse" { "street" } else { word }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn are_one(one: &str, other: &str) -> bool {
        !address_words(one).is_empty() && address_words(one) == address_words(other)
    }

    #[test]
    fn one_address_is_written_in_many_ways() {
        let written = [
            "12 Triq il-Merkanti, Valletta",
            "Triq il-Merkanti 12, Valletta",
            "12, triq merkanti, VALLETTA",
            "Triq il-Merkanti, 12, Valletta",
            "  no. 12 Trq il Merkanti\nvalletta ",
        ];
        for other in written {
            assert!(are_one(written[0], other), "{other}");
        }
        assert!(are_one("Lange Straße 12a, 17033 Neustadt", "lange str 12 A,  17033 neustadt"));
        assert!(are_one("5 Straße des 17. Juni", "Straße des 17. Juni 5"));
        assert!(are_one("ul. Długa 3/4, Łódź", "Ulica Dluga 3/4 Lodz"));
    }

    #[test]
    fn an_address_has_parts_and_what_tells_nothing_is_none() {
        let shown = |text: &str| {
            let parts = address_parts(text).into_iter().map(|part| {
                let numbers: Vec<String> = part.numbers.into_iter().map(|(_, text)| format!("#{text}")).collect();
                format!("{}{}", [part.words, numbers].concat().join(" "), if part.is_street { "!" } else { "" })
            });
            parts.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(shown("Flat 3, 12A Triq il-Merkanti, Valletta"), "triq merkanti #12a!, valletta");
        assert_eq!(shown("Casa Rosa, Ahornstr. 5-7, 17033 Neustadt"), "casa rosa, ahornstrasse #57!, neustadt #17033");
        assert_eq!(shown("Block B, no. 4, St Paul's St"), "#4, saint paul street!");
        assert_eq!(shown(" ,, "), "");
    }

    #[test]
    fn another_number_street_town_or_flat_is_another_address() {
        for (one, other) in [
            ("12 Triq il-Merkanti, Valletta", "12a Triq il-Merkanti, Valletta"),
            ("12 Triq il-Merkanti, Valletta", "12 Triq il-Merkanti"),
            ("12 Triq il-Merkanti, Valletta", "12 Triq il-Merkanti, Sliema"),
            ("12 Kings Road", "12 Kings Lane"),
            ("Straße des 17. Juni 5", "Straße des 5. Juni 17"),
            ("12 Triq Merkanti, Block A", "12 Triq Merkanti, Block B"),
            ("", ""),
            ("il-", "il-"),
        ] {
            assert!(!are_one(one, other), "{one} | {other}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = (address_words(&text), address_parts(&text));
        }

        #[test]
        fn the_number_stands_on_either_side(number in 1u32..9_999, street in "[b-z]{3,8} [b-z]{3,8}", town in "[b-z]{3,8}") {
            let before = format!("{number} {street}, {town}");
            let behind = format!("{}, {town}", format_args!("{} {number}", street.to_uppercase()));
            // Words that mean something here, as "str" or "no", may say that they are no street's name.
            prop_assume!(Query::read(&before).tokens.iter().all(|token| token.is_core()));
            prop_assume!(Query::read(&street).tokens.len() == 2 && !NOISE.contains(&town.as_str()));
            prop_assert_eq!(address_words(&before), address_words(&behind));
        }
    }
}
