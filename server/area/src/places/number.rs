//! House numbers as they are written: 12, 12A, 12 bis, 12/3, 12-14, 12;14, 12 1/2.

/// A house number, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// The number itself, at most five digits.
    pub value: u32,
    /// What stands behind it, folded: "a", "bis", "/3".
    pub suffix: String,
    /// The last of a range.
    pub to: Option<u32>,
}

/// Five digits are usual in North America; six are a postcode.
const MOST_DIGITS: usize = 5;

const REPEATED: [&str; 4] = ["bis", "ter", "quater", "quinquies"];

impl Number {
    /// Reads the number at the beginning of `text`, and how many bytes of it belong to the number. `None` when none stands
    /// there: "VLT", "5th", "123456".
    pub fn at_start(text: &str) -> Option<(Self, usize)> {
        let (value, mut end) = digits(text)?;
        let mut number = Self { value, suffix: String::new(), to: None };
        if let Some((letter, bytes)) = letter(&text[end..]) {
            number.suffix = letter;
            end += bytes;
        }
        let rest = &text[end..];
        let gap = rest.len() - rest.trim_start_matches(' ').len();
        let rest = &rest[gap..];
        if let Some(word) = REPEATED.iter().find(|word| starts_with_word(rest, word)) {
            number.suffix = (*word).to_owned();
            end += gap + word.len();
        } else if let Some((fraction, bytes)) = fraction(rest) {
            number.suffix.push_str(&fraction);
            end += gap + bytes;
        } else if let Some((to, bytes)) = range(rest)
            && to > value
        {
            number.to = Some(to);
            end += gap + bytes;
        }
        let is_whole = !text[end..].starts_with(char::is_alphanumeric);
        is_whole.then_some((number, end))
    }

    /// Reads a whole text as a map has it. What stands behind the number is not part of it: "14 Brewery Wharf".
    pub fn read(text: &str) -> Option<Self> {
        Self::at_start(text.trim()).map(|(number, _)| number)
    }

    /// Whether a house with this number is also house `value`, as "12-16" is also 14, and "12-14" of one side not 13.
    pub fn covers(&self, value: u32) -> bool {
        let to = self.to.unwrap_or(self.value);
        let is_one_side = (to - self.value).is_multiple_of(2);
        (self.value..=to).contains(&value) && (!is_one_side || (value - self.value).is_multiple_of(2))
    }
}

fn digits(text: &str) -> Option<(u32, usize)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    let value = (1..=MOST_DIGITS).contains(&count).then(|| text[..count].parse().ok())??;
    Some((value, count))
}

/// One letter, right behind or after a space: "12a", "12 A". Two are a word.
fn letter(text: &str) -> Option<(String, usize)> {
    let gap = usize::from(text.starts_with(' '));
    let mut letters = text[gap..].chars();
    let letter = letters.next().filter(|letter| letter.is_alphabetic())?;
    let ends = letters.next().is_none_or(|next| !next.is_alphanumeric() && next != '\'' && next != '’' && next != '.');
    // "12 l-Imdina" begins a name.
    let begins_name = gap == 1 && text[gap + letter.len_utf8()..].starts_with('-');
    (ends && !begins_name).then(|| (letter.to_lowercase().collect(), gap + letter.len_utf8()))
}

fn starts_with_word(text: &str, word: &str) -> bool {
    let begins = text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    begins && !text[word.len()..].starts_with(char::is_alphanumeric)
}

/// "/3", "/a", "1/2", "½".
fn fraction(text: &str) -> Option<(String, usize)> {
    if text.starts_with('½') {
        return Some(("1/2".to_owned(), '½'.len_utf8()));
    }
    if let Some(under) = text.strip_prefix('/') {
        let part: String = under.trim_start().chars().take_while(|sign| sign.is_alphanumeric()).take(4).collect();
        let bytes = text.len() - under.trim_start().len() + part.len();
        return (!part.is_empty()).then(|| (format!("/{}", part.to_lowercase()), bytes));
    }
    let is_half = text.starts_with("1/2");
    is_half.then(|| ("1/2".to_owned(), 3))
}

/// "-14", "– 14", ";14", ",14", "&14", with a letter perhaps.
fn range(text: &str) -> Option<(u32, usize)> {
    let behind = text.strip_prefix(['-', '–', '—', ';', ',', '&', '+'])?;
    let number = behind.trim_start();
    let (to, count) = digits(number)?;
    let letter = number[count..].chars().next().filter(|letter| letter.is_alphabetic()).map_or(0, char::len_utf8);
    Some((to, text.len() - number.len() + count + letter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<(u32, String, Option<u32>, usize)> {
        Number::at_start(text).map(|(number, end)| (number.value, number.suffix, number.to, end))
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, value, suffix, to, end) in [
            ("12", 12, "", None, 2),
            ("12A Triq", 12, "a", None, 3),
            ("12 a, Triq", 12, "a", None, 4),
            ("12 bis Rue", 12, "bis", None, 6),
            ("12/3 Triq", 12, "/3", None, 4),
            ("12-14 Triq", 12, "", Some(14), 5),
            ("12–14", 12, "", Some(14), 7),
            ("12;14", 12, "", Some(14), 5),
            ("10,10a", 10, "", None, 2),
            ("12 1/2 Street", 12, "1/2", None, 6),
            ("12½", 12, "1/2", None, 4),
            ("10450 Avenue", 10_450, "", None, 5),
            ("14 Brewery Wharf", 14, "", None, 2),
            ("12 l-Imdina", 12, "", None, 2),
        ] {
            let expected = Some((value, suffix.to_owned(), to, end));
            assert_eq!(read(text), expected, "{text}");
        }
        for text in ["VLT", "5th Avenue", "123456", "", "17th"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_covers_its_side() {
        let covers = |text: &str, value| Number::read(text).is_some_and(|number| number.covers(value));
        assert!(covers("12-16", 14) && !covers("12-16", 13) && covers("12-15", 13) && !covers("12", 13));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}", number in 0u32..200_000, behind in "[a-z /,;0-9½–-]{0,8}") {
            let _ = Number::at_start(&text);
            let text = format!("{number}{behind}");
            if let Some((_, end)) = Number::at_start(&text) {
                prop_assert!(text.is_char_boundary(end));
            }
        }
    }
}
