//! What an extract says about streets: ways, barriers, lights, turn restrictions and settlements.

use std::collections::HashMap;

use doorstep_shared::LatLon;
use osmpbf::{Element, RelMemberType, Relation};

use super::{
    access::Access,
    barriers,
    class::{self, Kind},
    country::Customs,
    limits::Limit,
    restrictions::Rule,
};
use crate::{
    import::{
        error::ImportError,
        extract::{Extract, Kinds},
        tags::Tags,
        watch::Watch,
    },
    roads::{Halt, Profiles, RoadClass, RoadPlace, Surface},
};

/// A way as it was drawn: its tags, understood, and the nodes it goes through.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) id: i64,
    pub(super) class: RoadClass,
    pub(super) access: Access,
    pub(super) limit: Limit,
    pub(super) surface: Surface,
    pub(super) tunnel: bool,
    /// A boat's `duration`.
    pub(super) duration: Option<String>,
    /// Index into [`Found::streets`].
    pub(super) street: Option<u32>,
    pub(super) nodes: Vec<i64>,
}

/// What one pass finds.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) ways: Vec<Way>,
    /// In the order in which they were first met.
    pub(super) streets: Vec<String>,
    numbers: HashMap<String, u32>,
    pub(super) barriers: HashMap<i64, Profiles>,
    pub(super) halts: HashMap<i64, Halt>,
    pub(super) rules: Vec<Rule>,
    pub(super) places: Vec<RoadPlace>,
}

impl Found {
    pub(super) fn read(extract: &Extract, customs: &Customs, watch: &mut Watch<'_>) -> Result<Self, ImportError> {
        let mut found = Self::default();
        let all = Kinds::NODES.and(Kinds::WAYS).and(Kinds::RELATIONS);
        extract.for_each(all, watch, |element| match element {
            Element::Node(node) => found.take_node(node.id(), &Tags::new(node.tags()), [node.lat(), node.lon()]),
            Element::DenseNode(node) => {
                found.take_node(node.id(), &Tags::new(node.tags()), [node.lat(), node.lon()]);
            }
            Element::Way(way) => {
                let tags = Tags::new(way.tags());
                found.take_way(way.id(), &tags, || way.refs().collect(), customs);
            }
            Element::Relation(relation) => found.take_relation(&relation),
        })?;
        found.places.sort_by(|a, b| a.name.cmp(&b.name).then(a.centre.lat().total_cmp(&b.centre.lat())));
        Ok(found)
    }

    fn take_node(&mut self, id: i64, tags: &Tags<'_>, [lat, lon]: [f64; 2]) {
        if tags.is_empty() {
            return;
        }
        if let Some(open_to) = barriers::open_to(tags).filter(|open_to| *open_to != Profiles::ALL) {
            self.barriers.insert(id, open_to);
        }
        if let Some(halt) = barriers::halt(tags) {
            self.halts.insert(id, halt);
        }
        if let Some(name) = place_name(tags)
            && let Ok(centre) = LatLon::try_new(lat, lon)
        {
            // The way it is written on letters, and short enough for a map's label.
            self.places.push(RoadPlace { name: name.replace("Saint ", "St "), centre });
        }
    }

    pub(super) fn take_way(&mut self, id: i64, tags: &Tags<'_>, nodes: impl FnOnce() -> Vec<i64>, customs: &Customs) {
        let Some(kind) = Kind::of(tags) else { return };
        let access = Access::of(tags, kind, customs);
        if access.users().is_empty() {
            return;
        }
        let street = tags.get("name");
        let way = Way {
            id,
            class: kind.class,
            access,
            limit: Limit::of(tags, kind.class, customs),
            surface: class::surface(tags, kind.class),
            tunnel: tags.get("tunnel") == Some("yes"),
            duration: tags.get("duration").map(str::to_owned),
            street: street.map(|name| self.number(name)),
            nodes: nodes(),
        };
        self.ways.push(way);
    }

    fn number(&mut self, street: &str) -> u32 {
        if let Some(number) = self.numbers.get(street) {
            return *number;
        }
        let number = self.streets.len() as u32;
        self.streets.push(street.to_owned());
        self.numbers.insert(street.to_owned(), number);
        number
    }

    fn take_relation(&mut self, relation: &Relation<'_>) {
        let tags = Tags::new(relation.tags());
        if tags.get("type").is_none_or(|kind| !kind.starts_with("restriction")) {
            return;
        }
        let members = relation.members().filter_map(|member| {
            let is_way = match member.member_type {
                RelMemberType::Node => false,
                RelMemberType::Way => true,
                RelMemberType::Relation => return None,
            };
            Some((member.role().ok()?, is_way, member.member_id))
        });
        let members: Vec<(&str, bool, i64)> = members.collect();
        self.rules.extend(Rule::all_of(&tags, &members));
    }
}

/// The name of a settlement, in the form that addresses use.
fn place_name<'a>(tags: &Tags<'a>) -> Option<&'a str> {
    if !matches!(tags.get("place")?, "city" | "town" | "village" | "suburb") {
        return None;
    }
    tags.get("name:en").or_else(|| tags.get("name"))
}
