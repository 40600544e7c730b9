//! What a street is: its class, what it is paved with, and what makes travellers wait where streets meet.

use serde::{Deserialize, Serialize};

/// What kind of way an edge is, as OpenStreetMap classes them; link roads count as the road they lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RoadClass {
    /// Grade-separated, for motor vehicles.
    Motorway,
    /// The most important roads that are not motorways.
    Trunk,
    /// Between large towns.
    Primary,
    /// Between towns.
    Secondary,
    /// Between villages and through quarters.
    Tertiary,
    /// The smallest connecting roads.
    Unclassified,
    /// For living along.
    Residential,
    /// Where walkers go first.
    LivingStreet,
    /// Driveways, alleys, car parks.
    Service,
    /// For walkers, as wide as a street.
    Pedestrian,
    /// For fields and forests.
    Track,
    /// For bicycles.
    Cycleway,
    /// For walkers.
    Footway,
    /// A trail.
    Path,
    /// Stairs.
    Steps,
    /// A boat's line.
    Ferry,
}

impl RoadClass {
    /// Who yields to whom: a lower rank goes first. Ways beside the carriageway all yield alike.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::Motorway => 0,
            Self::Trunk => 1,
            Self::Primary => 2,
            Self::Secondary => 3,
            Self::Tertiary => 4,
            Self::Unclassified | Self::Residential => 5,
            Self::LivingStreet => 6,
            Self::Service | Self::Track => 7,
            Self::Pedestrian | Self::Cycleway | Self::Footway | Self::Path | Self::Steps | Self::Ferry => 8,
        }
    }
}

/// How well wheels roll.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Surface {
    /// Asphalt, concrete, paving stones.
    #[default]
    Paved,
    /// Compacted or fine gravel.
    Firm,
    /// Cobblestones, gravel, earth.
    Rough,
    /// Sand, mud, grass.
    Soft,
}

/// What makes travellers wait at a node, apart from the streets that meet there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Halt {
    /// Traffic lights.
    Signals,
    /// A stop sign.
    Stop,
    /// A zebra crossing or another place where walkers cross.
    Crossing,
}
