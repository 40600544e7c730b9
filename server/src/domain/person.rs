//! Whose personal data is sought.

use doorstep_shared::CourierId;

/// The fewest digits of a number: fewer would find strangers.
const MIN_PHONE_DIGITS: usize = 5;

/// The longest address that e-mail knows, in bytes.
const MAX_EMAIL_BYTES: usize = 254;

/// A person whose data is sought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// By telephone number: its digits, without zeros in front.
    Phone(String),
    /// By e-mail address, its Latin letters small.
    Email(String),
    /// A courier.
    Courier(CourierId),
}

impl Sought {
    /// The person with this number; `None` for what is none.
    pub fn phone(number: &str) -> Option<Self> {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_start_matches('0');
        (digits.len() >= MIN_PHONE_DIGITS && number.len() <= MAX_EMAIL_BYTES).then(|| Self::Phone(digits.to_owned()))
    }

    /// The person with this address; `None` for what is none.
    pub fn email(address: &str) -> Option<Self> {
        let address = address.trim().to_ascii_lowercase();
        let is_address = (3..=MAX_EMAIL_BYTES).contains(&address.len())
            && address.contains('@')
            && !address.chars().any(|c| c.is_control() || c.is_whitespace());
        is_address.then_some(Self::Email(address))
    }

    /// The word for it in the API and in the database.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
            Self::Courier(_) => "courier",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_its_digits_however_it_is_written() {
        let phone = |number| Sought::phone(number);
        assert_eq!(phone("+356 2122 0000"), phone("00356-2122.0000"));
        assert_eq!(phone("+356 2122 0000"), Some(Sought::Phone("35621220000".to_owned())));
        assert_ne!(phone("2122 0000"), phone("+356 2122 0000"), "a number without its country may be another person's");
        for none in ["", "+", "0000 0000", "1234", "eve"] {
            assert_eq!(phone(none), None, "{none}");
        }
    }

    #[test]
    fn an_address_is_one_whatever_its_capitals() {
        assert_eq!(Sought::email(" Eve@Example.com "), Some(Sought::Email("eve@example.com".to_owned())));
        for none in ["", "eve", "@", "eve@example.com\0", "e ve@example.com"] {
            assert_eq!(Sought::email(none), None, "{none:?}");
        }
    }
}
