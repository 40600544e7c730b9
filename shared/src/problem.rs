//! Error bodies of the HTTP API: `application/problem+json`, RFC 9457, with a stable `code`.

use serde::{Deserialize, Serialize};

/// The media type of a problem body.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong with a request, for the person (`title`, `detail`) and for the program (`code`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`: the `code` carries the meaning.
    pub r#type: String,
    /// A short sentence, the same for every occurrence of `code`.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// What a program matches on; never changes its meaning.
    pub code: String,
    /// What was wrong this time; left out for 5xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Which fields of the body were refused, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One refused field of a request body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Where in the body, as a dotted path: `dropoff.lat`.
    pub field: String,
    /// Why, as a sentence.
    pub message: String,
}
