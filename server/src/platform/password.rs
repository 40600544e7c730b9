//! Passwords of people: Argon2id, on a blocking thread, because it is slow by design.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// The shortest password that `doorstep user create` takes.
pub const MIN_CHARACTERS: usize = 10;

/// The longest password; longer ones are wrong without a check.
pub const MAX_BYTES: usize = 1_024;

/// Hashes a password with a new salt. Blocks for tens of milliseconds.
pub fn hash(password: &str) -> String {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.expect("Argon2's default parameters are valid").to_string()
}

/// Whether `password` is the one that was hashed. Blocks for tens of milliseconds, also for a hash that cannot be read,
/// so that the time does not reveal whether an account exists.
pub fn verify(password: &str, phc: &str) -> bool {
    match PasswordHash::new(phc) {
        Ok(parsed) => Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok(),
        Err(_) => {
            let _ = hash(password);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let phc = hash("correct horse");
        assert!(phc.starts_with("$argon2id$"));
        assert!(verify("correct horse", &phc));
        assert!(!verify("wrong horse", &phc));
        assert!(!verify("anything", "not a hash"));
    }
}
