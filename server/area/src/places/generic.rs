//! Words that say only what kind of thing a name is of: street, ulica, rue, Triq.
//!
//! People write them in their own language, shorten them or leave them out, so they never decide which name is meant.
//! Two that contradict each other do tell two streets apart: "Kings Road" is not "Kings Lane".

use std::{collections::HashMap, sync::LazyLock};

use super::letters;

/// The kinds of ways that a word may mean, as bits; 0 for a word that means no kind.
pub(super) type Class = u16;

const STREET: Class = 1;
const ROAD: Class = 2;
const LANE: Class = 4;
const SQUARE: Class = 8;
const AVENUE: Class = 16;
const QUAY: Class = 32;
const STAIRS: Class = 64;
const DRIVE: Class = 128;
const CLOSE: Class = 256;
const RISE: Class = 512;
const ANY_WAY: Class = STREET | ROAD | LANE | AVENUE;

/// Folded words of the languages of Europe and around it: its usual form, what it means, and its other forms.
const KINDS: &[(&str, Class, &[&str])] = &[
    // English
    ("street", STREET, &["str"]),
    ("road", ROAD, &["rd"]),
    ("lane", LANE, &["ln"]),
    ("alley", LANE, &[]),
    ("square", SQUARE, &["sq"]),
    ("avenue", AVENUE, &["ave", "av", "avenida", "avda", "avinguda", "aven"]),
    ("drive", DRIVE, &["dr"]),
    ("close", CLOSE, &["cl"]),
    ("court", CLOSE, &["ct", "crt"]),
    ("crescent", CLOSE, &["cres", "crescent"]),
    ("terrace", RISE, &["terr", "tce"]),
    ("place", SQUARE, &["pl"]),
    ("boulevard", AVENUE | ROAD, &["blvd", "bd", "bulevar", "bulvar", "bulevard", "bulvari"]),
    ("quay", QUAY, &["quai", "kai", "kaj", "xatt"]),
    ("highway", ROAD, &["hwy"]),
    ("parade", AVENUE, &["pde"]),
    // Maltese
    ("triq", ANY_WAY, &["trq", "tq"]),
    ("sqaq", LANE, &[]),
    ("trejqet", LANE | STREET, &["trejqa"]),
    ("misrah", SQUARE, &[]),
    ("pjazza", SQUARE, &["pjazzetta"]),
    ("vjal", AVENUE | ROAD, &[]),
    ("tarag", STAIRS, &[]),
    // German; compounds keep it at their end
    ("strasse", ANY_WAY, &["strase"]),
    ("weg", ROAD | LANE, &[]),
    ("gasse", LANE | STREET, &[]),
    ("platz", SQUARE, &[]),
    ("allee", AVENUE, &[]),
    ("chaussee", ROAD | AVENUE, &["ch"]),
    // French
    ("rue", ANY_WAY, &[]),
    ("chemin", LANE | ROAD, &["che"]),
    ("route", ROAD, &["rte"]),
    ("impasse", LANE | CLOSE, &["imp"]),
    // Italian
    ("via", ANY_WAY, &[]),
    ("viale", AVENUE | ROAD, &["vle"]),
    ("piazza", SQUARE, &["pza", "piazzale", "largo"]),
    ("corso", AVENUE | STREET, &["cso"]),
    ("vicolo", LANE, &["vic"]),
    ("strada", ANY_WAY, &[]),
    // Spanish, Catalan, Portuguese
    ("calle", ANY_WAY, &["carrer", "cl", "carretera", "ctra"]),
    ("plaza", SQUARE, &["placa", "praca", "pca"]),
    ("paseo", AVENUE, &["passeig", "pso"]),
    ("rua", ANY_WAY, &["r"]),
    ("travessa", LANE, &["tv", "travesia"]),
    ("estrada", ROAD, &[]),
    // Dutch, the Nordic languages
    ("straat", ANY_WAY, &[]),
    ("laan", AVENUE | LANE, &[]),
    ("plein", SQUARE, &[]),
    ("gracht", QUAY, &[]),
    ("gata", ANY_WAY, &["gate", "gatan", "gade", "gt"]),
    ("vag", ROAD, &["vagen", "vej", "vei", "veien", "veg", "vegen"]),
    ("katu", ANY_WAY, &["tie", "tanav"]),
    // Slavic, Baltic, Hungarian, Romanian
    ("ulica", ANY_WAY, &["ul", "ulice", "ulitsa", "улица", "ул", "вулиця", "вул"]),
    ("aleja", AVENUE, &["al", "aleje", "проспект", "пр"]),
    ("plac", SQUARE, &["namesti", "nam", "namestie", "trg", "площадь", "площа"]),
    ("iela", ANY_WAY, &["gatve", "g"]),
    ("utca", ANY_WAY, &["u", "ut"]),
    ("ter", SQUARE, &["tere"]),
    // Greek, Turkish, Arabic, Hebrew
    ("οδοσ", ANY_WAY, &["odos"]),
    ("λεωφοροσ", AVENUE | ROAD, &["leoforos", "λεωφ"]),
    ("πλατεια", SQUARE, &["plateia", "πλ"]),
    ("sokak", ANY_WAY, &["sokagi", "sok", "sk"]),
    ("cadde", ANY_WAY, &["caddesi", "cad", "cd"]),
    ("شارع", ANY_WAY, &["sharia", "طريق"]),
    ("רחוב", ANY_WAY, &["rehov", "שדרות"]),
];

/// Articles and prepositions before what a street is named after.
const SMALL_WORDS: &[&str] = &[
    "the", "of", "il", "l", "ir", "is", "it", "in", "iz", "id", "ix", "ic", "ta", "tal", "tar", "tas", "tat", "tan",
    "taz", "tad", "tax", "tac", "de", "du", "des", "la", "le", "les", "d", "di", "della", "del", "dei", "delle",
    "dell", "degli", "das", "dos", "da", "do", "los", "las", "lo", "el", "al", "ال",
];

/// Ends of compound words that may be shortened, or written apart, with their full form.
const ENDS: &[(&str, &str)] = &[("str", "strasse"), ("strase", "strasse")];

static FORMS: LazyLock<HashMap<String, (String, Class)>> = LazyLock::new(|| {
    // Folded as names are: "laan" is "lan".
    let fold = |word: &str| letters::words(word).concat();
    let forms = KINDS.iter().flat_map(|(usual, class, others)| {
        std::iter::once(*usual).chain(others.iter().copied()).map(move |form| (form, *usual, *class))
    });
    let mut map = HashMap::new();
    // The first language that claims a short form has it.
    forms.for_each(|(form, usual, class)| {
        map.entry(fold(form)).or_insert_with(|| (fold(usual), class));
    });
    map
});

/// What a word of a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It tells names apart.
    Core,
    /// It says what kind of thing it is.
    Kind(Class),
    /// An article.
    Small,
}

/// A word of a name in its usual form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) role: Role,
}

impl Word {
    pub(super) fn is_core(&self) -> bool {
        self.role == Role::Core
    }
}

/// Folded words in their usual forms. "St" is a saint before a name and a street behind it.
pub(super) fn usual(words: Vec<String>) -> Vec<Word> {
    let count = words.len();
    words.into_iter().enumerate().map(|(at, word)| usual_word(word, at + 1 == count)).collect()
}

/// One word, the last of its name or not.
pub(super) fn usual_word(word: String, is_last: bool) -> Word {
    let kind = |usual: &str, class| Word { text: usual.to_owned(), role: Role::Kind(class) };
    match word.as_str() {
        "st" if is_last => return kind("street", STREET),
        "st" => return Word { text: "saint".to_owned(), role: Role::Core },
        small if SMALL_WORDS.contains(&small) => return Word { text: word, role: Role::Small },
        _ => {}
    }
    if let Some((usual, class)) = FORMS.get(word.as_str()) {
        return kind(usual, *class);
    }
    let whole = ENDS.iter().find_map(|(short, full)| {
        let stem = word.strip_suffix(short)?;
        (stem.chars().count() >= 3).then(|| format!("{stem}{full}"))
    });
    Word { text: whole.unwrap_or(word), role: Role::Core }
}

/// Whether two sets of kinds of ways contradict each other.
pub(super) const fn contradict(one: Class, other: Class) -> bool {
    one != 0 && other != 0 && one & other == 0
}

#[cfg(test)]
mod tests {
    use super::{super::letters::words, *};

    fn texts(name: &str) -> Vec<String> {
        usual(words(name)).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn short_forms_are_the_long_ones() {
        assert_eq!(texts("Lange Str."), texts("Lange Street"), "a street is a street");
        assert_eq!(texts("Ahornstr."), texts("Ahornstraße"));
        assert_eq!(texts("ul. Długa"), texts("ulica Dluga"));
        assert_eq!(texts("St. Paul St"), texts("Saint Paul's Street"));
        assert_eq!(texts("Avda. de la Paz"), texts("Avenida de la Paz"));
    }

    #[test]
    fn a_triq_may_be_a_road_and_a_lane_is_no_road() {
        let class = |word: &str| match usual_word(word.to_owned(), false).role {
            Role::Kind(class) => class,
            _ => 0,
        };
        assert!(!contradict(class("triq"), class("road")) && !contradict(class("triq"), class("street")));
        assert!(contradict(class("lane"), class("road")) && !contradict(class("merkanti"), class("road")));
    }
}
