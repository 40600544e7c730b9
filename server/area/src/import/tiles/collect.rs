//! Collects everything that is drawn from an extract, in two passes: relations, which say what ways are, and the rest.

use std::collections::HashMap;

use osmpbf::{Element, Way};

use super::{
    areas,
    feature::{Attributes, Drawing, Features, Kind, Layer, Value},
    places::Places,
    relations::Relations,
    schema,
    world::{Frame, Point, project},
};
use crate::import::{
    error::ImportError,
    extract::{Extract, Kinds},
    positions::Positions,
    rings::{Joining, join},
    tags::Tags,
    watch::Watch,
};

/// What an extract holds.
pub(super) struct Collected {
    pub(super) features: Features,
    /// The nodes of the ways along the coast.
    pub(super) coast: Vec<Vec<i64>>,
}

/// Collects what lies in `bounds`, in degrees.
///
/// # Errors
/// As [`Extract::try_for_each`].
pub(super) fn collect(
    extract: &Extract,
    positions: &Positions,
    bounds: [f64; 4],
    watch: &mut Watch<'_>,
) -> Result<Collected, ImportError> {
    let relations = Relations::read(extract, watch)?;
    let mut collector = Collector {
        positions,
        frame: Frame::of_degrees(bounds),
        relations,
        features: Features::default(),
        lines: Lines::default(),
        places: Places::default(),
        coast: Vec::new(),
    };
    extract.for_each(Kinds::NODES.and(Kinds::WAYS), watch, |element| match element {
        Element::DenseNode(node) => {
            collector.take_node(&Tags::new(node.tags()), [node.decimicro_lat(), node.decimicro_lon()]);
        }
        Element::Node(node) => {
            collector.take_node(&Tags::new(node.tags()), [node.decimicro_lat(), node.decimicro_lon()])
        }
        Element::Way(way) => collector.take_way(&way),
        Element::Relation(_) => {}
    })?;
    watch.go_on()?;
    Ok(collector.finish())
}

struct Collector<'a> {
    positions: &'a Positions,
    frame: Frame,
    relations: Relations,
    features: Features,
    lines: Lines,
    places: Places,
    coast: Vec<Vec<i64>>,
}

impl Collector<'_> {
    fn take_node(&mut self, tags: &Tags<'_>, place: [i32; 2]) {
        if !tags.is_empty() {
            let at = project(place);
            for drawing in schema::of_point(tags) {
                self.add_point(drawing, at);
            }
        }
    }

    fn take_way(&mut self, way: &Way<'_>) {
        self.relations.take(way.id(), way.refs());
        if let Some(border) = self.relations.border(way.id()).and_then(border) {
            self.lines.add(border, way.refs().collect());
        }
        let tags = Tags::new(way.tags());
        if tags.is("natural", "coastline") {
            self.coast.push(way.refs().collect());
        }
        if !tags.is_empty() {
            self.draw_way(way, &tags);
        }
    }

    fn draw_way(&mut self, way: &Way<'_>, tags: &Tags<'_>) {
        let nodes: Vec<i64> = way.refs().collect();
        let is_closed = nodes.len() >= 4 && nodes.first() == nodes.last();
        let area = if is_closed && schema::is_area(tags) { schema::of_area(tags) } else { Vec::new() };
        if area.iter().any(|drawing| drawing.kind == Kind::Area) {
            let new = area.into_iter().filter(|drawing| !self.relations.fills(way.id(), drawing)).collect::<Vec<_>>();
            if let Some(points) = self.points(&nodes) {
                self.add_area(&new, &areas::of_way(points));
            }
            return;
        }
        for drawing in schema::of_line(tags) {
            self.lines.add(drawing, nodes.clone());
        }
        // A place or a wood's name may be an area that nothing fills.
        if let Some(points) = self.points(&nodes).filter(|_| !area.is_empty()) {
            self.add_area(&area, &areas::of_way(points));
        }
    }

    /// Where nodes lie; `None` when one is missing: an area must not lose a corner.
    fn points(&self, nodes: &[i64]) -> Option<Vec<Point>> {
        nodes.iter().map(|node| self.positions.anywhere_e7(*node).map(project)).collect()
    }

    fn add_area(&mut self, drawings: &[Drawing], rings: &[Vec<Point>]) {
        let is_seen = Frame::around(rings.iter().flatten()).is_some_and(|frame| frame.meets(&self.frame));
        for drawing in drawings.iter().filter(|_| is_seen) {
            match (drawing.kind, areas::middle(rings)) {
                (Kind::Point, Some(middle)) => self.add_point(drawing.clone(), middle),
                (Kind::Point, None) => {}
                _ => self.features.add(drawing.clone(), rings.iter().map(Vec::as_slice)),
            }
        }
    }

    fn add_point(&mut self, drawing: Drawing, at: Point) {
        if !self.frame.meets(&Frame { min: at, max: at }) {
            return;
        }
        if drawing.layer == Layer::Place {
            self.places.add(drawing, at);
        } else {
            self.features.add(drawing, [[at].as_slice()]);
        }
    }

    fn finish(mut self) -> Collected {
        self.add_relations();
        self.add_lines();
        for (drawing, at) in std::mem::take(&mut self.places).thinned() {
            self.features.add(drawing, [[at].as_slice()]);
        }
        self.features.finish();
        Collected { features: self.features, coast: self.coast }
    }

    fn add_relations(&mut self) {
        let relations = std::mem::take(&mut self.relations);
        for (drawings, rings) in relations.closed() {
            let rings: Vec<Vec<Point>> = rings.iter().filter_map(|ring| self.points(ring)).collect();
            self.add_area(drawings, &areas::enclosed(&rings));
        }
    }

    /// Pieces of one street become one line: it needs less room, and its name finds more.
    fn add_lines(&mut self) {
        for (drawing, lines) in std::mem::take(&mut self.lines).0 {
            for chain in join(lines, Joining::UpToForks) {
                for piece in self.known(&chain) {
                    if Frame::around(&piece).is_some_and(|frame| frame.meets(&self.frame)) {
                        self.features.add(drawing.clone(), [piece.as_slice()]);
                    }
                }
            }
        }
    }

    /// The pieces of a line between nodes that the extract lacks.
    fn known(&self, nodes: &[i64]) -> Vec<Vec<Point>> {
        let points: Vec<Option<Point>> =
            nodes.iter().map(|node| self.positions.anywhere_e7(*node).map(project)).collect();
        let pieces = points.split(Option::is_none).map(|piece| piece.iter().copied().flatten().collect::<Vec<_>>());
        pieces.filter(|piece| piece.len() >= 2).collect()
    }
}

/// Lines that are drawn the same way, in the order in which their kinds were seen.
#[derive(Default)]
struct Lines(Vec<(Drawing, Vec<Vec<i64>>)>, HashMap<Drawing, usize>);

impl Lines {
    fn add(&mut self, drawing: Drawing, nodes: Vec<i64>) {
        let Self(groups, numbers) = self;
        let number = *numbers.entry(drawing).or_insert_with_key(|drawing| {
            groups.push((drawing.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[number].1.push(nodes);
    }
}

/// How a border is drawn; `None` for those between quarters.
fn border(level: u8) -> Option<Drawing> {
    let min_zoom = match level {
        0..=2 => 0,
        3..=4 => 4,
        5..=6 => 8,
        7..=8 => 11,
        _ => return None,
    };
    let attributes: Attributes = vec![("admin_level", Value::Number(level.into()))];
    Some(Drawing { layer: Layer::Boundary, kind: Kind::Line, min_zoom, attributes })
}
