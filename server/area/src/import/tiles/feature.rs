//! What is drawn: the layers, and all features in a few long lists.
//!
//! A million buildings as a million little boxes would take four times the memory.

use std::{borrow::Cow, collections::HashMap};

use super::world::{Frame, Point};

/// The layers of a tile, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Layer {
    Water,
    Waterway,
    Landcover,
    Landuse,
    Park,
    Boundary,
    Aeroway,
    Transportation,
    Building,
    WaterName,
    TransportationName,
    Place,
    Housenumber,
    Poi,
    AerodromeLabel,
    MountainPeak,
}

impl Layer {
    /// All of them.
    pub(super) const ALL: [Self; 16] = [
        Self::Water,
        Self::Waterway,
        Self::Landcover,
        Self::Landuse,
        Self::Park,
        Self::Boundary,
        Self::Aeroway,
        Self::Transportation,
        Self::Building,
        Self::WaterName,
        Self::TransportationName,
        Self::Place,
        Self::Housenumber,
        Self::Poi,
        Self::AerodromeLabel,
        Self::MountainPeak,
    ];

    /// As styles know it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Water => "water",
            Self::Waterway => "waterway",
            Self::Landcover => "landcover",
            Self::Landuse => "landuse",
            Self::Park => "park",
            Self::Boundary => "boundary",
            Self::Aeroway => "aeroway",
            Self::Transportation => "transportation",
            Self::Building => "building",
            Self::WaterName => "water_name",
            Self::TransportationName => "transportation_name",
            Self::Place => "place",
            Self::Housenumber => "housenumber",
            Self::Poi => "poi",
            Self::AerodromeLabel => "aerodrome_label",
            Self::MountainPeak => "mountain_peak",
        }
    }
}

/// What a feature's points make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Point,
    Line,
    /// Rings that do not repeat their first point: every outer one before its holes.
    Area,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Text(Cow<'static, str>),
    Number(i64),
}

/// What a style can ask of a feature, in the order in which it was added.
pub(super) type Attributes = Vec<(&'static str, Value)>;

/// The number of [`Attributes`] that several features may share.
pub(super) type AttributesId = u32;

/// How a thing is drawn, without where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Drawing {
    pub(super) layer: Layer,
    pub(super) kind: Kind,
    /// The coarsest zoom that shows it.
    pub(super) min_zoom: u8,
    pub(super) attributes: Attributes,
}

/// One of [`Features`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Feature {
    pub(super) layer: Layer,
    pub(super) kind: Kind,
    pub(super) min_zoom: u8,
    pub(super) attributes: AttributesId,
    /// Behind its last part.
    parts_end: u32,
}

/// All features of an area.
#[derive(Debug, Default)]
pub(super) struct Features {
    features: Vec<Feature>,
    /// Behind the last point of each part, a line or a ring.
    part_ends: Vec<u32>,
    points: Vec<Point>,
    attributes: Vec<Attributes>,
    ids: HashMap<Attributes, AttributesId>,
}

impl Features {
    /// Adds a feature of these parts; without a point there is none.
    pub(super) fn add<'a>(&mut self, drawing: Drawing, parts: impl IntoIterator<Item = &'a [Point]>) {
        let begin = self.part_ends.len();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            self.points.extend_from_slice(part);
            self.part_ends.push(self.points.len() as u32);
        }
        if self.part_ends.len() > begin {
            let Drawing { layer, kind, min_zoom, attributes } = drawing;
            let attributes = self.id(attributes);
            self.features.push(Feature { layer, kind, min_zoom, attributes, parts_end: self.part_ends.len() as u32 });
        }
    }

    fn id(&mut self, attributes: Attributes) -> AttributesId {
        if let Some(id) = self.ids.get(&attributes) {
            return *id;
        }
        let id = self.attributes.len() as u32;
        self.attributes.push(attributes.clone());
        self.ids.insert(attributes, id);
        id
    }

    pub(super) fn len(&self) -> usize {
        self.features.len()
    }

    pub(super) fn get(&self, index: u32) -> &Feature {
        &self.features[index as usize]
    }

    /// The lines, rings or points of a feature.
    pub(super) fn parts(&self, index: u32) -> impl Iterator<Item = &[Point]> {
        let end = self.features[index as usize].parts_end;
        let begin = if index == 0 { 0 } else { self.features[index as usize - 1].parts_end };
        (begin..end).map(|part| {
            let from = if part == 0 { 0 } else { self.part_ends[part as usize - 1] };
            &self.points[from as usize..self.part_ends[part as usize] as usize]
        })
    }

    /// The box around a feature.
    pub(super) fn frame(&self, index: u32) -> Frame {
        Frame::around(self.parts(index).flatten()).expect("a feature has points")
    }

    pub(super) fn attributes(&self, id: AttributesId) -> &Attributes {
        &self.attributes[id as usize]
    }

    /// Gives back what was only needed to add.
    pub(super) fn finish(&mut self) {
        self.ids = HashMap::new();
        self.features.shrink_to_fit();
        self.part_ends.shrink_to_fit();
        self.points.shrink_to_fit();
    }
}

/// A text that is known beforehand.
pub(super) const fn word(text: &'static str) -> Value {
    Value::Text(Cow::Borrowed(text))
}

/// A text of the extract.
pub(super) fn text(text: &str) -> Value {
    Value::Text(Cow::Owned(text.to_owned()))
}
