//! An import from the extract to the files, with a town without a coast that lies beside these tests.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::support::{archive, tile};
use doorstep_area::{
    files,
    import::{ImportError, Options, Progress, Stage, area, estimate},
    manifest::Manifest,
    places::Gazetteer,
    roads::RoadNetwork,
};
use doorstep_shared::api::area::{DrivingSide, Units};

const EXTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/extracts/neubrandenburg.osm.pbf");

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn imported(name: &str, options: &Options) -> (PathBuf, Manifest) {
    let folder = folder(name);
    let manifest = area(Path::new(EXTRACT), options, &folder, &mut ()).unwrap();
    (folder, manifest)
}

/// The whole extract, imported once.
static WHOLE: LazyLock<(PathBuf, Manifest)> = LazyLock::new(|| imported("whole", &Options::default()));

fn layers_of_all_tiles() -> Vec<([u32; 3], Vec<tile::Layer>)> {
    let bytes = fs::read(WHOLE.0.join(files::MAP)).unwrap();
    archive::tiles(&bytes).into_iter().map(|(place, tile)| (place, tile::layers(&tile))).collect()
}

#[test]
fn an_area_is_what_its_extract_is_of() {
    let (folder, manifest) = &*WHOLE;
    let area = &manifest.area;
    assert_eq!(area.name, "Neubrandenburg");
    assert!(area.id.as_str().starts_with("neubrandenburg-"), "{}", area.id);
    assert_eq!((area.time_zone.as_str(), area.country.as_deref()), ("Europe/Berlin", Some("DE")));
    assert_eq!((area.driving_side, area.units), (DrivingSide::Right, Units::Metric));
    assert_eq!(area.languages, ["de"]);
    assert_eq!(area.extracted_at, None, "this extract says nowhere how new it is");
    let [west, south, east, north] = area.bounds;
    assert!((west..east).contains(&13.26) && (south..north).contains(&53.557), "{:?}", area.bounds);
    assert!((area.center.lat - 53.557).abs() < 0.02 && (area.center.lon - 13.26).abs() < 0.03, "{:?}", area.center);
    assert_eq!(Manifest::from_json(&fs::read(folder.join(files::MANIFEST)).unwrap()).unwrap(), *manifest);
    assert!(RoadNetwork::from_bytes(&fs::read(folder.join(files::STREETS)).unwrap()).is_ok());
    assert!(Gazetteer::from_bytes(&fs::read(folder.join(files::ADDRESSES)).unwrap()).is_ok());
}

#[test]
fn the_same_extract_always_makes_the_same_bytes() {
    let (first, _) = &*WHOLE;
    let (second, _) = imported("again", &Options::default());
    for file in files::ALL {
        assert!(fs::read(first.join(file)).unwrap() == fs::read(second.join(file)).unwrap(), "{file} differs");
    }
}

#[test]
fn another_name_is_another_area() {
    let (_, named) = imported("named", &Options { name: Some("Viertorestadt".into()), ..Options::default() });
    assert_eq!(named.area.name, "Viertorestadt");
    let digits = |manifest: &Manifest| manifest.area.id.as_str().rsplit('-').next().map(str::to_owned);
    assert_ne!(digits(&named), digits(&WHOLE.1));
}

#[test]
fn every_tile_is_as_the_format_wants_it() {
    let tiles = layers_of_all_tiles();
    assert!(tiles.len() > 150, "{}", tiles.len());
    for ([zoom, x, y], layers) in tiles {
        assert!(zoom <= 14 && x < 1 << zoom && y < 1 << zoom);
        assert!(!layers.is_empty());
        let names: BTreeSet<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names.len(), layers.len(), "a layer stands twice");
        for feature in layers.iter().flat_map(|layer| &layer.features) {
            assert!(!feature.parts.is_empty());
            for part in &feature.parts {
                let least = [1, 2, 3][feature.kind as usize - 1];
                assert!(part.len() >= least, "{feature:?}");
                assert!(part.iter().flatten().all(|value| (-65..=4161).contains(value)), "{feature:?}");
            }
        }
    }
}

/// Outer rings run clockwise on the map, and the first ring is one: readers tell holes by that alone.
#[test]
fn every_area_begins_with_an_outer_ring() {
    let doubled_area = |ring: &[[i64; 2]]| {
        let steps = ring.iter().zip(ring.iter().cycle().skip(1));
        steps.map(|([ax, ay], [bx, by])| ax * by - bx * ay).sum::<i64>()
    };
    let layers = layers_of_all_tiles().into_iter().flat_map(|(_, layers)| layers);
    let areas: Vec<_> = layers.flat_map(|layer| layer.features).filter(|feature| feature.kind == 3).collect();
    assert!(areas.len() > 1000);
    let holes = areas.iter().flat_map(|area| &area.parts).filter(|ring| doubled_area(ring) < 0).count();
    assert!(holes > 20, "{holes}");
    for area in areas {
        assert!(doubled_area(&area.parts[0]) > 0);
        assert!(area.parts.iter().map(|ring| doubled_area(ring)).sum::<i64>() > 0);
    }
}

#[test]
fn the_tiles_hold_what_the_styles_draw() {
    let tiles = layers_of_all_tiles();
    let classes = |layer: &str, from: u32, to: u32| {
        let tiles = tiles.iter().filter(|([zoom, ..], _)| (from..=to).contains(zoom));
        let layers = tiles.flat_map(|(_, layers)| layers).filter(|it| it.name == layer);
        let class = |it: &tile::Feature| it.texts.get("class").cloned().unwrap_or_default();
        layers.flat_map(|layer| layer.features.iter().map(class)).collect::<BTreeSet<String>>()
    };
    for (layer, zoom, drawn) in [
        ("landcover", 10, &["grass", "wood", "farmland", "wetland"][..]),
        ("landuse", 14, &["cemetery", "pitch", "playground", "stadium"]),
        ("park", 14, &["protected_area"]),
        ("water", 9, &["lake"]),
        ("building", 13, &[""]),
        ("transportation", 9, &["primary", "secondary"]),
        ("transportation", 12, &["tertiary", "minor"]),
        ("transportation", 14, &["service", "track", "path", "pier"]),
        ("transportation_name", 14, &["primary", "minor", "path"]),
        ("place", 7, &["town"]),
        ("place", 11, &["village", "suburb"]),
        ("housenumber", 14, &[""]),
        ("poi", 14, &["restaurant"]),
        ("boundary", 11, &[""]),
        ("waterway", 13, &["river", "stream"]),
        ("water_name", 11, &["lake"]),
    ] {
        let there = classes(layer, zoom, zoom);
        assert!(drawn.iter().all(|class| there.contains(*class)), "{layer} at {zoom}: {there:?}");
    }
    assert!(classes("transportation", 0, 14).is_disjoint(&BTreeSet::from(["ferry".to_owned()])));
    assert!(classes("building", 0, 12).is_empty(), "houses are not seen from afar");
    assert!(!classes("transportation", 0, 11).contains("minor"));
}

#[test]
fn names_are_written_as_people_there_write_them() {
    let layers = layers_of_all_tiles().into_iter().flat_map(|(_, layers)| layers);
    let names: BTreeSet<String> =
        layers.flat_map(|layer| layer.features).filter_map(|feature| feature.texts.get("name").cloned()).collect();
    for name in ["Neubrandenburg", "Tollensesee", "Friedrich-Engels-Ring", "Große Wollweberstraße"] {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn without_a_coast_all_is_land() {
    let land = fs::read_to_string(WHOLE.0.join(files::LAND)).unwrap();
    assert!(land.contains("[-180.0,-85.0]") && land.contains("[180.0,85.0]"), "{land}");
}

#[test]
fn bounds_leave_out_what_lies_beyond() {
    let bounds = [13.24, 53.54, 13.28, 53.57];
    let (folder, manifest) = imported("bounds", &Options { bounds: Some(bounds), ..Options::default() });
    let [west, south, east, north] = manifest.area.bounds;
    assert!(west >= bounds[0] && south >= bounds[1] && east <= bounds[2] && north <= bounds[3]);
    assert_eq!(manifest.area.name, "Neubrandenburg");
    let size = |folder: &Path, file: &str| fs::metadata(folder.join(file)).unwrap().len();
    for file in [files::MAP, files::STREETS] {
        assert!(size(&folder, file) < size(&WHOLE.0, file), "{file}");
    }
}

#[test]
fn bounds_without_a_street_make_no_area() {
    let nowhere = Options { bounds: Some([0.0, 0.0, 1.0, 1.0]), ..Options::default() };
    let refused = area(Path::new(EXTRACT), &nowhere, &folder("nowhere"), &mut ());
    assert!(matches!(refused, Err(ImportError::Empty)), "{refused:?}");
    let turned = Options { bounds: Some([14.0, 53.0, 13.0, 54.0]), ..Options::default() };
    let refused = area(Path::new(EXTRACT), &turned, &folder("turned"), &mut ());
    assert!(matches!(refused, Err(ImportError::Bounds(_))), "{refused:?}");
}

/// Gives up as soon as a stage is reached.
struct UntilStage(Stage, bool);

impl Progress for UntilStage {
    fn reached(&mut self, stage: Stage, _: f64) {
        self.1 |= stage == self.0;
    }

    fn is_cancelled(&self) -> bool {
        self.1
    }
}

#[test]
fn an_import_that_is_cancelled_ends_in_whatever_stage_it_is() {
    for stage in [Stage::Positions, Stage::Streets, Stage::Addresses, Stage::Map, Stage::Files] {
        let folder = folder("cancelled");
        let ended = area(Path::new(EXTRACT), &Options::default(), &folder, &mut UntilStage(stage, false));
        assert!(matches!(ended, Err(ImportError::Cancelled)), "{stage:?}: {ended:?}");
        assert!(!folder.join(files::MANIFEST).exists(), "{stage:?}");
    }
}

/// What was told, to be looked at afterwards.
#[derive(Default)]
struct Told(Vec<(Stage, f64)>);

impl Progress for Told {
    fn reached(&mut self, stage: Stage, share: f64) {
        self.0.push((stage, share));
    }
}

#[test]
fn progress_only_goes_on() {
    let mut told = Told::default();
    area(Path::new(EXTRACT), &Options::default(), &folder("told"), &mut told).unwrap();
    let shares: Vec<(Stage, f64)> = told.0;
    assert!(shares.iter().all(|(_, share)| (0.0..=1.0).contains(share)));
    assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]), "{shares:?}");
    assert!(shares.len() < 600, "{}", shares.len());
}

#[test]
fn a_file_that_is_no_whole_extract_is_refused_with_a_sentence() {
    let whole = fs::read(EXTRACT).unwrap();
    let mut scratched = whole.clone();
    let middle = scratched.len() / 2;
    scratched[middle..middle + 64].fill(0x5a);
    let folder = folder("damaged");
    for (name, bytes) in [
        ("cut short", &whole[..whole.len() - 1000]),
        ("cut in its first block", &whole[..100]),
        ("scratched", &scratched),
        ("text", b"<?xml version='1.0'?><osm version='0.6'></osm>"),
    ] {
        let file = folder.join("some.osm.pbf");
        fs::write(&file, bytes).unwrap();
        match area(&file, &Options::default(), &folder, &mut ()) {
            Err(error @ ImportError::Extract { .. }) => {
                let sentence = error.to_string();
                assert!(sentence.contains("is no usable OpenStreetMap extract (.osm.pbf): "), "{name}: {sentence}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    let missing = area(&folder.join("none"), &Options::default(), &folder, &mut ());
    assert!(matches!(missing, Err(ImportError::Unreadable { .. })), "{missing:?}");
    fs::write(folder.join("empty"), b"").unwrap();
    let empty = area(&folder.join("empty"), &Options::default(), &folder, &mut ());
    assert!(matches!(empty, Err(ImportError::Empty)), "{empty:?}");
}

#[test]
fn an_area_takes_no_more_disk_than_was_estimated() {
    let estimate = estimate(Path::new(EXTRACT)).unwrap();
    let bytes: u64 = files::ALL.iter().map(|file| fs::metadata(WHOLE.0.join(file)).unwrap().len()).sum();
    assert!(bytes <= estimate.disk_bytes && estimate.disk_bytes < 10 * bytes, "{bytes} {estimate:?}");
}
