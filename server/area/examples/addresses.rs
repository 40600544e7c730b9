//! Says how well an area finds the addresses of its own extract: `addresses EXTRACT`, one line of JSON for each way of
//! writing an address. With `misses` behind it, it also shows what was found far from the house that was meant.
//!
//! The truth is read from the extract anew, by other code than the import's: every house with a street and a town in its
//! tags, at the middle of its outline. A seeded sample of them is written as people write addresses, and searched for
//! without saying where to look. Addresses that the extract has twice, far apart, are left out and counted: no search can
//! know which is meant.

#![allow(clippy::disallowed_methods, reason = "those rules guard the server's clock and tasks")]

use std::{
    collections::HashMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use doorstep_area::{
    files,
    import::{Options, area},
    places::Gazetteer,
};
use doorstep_shared::{LatLon, geo::distance::haversine_m};
use nix::time::{ClockId, clock_gettime};
use osmpbf::{Element, ElementReader};

const SEED: u64 = 16;
const SAMPLE: usize = 2_000;
/// Found is what is this near, and wrong what is this far, in metres.
const FOUND_M: f64 = 60.0;
const WRONG_M: f64 = 500.0;
/// Of one address within this many metres there is one house.
const SAME_HOUSE_M: f64 = 120.0;

/// A house as the extract has it.
#[derive(Clone)]
struct House {
    street: String,
    number: String,
    town: String,
    postcode: String,
    at: LatLon,
}

/// A way of writing an address.
type Writing = fn(&House) -> String;

const WRITINGS: [(&str, Writing); 6] = [
    ("Street 12, Postcode City", |house| {
        format!("{} {}, {} {}", house.street, house.number, house.postcode, house.town)
    }),
    ("12 Street, City Postcode", |house| {
        format!("{} {}, {} {}", house.number, house.street, house.town, house.postcode)
    }),
    ("Street 12, City", |house| format!("{} {}, {}", house.street, house.number, house.town)),
    ("Flat 3, Street 12, Postcode City, Country", |house| {
        format!("Flat 3, {} {}, {} {}, Ruritania", house.street, house.number, house.postcode, house.town)
    }),
    ("STREET 12 CITY", |house| format!("{} {} {}", house.street, house.number, house.town).to_uppercase()),
    ("Steret 12, Postcode City", |house| {
        format!("{} {}, {} {}", mistyped(&house.street), house.number, house.postcode, house.town)
    }),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (extract, shows_misses) = match &arguments[..] {
        [extract] => (extract, false),
        [extract, word] if word == "misses" => (extract, true),
        _ => bail!("usage: addresses EXTRACT [misses]"),
    };
    let folder = std::env::temp_dir().join(format!("doorstep-addresses-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let told = tell(Path::new(extract), &folder, shows_misses);
    fs::remove_dir_all(&folder)?;
    told
}

fn tell(extract: &Path, folder: &Path, shows_misses: bool) -> Result<()> {
    area(extract, &Options::default(), folder, &mut ())?;
    let bytes = fs::read(folder.join(files::ADDRESSES))?;
    let begun = Instant::now();
    let names = Gazetteer::from_bytes(&bytes)?;
    let loaded_ms = begun.elapsed().as_millis() as u64;
    let (houses, ambiguous) = truth(extract)?;
    let sample = sample(houses);
    for (writing, write) in WRITINGS {
        let mut told = search(&names, &sample, write, shows_misses)?;
        told["writing"] = writing.into();
        told["ambiguous"] = ambiguous.into();
        told["loaded_ms"] = loaded_ms.into();
        told["file_bytes"] = bytes.len().into();
        println!("{told}");
    }
    Ok(())
}

fn search(names: &Gazetteer, sample: &[House], write: Writing, shows_misses: bool) -> Result<serde_json::Value> {
    let (mut near, mut far, mut far_and_certain) = (0u32, 0u32, 0u32);
    let mut times: Vec<Duration> = Vec::with_capacity(sample.len());
    for house in sample {
        let text = write(house);
        let begun = core_time()?;
        let found = names.search(&text, None, 1).pop();
        times.push(core_time()? - begun);
        let Some(found) = found else { continue };
        let metres = haversine_m(found.point, house.at);
        if shows_misses && metres > WRONG_M {
            eprintln!(
                "{text}: {:?} {}, {metres:.0} m off, {:?}",
                found.name,
                found.town.as_deref().unwrap_or("-"),
                found.doubt
            );
        }
        near += u32::from(metres <= FOUND_M);
        far += u32::from(metres > WRONG_M);
        far_and_certain += u32::from(metres > WRONG_M && found.doubt.is_none());
    }
    times.sort_unstable();
    let share = |count: u32| f64::from(count) / sample.len().max(1) as f64;
    let ms = |of: usize| times.get(of).map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
    Ok(serde_json::json!({
        "searched": sample.len(),
        "within_60_m": share(near),
        "beyond_500_m": share(far),
        "beyond_500_m_and_certain": share(far_and_certain),
        "p50_ms": ms(times.len() / 2),
        "p99_ms": ms(times.len() * 99 / 100),
    }))
}

/// How long this thread has had a core: other programs on the machine do not count.
fn core_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

/// Two letters in the middle of the name exchanged.
fn mistyped(street: &str) -> String {
    let mut letters: Vec<char> = street.chars().collect();
    let middle = letters.len() / 2;
    if letters.len() > 6 && letters[middle..=middle + 1].iter().all(|letter| letter.is_alphabetic()) {
        letters.swap(middle, middle + 1);
    }
    letters.into_iter().collect()
}

/// Houses in a mixed order that is the same every time.
fn sample(mut houses: Vec<House>) -> Vec<House> {
    let mut state = SEED;
    for last in (1..houses.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        houses.swap(last, (state >> 33) as usize % (last + 1));
    }
    houses.truncate(SAMPLE);
    houses
}

/// Every house with an address of its own, and how many have none.
fn truth(extract: &Path) -> Result<(Vec<House>, usize)> {
    let (houses, towns) = read(extract)?;
    let mut of_address = HashMap::<[String; 4], Vec<LatLon>>::new();
    let named: Vec<House> = houses.into_iter().filter_map(|house| with_town(house, &towns)).collect();
    let key =
        |house: &House| [&house.street, &house.number, &house.town, &house.postcode].map(|text| text.to_lowercase());
    for house in &named {
        of_address.entry(key(house)).or_default().push(house.at);
    }
    let count = named.len();
    let is_alone =
        |house: &House| of_address[&key(house)].iter().all(|other| haversine_m(*other, house.at) <= SAME_HOUSE_M);
    let alone: Vec<House> = named.into_iter().filter(is_alone).collect();
    let ambiguous = count - alone.len();
    Ok((alone, ambiguous))
}

/// The town in its tags, or else the nearest one within a few kilometres: what its people write.
fn with_town(mut house: House, towns: &HashMap<[i32; 2], Vec<(String, LatLon)>>) -> Option<House> {
    if house.town.is_empty() {
        let [row, column] = square(house.at);
        let around = (row - 1..=row + 1).flat_map(|row| (column - 1..=column + 1).map(move |column| [row, column]));
        let near = around.filter_map(|square| towns.get(&square)).flatten();
        let distance = |town: &&(String, LatLon)| haversine_m(town.1, house.at);
        house.town = near.min_by(|a, b| distance(a).total_cmp(&distance(b)))?.0.clone();
    }
    Some(house)
}

fn square(at: LatLon) -> [i32; 2] {
    [(at.lat() * 20.0).floor() as i32, (at.lon() * 20.0).floor() as i32]
}

type Towns = HashMap<[i32; 2], Vec<(String, LatLon)>>;

fn read(extract: &Path) -> Result<(Vec<House>, Towns)> {
    let (mut nodes, mut houses, mut towns) = (HashMap::<i64, (f64, f64)>::new(), Vec::new(), Towns::new());
    let mut take = |tags: &HashMap<&str, &str>, lat: f64, lon: f64| {
        let Ok(at) = LatLon::try_new(lat, lon) else { return };
        houses.extend(house(tags, at));
        if let (Some("city" | "town" | "village" | "suburb"), Some(name)) =
            (tags.get("place").copied(), tags.get("name"))
        {
            towns.entry(square(at)).or_default().push(((*name).to_owned(), at));
        }
    };
    ElementReader::from_path(extract)?
        .for_each(|element| match element {
            Element::Node(node) => {
                nodes.insert(node.id(), (node.lat(), node.lon()));
                take(&node.tags().collect(), node.lat(), node.lon());
            }
            Element::DenseNode(node) => {
                nodes.insert(node.id(), (node.lat(), node.lon()));
                take(&node.tags().collect(), node.lat(), node.lon());
            }
            Element::Way(way) => {
                let outline: Vec<&(f64, f64)> = way.refs().filter_map(|node| nodes.get(&node)).collect();
                let count = outline.len().max(1) as f64;
                let mean = outline.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0 / count, sum.1 + at.1 / count));
                if way.tags().len() > 0 && !outline.is_empty() {
                    take(&way.tags().collect(), mean.0, mean.1);
                }
            }
            Element::Relation(_) => {}
        })
        .context("the extract cannot be read")?;
    Ok((houses, towns))
}

fn house(tags: &HashMap<&str, &str>, at: LatLon) -> Option<House> {
    let text = |key: &str| tags.get(key).map(|text| text.trim().to_owned()).unwrap_or_default();
    let (street, number) = (tags.get("addr:street")?.to_string(), tags.get("addr:housenumber")?.to_string());
    Some(House { street, number, town: text("addr:city"), postcode: text("addr:postcode"), at })
}
