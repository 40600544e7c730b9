//! The four digits that a customer says at the door.
//!
//! They follow from the tracking token, which only the customer's link holds: the customer's page can show them, while
//! the database, which has hashes of both, cannot. Trying all four digits takes no time, so an order allows few
//! attempts.

use chrono::TimeDelta;
use doorstep_shared::api::proof::PIN_DIGITS;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Wrong PINs that an order takes within [`WINDOW`].
pub const MAX_ATTEMPTS: i16 = 5;

/// How long attempts count.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// The PIN of the order with this tracking token: HMAC-SHA256 of a fixed text, modulo the number of PINs.
pub fn of_token(tracking_token: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(tracking_token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"doorstep delivery pin");
    let digest = mac.finalize().into_bytes();
    let (first, _) = digest.split_first_chunk::<8>().expect("SHA-256 has 32 bytes");
    // 2^64 is so much larger that no PIN is noticeably more likely than another.
    let number = u64::from_be_bytes(*first) % 10_u64.pow(PIN_DIGITS as u32);
    format!("{number:0width$}", width = PIN_DIGITS)
}

/// Whether `text` could be a PIN at all.
pub fn is_pin(text: &str) -> bool {
    text.len() == PIN_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::platform::token::new_tracking_token;

    #[test]
    fn a_token_has_one_pin_and_pins_are_spread() {
        assert_eq!(of_token("abc"), of_token("abc"));
        let pins: HashSet<_> = (0..2_000).map(|_| of_token(&new_tracking_token())).collect();
        assert!(pins.iter().all(|pin| is_pin(pin)));
        // Of 10 000, 2 000 draws meet about 1 813 different ones.
        assert!(pins.len() > 1_700, "{}", pins.len());
    }

    #[test]
    fn only_four_digits_are_a_pin() {
        assert!(is_pin("0042"));
        for text in ["", "42", "00421", "12a4", "１２３４", " 123", "-123"] {
            assert!(!is_pin(text), "{text:?}");
        }
    }
}
