//! The file that holds an area's names.
//!
//! A header of eight bytes names the format and its version; behind it stands one zlib stream with everything in
//! postcard. Points are in hundred-thousandths of a degree, about a metre, each relative to the one before it.

use serde::{Deserialize, Serialize};

use crate::{LatLon, roads::RoadNetwork};

const MAGIC: [u8; 6] = *b"DSPLAC";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 8;
// Malta has less than two; a file that claims more than this is not one of ours.
const MAX_INFLATED_BYTES: usize = 256 * 1024 * 1024;
const E5: f64 = 1e5;

/// Why bytes are not a gazetteer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlacesError {
    /// The bytes do not begin like such a file.
    #[error("not a file of places")]
    NotPlaces,
    /// Written by another version of the format; bake the file again.
    #[error("file of places of version {0}, this program reads version {VERSION}")]
    UnsupportedVersion(u8),
    /// Cut short or changed on the way.
    #[error("the file of places is damaged: {0}")]
    Damaged(&'static str),
}

/// A town, a village or a quarter.
#[derive(Clone, Debug, PartialEq)]
pub struct Town {
    /// Its name; first as addresses have it.
    pub names: Vec<String>,
    /// Its middle.
    pub centre: LatLon,
}

/// A street within one town.
#[derive(Clone, Debug, PartialEq)]
pub struct Street {
    /// Its name; first as its signs have it.
    pub names: Vec<String>,
    /// Index into [`PlacesData::towns`].
    pub town: Option<u32>,
    /// Where it runs; no line is empty.
    pub lines: Vec<Vec<LatLon>>,
    /// Its houses, as far as they are mapped.
    pub houses: Vec<House>,
}

/// A house with a number.
#[derive(Clone, Debug, PartialEq)]
pub struct House {
    /// As it is written: "12", "12A".
    pub number: String,
    /// Where.
    pub point: LatLon,
}

/// A shop, an office, a hotel, a church: any other thing with a name of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct PointOfInterest {
    /// Its name.
    pub names: Vec<String>,
    /// Index into [`PlacesData::towns`].
    pub town: Option<u32>,
    /// Where.
    pub point: LatLon,
}

/// Everything that has a name, as plain lists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlacesData {
    /// Towns, villages and quarters.
    pub towns: Vec<Town>,
    /// Streets.
    pub streets: Vec<Street>,
    /// Points of interest.
    pub points: Vec<PointOfInterest>,
}

impl PlacesData {
    /// The file's bytes. The same data always becomes the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let plain = postcard::to_allocvec(&Stored::from(self)).expect("lists have known lengths");
        let mut bytes = Vec::with_capacity(plain.len() / 2);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, 0]);
        bytes.extend_from_slice(&miniz_oxide::deflate::compress_to_vec_zlib(&plain, 10));
        bytes
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`PlacesError`] for anything that [`Self::to_bytes`] did not write; never a panic.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlacesError> {
        let (header, packed) = bytes.split_at_checked(HEADER_BYTES).ok_or(PlacesError::NotPlaces)?;
        if header[..MAGIC.len()] != MAGIC {
            return Err(PlacesError::NotPlaces);
        }
        if header[MAGIC.len()..] != [VERSION, 0] {
            return Err(PlacesError::UnsupportedVersion(header[MAGIC.len()]));
        }
        let plain = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, MAX_INFLATED_BYTES)
            .map_err(|_| PlacesError::Damaged("it does not unpack"))?;
        let stored: Stored = postcard::from_bytes(&plain).map_err(|_| PlacesError::Damaged("it cannot be read"))?;
        stored.into_data()
    }

    /// What a street graph alone knows: streets that vehicles may use, and the towns they are in.
    pub fn from_roads(roads: &RoadNetwork) -> Self {
        let mut data = Self::default();
        let mut towns = std::collections::BTreeMap::<&str, u32>::new();
        let mut streets = std::collections::BTreeMap::<(&str, Option<u32>), Vec<Vec<LatLon>>>::new();
        for edge in roads.edge_ids().map(|id| roads.edge(id)) {
            let Some(name) = edge.street else { continue };
            let middle = edge.line[edge.line.len() / 2];
            let town = roads.place_near(middle).map(|town| {
                *towns.entry(town).or_insert_with(|| {
                    data.towns.push(Town { names: vec![town.to_owned()], centre: middle });
                    data.towns.len() as u32 - 1
                })
            });
            streets.entry((name, town)).or_default().push(edge.line.to_vec());
        }
        let street = |((name, town), lines): ((&str, _), _)| Street {
            names: vec![name.to_owned()],
            town,
            lines,
            houses: Vec::new(),
        };
        data.streets = streets.into_iter().map(street).collect();
        data
    }
}

/// The data as it is written: points as differences.
#[derive(Serialize, Deserialize)]
struct Stored {
    towns: Vec<(Vec<String>, [i32; 2])>,
    streets: Vec<StoredStreet>,
    points: Vec<(Vec<String>, Option<u32>, [i32; 2])>,
}

#[derive(Serialize, Deserialize)]
struct StoredStreet {
    names: Vec<String>,
    town: Option<u32>,
    /// Each point relative to the one before, across lines; the first to the street before.
    lines: Vec<Vec<[i32; 2]>>,
    /// Relative to each other, the first to the street's last point.
    houses: Vec<(String, [i32; 2])>,
}

/// Writes and reads points relative to the one before.
#[derive(Default)]
struct Pen([i32; 2]);

impl Pen {
    fn difference(&mut self, point: LatLon) -> [i32; 2] {
        let here = [(point.lat() * E5).round() as i32, (point.lon() * E5).round() as i32];
        let before = std::mem::replace(&mut self.0, here);
        [here[0] - before[0], here[1] - before[1]]
    }

    fn point(&mut self, difference: [i32; 2]) -> Result<LatLon, PlacesError> {
        self.0 = [self.0[0].wrapping_add(difference[0]), self.0[1].wrapping_add(difference[1])];
        LatLon::try_new(f64::from(self.0[0]) / E5, f64::from(self.0[1]) / E5)
            .map_err(|_| PlacesError::Damaged("a point is not on earth"))
    }
}

impl From<&PlacesData> for Stored {
    fn from(data: &PlacesData) -> Self {
        let mut pen = Pen::default();
        let towns = data.towns.iter().map(|town| (town.names.clone(), pen.difference(town.centre))).collect();
        let street = |street: &Street| StoredStreet {
            names: street.names.clone(),
            town: street.town,
            lines: street.lines.iter().map(|line| line.iter().map(|point| pen.difference(*point)).collect()).collect(),
            houses: street.houses.iter().map(|house| (house.number.clone(), pen.difference(house.point))).collect(),
        };
        let streets = data.streets.iter().map(street).collect();
        let point = |place: &PointOfInterest| (place.names.clone(), place.town, pen.difference(place.point));
        let points = data.points.iter().map(point).collect();
        Self { towns, streets, points }
    }
}

impl Stored {
    fn into_data(self) -> Result<PlacesData, PlacesError> {
        let mut pen = Pen::default();
        let mut data = PlacesData::default();
        for (names, centre) in self.towns {
            data.towns.push(Town { names: named(names)?, centre: pen.point(centre)? });
        }
        let known = data.towns.len();
        let town = |town: Option<u32>| match town {
            Some(index) if index as usize >= known => Err(PlacesError::Damaged("a town is missing")),
            other => Ok(other),
        };
        for street in self.streets {
            data.streets.push(street.into_street(&mut pen, town)?);
        }
        for (names, of_town, point) in self.points {
            let point = pen.point(point)?;
            data.points.push(PointOfInterest { names: named(names)?, town: town(of_town)?, point });
        }
        Ok(data)
    }
}

impl StoredStreet {
    fn into_street(
        self,
        pen: &mut Pen,
        town: impl Fn(Option<u32>) -> Result<Option<u32>, PlacesError>,
    ) -> Result<Street, PlacesError> {
        if self.lines.is_empty() || self.lines.iter().any(Vec::is_empty) {
            return Err(PlacesError::Damaged("a street runs nowhere"));
        }
        let mut lines = Vec::with_capacity(self.lines.len());
        for line in self.lines {
            lines.push(line.into_iter().map(|point| pen.point(point)).collect::<Result<Vec<_>, _>>()?);
        }
        let house = |(number, point)| Ok(House { number, point: pen.point(point)? });
        let houses = self.houses.into_iter().map(house).collect::<Result<Vec<_>, _>>()?;
        Ok(Street { names: named(self.names)?, town: town(self.town)?, lines, houses })
    }
}

fn named(names: Vec<String>) -> Result<Vec<String>, PlacesError> {
    if names.is_empty() { Err(PlacesError::Damaged("a place has no name")) } else { Ok(names) }
}
