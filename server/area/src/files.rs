//! The names of an area's files, in its folder `areas/<id>/` and below `/area/<id>/` on the web.

/// What the area is; see [`crate::manifest::Manifest`].
pub const MANIFEST: &str = "area.json";
/// Vector tiles of zoom 0 to 14 in one PMTiles archive.
pub const MAP: &str = "map.pmtiles";
/// The land, as GeoJSON polygons: what lies outside them is sea.
pub const LAND: &str = "land.geojson";
/// The street graph; see [`crate::roads`].
pub const STREETS: &str = "streets.bin";
/// Streets, houses, towns and other names; see [`crate::places`].
pub const ADDRESSES: &str = "addresses.bin";
/// All of them, in the order in which the area's id hashes them, the manifest first and without an id.
pub const ALL: [&str; 5] = [MANIFEST, MAP, LAND, STREETS, ADDRESSES];
