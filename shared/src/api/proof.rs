//! What a courier brings back from the door.
//!
//! A phone names each proof itself and sends it with `PUT /api/v1/courier/orders/{order_id}/proofs/{proof_id}`, so a
//! repeat is harmless. A photo is the body as it is, `image/jpeg`, `image/png` or `image/webp`, with `?taken_ms=`;
//! the other kinds are [`ProofBody`] as JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The largest photo that is taken, in bytes, before it is made smaller.
pub const MAX_PHOTO_BYTES: usize = 8 * 1024 * 1024;

/// The longer side of a stored photo, in pixels.
pub const MAX_PHOTO_SIDE_PX: u32 = 1_600;

/// The most points in one signature, all strokes together.
pub const MAX_SIGNATURE_POINTS: usize = 2_000;

/// How many digits a delivery PIN has.
pub const PIN_DIGITS: usize = 4;

/// A way to show that an order was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProofKind {
    /// A picture of where it was left.
    Photo,
    /// The name, and usually a drawn signature, of the person who took it.
    Signature,
    /// The four digits that only the customer knows.
    Pin,
}

impl ProofKind {
    /// Every kind, in the order in which a courier is asked.
    pub const ALL: [Self; 3] = [Self::Photo, Self::Signature, Self::Pin];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Signature => "signature",
            Self::Pin => "pin",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A proof that is not a photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProofBody {
    /// The person who took the order signs.
    #[cfg_attr(feature = "openapi", schema(title = "SignatureProof"))]
    Signature {
        /// Their name, typed.
        #[cfg_attr(
            feature = "openapi",
            schema(min_length = 1, max_length = 100, pattern = "printable", example = "Eve Camilleri")
        )]
        name: String,
        /// What they drew, as strokes of `[x, y]` between 0 and 1, y downwards, in a box three times as wide as high.
        /// At most 2 000 points; empty when they typed their name only.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(schema_with = strokes, required = false))]
        strokes: Vec<Vec<[f32; 2]>>,
        /// When the phone took it, Unix epoch milliseconds.
        #[cfg_attr(feature = "openapi", schema(example = 1795219260000_i64))]
        taken_ms: i64,
    },
    /// The customer says the PIN. A wrong PIN is refused and nothing is kept.
    #[cfg_attr(feature = "openapi", schema(title = "PinProof"))]
    Pin {
        /// The four digits.
        #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9]{4}$", example = "4711"))]
        pin: String,
        /// When the phone took it, Unix epoch milliseconds.
        #[cfg_attr(feature = "openapi", schema(example = 1795219260000_i64))]
        taken_ms: i64,
    },
}

/// The schema of a signature's strokes: numbers between 0 and 1.
#[cfg(feature = "openapi")]
fn strokes() -> utoipa::openapi::schema::Array {
    use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};

    let number = ObjectBuilder::new()
        .schema_type(Type::Number)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Float)))
        .minimum(Some(0))
        .maximum(Some(1));
    let point = ArrayBuilder::new().items(number).min_items(Some(2)).max_items(Some(2));
    let stroke = ArrayBuilder::new().items(point).max_items(Some(MAX_SIGNATURE_POINTS));
    let description = "What they drew, as strokes of `[x, y]` between 0 and 1, y downwards, in a box three times as wide as \
        high. All strokes together have at most 2 000 points; left out or empty when they typed their name only.";
    ArrayBuilder::new().items(stroke).max_items(Some(MAX_SIGNATURE_POINTS)).description(Some(description)).build()
}

body! {
    /// A proof, as dispatchers, API keys and the phone that sent it see it.
    pub struct ProofView {
        /// Its id.
        pub id: Uuid,
        /// Which kind of proof.
        pub kind: ProofKind,
        /// When the phone took it, by the phone's clock.
        pub taken_at: DateTime<Utc>,
        /// The name of the person who signed.
        pub name: Option<String>,
        /// The path of the photo or of the drawn signature's picture; the same credentials open it.
        #[cfg_attr(feature = "openapi", schema(format = "uri-reference"))]
        pub image_url: Option<String>,
    }
}
