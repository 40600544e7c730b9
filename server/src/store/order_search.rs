//! What people type to find an order, as conditions on its columns.
//!
//! Each typed word must occur somewhere in the order, also inside a word. That is `like '%…%'` on a folded column under
//! a trigram index: the full text search of Postgres finds beginnings of words only, and people type "1042" for
//! "A-1042". Phone numbers are searched by their digits alone, so that it does not matter how they are written.

use sqlx::{Postgres, QueryBuilder};

/// More words than this do not narrow anything down any more.
const MAX_WORDS: usize = 6;

/// Fewer digits than this are no phone number: "12-14" is a house.
const MIN_NUMBER_DIGITS: usize = 4;

/// A number's last digits, which are the same with and without a country's code or a leading zero.
const LAST_DIGITS: usize = 8;

/// What was typed; the default matches every order.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    words: Vec<Word>,
    /// The digits of the whole text when it can be a phone number in several pieces.
    number: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Word {
    pattern: String,
    number: Option<String>,
    /// It may be a piece of an e-mail address. Others are not looked for there: it would be a second index for each word.
    may_be_email: bool,
}

impl Search {
    pub(super) fn of(text: &str) -> Self {
        let words = text.split_whitespace().take(MAX_WORDS).map(|word| Word {
            pattern: format!("%{}%", escape_like(word)),
            number: number_in(word),
            may_be_email: word.contains(['@', '.']),
        });
        Self { words: words.collect(), number: number_in(text) }
    }

    pub(super) fn push_onto(&self, query: &mut QueryBuilder<Postgres>) {
        if self.words.is_empty() {
            return;
        }
        query.push(" and (");
        if let Some(number) = &self.number {
            query.push("search_text like ").push_bind(number.clone()).push(" or ");
        }
        query.push("(");
        for (index, word) in self.words.iter().enumerate() {
            query.push(if index == 0 { "(" } else { " and (" });
            word.push_onto(query);
            query.push(")");
        }
        query.push("))");
    }
}

impl Word {
    fn push_onto(&self, query: &mut QueryBuilder<Postgres>) {
        query.push("search_text like search_fold(").push_bind(self.pattern.clone()).push(")");
        if let Some(number) = &self.number {
            query.push(" or search_text like ").push_bind(number.clone());
        }
        if self.may_be_email {
            query.push(" or search_fold(customer_email) like search_fold(").push_bind(self.pattern.clone()).push(")");
        }
    }
}

/// The pattern of a phone number, when `text` can be one: digits with signs between them. The database keeps a number's
/// digits alone.
fn number_in(text: &str) -> Option<String> {
    let is_sign = |sign: char| sign.is_whitespace() || matches!(sign, '+' | '-' | '(' | ')' | '/' | '.');
    if !text.chars().all(|sign| sign.is_ascii_digit() || is_sign(sign)) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let last = &digits[digits.len().saturating_sub(LAST_DIGITS)..];
    (last.len() >= MIN_NUMBER_DIGITS).then(|| format!("%{last}%"))
}

/// A typed word without anything that has a meaning to `like`.
fn escape_like(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len());
    for character in word.chars().filter(|character| *character != '\0') {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_text_has_no_meaning_to_like() {
        let patterns = |text: &str| Search::of(text).words.into_iter().map(|word| word.pattern).collect::<Vec<_>>();
        assert_eq!(patterns("  50% a_b \\ \u{0}x "), ["%50\\%%", "%a\\_b%", "%\\\\%", "%x%"]);
        assert_eq!(patterns(&"word ".repeat(100)).len(), MAX_WORDS);
    }

    #[test]
    fn a_phone_number_is_its_last_digits_however_it_is_typed() {
        for typed in ["+356 2100-0001", "00356 21000001", "(0)2100 0001", "21000001", "+356/21.00.00.01"] {
            assert_eq!(Search::of(typed).number.as_deref(), Some("%21000001%"), "{typed}");
        }
        assert_eq!(Search::of("0001 ").number, None, "its zeros may be a country's prefix, and one digit is no number");
        assert_eq!(Search::of("1042").number.as_deref(), Some("%1042%"));
        assert_eq!((Search::of("A-1042").number, Search::of("12-1").number), (None, None));
        let mixed = Search::of("eve 2100-0001");
        assert_eq!((mixed.number, mixed.words[1].number.as_deref()), (None, Some("%21000001%")));
    }
}
