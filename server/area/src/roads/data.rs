//! A street graph as plain lists: what an import makes, a file holds, and a network indexes.

use doorstep_shared::LatLon;

use super::{
    class::{Halt, RoadClass, Surface},
    profile::Profiles,
};

/// A stretch of street between two nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct RoadEdge {
    /// Index of the node it starts at.
    pub from: u32,
    /// Index of the node it ends at.
    pub to: u32,
    /// The points between the two nodes, in order.
    pub via: Vec<LatLon>,
    /// What kind of way it is.
    pub class: RoadClass,
    /// Speed limit in km/h, at least 1.
    pub limit_kmh: u8,
    /// How well it rolls.
    pub surface: Surface,
    /// Who may go from `from` to `to`.
    pub forward: Profiles,
    /// Who may go from `to` to `from`.
    pub backward: Profiles,
    /// Those of them who may only begin or end here, and not pass through.
    pub destination: Profiles,
    /// Under ground, where satellites cannot be heard.
    pub tunnel: bool,
    /// How long the boat takes for this stretch, in seconds; `None` on land.
    pub ferry_s: Option<u32>,
    /// Index into [`RoadData::streets`].
    pub street: Option<u32>,
}

impl RoadEdge {
    /// A straight, paved, nameless edge that is open to everybody in both directions.
    pub const fn open(from: u32, to: u32, class: RoadClass, limit_kmh: u8) -> Self {
        Self {
            from,
            to,
            via: Vec::new(),
            class,
            limit_kmh,
            surface: Surface::Paved,
            forward: Profiles::ALL,
            backward: Profiles::ALL,
            destination: Profiles::NONE,
            tunnel: false,
            ferry_s: None,
            street: None,
        }
    }

    /// Who may be on it at all.
    pub const fn users(&self) -> Profiles {
        self.forward.and(self.backward)
    }
}

/// An edge in one of its directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoadArc {
    /// Index into [`RoadData::edges`].
    pub edge: u32,
    /// From the edge's start to its end.
    pub forward: bool,
}

/// Edges that may not be travelled one right after the other: a turn restriction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Restriction {
    /// At least two, each beginning where the one before ends.
    pub arcs: Vec<RoadArc>,
    /// Whom it is meant for.
    pub profiles: Profiles,
}

/// A node that not everybody gets past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Barrier {
    /// Index into [`RoadData::nodes`].
    pub node: u32,
    /// Who does.
    pub open_to: Profiles,
}

/// The middle of a town, a village or a quarter.
#[derive(Clone, Debug, PartialEq)]
pub struct RoadPlace {
    /// Its name.
    pub name: String,
    /// Its middle.
    pub centre: LatLon,
}

/// A street graph, before it is indexed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoadData {
    /// Every street name, once.
    pub streets: Vec<String>,
    /// Settlements, for addresses.
    pub places: Vec<RoadPlace>,
    /// Where edges meet or end.
    pub nodes: Vec<LatLon>,
    /// The ways between nodes.
    pub edges: Vec<RoadEdge>,
    /// By ascending node, each at most once.
    pub barriers: Vec<Barrier>,
    /// Nodes where travellers wait, ascending, each at most once.
    pub halts: Vec<(u32, Halt)>,
    /// Forbidden turns.
    pub restrictions: Vec<Restriction>,
    /// Vehicles keep to the left.
    pub drives_on_left: bool,
    /// For each group of vehicles, for each of a few far nodes, how far every node is from it, which tells a search how
    /// much is left at least. May be empty.
    pub landmarks: Vec<Vec<Vec<u16>>>,
}
