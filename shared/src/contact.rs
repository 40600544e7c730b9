//! What may be a phone number, and what an e-mail address.
//!
//! The REST API, the import of orders and the console's forms ask here, so that each takes what the others take. Form is
//! left to people: spaces, brackets, an extension, two numbers, a name beside it. Only what nobody can call or write to is
//! refused, and numbers that a spreadsheet destroyed.

/// Fewer digits are no number that anybody answers; 112 and a hotel's extension have three.
const FEWEST_DIGITS: usize = 3;

/// E.164 has at most 15 digits; people write `00` before it and `(0)` within it.
const MOST_DIGITS: usize = 18;

/// Why a text is no phone number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneFault {
    /// `3.5679E+11`: the digits are lost.
    #[error("a spreadsheet turned this number into {0}: make its column text and enter the number again")]
    Rounded(String),
    /// An e-mail address, words, or too few digits.
    #[error("must be a phone number, such as +44 20 7946 0000")]
    NoNumber,
    /// More digits than any number has.
    #[error("has more digits than a phone number")]
    TooLong,
}

/// Why a text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address, such as eve@example.com")]
pub struct NoEmail;

/// Whether somebody may be called at `text`.
///
/// # Errors
/// [`PhoneFault`], a sentence for people.
pub fn check_phone(text: &str) -> Result<(), PhoneFault> {
    if is_rounded(text) {
        return Err(PhoneFault::Rounded(text.trim().to_owned()));
    }
    let count = |text: &str, is: fn(char) -> bool| text.chars().filter(|sign| is(*sign)).count();
    let digits = count(text, char::is_numeric);
    let has_words = count(text, char::is_alphabetic) > digits;
    if digits < FEWEST_DIGITS || has_words || text.contains('@') {
        return Err(PhoneFault::NoNumber);
    }
    let is_long = |number: &str| count(number, char::is_numeric) > MOST_DIGITS;
    if numbers(text).any(is_long) { Err(PhoneFault::TooLong) } else { Ok(()) }
}

/// Whether `text` looks like one phone number and nothing else. What does not may be right all the same, and is pointed out.
pub fn is_usual_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (6..=15).contains(&digits) && text.chars().all(|one| one.is_ascii_digit() || " +-()/.".contains(one))
}

/// Whether somebody may be written to at `text`.
///
/// # Errors
/// [`NoEmail`], a sentence for people.
pub fn check_email(text: &str) -> Result<(), NoEmail> {
    let Some((name, host)) = text.trim().split_once('@') else { return Err(NoEmail) };
    let has_dot = host.contains('.') && host.split('.').all(|part| !part.is_empty());
    let is_one =
        !host.contains('@') && !text.trim().contains(|sign: char| sign.is_whitespace() || ",;<>".contains(sign));
    if !name.is_empty() && has_dot && is_one { Ok(()) } else { Err(NoEmail) }
}

/// Whether a spreadsheet wrote a long number its own way: `3.5679E+11`, `3,5679E+11`.
pub fn is_rounded(text: &str) -> bool {
    let Some((number, power)) = text.trim().split_once(['e', 'E']) else { return false };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit());
    let mut parts = number.split(['.', ',']);
    let is_short = parts.next().is_some_and(|whole| whole.len() == 1 && is_digits(whole));
    is_short
        && parts.next().is_none_or(is_digits)
        && parts.next().is_none()
        && power.strip_prefix('+').is_some_and(is_digits)
}

/// The numbers of a text that may hold several, each with its extension.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(['/', ';', ',', '|', '\n']).flat_map(|part| part.split(" or "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_taken_however_people_write_it() {
        for text in [
            "+356 2100 0001",
            "21000001",
            "(0395) 123-4567",
            "0395/1234567",
            "0049 (0) 395 1234567",
            "+44 20 7946 0000 ext. 12",
            "2100 0001 / 7900 0001",
            "tel. 2100.0001",
            "7900 0001 Paul",
            "*31#21000001",
            "112",
            "٠٢٢٣٤٥٦٧",
        ] {
            assert_eq!(check_phone(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_unusual_is_pointed_out() {
        for (text, is_usual) in [
            ("+356 9912 3456", true),
            ("(0356) 99-12.34/56", true),
            ("12345", false),
            ("1234567890123456", false),
            ("9912 345O", false),
        ] {
            assert_eq!(is_usual_phone(text), is_usual, "{text}");
            assert_eq!(check_phone(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_nobody_can_call_is_no_number() {
        for text in ["none", "-", "12", "ask at the bar", "ring at number 100 please", "eve@example.com", "+"] {
            assert_eq!(check_phone(text), Err(PhoneFault::NoNumber), "{text}");
        }
        assert_eq!(check_phone("1234567890123456789"), Err(PhoneFault::TooLong));
    }

    #[test]
    fn a_number_that_a_spreadsheet_rounded_is_named() {
        for text in ["3.5679E+11", "3,5679E+11", "3.5E+11", "4E+10", " 3.5679e+11 "] {
            let fault = check_phone(text).expect_err("its digits are lost");
            assert_eq!(fault, PhoneFault::Rounded(text.trim().to_owned()));
            assert!(fault.to_string().contains("spreadsheet"), "{fault}");
        }
        for text in ["35679000000", "A-1E+5", "12E4", "Eve+1"] {
            assert!(!is_rounded(text), "{text}");
        }
    }

    #[test]
    fn an_address_to_write_to_has_a_name_and_a_host() {
        for text in ["eve@example.com", "eve.borg+shop@mail.example.co.uk", "zoë@exämple.com", " eve@example.com "] {
            assert_eq!(check_email(text), Ok(()), "{text}");
        }
        for text in [
            "eve",
            "eve@",
            "@example.com",
            "eve@host",
            "eve@example..com",
            "eve@example.",
            "a@b@example.com",
            "eve borg@example.com",
            "a@x.com,b@x.com",
            "21000001",
        ] {
            assert_eq!(check_email(text), Err(NoEmail), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_it_panic(text in "\\PC{0,60}") {
            let _ = (check_phone(&text), check_email(&text));
        }

        #[test]
        fn every_number_of_the_plan_is_taken(country in 1u32..1_000, number in 1_000_000u64..99_999_999_999) {
            prop_assert_eq!(check_phone(&format!("+{country} {number}")), Ok(()));
        }
    }
}
