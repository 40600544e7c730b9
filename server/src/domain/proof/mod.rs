//! Proof of delivery: what a courier brings back from the door, and the rules for each kind.

pub mod picture;
pub mod pin;
pub mod signature;

use chrono::{DateTime, Utc};
use doorstep_shared::api::proof::{ProofKind, ProofView};
use uuid::Uuid;

use crate::platform::token;

/// Proofs that one order takes, whatever kind.
pub const MAX_PROOFS: i64 = 20;

/// The name of a stored picture: 192 random bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofKey(String);

impl ProofKey {
    /// A new key, which no other picture has.
    pub fn new() -> Self {
        Self(token::new_device_token())
    }

    /// A key as the database has it; `None` for text that cannot be one.
    pub fn from_text(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (text.len() == 32 && text.bytes().all(is_plain)).then(|| Self(text.to_owned()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ProofKey {
    fn default() -> Self {
        Self::new()
    }
}

/// A proof that a courier brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// Chosen by the phone.
    pub id: Uuid,
    /// Its kind.
    pub kind: ProofKind,
    /// When it was taken, by the phone.
    pub taken_at: DateTime<Utc>,
    /// The name of the person who signed.
    pub name: Option<String>,
    /// Where the picture is, and its media type.
    pub picture: Option<(ProofKey, String)>,
}

impl Proof {
    /// The proof for a client that finds pictures below `base`: `{base}/{id}/image`.
    pub fn to_view(&self, base: &str) -> ProofView {
        ProofView {
            id: self.id,
            kind: self.kind,
            taken_at: self.taken_at,
            name: self.name.clone(),
            image_url: self.picture.is_some().then(|| format!("{base}/{}/image", self.id)),
        }
    }
}
