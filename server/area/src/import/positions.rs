//! Where every node of an extract is: 16 bytes each, and found by halving.

use doorstep_shared::LatLon;
use osmpbf::Element;

use super::{
    error::ImportError,
    extract::{Extract, Kinds},
    watch::Watch,
};

/// The places of all nodes.
#[derive(Debug, Default)]
pub struct Positions {
    /// Ascending.
    ids: Vec<i64>,
    /// Latitude and longitude in 1e-7 degrees, for each id.
    places: Vec<[i32; 2]>,
    /// South, west, north and east, in 1e-7 degrees: what lies outside is as if the extract lacked it.
    frame: Option<[i32; 4]>,
}

const E7: f64 = 1e7;

impl Positions {
    /// Reads them all.
    ///
    /// # Errors
    /// As [`Extract::try_for_each`].
    pub fn read(extract: &Extract, watch: &mut Watch<'_>) -> Result<Self, ImportError> {
        let mut all = Self::default();
        let mut is_sorted = true;
        extract.for_each(Kinds::NODES, watch, |element| {
            let (id, place) = match &element {
                Element::Node(node) => (node.id(), [node.decimicro_lat(), node.decimicro_lon()]),
                Element::DenseNode(node) => (node.id(), [node.decimicro_lat(), node.decimicro_lon()]),
                Element::Way(_) | Element::Relation(_) => return,
            };
            is_sorted &= all.ids.last().is_none_or(|last| *last < id);
            all.ids.push(id);
            all.places.push(place);
        })?;
        if !is_sorted {
            all.sort();
        }
        Ok(all)
    }

    /// These, by ascending ids.
    #[cfg(test)]
    pub(super) fn of(nodes: impl Iterator<Item = (i64, [i32; 2])>) -> Self {
        let (ids, places) = nodes.unzip();
        Self { ids, places, frame: None }
    }

    /// Extracts are sorted, and those that are not have their nodes put in order; of two with one id the last counts.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.ids.len()).collect();
        order.sort_by_key(|index| (self.ids[*index], std::cmp::Reverse(*index)));
        order.dedup_by_key(|index| self.ids[*index]);
        self.places = order.iter().map(|index| self.places[*index]).collect();
        self.ids = order.iter().map(|index| self.ids[*index]).collect();
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// From now on [`Self::e7`] and [`Self::get`] know only what lies in these bounds: west, south, east and north in
    /// degrees.
    pub fn clip(&mut self, [west, south, east, north]: [f64; 4]) {
        let e7 = |degrees: f64| (degrees * E7).round() as i32;
        self.frame = Some([e7(south), e7(west), e7(north), e7(east)]);
    }

    /// The node's place: latitude and longitude in 1e-7 degrees. `None` when the extract lacks it or it was clipped.
    pub fn e7(&self, id: i64) -> Option<[i32; 2]> {
        let place = self.anywhere_e7(id)?;
        let is_inside = |[south, west, north, east]: [i32; 4]| {
            (south..=north).contains(&place[0]) && (west..=east).contains(&place[1])
        };
        self.frame.is_none_or(is_inside).then_some(place)
    }

    /// The same for what is clipped later, as a whole: the outline of a lake must not lose a corner.
    pub fn anywhere_e7(&self, id: i64) -> Option<[i32; 2]> {
        self.ids.binary_search(&id).ok().map(|index| self.places[index])
    }

    /// The node's place. `None` when the extract lacks it, it was clipped, or it is not on earth.
    pub fn get(&self, id: i64) -> Option<LatLon> {
        let [lat, lon] = self.e7(id)?;
        LatLon::try_new(f64::from(lat) / E7, f64::from(lon) / E7).ok()
    }
}
