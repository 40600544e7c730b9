//! Whether a password is worth its hash: long enough, and not one of those that are tried first.
//!
//! Lists of stolen passwords hold few of twelve characters and more that are not made of shorter ones: words that
//! everybody takes, one behind the other, with digits before and after and with digits in place of letters. So it is not
//! whole passwords that are looked up, but what they are made of.

use std::{collections::HashSet, sync::LazyLock};

/// The shortest password of a person, in characters.
const MIN_CHARACTERS: usize = 12;

/// The longest password, in bytes; longer ones are wrong without a check.
pub const MAX_BYTES: usize = 1_024;

/// The fewest different characters.
const MIN_DIFFERENT: usize = 6;

/// Words that passwords are made of, in lower case.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// No word of the list and no run is longer.
const LONGEST_PART: usize = 26;

/// What may be left of a password that is made of common words: three letters, or two years.
const MOST_LEFT: usize = 9;

/// Rows of keys and runs of letters and digits.
const RUNS: [&str; 6] =
    ["abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1q2w3e4r5t6y7u8i9o0p"];

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// It has too few characters.
    #[error("a password has at least {MIN_CHARACTERS} characters")]
    TooShort,
    /// It has too many bytes.
    #[error("a password has at most {MAX_BYTES} bytes")]
    TooLong,
    /// It has too few different characters.
    #[error("a password has at least {MIN_DIFFERENT} different characters")]
    Repetitive,
    /// It is made of what is tried first.
    #[error("this password is one of the first that are tried: use a few words that do not belong together")]
    Common,
    /// It holds the person's address.
    #[error("a password does not contain the address that it is for")]
    Address,
}

/// Checks a new password of the person with the address `email`.
///
/// # Errors
/// Why it is not taken.
pub fn check(password: &str, email: &str) -> Result<(), Weakness> {
    if password.chars().count() < MIN_CHARACTERS {
        return Err(Weakness::TooShort);
    }
    if password.len() > MAX_BYTES {
        return Err(Weakness::TooLong);
    }
    let small = password.to_lowercase();
    if small.chars().collect::<HashSet<_>>().len() < MIN_DIFFERENT {
        return Err(Weakness::Repetitive);
    }
    let name = email.split('@').next().unwrap_or_default().to_lowercase();
    if name.chars().count() >= 4 && small.contains(&name) {
        return Err(Weakness::Address);
    }
    if is_made_of_common(&small) || is_made_of_common(&letters_for_digits(&small)) {
        return Err(Weakness::Common);
    }
    Ok(())
}

/// What people write for letters, back in letters.
fn letters_for_digits(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

/// Whether little is left when common words and runs are taken away.
fn is_made_of_common(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    // The least that is left of the first `n` characters.
    let mut left = vec![0; characters.len() + 1];
    for end in 1..=characters.len() {
        left[end] = left[end - 1] + weight(characters[end - 1]);
        for start in end.saturating_sub(LONGEST_PART)..end {
            let part: String = characters[start..end].iter().collect();
            if left[start] < left[end] && is_common(&part) {
                left[end] = left[start];
            }
        }
    }
    left[characters.len()] <= MOST_LEFT
}

/// How much harder a character makes a password to guess: a digit is one of ten, and often part of a year.
fn weight(c: char) -> usize {
    match c {
        _ if c.is_alphabetic() => 3,
        _ if c.is_numeric() => 1,
        _ => 0,
    }
}

fn is_common(part: &str) -> bool {
    let is_run = || {
        let backwards: String = part.chars().rev().collect();
        part.chars().count() >= 3 && RUNS.iter().any(|run| run.contains(part) || run.contains(&backwards))
    };
    COMMON.contains(part) || is_run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused_however_it_is_dressed_up() {
        for common in [
            "passwordpassword",
            "Password1234!",
            "p4ssw0rd2026",
            "P@$$w0rd12345",
            "qwertyuiop123",
            "1q2w3e4r5t6y7u",
            "iloveyou12345678",
            "administrator1",
            "letmeinletmein",
            "doorstepcourier",
            "Welcome-2026-Malta",
            "abcdefghijkl",
            "zyxwvutsrqpo",
            "monkeydragon99",
            "changeme-changeme",
        ] {
            assert_eq!(check(common, "ada@example.com"), Err(Weakness::Common), "{common}");
        }
    }

    #[test]
    fn a_few_words_that_do_not_belong_together_are_a_password() {
        for good in [
            "correct horse battery",
            "a new password entirely",
            "teapot violin glacier",
            "x7#kQ9!vLm2$wR",
            "ħġżċ ħġżċ ab 12",
        ] {
            assert_eq!(check(good, "ada@example.com"), Ok(()), "{good}");
        }
    }

    #[test]
    fn length_variety_and_the_address_count() {
        let cases = [
            ("short", Weakness::TooShort),
            ("elevenchars", Weakness::TooShort),
            ("aaaaaaaaaaaaaaaa", Weakness::Repetitive),
            ("121212121212121", Weakness::Repetitive),
            ("dora.borg teapot", Weakness::Address),
        ];
        for (password, weakness) in cases {
            assert_eq!(check(password, "Dora.Borg@example.com"), Err(weakness), "{password}");
        }
        assert_eq!(check(&"ab cd ef gh ".repeat(100), "x@example.com"), Err(Weakness::TooLong));
        assert_eq!(check("teapot violin glacier", "eva@example.com"), Ok(()), "three letters are in many words");
    }
}
