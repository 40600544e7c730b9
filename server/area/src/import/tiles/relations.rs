//! Relations whose ways are the outline of something that is drawn.

use std::collections::HashMap;

use osmpbf::{Element, RelMemberType, Relation};

use super::{
    feature::{Drawing, Kind},
    schema,
};
use crate::import::{
    error::ImportError,
    extract::{Extract, Kinds},
    rings::{Joining, is_ring, join},
    tags::Tags,
    watch::Watch,
};

/// An area of several ways.
struct Outline {
    drawings: Vec<Drawing>,
    outer: Vec<i64>,
    inner: Vec<i64>,
}

/// What relations tell about ways.
#[derive(Default)]
pub(super) struct Relations {
    outlines: Vec<Outline>,
    /// The nodes of each way of an outline, once they are read, and the first outline that it bounds from outside.
    ways: HashMap<i64, Member>,
    /// The highest administrative border that a way is a part of.
    borders: HashMap<i64, u8>,
}

#[derive(Default)]
struct Member {
    outline: Option<usize>,
    nodes: Vec<i64>,
}

impl Relations {
    /// Reads the relations of an extract; the ways' nodes follow by [`Self::take`].
    ///
    /// # Errors
    /// As [`Extract::try_for_each`].
    pub(super) fn read(extract: &Extract, watch: &mut Watch<'_>) -> Result<Self, ImportError> {
        let mut relations = Self::default();
        extract.for_each(Kinds::RELATIONS, watch, |element| {
            if let Element::Relation(relation) = element {
                relations.note(&relation);
            }
        })?;
        Ok(relations)
    }

    fn note(&mut self, relation: &Relation<'_>) {
        let tags = Tags::new(relation.tags());
        if tags.is("boundary", "administrative") {
            let level = tags.get("admin_level").and_then(|level| level.parse().ok()).unwrap_or(u8::MAX);
            for way in ways(relation, &["outer", "inner", ""]) {
                let known = self.borders.entry(way).or_insert(level);
                *known = level.min(*known);
            }
        }
        let is_outline = tags.is("type", "multipolygon") || tags.is("type", "boundary");
        let drawings = if is_outline { schema::of_area(&tags) } else { Vec::new() };
        // A boundary with a place's tags repeats the place's own point.
        if drawings.iter().any(|drawing| drawing.kind == Kind::Area) {
            self.add(Outline { drawings, outer: ways(relation, &["outer", ""]), inner: ways(relation, &["inner"]) });
        }
    }

    fn add(&mut self, outline: Outline) {
        let number = self.outlines.len();
        for way in &outline.outer {
            self.ways.entry(*way).or_default().outline.get_or_insert(number);
        }
        for way in &outline.inner {
            self.ways.entry(*way).or_default();
        }
        self.outlines.push(outline);
    }

    /// Keeps the way's nodes if an outline needs them.
    pub(super) fn take(&mut self, way: i64, nodes: impl Iterator<Item = i64>) {
        if let Some(member) = self.ways.get_mut(&way) {
            member.nodes = nodes.collect();
        }
    }

    /// The level of the border that the way is a part of.
    pub(super) fn border(&self, way: i64) -> Option<u8> {
        self.borders.get(&way).copied()
    }

    /// Whether the relation around a way fills it the same way already: twice would be twice as dark.
    pub(super) fn fills(&self, way: i64, drawing: &Drawing) -> bool {
        let outline = self.ways.get(&way).and_then(|member| member.outline);
        outline.is_some_and(|outline| {
            let same = |other: &Drawing| (other.layer, &other.attributes) == (drawing.layer, &drawing.attributes);
            self.outlines[outline].drawings.iter().any(same)
        })
    }

    /// The drawings of each outline, and its closed rings of nodes.
    pub(super) fn closed(&self) -> impl Iterator<Item = (&[Drawing], Vec<Vec<i64>>)> {
        self.outlines.iter().map(|outline| (outline.drawings.as_slice(), self.rings(outline)))
    }

    /// All rings, when the outline is whole. An extract's edge cuts some open: then the outer rings that are not cut,
    /// because the holes of the others would be taken for ground.
    fn rings(&self, outline: &Outline) -> Vec<Vec<i64>> {
        let nodes = |way: &i64| self.ways.get(way).map(|member| member.nodes.clone());
        let all: Vec<i64> = outline.outer.iter().chain(&outline.inner).copied().collect();
        let is_whole = all.iter().all(|way| self.ways.get(way).is_some_and(|member| !member.nodes.is_empty()));
        let mut chains = join(all.iter().filter_map(nodes).collect(), Joining::Outline);
        if !is_whole || !chains.iter().all(|chain| is_ring(chain)) {
            chains = join(outline.outer.iter().filter_map(nodes).collect(), Joining::Outline);
        }
        chains.retain(|chain| is_ring(chain));
        chains
    }
}

fn ways(relation: &Relation<'_>, roles: &[&str]) -> Vec<i64> {
    let members = relation.members().filter(|member| member.member_type == RelMemberType::Way);
    members.filter(|member| member.role().is_ok_and(|role| roles.contains(&role))).map(|it| it.member_id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tiles::feature::Layer;

    fn relations(outer: &[(i64, &[i64])], inner: &[(i64, &[i64])]) -> Relations {
        let drawing = Drawing { layer: Layer::Water, kind: Kind::Area, min_zoom: 0, attributes: vec![] };
        let ids = |ways: &[(i64, &[i64])]| ways.iter().map(|(id, _)| *id).collect();
        let mut relations = Relations::default();
        relations.add(Outline { drawings: vec![drawing], outer: ids(outer), inner: ids(inner) });
        for (way, nodes) in outer.iter().chain(inner) {
            relations.take(*way, nodes.iter().copied());
        }
        relations
    }

    fn rings(relations: &Relations) -> Vec<Vec<i64>> {
        relations.closed().flat_map(|(_, rings)| rings).collect()
    }

    const HOLE: (i64, &[i64]) = (3, &[7, 8, 9, 7]);

    #[test]
    fn a_lake_of_two_shores_and_an_island_is_whole() {
        let lake = relations(&[(1, &[1, 2, 3]), (2, &[1, 4, 3])], &[HOLE]);
        assert_eq!(rings(&lake).len(), 2);
    }

    #[test]
    fn an_island_in_a_lake_that_is_cut_open_is_not_taken_for_a_lake() {
        let missing = relations(&[(1, &[1, 2, 3]), (2, &[])], &[HOLE]);
        assert_eq!(rings(&missing), [[0_i64; 0]; 0]);
    }

    #[test]
    fn a_way_is_not_filled_twice() {
        let lake = relations(&[(1, &[1, 2, 3, 1])], &[HOLE]);
        let same = Drawing { layer: Layer::Water, kind: Kind::Area, min_zoom: 5, attributes: vec![] };
        assert!(lake.fills(1, &same));
        assert!(!lake.fills(3, &same), "an island's wood is not the lake");
        assert!(!lake.fills(1, &Drawing { layer: Layer::Park, ..same }));
    }
}
