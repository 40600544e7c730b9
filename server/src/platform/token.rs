//! Secrets that we hand out: made from the operating system's randomness, kept only as hashes.
//!
//! They have at least 144 random bits, so a plain SHA-256 is a safe way to keep them; only passwords, which
//! people choose, need a slow hash. A webhook's secret is kept as it is, because it signs.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

/// What every API key begins with, so that a leaked one can be recognised.
pub const API_KEY_PREFIX: &str = "ds_";

fn random<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    OsRng.try_fill_bytes(&mut bytes).expect("the operating system has randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The secret part of a customer's link: 144 bits, 24 characters.
pub fn new_tracking_token() -> String {
    random::<18>()
}

/// A device's secret: 192 bits, 32 characters.
pub fn new_device_token() -> String {
    random::<24>()
}

/// A session's secret: 192 bits.
pub fn new_session_token() -> String {
    random::<24>()
}

/// The secret part of a courier's sign-in link: 144 bits, 24 characters, so that its QR code stays small.
pub fn new_sign_in_code() -> String {
    random::<18>()
}

/// A password that is typed once or stored: 96 bits, 16 characters.
pub fn new_password() -> String {
    random::<12>()
}

/// An API key: `ds_` and 192 bits.
pub fn new_api_key() -> String {
    format!("{API_KEY_PREFIX}{}", random::<24>())
}

/// What a webhook's secret begins with, by Standard Webhooks.
const WEBHOOK_SECRET_PREFIX: &str = "whsec_";

/// A webhook's secret: 256 bits, kept as they are, because they sign.
pub fn new_webhook_secret() -> [u8; 32] {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// A webhook's secret as its receiver gets it.
pub fn shown_webhook_secret(secret: &[u8]) -> String {
    format!("{WEBHOOK_SECRET_PREFIX}{}", STANDARD.encode(secret))
}

/// What the database keeps of a secret: its SHA-256.
pub type SecretHash = [u8; 32];

/// Hashes a secret for the database.
pub fn hash(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// The secret in an `Authorization` header with scheme Bearer; the scheme's case does not matter.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, secret) = header.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn tokens_are_long_enough_and_never_repeat() {
        let tokens: HashSet<_> = (0..10_000).map(|_| new_tracking_token()).collect();
        assert_eq!(tokens.len(), 10_000);
        assert!(tokens.iter().all(|token| URL_SAFE_NO_PAD.decode(token).is_ok_and(|bytes| bytes.len() * 8 >= 128)));
        assert!(new_api_key().starts_with("ds_"));
    }

    #[test]
    fn every_bit_of_a_token_is_as_often_set_as_not() {
        const SAMPLES: usize = 10_000;
        let mut set = [0usize; 144];
        for _ in 0..SAMPLES {
            let bytes = URL_SAFE_NO_PAD.decode(new_tracking_token()).expect("base64url");
            for (bit, count) in set.iter_mut().enumerate() {
                *count += usize::from(bytes[bit / 8] >> (bit % 8) & 1);
            }
        }
        let half = SAMPLES as f64 / 2.0;
        let chi_square: f64 = set.iter().map(|count| (*count as f64 - half).powi(2) / (half / 2.0)).sum();
        // 144 degrees of freedom: mean 144, standard deviation 17; this bound fails once in about 10^12 runs.
        assert!(chi_square < 144.0 + 8.0 * 17.0, "{chi_square}");
    }

    #[test]
    fn only_a_bearer_header_carries_a_token() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer "), None);
        assert_eq!(bearer("abc"), None);
    }
}
