//! From an extract to the files of an area, one after the other.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use doorstep_shared::{
    api::area::{AreaId, AreaPoint, AreaView},
    text::fold,
};
use sha2::{Digest, Sha256};

use super::{
    error::ImportError,
    estimate,
    extract::Extract,
    land, name, places,
    positions::Positions,
    region::{self, Region},
    roads,
    survey::{PointE7, Survey},
    tiles,
    watch::{Progress, Stage, Watch},
};
use crate::{
    files,
    manifest::{FORMAT, Manifest},
};

/// What an operator may say of an area.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// What it is called; otherwise what the extract suggests.
    pub name: Option<String>,
    /// West, south, east and north in degrees: what lies outside is left out. Otherwise the whole extract.
    pub bounds: Option<[f64; 4]>,
}

/// The licences of OpenStreetMap's data and of the schema that the tiles follow ask for this.
const ATTRIBUTION: &str = "© OpenMapTiles © OpenStreetMap contributors";

// Where neither a boundary nor a place has a name.
const NAMELESS: &str = "Area";

/// Writes the files of [`files`] into the empty folder `into`, and answers what `area.json` says.
///
/// The same extract and options always make the same bytes. The folder may hold some of the files after an error: who
/// calls removes it, and moves it to its place only after success.
///
/// # Errors
/// See [`ImportError`].
pub fn area(
    extract: &Path,
    options: &Options,
    into: &Path,
    progress: &mut dyn Progress,
) -> Result<Manifest, ImportError> {
    options.check()?;
    estimate::check(extract, into)?;
    let extract = Extract::open(extract)?;
    let mut watch = Watch::new(progress);
    watch.enter(Stage::Positions)?;
    watch.part(0.0, 0.5);
    let mut positions = Positions::read(&extract, &mut watch)?;
    watch.part(0.5, 1.0);
    if let Some(bounds) = options.bounds {
        positions.clip(bounds);
    }
    let survey = Survey::take(&extract, &positions, options.bounds, &mut watch)?;
    let region = Region::of(&survey.streets)?;
    let center = region::center(&survey.streets)?;
    let name = options
        .name
        .clone()
        .or_else(|| name::of(&survey, region.bounds, center))
        .unwrap_or_else(|| NAMELESS.to_owned());
    let extracted_at = extract.written_at().or(survey.newest);
    drop(survey);

    watch.enter(Stage::Streets)?;
    let streets = roads::read(&extract, &positions, &region, &mut watch)?;
    write(into, files::STREETS, &streets.to_bytes())?;
    drop(streets);
    watch.enter(Stage::Addresses)?;
    let addresses = places::read(&extract, &positions, &region, &mut watch)?;
    write(into, files::ADDRESSES, &addresses.to_bytes())?;
    drop(addresses);

    watch.enter(Stage::Map)?;
    let map = into.join(files::MAP);
    let coast = tiles::draw(&extract, &positions, region.bounds, ATTRIBUTION, &map, &mut watch)?;
    write(into, files::LAND, &land::geojson(&coast, &positions, region.bounds))?;
    drop(positions);

    watch.enter(Stage::Files)?;
    let mut manifest = manifest(name, region, center, extracted_at)?;
    manifest.area.id = id(&manifest, into)?;
    write(into, files::MANIFEST, &manifest.to_json())?;
    watch.reached(1.0)?;
    Ok(manifest)
}

impl Options {
    fn check(&self) -> Result<(), ImportError> {
        let is_on_earth = |[west, south, east, north]: [f64; 4]| {
            let range = |low: f64, high: f64, most: f64| -most <= low && low < high && high <= most;
            range(west, east, 180.0) && range(south, north, 90.0)
        };
        match self.bounds {
            Some(bounds) if !is_on_earth(bounds) => Err(ImportError::Bounds(bounds)),
            _ => Ok(()),
        }
    }
}

fn write(folder: &Path, file: &str, bytes: &[u8]) -> Result<(), ImportError> {
    let path = folder.join(file);
    std::fs::write(&path, bytes).map_err(|error| ImportError::unwritable(&path, error))
}

/// Its id is only a slug until its files are hashed.
fn manifest(
    name: String,
    region: Region,
    center: PointE7,
    extracted_at: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<Manifest, ImportError> {
    let [lat, lon] = center.map(|e7| f64::from(e7) / 1e7);
    let area = AreaView {
        id: slug(&name).parse().map_err(|_| ImportError::Panicked)?,
        name,
        bounds: region.bounds,
        center: AreaPoint { lat, lon },
        time_zone: region.time_zone,
        country: region.country,
        driving_side: region.driving_side,
        units: region.units,
        languages: region.languages,
        extracted_at,
        attribution: ATTRIBUTION.to_owned(),
        streets: true,
        addresses: true,
        basemap: true,
    };
    Ok(Manifest { format: FORMAT, area })
}

// With a hyphen and eight digits behind it an id has at most 64 bytes.
const LONGEST_SLUG: usize = 55;

/// The name in small letters, digits and hyphens. Where a script has none of these it is no help, and not needed.
fn slug(name: &str) -> String {
    let folded = fold(name);
    let words = folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug.truncate(LONGEST_SLUG);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "area".to_owned() } else { slug.to_owned() }
}

/// The slug and a hash of all files, `area.json` as it is without an id.
fn id(manifest: &Manifest, folder: &Path) -> Result<AreaId, ImportError> {
    let mut hash = Sha256::new();
    hash.update(without_id(manifest));
    for file in files::ALL {
        let path = folder.join(file);
        if file != files::MANIFEST {
            hash_file(&path, &mut hash).map_err(|error| ImportError::unreadable(&path, error))?;
        }
    }
    let digits: String = hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{digits}", manifest.area.id).parse().map_err(|_| ImportError::Panicked)
}

fn without_id(manifest: &Manifest) -> Vec<u8> {
    let mut value = serde_json::to_value(manifest).expect("a manifest has only text keys");
    if let Some(fields) = value.as_object_mut() {
        fields.remove("id");
    }
    value.to_string().into_bytes()
}

fn hash_file(path: &Path, hash: &mut Sha256) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            count => hash.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_part_of_an_id_whatever_the_name() {
        for (name, slug_of_it) in [
            ("Isle of Man", "isle-of-man"),
            ("Ħal Qormi", "hal-qormi"),
            ("Αθήνα", "area"),
            ("  St. Gallen (SG) ", "st-gallen-sg"),
        ] {
            assert_eq!(slug(name), slug_of_it);
        }
        let long = format!("{}-12345678", slug(&"ab ".repeat(60)));
        assert!(long.parse::<AreaId>().is_ok(), "{long}");
    }

    #[test]
    fn bounds_that_are_no_part_of_the_earth_are_refused() {
        for bounds in [[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0], [-181.0, 0.0, 0.0, 1.0], [0.0, 0.0, f64::NAN, 1.0]] {
            let options = Options { bounds: Some(bounds), ..Options::default() };
            assert!(matches!(options.check(), Err(ImportError::Bounds(_))), "{bounds:?}");
        }
    }
}
