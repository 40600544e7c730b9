//! What one request of the OsmAnd protocol says, whatever its form.
//!
//! [`super::decode_parameters`] and [`super::decode_json`] return it.

use crate::service::ingest::decode::Decoded;

/// A device and its points. Without `Debug`, because the token is a secret.
#[derive(Default)]
pub struct Report {
    /// The device's token, if the request has one.
    pub token: Option<String>,
    /// Its points.
    pub decoded: Decoded,
}
