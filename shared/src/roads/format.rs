//! The file that holds a street graph.
//!
//! A header of eight bytes names the format and its version; behind it stands one zlib stream with the
//! columns of the graph in postcard. Columns of differences between neighbours, in millionths of a degree
//! (0.11 m), compress to a third of what rows of coordinates do; zlib's checksum finds damage.
//! The same [`RoadData`] always becomes the same bytes.

use serde::{Deserialize, Serialize};

use crate::LatLon;

const MAGIC: [u8; 6] = *b"DSROAD";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 8;
// A country of ten million people needs about 100 MB; a file that claims more is not one of ours.
const MAX_INFLATED_BYTES: usize = 256 * 1024 * 1024;
const E6: f64 = 1e6;

/// Why bytes are not a street graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoadsError {
    /// The bytes do not begin like a road file.
    #[error("not a road file")]
    NotRoads,
    /// Written by another version of the format; bake the file again.
    #[error("road file of version {0}, this program reads version {VERSION}")]
    UnsupportedVersion(u8),
    /// Cut short or changed on the way.
    #[error("the road file is damaged: {0}")]
    Damaged(&'static str),
}

/// What kind of road an edge is, as OpenStreetMap classes them; link roads count as the road they lead to.
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
}

impl RoadClass {
    /// The speed limit where no sign was mapped, in km/h: Malta's 80 on open roads and 50 in built-up areas,
    /// lowered to what smaller streets allow in practice.
    pub const fn default_limit_kmh(self) -> u8 {
        match self {
            Self::Motorway => 80,
            Self::Trunk => 70,
            Self::Primary => 60,
            Self::Secondary | Self::Tertiary => 50,
            Self::Unclassified => 40,
            Self::Residential => 35,
            Self::LivingStreet => 20,
            Self::Service => 15,
        }
    }
}

/// A stretch of road between two nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct RoadEdge {
    /// Index of the node it starts at.
    pub from: u32,
    /// Index of the node it ends at.
    pub to: u32,
    /// The points between the two nodes, in order.
    pub via: Vec<LatLon>,
    /// What kind of road it is.
    pub class: RoadClass,
    /// Speed limit in km/h, at least 1.
    pub limit_kmh: u8,
    /// Driven only from `from` to `to`.
    pub one_way: bool,
    /// Under ground, where satellites cannot be heard.
    pub tunnel: bool,
    /// Index into [`RoadData::streets`].
    pub street: Option<u32>,
}

/// The middle of a town, a village or a quarter.
#[derive(Clone, Debug, PartialEq)]
pub struct RoadPlace {
    /// Its name.
    pub name: String,
    /// Its middle.
    pub centre: LatLon,
}

/// A street graph as plain lists, before it is indexed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoadData {
    /// Every street name, once.
    pub streets: Vec<String>,
    /// Settlements, for addresses.
    pub places: Vec<RoadPlace>,
    /// Where edges meet or end.
    pub nodes: Vec<LatLon>,
    /// The roads between nodes.
    pub edges: Vec<RoadEdge>,
}

impl RoadData {
    /// The file's bytes. Coordinates are rounded to millionths of a degree.
    ///
    /// # Panics
    /// When an edge names a node that is not there.
    pub fn to_bytes(&self) -> Vec<u8> {
        let columns = Columns::from_data(self);
        let plain = postcard::to_allocvec(&columns).expect("columns have known lengths");
        let mut bytes = Vec::with_capacity(plain.len() / 2);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, 0]);
        bytes.extend_from_slice(&miniz_oxide::deflate::compress_to_vec_zlib(&plain, 10));
        bytes
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`RoadsError`] for anything that [`Self::to_bytes`] did not write; never a panic.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RoadsError> {
        let (header, packed) = bytes.split_at_checked(HEADER_BYTES).ok_or(RoadsError::NotRoads)?;
        if header[..MAGIC.len()] != MAGIC {
            return Err(RoadsError::NotRoads);
        }
        if header[MAGIC.len()..] != [VERSION, 0] {
            return Err(RoadsError::UnsupportedVersion(header[MAGIC.len()]));
        }
        let plain = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, MAX_INFLATED_BYTES)
            .map_err(|_| RoadsError::Damaged("it does not unpack"))?;
        let columns: Columns =
            postcard::from_bytes(&plain).map_err(|_| RoadsError::Damaged("its columns cannot be read"))?;
        columns.into_data()
    }
}

/// The graph turned on its side. Every `Vec<i32>` holds differences to what came before.
#[derive(Default, Serialize, Deserialize)]
struct Columns {
    streets: Vec<String>,
    place_names: Vec<String>,
    places: PointColumns,
    nodes: PointColumns,
    edge_from: Vec<i32>,
    /// Relative to the edge's own `from`.
    edge_to: Vec<i32>,
    class: Vec<RoadClass>,
    limit_kmh: Vec<u8>,
    flags: Vec<u8>,
    /// 0 is unnamed, 1 the first street.
    street: Vec<u32>,
    via_count: Vec<u32>,
    /// The first point of an edge is relative to the edge's `from` node.
    via: PointColumns,
}

const FLAG_ONE_WAY: u8 = 1;
const FLAG_TUNNEL: u8 = 2;

#[derive(Default, Serialize, Deserialize)]
struct PointColumns {
    lat_e6: Vec<i32>,
    lon_e6: Vec<i32>,
}

/// A point in millionths of a degree.
#[derive(Clone, Copy, Default)]
struct PointE6 {
    lat: i32,
    lon: i32,
}

impl PointE6 {
    fn new(point: LatLon) -> Self {
        // At most 180 million, far below what an i32 holds.
        Self { lat: (point.lat() * E6).round() as i32, lon: (point.lon() * E6).round() as i32 }
    }

    fn to_point(self) -> Result<LatLon, RoadsError> {
        LatLon::try_new(f64::from(self.lat) / E6, f64::from(self.lon) / E6)
            .map_err(|_| RoadsError::Damaged("a point is not on earth"))
    }
}

impl PointColumns {
    fn push(&mut self, point: LatLon, before: PointE6) -> PointE6 {
        let point = PointE6::new(point);
        self.lat_e6.push(point.lat - before.lat);
        self.lon_e6.push(point.lon - before.lon);
        point
    }

    fn get(&self, index: usize, before: PointE6) -> Result<PointE6, RoadsError> {
        let (Some(lat), Some(lon)) = (self.lat_e6.get(index), self.lon_e6.get(index)) else {
            return Err(RoadsError::Damaged("a column of points is too short"));
        };
        Ok(PointE6 { lat: before.lat.wrapping_add(*lat), lon: before.lon.wrapping_add(*lon) })
    }

    /// Every point, each relative to the one before it.
    fn chain(&self) -> Result<Vec<LatLon>, RoadsError> {
        let mut before = PointE6::default();
        (0..self.lat_e6.len())
            .map(|index| {
                before = self.get(index, before)?;
                before.to_point()
            })
            .collect()
    }
}

impl Columns {
    fn from_data(data: &RoadData) -> Self {
        let mut columns = Self { streets: data.streets.clone(), ..Self::default() };
        let mut before = PointE6::default();
        for place in &data.places {
            columns.place_names.push(place.name.clone());
            before = columns.places.push(place.centre, before);
        }
        before = PointE6::default();
        for node in &data.nodes {
            before = columns.nodes.push(*node, before);
        }
        let mut from_before = 0;
        for edge in &data.edges {
            let from = edge.from as i32;
            columns.edge_from.push(from.wrapping_sub(from_before));
            columns.edge_to.push((edge.to as i32).wrapping_sub(from));
            from_before = from;
            columns.push_attributes(edge);
            let mut before = PointE6::new(data.nodes[edge.from as usize]);
            for point in &edge.via {
                before = columns.via.push(*point, before);
            }
        }
        columns
    }

    fn push_attributes(&mut self, edge: &RoadEdge) {
        let one_way = if edge.one_way { FLAG_ONE_WAY } else { 0 };
        let tunnel = if edge.tunnel { FLAG_TUNNEL } else { 0 };
        self.class.push(edge.class);
        self.limit_kmh.push(edge.limit_kmh);
        self.flags.push(one_way | tunnel);
        self.street.push(edge.street.map_or(0, |street| street + 1));
        self.via_count.push(edge.via.len() as u32);
    }

    fn into_data(self) -> Result<RoadData, RoadsError> {
        let nodes = self.nodes.chain()?;
        let edges = self.edges(&nodes)?;
        let centres = self.places.chain()?;
        if centres.len() != self.place_names.len() {
            return Err(RoadsError::Damaged("places and their names differ in number"));
        }
        let places = self.place_names.into_iter().zip(centres);
        let places = places.map(|(name, centre)| RoadPlace { name, centre }).collect();
        Ok(RoadData { streets: self.streets, places, nodes, edges })
    }

    fn edges(&self, nodes: &[LatLon]) -> Result<Vec<RoadEdge>, RoadsError> {
        let count = self.edge_from.len();
        let columns = [self.edge_to.len(), self.class.len(), self.limit_kmh.len(), self.flags.len()];
        if columns.iter().chain(&[self.street.len(), self.via_count.len()]).any(|length| *length != count) {
            return Err(RoadsError::Damaged("its columns differ in length"));
        }
        let mut from = 0_i32;
        let mut next_via = 0;
        let mut edges = Vec::with_capacity(count);
        for index in 0..count {
            from = from.wrapping_add(self.edge_from[index]);
            let to = from.wrapping_add(self.edge_to[index]);
            let start = nodes.get(from as usize).ok_or(RoadsError::Damaged("an edge has no start"))?;
            let via_count = self.via_count[index] as usize;
            let via = self.via_points(*start, next_via, via_count)?;
            next_via += via_count;
            edges.push(RoadEdge {
                from: from as u32,
                to: to as u32,
                via,
                class: self.class[index],
                limit_kmh: self.limit_kmh[index],
                one_way: self.flags[index] & FLAG_ONE_WAY != 0,
                tunnel: self.flags[index] & FLAG_TUNNEL != 0,
                street: self.street[index].checked_sub(1),
            });
        }
        Ok(edges)
    }

    fn via_points(&self, start: LatLon, first: usize, count: usize) -> Result<Vec<LatLon>, RoadsError> {
        let mut before = PointE6::new(start);
        (first..first.saturating_add(count))
            .map(|index| {
                before = self.via.get(index, before)?;
                before.to_point()
            })
            .collect()
    }
}
