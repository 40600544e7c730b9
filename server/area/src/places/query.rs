//! An address as a person typed it, taken apart.

use super::{
    generic::{self, Class, Role},
    letters::words,
    number::Number,
};

/// Words beyond this many are ignored.
const MOST_TOKENS: usize = 24;

/// Words before which a number is no house number, and which say nothing of the street: "Flat 3", "Block B".
const UNITS: &[&str] = &[
    "flat",
    "flt",
    "apt",
    "apartment",
    "unit",
    "block",
    "blk",
    "shop",
    "suite",
    "ste",
    "floor",
    "fl",
    "level",
    "lvl",
    "lv",
    "door",
    "room",
    "office",
    "penthouse",
    "maisonette",
    "entrance",
    "stairs",
    "bldg",
    "wohnung",
    "whg",
    "etage",
    "stock",
    "stiege",
    "hinterhaus",
    "vorderhaus",
    "appt",
    "appartement",
    "batiment",
    "bat",
    "escalier",
    "etg",
    "piso",
    "puerta",
    "pta",
    "escalera",
    "esc",
    "bajo",
    "andar",
    "apto",
    "scala",
    "interno",
    "piano",
    "lokal",
    "lok",
    "mieszkanie",
    "byt",
    "daire",
    "kat",
    "blok",
    "lagenhet",
    "lgh",
    "dor",
    "lejlighed",
    "kv",
    "кв",
    "квартира",
    "офис",
    "подъезд",
    "этаж",
    "διαμερισμα",
    "οροφοσ",
    "شقة",
    "דירה",
];

/// Words that announce a house number, or say nothing at all.
pub(super) const NOISE: &[&str] = &[
    "no", "nr", "nru", "num", "number", "numero", "haus", "house", "nurmer", "n", "дом", "д", "near", "opposite", "opp",
];

/// A typed word or number.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// Folded, in its usual form.
    pub(super) text: String,
    pub(super) role: Role,
    /// Which piece between commas or lines it stands in.
    pub(super) segment: u8,
    /// The house number that it may be, and as it was typed.
    pub(super) number: Option<(Number, String)>,
    /// "St" within a text may also end a street's name.
    may_be_street: bool,
    /// Part of "Flat 3", or another word that tells nothing.
    is_aside: bool,
}

impl Token {
    /// Its text when it is the last word of a name, or within it.
    pub(super) fn text_at(&self, is_last: bool) -> &str {
        if is_last && self.may_be_street { "street" } else { &self.text }
    }

    pub(super) fn is_core(&self) -> bool {
        self.role == Role::Core
    }

    /// Whether it is a number that no postcode has.
    fn is_house_number(&self) -> bool {
        self.number.as_ref().is_some_and(|(number, _)| number.value < 1_000)
    }
}

/// Tokens as bits.
pub(super) type Mask = u32;

/// A typed search.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) tokens: Vec<Token>,
}

impl Query {
    pub(super) fn read(text: &str) -> Self {
        let mut query = Self::default();
        for (segment, part) in (0u8..32).zip(parts(text)) {
            query.read_segment(segment, without_care_of(part.trim()));
        }
        query.tokens.truncate(MOST_TOKENS);
        query.mark_asides();
        query
    }

    fn read_segment(&mut self, segment: u8, part: &str) {
        let mut piece = 0;
        let mut at = 0;
        let mut before = ' ';
        while let Some(letter) = part[at..].chars().next() {
            if letter.is_ascii_digit()
                && !before.is_alphanumeric()
                && let Some((number, bytes)) = Number::at_start(&part[at..])
            {
                self.read_words(segment, &part[piece..at]);
                self.push_number(segment, number, &part[at..at + bytes]);
                at += bytes;
                (piece, before) = (at, ' ');
                continue;
            }
            before = letter;
            at += letter.len_utf8();
        }
        self.read_words(segment, &part[piece..]);
    }

    fn read_words(&mut self, segment: u8, piece: &str) {
        let found = words(piece);
        let count = found.len();
        for (at, word) in found.into_iter().enumerate() {
            let may_be_street = word == "st";
            let word = generic::usual_word(word, at > 0 && at + 1 == count);
            let (text, role) = (word.text, word.role);
            self.tokens.push(Token { text, role, segment, number: None, may_be_street, is_aside: false });
        }
    }

    fn push_number(&mut self, segment: u8, number: Number, typed: &str) {
        let (text, role) = (words(typed).concat(), Role::Core);
        let number = Some((number, typed.trim().to_owned()));
        self.tokens.push(Token { text, role, segment, number, may_be_street: false, is_aside: false });
    }

    fn mark_asides(&mut self) {
        for at in 0..self.tokens.len() {
            let token = &self.tokens[at];
            if NOISE.contains(&token.text.as_str()) {
                self.tokens[at].is_aside = true;
            } else if token.number.is_none() && UNITS.contains(&token.text.as_str()) {
                self.tokens[at].is_aside = true;
                let segment = self.tokens[at].segment;
                if let Some(next) = self.tokens.get_mut(at + 1).filter(|next| next.segment == segment) {
                    next.is_aside = next.number.is_some() || next.text.chars().count() <= 2;
                }
            }
        }
    }

    /// All tokens that may tell something.
    pub(super) fn telling(&self) -> Mask {
        self.mask(|token| !token.is_aside)
    }

    /// The tokens of each piece between commas.
    pub(super) fn segments(&self) -> Vec<Mask> {
        let count = self.tokens.last().map_or(0, |token| token.segment + 1);
        (0..count).map(|segment| self.mask(|token| token.segment == segment)).collect()
    }

    /// The tokens of a mask, written together.
    pub(super) fn written(&self, mask: Mask) -> String {
        let tokens = (0..).zip(&self.tokens).filter(|(at, _)| mask >> at & 1 == 1);
        tokens.map(|(_, token)| token.text.as_str()).collect()
    }

    pub(super) fn mask(&self, is_in: impl Fn(&Token) -> bool) -> Mask {
        (0..).zip(&self.tokens).filter(|(_, token)| is_in(token)).fold(0, |mask, (at, _)| mask | 1 << at)
    }

    /// Words for kinds of ways right before or behind the tokens of a mask.
    pub(super) fn kinds_beside(&self, mask: Mask) -> Mask {
        let segment = self.tokens.get(mask.trailing_zeros() as usize).map(|token| token.segment);
        let of_segment = |role: fn(Role) -> bool| self.mask(|token| Some(token.segment) == segment && role(token.role));
        // "Misraħ il-Merkanti": an article may stand between.
        let articles = of_segment(|role| role == Role::Small);
        let with_article = mask | articles & mask >> 1;
        let beside = with_article << 1 | with_article >> 1;
        of_segment(|role| matches!(role, Role::Kind(_))) & beside & !mask
    }

    /// The tokens of segments that have the words of a street: a kind of way, or a number beside a word.
    pub(super) fn of_streets(&self) -> Mask {
        let tells = |token: &Token| !token.is_aside;
        let has = |segment: u8, is: fn(&Token) -> bool| {
            self.tokens.iter().any(|token| token.segment == segment && tells(token) && is(token))
        };
        let is_street = |segment: u8| {
            let has_word = has(segment, |token| token.is_core() && token.number.is_none());
            has_word
                && (has(segment, |token| matches!(token.role, Role::Kind(_))) || has(segment, Token::is_house_number))
        };
        self.mask(|token| is_street(token.segment))
    }

    /// The kinds of ways that the tokens of a mask name.
    pub(super) fn class(&self, mask: Mask) -> Class {
        (0..).zip(&self.tokens).filter(|(at, _)| mask >> at & 1 == 1).fold(0, |class, (_, token)| match token.role {
            Role::Kind(own) => class | own,
            _ => class,
        })
    }
}

/// The pieces of an address between commas and lines.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n', '\r', ';', '|', '\t']).filter(|part| part.chars().any(char::is_alphanumeric))
}

fn without_care_of(part: &str) -> &str {
    let is_care_of = part.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("c/o"));
    if is_care_of { part[3..].trim_start() } else { part }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let query = Query::read(text);
        let show = |token: &Token| {
            let number = if token.number.is_some() { "#" } else { "" };
            format!("{}{number}{}{}", token.segment, token.text, if token.is_aside { "-" } else { "" })
        };
        query.tokens.iter().map(show).collect()
    }

    #[test]
    fn an_address_is_taken_apart() {
        assert_eq!(shown("12 Triq il-Merkanti, Valletta"), ["0#12", "0triq", "0il", "0merkanti", "1valletta"]);
        assert_eq!(
            shown("Flat 3, Block B, 12-14 Ahornstr."),
            ["0flat-", "0#3-", "1block-", "1b-", "2#1214", "2ahornstrasse"]
        );
        assert_eq!(shown("12 bis rue X\nVLT 1171"), ["0#12bis", "0rue", "0x", "1vlt", "1#1171"]);
        assert_eq!(shown("c/o Hotel, Haus Nr. 4"), ["0hotel", "1haus-", "1nr-", "1#4"]);
    }
}
