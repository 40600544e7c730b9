//! The area inside this program, so that a new server has streets, addresses and a map without any file.
//!
//! What it is stands in its `area.json`, like any other area's; no code knows which place it is.

use std::sync::LazyLock;

use crate::{files, manifest::Manifest};

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    let bytes = file(files::MANIFEST).expect("the program holds all files of its area");
    Manifest::from_json(bytes).expect("a test reads this very file")
});

/// What the built-in area is.
pub fn manifest() -> &'static Manifest {
    &MANIFEST
}

/// A file of the built-in area, by its name in [`files`]; `None` for another name.
pub fn file(name: &str) -> Option<&'static [u8]> {
    match name {
        files::MANIFEST => Some(include_bytes!("../../../static/area/area.json")),
        files::MAP => Some(include_bytes!("../../../static/area/map.pmtiles")),
        files::LAND => Some(include_bytes!("../../../static/area/land.geojson")),
        files::STREETS => Some(include_bytes!("../../../static/area/streets.bin")),
        files::ADDRESSES => Some(include_bytes!("../../../static/area/addresses.bin")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{places::Gazetteer, roads::RoadNetwork};

    #[test]
    fn the_built_in_area_is_whole() {
        let area = &manifest().area;
        assert!(area.streets && area.addresses && area.basemap);
        let bytes = |name| file(name).expect("the program holds it");
        let roads = RoadNetwork::from_bytes(bytes(files::STREETS)).expect("the streets can be read");
        let line = roads.edge(roads.edge_ids().next().expect("there are streets")).line;
        assert!(line.iter().all(|point| area.contains(*point)), "{line:?} lies beyond {:?}", area.bounds);
        Gazetteer::from_bytes(bytes(files::ADDRESSES)).expect("the addresses can be read");
        assert!(bytes(files::MAP).starts_with(b"PMTiles"));
        assert!(bytes(files::LAND).starts_with(b"{"));
        assert_eq!(file("nothing"), None);
    }
}
