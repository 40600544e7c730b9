//! An import of an island that is drawn here: a coast, a lake with an islet, outlines that are not whole.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use crate::support::{archive, extract::Extract, tile};
use doorstep_area::{
    files,
    import::{Options, area},
    manifest::Manifest,
    places::Gazetteer,
};
use doorstep_shared::api::area::{DrivingSide, Units};

// In the English Channel, and so small that a tile of zoom 12 holds all of it.
const SOUTH: f64 = 49.44;
const WEST: f64 = -2.60;

/// Hundredths of a degree north and east of the island's corner.
fn at(north: f64, east: f64) -> [f64; 2] {
    [SOUTH + north / 100.0, WEST + east / 100.0]
}

fn square(south: f64, west: f64, size: f64) -> [[f64; 2]; 5] {
    let corners = [(0.0, 0.0), (0.0, size), (size, size), (size, 0.0), (0.0, 0.0)];
    corners.map(|(north, east)| at(south + north, west + east))
}

/// The island is 5 by 5; its coast comes in two ways, land on the left.
fn island() -> Extract {
    let mut island = Extract::new();
    let [sw, se, ne, nw] = [(0.0, 0.0), (0.0, 5.0), (5.0, 5.0), (5.0, 0.0)].map(|(n, e)| island.node(at(n, e), &[]));
    island.way(&[sw, se, ne], &[("natural", "coastline")]);
    island.way(&[ne, nw, sw], &[("natural", "coastline")]);

    let crossings: Vec<Vec<i64>> = (0..4)
        .map(|row| (0..4).map(|column| island.node(at(1.0 + f64::from(row), 1.0 + f64::from(column)), &[])).collect())
        .collect();
    for number in 0..4 {
        let name = format!("Rue {number}");
        island.way(&crossings[number], &[("highway", "residential"), ("name", &name)]);
        let column: Vec<i64> = crossings.iter().map(|row| row[number]).collect();
        island.way(&column, &[("highway", "tertiary"), ("name", "La Grande Rue")]);
    }
    // 30 m beside a street, and in the fields.
    island.node(at(2.03, 1.5), &[("addr:housenumber", "7")]);
    island.node(at(2.5, 1.5), &[("addr:housenumber", "9"), ("addr:city", "St. Pierre")]);
    island.node(at(2.5, 2.5), &[("place", "town"), ("name", "St. Pierre"), ("population", "18000")]);

    // A lake of two shores, with an islet; and a wood whose outline leads to what the extract lacks.
    let shores = [at(3.2, 3.2), at(3.2, 3.8), at(3.8, 3.8), at(3.8, 3.2)].map(|corner| island.node(corner, &[]));
    let south = island.way(&[shores[3], shores[0], shores[1]], &[]);
    let north = island.way(&[shores[3], shores[2], shores[1]], &[]);
    let islet = island.drawn(&square(3.4, 3.4, 0.2), &[]);
    let lake: &[(&str, &str)] = &[("type", "multipolygon"), ("natural", "water"), ("name", "Grande Mare")];
    island.relation(&[(south, "outer"), (north, "outer"), (islet, "inner")], lake);
    let half = island.drawn(&[at(1.2, 1.2), at(1.8, 1.2), at(1.8, 1.8)], &[]);
    let clearing = island.drawn(&square(1.3, 1.4, 0.1), &[]);
    let missing = 999;
    let wood: &[(&str, &str)] = &[("type", "multipolygon"), ("landuse", "forest")];
    island.relation(&[(half, "outer"), (missing, "outer"), (clearing, "inner")], wood);
    // A way that crosses itself, one of a single point, one through nodes that nobody has.
    let bow_tie = [at(2.1, 1.1), at(2.4, 1.4), at(2.1, 1.4), at(2.4, 1.1), at(2.1, 1.1)];
    island.drawn(&bow_tie, &[("landuse", "cemetery")]);
    let point = island.node(at(2.2, 2.2), &[]);
    island.way(&[point, point, point, point], &[("building", "yes")]);
    island.way(&[70_001, 70_002, 70_003, 70_001], &[("building", "yes")]);
    island
}

struct Imported {
    manifest: Manifest,
    tiles: Vec<([u32; 3], Vec<tile::Layer>)>,
    land: serde_json::Value,
    addresses: Vec<u8>,
}

static ISLAND: LazyLock<Imported> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("island");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let extract = folder.join("island.osm.pbf");
    fs::write(&extract, island().bytes()).unwrap();
    let manifest = area(&extract, &Options::default(), &folder, &mut ()).unwrap();
    let map = fs::read(folder.join(files::MAP)).unwrap();
    let tiles = archive::tiles(&map).into_iter().map(|(place, tile)| (place, tile::layers(&tile))).collect();
    let land = serde_json::from_slice(&fs::read(folder.join(files::LAND)).unwrap()).unwrap();
    let addresses = fs::read(folder.join(files::ADDRESSES)).unwrap();
    Imported { manifest, tiles, land, addresses }
});

fn features(layer: &str, zoom: u32) -> Vec<&'static tile::Feature> {
    let tiles = ISLAND.tiles.iter().filter(|([tile_zoom, ..], _)| *tile_zoom == zoom);
    let layers = tiles.flat_map(|(_, layers)| layers).filter(|it| it.name == layer);
    layers.flat_map(|layer| &layer.features).collect()
}

#[test]
fn an_island_has_its_countrys_habits() {
    let area = &ISLAND.manifest.area;
    assert_eq!((area.name.as_str(), area.country.as_deref()), ("St. Pierre", Some("GG")));
    assert_eq!((area.time_zone.as_str(), area.languages[0].as_str()), ("Europe/Guernsey", "en"));
    assert_eq!((area.driving_side, area.units), (DrivingSide::Left, Units::Imperial));
    let [west, south, east, north] = area.bounds;
    for (is, wanted) in
        [(south, at(1.0, 1.0)[0]), (west, at(1.0, 1.0)[1]), (north, at(4.0, 4.0)[0]), (east, at(4.0, 4.0)[1])]
    {
        assert!((is - wanted).abs() < 1e-6, "{:?}", area.bounds);
    }
}

#[test]
fn the_land_ends_at_the_coast() {
    let polygons = ISLAND.land["features"].as_array().unwrap();
    assert_eq!(polygons.len(), 1);
    let ring = polygons[0]["geometry"]["coordinates"][0].as_array().unwrap();
    assert_eq!(ring.first(), ring.last());
    let corners: BTreeSet<String> = ring.iter().map(ToString::to_string).collect();
    assert_eq!(corners, ["[-2.6,49.44]", "[-2.55,49.44]", "[-2.55,49.49]", "[-2.6,49.49]"].map(str::to_owned).into());
}

#[test]
fn a_lake_keeps_its_islet_and_its_name() {
    let rings: Vec<usize> = features("water", 12).iter().map(|lake| lake.parts.len()).collect();
    assert_eq!(rings, [2]);
    assert!(features("water_name", 12).iter().any(|it| it.texts.get("name").is_some_and(|name| name == "Grande Mare")));
}

#[test]
fn a_wood_that_is_cut_open_is_left_out_with_its_clearing() {
    assert!(features("landcover", 14).is_empty());
}

#[test]
fn what_crosses_itself_is_mended_and_what_is_nothing_is_left_out() {
    let triangles: usize = features("landuse", 13).iter().map(|cemetery| cemetery.parts.len()).sum();
    assert_eq!(triangles, 2);
    assert!(features("building", 14).is_empty());
}

#[test]
fn pieces_of_a_street_are_one_line() {
    let streets = features("transportation_name", 14);
    assert!(streets.iter().any(|it| it.texts.get("name").is_some_and(|name| name == "La Grande Rue")));
    assert!(features("transportation", 11).iter().all(|it| it.texts["class"] == "tertiary"));
}

#[test]
fn a_house_without_a_street_is_on_the_one_beside_it_or_in_its_village() {
    let places = Gazetteer::from_bytes(&ISLAND.addresses).unwrap();
    for (text, place) in [("Rue 1 7, St. Pierre", at(2.03, 1.5)), ("St. Pierre 9", at(2.5, 1.5))] {
        let found = places.search(text, None, 1).pop().unwrap();
        let off = (found.point.lat() - place[0]).abs() + (found.point.lon() - place[1]).abs();
        assert!(off < 1e-4, "{text}: {found:?}");
    }
}
