//! One area, read into memory.

use std::sync::{Arc, OnceLock};

use chrono_tz::Tz;
use doorstep_area::{
    built_in, files,
    library::{Library, LibraryError, StoredArea},
    places::{Found, Gazetteer},
    roads::RoadNetwork,
};
use doorstep_shared::{
    LatLon,
    api::area::{AreaId, AreaView},
};

/// Why an area cannot be used, as a sentence for an operator.
#[derive(Debug, thiserror::Error)]
pub enum AreaError {
    /// It is not there, or its files cannot be read.
    #[error(transparent)]
    Library(LibraryError),
    /// One of its files is of another version, or damaged.
    #[error("its file {file} cannot be used: {reason}")]
    File {
        /// The file's name.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Its time zone has no rules here.
    #[error("its time zone {0} is unknown")]
    TimeZone(String),
    /// Reading it panicked; a fault of ours.
    #[error("reading it failed within")]
    Panicked,
}

/// An area whose streets are in memory. Never changes.
#[derive(Debug)]
pub struct Area {
    stored: StoredArea,
    time_zone: Tz,
    roads: Option<Arc<RoadNetwork>>,
    names: OnceLock<Gazetteer>,
}

impl Area {
    /// Reads an area. Blocks: some tens of milliseconds for an island, seconds for a large city.
    ///
    /// # Errors
    /// [`AreaError`] says what is wrong with it.
    pub fn load(stored: StoredArea) -> Result<Self, AreaError> {
        let view = &stored.manifest().area;
        let time_zone = view.time_zone.parse().map_err(|_| AreaError::TimeZone(view.time_zone.clone()))?;
        let roads = if view.streets { Some(Arc::new(read_roads(&stored)?)) } else { None };
        let names = OnceLock::new();
        // The built-in one is known to be whole, and starting does not wait for it.
        if view.addresses && !stored.is_built_in() {
            names.get_or_init({
                let read = read_names(&stored)?;
                || read
            });
        }
        Ok(Self { stored, time_zone, roads, names })
    }

    /// The area inside this program.
    ///
    /// # Errors
    /// None that a build would have passed its tests with.
    pub fn built_in() -> Result<Self, AreaError> {
        Self::load(Library::built_in())
    }

    /// Its id.
    pub fn id(&self) -> &AreaId {
        &self.view().id
    }

    /// What clients get to know.
    pub fn view(&self) -> &AreaView {
        &self.stored.manifest().area
    }

    /// Its files.
    pub fn stored(&self) -> &StoredArea {
        &self.stored
    }

    /// Its zone.
    pub fn time_zone(&self) -> Tz {
        self.time_zone
    }

    /// Its streets, where they are known.
    pub fn roads(&self) -> Option<&Arc<RoadNetwork>> {
        self.roads.as_ref()
    }

    /// Whether one of these points lies where no streets are known.
    pub fn is_outside(&self, points: impl IntoIterator<Item = LatLon>) -> bool {
        self.roads.is_none() || points.into_iter().any(|point| !self.view().contains(point))
    }

    /// The best places for what was typed; see [`Gazetteer::search`]. Blocks, and the first time for some hundredths of
    /// a second.
    pub fn search(&self, text: &str, near: Option<LatLon>, limit: usize) -> Vec<Found> {
        self.names().map(|names| names.search(text, near, limit)).unwrap_or_default()
    }

    /// What is at a point; see [`Gazetteer::at`]. Blocks, as [`Self::search`] does.
    pub fn at(&self, point: LatLon) -> Vec<Found> {
        self.names().map(|names| names.at(point)).unwrap_or_default()
    }

    /// Addresses to show as examples. Blocks, as [`Self::search`] does.
    pub fn examples(&self, limit: usize) -> Vec<Found> {
        self.names().map(|names| names.examples(limit)).unwrap_or_default()
    }

    fn names(&self) -> Option<&Gazetteer> {
        self.view().addresses.then(|| {
            self.names.get_or_init(|| {
                let bytes = built_in::file(files::ADDRESSES).expect("the program holds all files of its area");
                Gazetteer::from_bytes(bytes).expect("a test reads this very file")
            })
        })
    }
}

fn read_roads(stored: &StoredArea) -> Result<RoadNetwork, AreaError> {
    let read = RoadNetwork::from_bytes(&stored.read(files::STREETS)?);
    read.map_err(|error| AreaError::File { file: files::STREETS, reason: error.to_string() })
}

fn read_names(stored: &StoredArea) -> Result<Gazetteer, AreaError> {
    let read = Gazetteer::from_bytes(&stored.read(files::ADDRESSES)?);
    read.map_err(|error| AreaError::File { file: files::ADDRESSES, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn area() -> &'static Area {
        static AREA: OnceLock<Area> = OnceLock::new();
        AREA.get_or_init(|| Area::built_in().expect("the built-in area is whole"))
    }

    fn first(text: &str) -> String {
        let valletta = LatLon::try_new(35.898, 14.512).expect("on earth");
        let found = area().search(text, Some(valletta), 5);
        let named = |found: &Found| format!("{}, {}", found.name, found.town.as_deref().unwrap_or("-"));
        found.first().map(named).unwrap_or_default()
    }

    #[test]
    fn streets_are_found_as_people_type_them() {
        for (typed, expected) in [
            ("triq merk", "Triq il-Merkanti, Valletta"),
            ("Merchants Street", "Triq il-Merkanti, Valletta"),
            ("republic street valletta", "Triq ir-Repubblika, Valletta"),
            ("repubblka", "Triq ir-Repubblika, Valletta"),
            ("sliema", "Sliema, -"),
            ("hamrun", "Hamrun, -"),
        ] {
            assert_eq!(first(typed), expected, "{typed}");
        }
    }

    #[test]
    fn an_answer_takes_milliseconds() {
        let at = LatLon::try_new(35.898, 14.512).expect("on earth");
        area().examples(1);
        for typed in ["triq", "t", "repubblka valleta", "zzzzzzzzz yyyyyyyy", "triq san pawl birkirkara 12"] {
            let quickest = (0..5).map(|_| {
                let began = Instant::now();
                area().search(typed, Some(at), 20);
                began.elapsed().as_millis()
            });
            let quickest = quickest.min().unwrap_or_default();
            // The target is 20 ms in an optimised build; this one is not.
            assert!(quickest < 100, "{typed} took {quickest} ms");
        }
        let began = Instant::now();
        assert!(!area().at(at).is_empty());
        assert!(began.elapsed().as_millis() < 200);
    }
}
