//! What an extract is of: where its streets lie, which places and boundaries it names, how new it is.
//!
//! Read once, before anything is made: the area's bounds, zone, country and name follow from it.

use chrono::{DateTime, Utc};
use osmpbf::Element;

use super::{
    error::ImportError,
    extract::{Extract, Kinds},
    positions::Positions,
    rings::{Joining, is_ring, join},
    watch::Watch,
};

/// Latitude and longitude in 1e-7 degrees.
pub(super) type PointE7 = [i32; 2];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The points of the streets that vehicles use, inside the bounds that were asked for.
    pub(super) streets: Vec<PointE7>,
    /// Points with a name where people live.
    pub(super) settlements: Vec<Settlement>,
    /// Administrative areas with a name whose outline is complete.
    pub(super) boundaries: Vec<Boundary>,
    /// The newest change of an element; `None` when the extract keeps no times.
    pub(super) newest: Option<DateTime<Utc>>,
}

/// A place node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settlement {
    pub(super) name: String,
    /// The larger the more important: 5 is a city, 1 a hamlet.
    pub(super) rank: u8,
    pub(super) population: u64,
    pub(super) at: PointE7,
}

/// An administrative area.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Boundary {
    pub(super) name: String,
    /// Closed outlines, of which every second is a hole.
    pub(super) rings: Vec<Vec<PointE7>>,
}

/// A boundary's name and the ways along it.
struct Outline {
    name: String,
    ways: Vec<i64>,
}

impl Survey {
    /// Reads the extract twice, its relations first: they tell which ways are needed.
    ///
    /// # Errors
    /// As [`Extract::try_for_each`].
    pub(super) fn take(
        extract: &Extract,
        positions: &Positions,
        bounds: Option<[f64; 4]>,
        watch: &mut Watch<'_>,
    ) -> Result<Self, ImportError> {
        let outlines = read_outlines(extract, watch)?;
        let mut wanted: Vec<(i64, Vec<i64>)> =
            outlines.iter().flat_map(|outline| &outline.ways).map(|way| (*way, Vec::new())).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut survey = Self::default();
        let mut newest_ms = 0;
        extract.for_each(Kinds::NODES.and(Kinds::WAYS), watch, |element| {
            newest_ms = newest_ms.max(changed_at_ms(&element));
            match element {
                Element::DenseNode(node) => {
                    survey.note_place([node.decimicro_lat(), node.decimicro_lon()], node.tags())
                }
                Element::Node(node) => survey.note_place([node.decimicro_lat(), node.decimicro_lon()], node.tags()),
                Element::Way(way) => {
                    if is_for_vehicles(way.tags()) {
                        survey.streets.extend(way.refs().filter_map(|node| positions.e7(node)));
                    }
                    if let Ok(index) = wanted.binary_search_by_key(&way.id(), |(id, _)| *id) {
                        wanted[index].1 = way.refs().collect();
                    }
                }
                Element::Relation(_) => {}
            }
        })?;
        if let Some(bounds) = bounds {
            survey.streets.retain(|point| contains(bounds, *point));
        }
        survey.newest = (newest_ms > 0).then(|| DateTime::from_timestamp_millis(newest_ms)).flatten();
        survey.boundaries = outlines.into_iter().filter_map(|outline| outline.closed(&wanted, positions)).collect();
        Ok(survey)
    }

    fn note_place<'a>(&mut self, at: PointE7, tags: impl Iterator<Item = (&'a str, &'a str)>) {
        let (mut kind, mut name, mut population) = (None, None, None);
        for (key, value) in tags {
            match key {
                "place" => kind = Some(value),
                "name" => name = Some(value),
                "population" => population = value.parse().ok(),
                _ => {}
            }
        }
        if let (Some(rank), Some(name)) = (kind.and_then(rank), name) {
            self.settlements.push(Settlement { name: name.to_owned(), rank, population: population.unwrap_or(0), at });
        }
    }
}

impl Outline {
    /// `None` when the extract holds only a part of it.
    fn closed(self, ways: &[(i64, Vec<i64>)], positions: &Positions) -> Option<Boundary> {
        let nodes = |way: &i64| ways.binary_search_by_key(way, |(id, _)| *id).map(|index| ways[index].1.clone());
        let lines: Vec<Vec<i64>> = self.ways.iter().filter_map(|way| nodes(way).ok()).collect();
        let chains = join(lines, Joining::Outline);
        let ring = |chain: &Vec<i64>| chain.iter().map(|node| positions.anywhere_e7(*node)).collect::<Option<Vec<_>>>();
        let rings: Vec<_> = chains.iter().filter(|chain| is_ring(chain)).map(ring).collect::<Option<_>>()?;
        (!rings.is_empty() && rings.len() == chains.len()).then_some(Boundary { name: self.name, rings })
    }
}

fn read_outlines(extract: &Extract, watch: &mut Watch<'_>) -> Result<Vec<Outline>, ImportError> {
    let mut outlines = Vec::new();
    extract.for_each(Kinds::RELATIONS, watch, |element| {
        let Element::Relation(relation) = element else { return };
        let is_boundary = relation.tags().any(|tag| tag == ("boundary", "administrative"));
        let name = relation.tags().find_map(|(key, value)| (key == "name").then(|| value.to_owned()));
        if let (true, Some(name)) = (is_boundary, name) {
            let members = relation.members().filter(|member| {
                member.member_type == osmpbf::RelMemberType::Way
                    && member.role().is_ok_and(|role| ["", "outer", "inner"].contains(&role))
            });
            outlines.push(Outline { name, ways: members.map(|member| member.member_id).collect() });
        }
    })?;
    Ok(outlines)
}

fn changed_at_ms(element: &Element<'_>) -> i64 {
    match element {
        Element::DenseNode(node) => node.info().map_or(0, |info| info.milli_timestamp()),
        Element::Node(node) => node.info().milli_timestamp().unwrap_or(0),
        Element::Way(way) => way.info().milli_timestamp().unwrap_or(0),
        Element::Relation(relation) => relation.info().milli_timestamp().unwrap_or(0),
    }
}

// Farms and localities name fields and rocks: an area is not called after them.
fn rank(place: &str) -> Option<u8> {
    match place {
        "city" => Some(5),
        "town" => Some(4),
        "village" => Some(3),
        "suburb" | "quarter" | "neighbourhood" => Some(2),
        "hamlet" => Some(1),
        _ => None,
    }
}

/// Streets that cars use: paths and ferries lead beyond the edge of what a delivery area is.
fn is_for_vehicles<'a>(mut tags: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
    tags.any(|(key, value)| {
        key == "highway"
            && matches!(
                value.trim_end_matches("_link"),
                "motorway"
                    | "trunk"
                    | "primary"
                    | "secondary"
                    | "tertiary"
                    | "unclassified"
                    | "residential"
                    | "living_street"
                    | "service"
                    | "road"
            )
    })
}

/// Whether a point lies in bounds of west, south, east and north in degrees.
pub(super) fn contains([west, south, east, north]: [f64; 4], [lat, lon]: PointE7) -> bool {
    let degrees = |e7: i32| f64::from(e7) / 1e7;
    (south..=north).contains(&degrees(lat)) && (west..=east).contains(&degrees(lon))
}
