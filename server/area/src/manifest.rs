//! `area.json`: what an area is, and which version of the files beside it.

use anyhow::{Context, Result, ensure};
use doorstep_shared::api::area::AreaView;
use serde::{Deserialize, Serialize};

/// The version of an area's files. A server refuses other versions by name; importing the extract again makes the
/// current one.
pub const FORMAT: u16 = 2;

/// The content of `area.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the files beside it; see [`FORMAT`].
    pub format: u16,
    /// What clients get to know.
    #[serde(flatten)]
    pub area: AreaView,
}

impl Manifest {
    /// Reads `area.json`.
    ///
    /// # Errors
    /// When it is no manifest, or one of another version.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: u16,
        }
        let Version { format } = serde_json::from_slice(bytes).context("area.json is damaged")?;
        ensure!(
            format == FORMAT,
            "this area's files are of version {format}, this program reads version {FORMAT}: import the extract again"
        );
        serde_json::from_slice(bytes).context("area.json is damaged")
    }

    /// The file's bytes; the same manifest always becomes the same bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest has only text keys");
        bytes.push(b'\n');
        bytes
    }
}
