//! Relations that say where something is: boundaries of towns and postcodes, streets with their houses, houses with yards.

use std::collections::{HashMap, HashSet};

use osmpbf::{Element, RelMemberType, Relation};

use super::{
    finds::{centre, spot},
    tags::{Address, Habits},
};
use crate::{
    import::{positions::Positions, tags::Tags},
    places::{Spot, TownKind},
};

/// A boundary and what lies within.
pub(super) struct Boundary {
    pub(super) of: Bounded,
    area: Area,
    /// The node in its middle that names it, too.
    pub(super) label: Option<Spot>,
}

/// What a boundary is around.
pub(super) enum Bounded {
    Town { names: Vec<String>, kind: TownKind, level: u8 },
    Postcode(String),
}

/// A relation with an address or a name of its own.
pub(super) struct Drawn {
    pub(super) address: Option<Address>,
    pub(super) names: Vec<String>,
    pub(super) at: Option<Spot>,
    ways: Vec<i64>,
}

#[derive(Default)]
pub(super) struct Boundaries {
    wanted: Vec<(Bounded, Vec<i64>, Option<i64>)>,
    drawn: Vec<Drawn>,
    /// The street of each member of a relation of a street; `true` for ways.
    streets: HashMap<(bool, i64), String>,
    lines: HashMap<i64, Vec<Spot>>,
    wanted_lines: HashSet<i64>,
}

impl Boundaries {
    /// First pass.
    pub(super) fn take_relation(&mut self, element: &Element, habits: &Habits) {
        let Element::Relation(relation) = element else { return };
        let tags = Tags::new(relation.tags());
        match tags.get("type") {
            Some("associatedStreet" | "street") => self.take_street(relation, &tags),
            Some("boundary" | "multipolygon") if bounded(&tags, habits).is_some() => {
                let ways = ways(relation);
                self.wanted_lines.extend(&ways);
                let label = relation.members().find(|member| is_label(member.role().unwrap_or_default()));
                self.wanted.extend(bounded(&tags, habits).map(|of| (of, ways, label.map(|label| label.member_id))));
            }
            Some("multipolygon" | "building" | "site") => {
                let (address, names) =
                    (Address::of(&tags), if tags.is_point() { habits.names(&tags) } else { Vec::new() });
                if address.is_some() || !names.is_empty() {
                    let ways = ways(relation);
                    self.wanted_lines.extend(&ways);
                    self.drawn.push(Drawn { address, names, at: None, ways });
                }
            }
            _ => {}
        }
    }

    fn take_street(&mut self, relation: &Relation, tags: &Tags) {
        let Some(name) = tags.get("name").or_else(|| tags.get("addr:street")) else { return };
        for member in relation.members().filter(|member| member.role().is_ok_and(|role| role != "street")) {
            let is_way = member.member_type == RelMemberType::Way;
            if is_way || member.member_type == RelMemberType::Node {
                self.streets.insert((is_way, member.member_id), name.to_owned());
            }
        }
    }

    /// Second pass.
    pub(super) fn take_way(&mut self, element: &Element, positions: &Positions) {
        if let Element::Way(way) = element
            && self.wanted_lines.contains(&way.id())
        {
            let line = way.refs().filter_map(|node| positions.anywhere_e7(node).map(spot)).collect();
            self.lines.insert(way.id(), line);
        }
    }

    /// See [`super::Finds::take`].
    pub(super) fn streets(&self) -> &HashMap<(bool, i64), String> {
        &self.streets
    }

    /// Relations with addresses and names, once all ways are known.
    pub(super) fn take_addresses(&mut self) -> Vec<Drawn> {
        let mut drawn = std::mem::take(&mut self.drawn);
        for one in &mut drawn {
            let spots: Vec<Spot> = one.ways.iter().filter_map(|way| self.lines.get(way)).flatten().copied().collect();
            one.at = centre(&spots);
        }
        drawn
    }

    /// The boundaries that are closed within the extract; the others are cut at its edge and tell nothing.
    pub(super) fn closed(self, positions: impl Fn(i64) -> Option<Spot>) -> Vec<Boundary> {
        let lines = self.lines;
        let boundary = |(of, ways, label): (Bounded, Vec<i64>, Option<i64>)| {
            let parts: Option<Vec<&Vec<Spot>>> = ways.iter().map(|way| lines.get(way)).collect();
            let area = Area::of(&parts?)?;
            Some(Boundary { of, area, label: label.and_then(&positions) })
        };
        self.wanted.into_iter().filter_map(boundary).collect()
    }
}

impl Boundary {
    pub(super) fn holds(&self, at: Spot) -> bool {
        self.area.holds(at)
    }

    pub(super) fn middle(&self) -> Spot {
        let [low, high] = self.corners();
        Spot { lat: low.lat.midpoint(high.lat), lon: low.lon.midpoint(high.lon) }
    }

    /// South-west and north-east of it.
    pub(super) fn corners(&self) -> [Spot; 2] {
        [self.area.low, self.area.high]
    }
}

fn ways(relation: &Relation) -> Vec<i64> {
    let members = relation.members().filter(|member| member.member_type == RelMemberType::Way);
    let outlines =
        members.filter(|member| member.role().is_ok_and(|role| matches!(role, "" | "outer" | "inner" | "outline")));
    outlines.map(|member| member.member_id).collect()
}

fn is_label(role: &str) -> bool {
    matches!(role, "label" | "admin_centre")
}

fn bounded(tags: &Tags, habits: &Habits) -> Option<Bounded> {
    match tags.get("boundary") {
        Some("postal_code") => {
            tags.get("postal_code").or_else(|| tags.get("name")).map(|code| Bounded::Postcode(code.to_owned()))
        }
        Some("administrative") => {
            let level: u8 = tags.get("admin_level")?.parse().ok()?;
            let names = habits.town_names(tags);
            let kind = match level {
                // Some cities are states.
                2..=6 => tags.town_kind().filter(|kind| *kind == TownKind::City).unwrap_or(TownKind::Region),
                7 | 8 => tags.town_kind().unwrap_or(TownKind::Town),
                9..=11 => TownKind::Suburb,
                _ => return None,
            };
            (!names.is_empty()).then_some(Bounded::Town { names, kind, level })
        }
        _ => {
            let (names, kind) = (habits.town_names(tags), tags.town_kind()?);
            (!names.is_empty()).then_some(Bounded::Town { names, kind, level: 10 })
        }
    }
}

/// Lines around an area, in strips of latitude: whether a point is inside is told by the few lines of its strip.
struct Area {
    low: Spot,
    high: Spot,
    strip: i32,
    strips: Vec<Vec<[Spot; 2]>>,
}

const MOST_STRIPS: i32 = 256;

impl Area {
    /// `None` when the lines have loose ends.
    fn of(lines: &[&Vec<Spot>]) -> Option<Self> {
        let mut ends = HashMap::<Spot, u32>::new();
        for line in lines {
            let (first, last) = (line.first()?, line.last()?);
            *ends.entry(*first).or_default() += 1;
            *ends.entry(*last).or_default() += 1;
        }
        if ends.is_empty() || ends.values().any(|count| count % 2 == 1) {
            return None;
        }
        let spots = || lines.iter().flat_map(|line| line.iter());
        let low = Spot { lat: spots().map(|spot| spot.lat).min()?, lon: spots().map(|spot| spot.lon).min()? };
        let high = Spot { lat: spots().map(|spot| spot.lat).max()?, lon: spots().map(|spot| spot.lon).max()? };
        let strip = (high.lat - low.lat) / MOST_STRIPS + 1;
        let mut strips = vec![Vec::new(); ((high.lat - low.lat) / strip + 1) as usize];
        for pair in lines.iter().flat_map(|line| line.windows(2)) {
            let (bottom, top) = (pair[0].lat.min(pair[1].lat), pair[0].lat.max(pair[1].lat));
            for at in (bottom - low.lat) / strip..=(top - low.lat) / strip {
                strips[at as usize].push([pair[0], pair[1]]);
            }
        }
        Some(Self { low, high, strip, strips })
    }

    /// Whether a ray to the east crosses an odd number of lines.
    fn holds(&self, at: Spot) -> bool {
        let is_near =
            (self.low.lat..=self.high.lat).contains(&at.lat) && (self.low.lon..=self.high.lon).contains(&at.lon);
        if !is_near {
            return false;
        }
        let crosses = |[a, b]: &&[Spot; 2]| {
            let rises = (a.lat > at.lat) != (b.lat > at.lat);
            let share = f64::from(at.lat - a.lat) / f64::from(b.lat - a.lat);
            rises && f64::from(at.lon) < f64::from(a.lon) + share * f64::from(b.lon - a.lon)
        };
        self.strips[((at.lat - self.low.lat) / self.strip) as usize].iter().filter(crosses).count() % 2 == 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ring(points: &[(i32, i32)]) -> Vec<Spot> {
        points.iter().map(|(lat, lon)| Spot { lat: *lat, lon: *lon }).collect()
    }

    #[test]
    fn an_area_in_pieces_with_a_hole_holds_what_is_between() {
        let (first, second) = (ring(&[(0, 0), (0, 100), (100, 100)]), ring(&[(0, 0), (100, 0), (100, 100)]));
        let hole = ring(&[(40, 40), (40, 60), (60, 60), (60, 40), (40, 40)]);
        let area = Area::of(&[&first, &second, &hole]).expect("closed");
        let holds = |lat, lon| area.holds(Spot { lat, lon });
        assert!(holds(20, 20) && holds(50, 80) && !holds(50, 50) && !holds(120, 20) && !holds(-1, 50));
        assert!(Area::of(&[&first, &hole]).is_none(), "one end is loose");
    }

    proptest! {
        #[test]
        fn a_square_holds_what_is_in_it(lat in -50i32..1_050, lon in -50i32..1_050) {
            let square = ring(&[(0, 0), (0, 1_000), (1_000, 1_000), (1_000, 0), (0, 0)]);
            let area = Area::of(&[&square]).expect("closed");
            prop_assume!(![0, 1_000].contains(&lat) && ![0, 1_000].contains(&lon));
            let inside = (1..1_000).contains(&lat) && (1..1_000).contains(&lon);
            prop_assert_eq!(area.holds(Spot { lat, lon }), inside);
        }
    }
}
