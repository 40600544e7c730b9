//! The use cases of a person's data, for the server and for the command line.

use std::{path::Path, sync::Arc};

use crate::{
    http::export,
    platform::clock::Clock,
    service::{personal_data::PersonalData, proofs::files::FileProofStore},
    store::Store,
};

/// The use cases over a database and the data folder that belongs to it.
pub(super) fn personal_data(store: Store, clock: Clock, data_dir: &Path) -> PersonalData {
    let pictures = Arc::new(FileProofStore::new(data_dir.join("proofs")));
    PersonalData::new(store, pictures, clock, data_dir.join("exports"), |name, fixes, made_at| {
        export::write(export::Format::Gpx, name, fixes, made_at)
    })
}
