//! The streets that couriers drive on: the graph that the project ships, inside the program.

use std::sync::LazyLock;

use doorstep_shared::{
    LatLon,
    geo::{coord::round6, distance::haversine_m},
    roads::{EdgeId, RoadClass, RoadNetwork},
};
use rand::Rng;

static MALTA: LazyLock<RoadNetwork> = LazyLock::new(|| {
    RoadNetwork::from_bytes(include_bytes!("../../../static/roads/malta.roads"))
        .expect("the shared crate's tests read this very file")
});

// Doors stand along streets like these; there are no deliveries to a trunk road.
const SHORTEST_DOOR_EDGE_M: f64 = 25.0;
const TRIES: usize = 10_000;

/// The streets of Malta. The first call takes some tens of milliseconds.
pub fn malta() -> &'static RoadNetwork {
    &MALTA
}

/// A point on a street where a customer might live or a shop be, with its address.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// Where it is, on the street.
    pub point: LatLon,
    /// "12 Triq il-Merkanti, Valletta".
    pub address: String,
}

/// Draws doors within `radius_m` of `centre`. Building one looks at every edge once; drawing is cheap.
#[derive(Clone, Debug)]
pub struct Quarter {
    edges: Vec<EdgeId>,
}

impl Quarter {
    /// Every named street of the kind that people live in, near `centre`.
    pub fn around(centre: LatLon, radius_m: f64) -> Self {
        let network = malta();
        let near = |id: &EdgeId| {
            let edge = network.edge(*id);
            let middle = edge.line[edge.line.len() / 2];
            let lived_in = matches!(
                edge.class,
                RoadClass::Secondary | RoadClass::Tertiary | RoadClass::Residential | RoadClass::LivingStreet
            );
            lived_in
                && !edge.tunnel
                && edge.length_m >= SHORTEST_DOOR_EDGE_M
                && edge.street.is_some_and(is_a_street)
                && haversine_m(middle, centre) <= radius_m
        };
        Self { edges: network.edge_ids().filter(near).collect() }
    }

    /// How many stretches of street there are to draw from.
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// Whether there is nothing to draw from.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// A door somewhere in the quarter.
    ///
    /// # Panics
    /// When the quarter is empty.
    pub fn any_door(&self, random: &mut impl Rng) -> Door {
        let network = malta();
        let id = self.edges[random.random_range(0..self.edges.len())];
        let edge = network.edge(id);
        let segment = random.random_range(0..edge.line.len() - 1);
        let share: f64 = random.random_range(0.2..0.8);
        let (a, b) = (edge.line[segment], edge.line[segment + 1]);
        let lerp = |from: f64, to: f64| round6(from + share * (to - from));
        let point = LatLon::try_new(lerp(a.lat(), b.lat()), lerp(a.lon(), b.lon())).unwrap_or(a);
        let number = random.random_range(1..140);
        let street = edge.street.unwrap_or_default();
        let place = network.place_near(point).map_or(String::new(), |place| format!(", {place}"));
        Door { point, address: format!("{number} {street}{place}") }
    }

    /// A door for which `fits` holds, or the last one looked at when none did after many tries.
    ///
    /// # Panics
    /// When the quarter is empty.
    pub fn door_where(&self, random: &mut impl Rng, mut fits: impl FnMut(&Door) -> bool) -> Door {
        let mut door = self.any_door(random);
        for _ in 0..TRIES {
            if fits(&door) {
                break;
            }
            door = self.any_door(random);
        }
        door
    }
}

/// Some names in the map are route numbers or remarks.
fn is_a_street(name: &str) -> bool {
    name.starts_with("Triq") || name.starts_with("Misraħ") || name.starts_with("Sqaq") || name.starts_with("Xatt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;

    #[test]
    fn doors_lie_on_named_streets_of_the_quarter() {
        let sliema = LatLon::try_new(35.9122, 14.5020).expect("on earth");
        let quarter = Quarter::around(sliema, 800.0);
        assert!(quarter.len() > 50, "{} stretches of street", quarter.len());
        let mut random = generator(1, 0);
        for _ in 0..100 {
            let door = quarter.any_door(&mut random);
            let snap = malta().nearest(door.point).expect("a door is on a street");
            assert!(snap.distance_m < 1.0, "{door:?} is {} m beside the street", snap.distance_m);
            assert!(haversine_m(door.point, sliema) < 1_500.0, "{door:?}");
            assert!(door.address.contains(", "), "{door:?} names no place");
        }
    }
}
