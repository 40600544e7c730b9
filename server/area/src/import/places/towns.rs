//! Which towns there are, and whose names an address at a point may bear.
//!
//! A point has several: the town within whose boundary it lies, the nearest one whose middle is mapped, the quarter, and
//! what its houses say. People write any of them, so all count; the first is shown.

use std::collections::{BTreeMap, HashMap};

use super::{
    boundaries::{Boundary, Bounded},
    finds::{Finds, Settlement, centre},
    streets::Streets,
    tags::Habits,
};
use crate::places::{Grid, PlacesBuilder, PlacesData, Spot, StreetDraft, TownKind, folded_words};

/// A name that at least so many houses bear is a town's, though no town is mapped.
const HOUSES_OF_A_TOWN: usize = 3;

/// Of one name within this many metres there is one town.
const SAME_TOWN_M: f64 = 4_000.0;

/// Towns of one name farther away than this are not what a house says. In metres.
const FARTHEST_TOWN_M: f64 = 25_000.0;

const CELL_M: f64 = 2_000.0;

pub(super) struct Towns {
    all: Vec<Settlement>,
    by_name: HashMap<String, Vec<u32>>,
    cities: Vec<u32>,
    places: Grid,
    quarters: Grid,
    boundaries: Vec<(Boundary, Option<u32>)>,
    bounded: Grid,
}

fn folded(name: &str) -> String {
    folded_words(name).concat()
}

impl Towns {
    pub(super) fn new(finds: &mut Finds, boundaries: Vec<Boundary>, habits: &Habits) -> Self {
        let mut all = distinct(std::mem::take(&mut finds.towns));
        let mut linked = Vec::with_capacity(boundaries.len());
        for boundary in boundaries {
            let town = match &boundary.of {
                Bounded::Town { names, kind, .. } => Some(link(&mut all, &boundary, names, *kind)),
                Bounded::Postcode(_) => None,
            };
            linked.push((boundary, town));
        }
        if let Some(country) = &habits.country {
            let at = all.first().map_or_else(Spot::default, |town| town.at);
            all.push(Settlement { names: vec![country.clone()], kind: TownKind::Region, at });
        }
        let mut towns = Self {
            all,
            by_name: HashMap::new(),
            cities: Vec::new(),
            places: Grid::default(),
            quarters: Grid::default(),
            bounded: Grid::new(CELL_M, (0u32..).zip(linked.iter().map(|(boundary, _)| boundary.corners()))),
            boundaries: linked,
        };
        towns.index();
        towns.add_unmapped(finds);
        towns.index();
        towns
    }

    fn index(&mut self) {
        self.by_name.clear();
        for (number, town) in (0u32..).zip(&self.all) {
            for name in &town.names {
                self.by_name.entry(folded(name)).or_default().push(number);
            }
        }
        let of_kinds = |kinds: &[TownKind]| -> Vec<(u32, [Spot; 2])> {
            let all = (0u32..).zip(&self.all).filter(|(_, town)| kinds.contains(&town.kind));
            all.map(|(number, town)| (number, [town.at; 2])).collect()
        };
        self.cities = of_kinds(&[TownKind::City]).into_iter().map(|(number, _)| number).collect();
        self.places = Grid::new(CELL_M, of_kinds(&[TownKind::Town, TownKind::Village]).into_iter());
        self.quarters = Grid::new(CELL_M, of_kinds(&[TownKind::Suburb, TownKind::Hamlet]).into_iter());
    }

    /// Towns that only houses know.
    fn add_unmapped(&mut self, finds: &Finds) {
        let mut unknown = BTreeMap::<String, (String, Vec<Spot>)>::new();
        for (address, at) in &finds.houses {
            let names = [&address.city, &address.suburb].into_iter().flatten();
            for name in names.filter(|name| self.named(name, *at).is_none()) {
                unknown.entry(folded(name)).or_insert_with(|| (name.clone(), Vec::new())).1.push(*at);
            }
        }
        let enough = unknown.into_iter().filter(|(key, (_, spots))| !key.is_empty() && spots.len() >= HOUSES_OF_A_TOWN);
        let town = |(_, (name, spots)): (String, (String, Vec<Spot>))| {
            Some(Settlement { names: vec![name], kind: TownKind::Village, at: centre(&spots)? })
        };
        self.all.extend(enough.filter_map(town));
    }

    /// The town that a house's tags name.
    pub(super) fn named(&self, name: &str, near: Spot) -> Option<u32> {
        let key = folded(name);
        let named = |key: &str| {
            let towns = self.by_name.get(key)?.iter().copied();
            let local = towns.filter(|town| self.all[*town as usize].kind != TownKind::Region);
            let (distance_m, town) = local
                .map(|town| (near.distance_m(self.all[town as usize].at), town))
                .min_by(|a, b| a.0.total_cmp(&b.0))?;
            (distance_m <= FARTHEST_TOWN_M).then_some(town)
        };
        // Signs of two languages are written as one here and there.
        named(&key).or_else(|| {
            name.split([',', '/', '('])
                .map(str::trim)
                .filter(|part| *part != name)
                .find_map(|part| named(&folded(part)))
        })
    }

    /// The towns of a point, the usual first.
    pub(super) fn of(&self, at: Spot) -> Vec<u32> {
        let mut towns = self.around(at);
        towns.extend(self.nearest_place(at));
        towns.extend(self.nearest_quarter(at));
        let mut seen = Vec::new();
        towns.retain(|town| {
            !seen.contains(town) && {
                seen.push(*town);
                true
            }
        });
        towns
    }

    /// The town that is shown for a point.
    pub(super) fn shown(&self, at: Spot) -> Option<u32> {
        self.of(at).first().copied()
    }

    /// The towns within whose boundaries a point lies, municipalities before quarters.
    fn around(&self, at: Spot) -> Vec<u32> {
        let mut around: Vec<(bool, u8, u32)> = self
            .bounded
            .near(at, 1.0)
            .map(|boundary| &self.boundaries[boundary as usize])
            .filter(|(boundary, _)| boundary.holds(at))
            .filter_map(|(boundary, town)| {
                let Bounded::Town { level, kind, .. } = boundary.of else { return None };
                let town = (*town)?;
                (kind != TownKind::Region).then_some((kind == TownKind::Suburb, u8::MAX - level, town))
            })
            .collect();
        around.sort_unstable();
        around.dedup();
        around.into_iter().map(|(.., town)| town).collect()
    }

    /// The town whose middle is nearest, measured by how far towns of its kind reach.
    fn nearest_place(&self, at: Spot) -> Option<u32> {
        let reach_m = TownKind::Town.reach_m();
        let near = self.places.near(at, reach_m).chain(self.cities.iter().copied());
        let share = |town: u32| at.distance_m(self.all[town as usize].at) / self.all[town as usize].kind.reach_m();
        near.map(|town| (share(town), town))
            .filter(|(share, _)| *share <= 1.5)
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map(|(_, town)| town)
    }

    fn nearest_quarter(&self, at: Spot) -> Option<u32> {
        let near = self.quarters.near(at, TownKind::Suburb.reach_m());
        let distances = near.map(|town| (at.distance_m(self.all[town as usize].at), town));
        let reach_m = |town: u32| self.all[town as usize].kind.reach_m();
        distances
            .filter(|(metres, town)| *metres <= reach_m(*town))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map(|(_, town)| town)
    }

    /// The postcodes within whose boundaries a point lies.
    pub(super) fn postcodes(&self, at: Spot) -> Vec<String> {
        let near = self.bounded.near(at, 1.0).map(|boundary| &self.boundaries[boundary as usize].0);
        let codes = near.filter_map(|boundary| match &boundary.of {
            Bounded::Postcode(code) if boundary.holds(at) => Some(code.clone()),
            _ => None,
        });
        codes.collect()
    }

    /// Everything together, in an order that depends on nothing but names and places.
    pub(super) fn build(&self, streets: Streets, finds: Finds, number_first: bool) -> PlacesData {
        let mut builder = PlacesBuilder::new(number_first);
        for town in &self.all {
            builder.town(&town.names, town.kind, town.at);
        }
        let mut drafts: Vec<StreetDraft> = streets.into_drafts(self);
        drafts.sort_by(|a, b| {
            (&a.names, &a.towns, &a.lines, a.houses.len()).cmp(&(&b.names, &b.towns, &b.lines, b.houses.len()))
        });
        drafts.into_iter().for_each(|street| builder.street(street));
        let mut points: Vec<_> = finds.points.into_iter().map(|(names, at)| (self.shown(at), names, at)).collect();
        points.sort();
        points.dedup();
        points.into_iter().for_each(|(town, names, at)| builder.point(&names, town, at));
        builder.finish()
    }
}

/// Towns in order, without those that are mapped both as a point and as an area.
fn distinct(mut towns: Vec<Settlement>) -> Vec<Settlement> {
    towns.retain(|town| !town.names.is_empty());
    towns.sort_by(|a, b| (&a.names, a.kind, a.at).cmp(&(&b.names, b.kind, b.at)));
    let mut kept: Vec<Settlement> = Vec::with_capacity(towns.len());
    for town in towns {
        let is_known = kept
            .iter()
            .rev()
            .take_while(|other| other.names[0] == town.names[0])
            .any(|other| other.at.distance_m(town.at) <= SAME_TOWN_M);
        if !is_known {
            kept.push(town);
        }
    }
    kept
}

/// The town that a boundary is around: one of its name within it, or a new one.
fn link(all: &mut Vec<Settlement>, boundary: &Boundary, names: &[String], kind: TownKind) -> u32 {
    let keys: Vec<String> = names.iter().map(|name| folded(name)).collect();
    let is_same = |town: &&Settlement| {
        let has_name = town.names.iter().any(|name| keys.contains(&folded(name)));
        has_name && (kind == TownKind::Region) == (town.kind == TownKind::Region) && boundary.holds(town.at)
    };
    if let Some(at) = all.iter().position(|town| is_same(&town)) {
        for name in names
            .iter()
            .zip(&keys)
            .filter(|(_, key)| !all[at].names.iter().any(|own| folded(own) == **key))
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
        {
            all[at].names.push(name);
        }
        return at as u32;
    }
    let at = boundary.label.unwrap_or_else(|| boundary.middle());
    all.push(Settlement { names: names.to_vec(), kind, at });
    all.len() as u32 - 1
}
