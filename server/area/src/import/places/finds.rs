//! What the pass over an extract's nodes and ways finds.

use std::collections::HashMap;

use osmpbf::Element;

use super::tags::{Address, Habits};
use crate::{
    import::{positions::Positions, tags::Tags},
    places::{Spot, TownKind},
};

/// A way with a name that people go along.
pub(super) struct NamedWay {
    pub(super) names: Vec<String>,
    pub(super) postcode: Option<String>,
    pub(super) line: Vec<Spot>,
}

/// A town as it is mapped.
pub(super) struct Settlement {
    pub(super) names: Vec<String>,
    pub(super) kind: TownKind,
    pub(super) at: Spot,
}

/// A way along which houses are counted: the ends are mapped, those between are not.
pub(super) struct Interpolation {
    pub(super) step: Step,
    pub(super) line: Vec<(i64, Spot)>,
}

/// Which numbers an interpolation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Every number, by this much.
    Numbers(u32),
    /// 12a, 12b, 12c.
    Letters,
}

#[derive(Default)]
pub(super) struct Finds {
    pub(super) ways: Vec<NamedWay>,
    pub(super) towns: Vec<Settlement>,
    pub(super) points: Vec<(Vec<String>, Spot)>,
    pub(super) houses: Vec<(Address, Spot)>,
    pub(super) interpolations: Vec<Interpolation>,
    /// The address of each node that has one: the ends of interpolations are among them.
    pub(super) of_nodes: HashMap<i64, usize>,
}

const E7_TO_E5: i32 = 100;

/// A place in 1e-7 degrees as the file holds it.
pub(super) fn spot([lat, lon]: [i32; 2]) -> Spot {
    let round = |e7: i32| (e7 + E7_TO_E5 / 2).div_euclid(E7_TO_E5);
    Spot { lat: round(lat), lon: round(lon) }
}

impl Finds {
    /// Takes an element in. `streets` are the names of streets that relations give their members, by the way's id and by
    /// the node's.
    pub(super) fn take(
        &mut self,
        element: &Element,
        positions: &Positions,
        habits: &Habits,
        streets: &HashMap<(bool, i64), String>,
    ) {
        match element {
            Element::Way(way) => {
                let tags = Tags::new(way.tags());
                if !tags.is_empty() {
                    let line =
                        || way.refs().filter_map(|node| Some((node, spot(positions.e7(node)?)))).collect::<Vec<_>>();
                    self.take_way(&tags, habits, line, streets.get(&(true, way.id())));
                }
            }
            Element::Node(node) => {
                self.take_node(node.id(), &Tags::new(node.tags()), positions, habits, streets);
            }
            Element::DenseNode(node) => {
                self.take_node(node.id(), &Tags::new(node.tags()), positions, habits, streets);
            }
            Element::Relation(_) => {}
        }
    }

    fn take_way(&mut self, tags: &Tags, habits: &Habits, line: impl Fn() -> Vec<(i64, Spot)>, street: Option<&String>) {
        let spots = || line().into_iter().map(|(_, spot)| spot).collect::<Vec<_>>();
        if let Some(address) = Address::of(tags) {
            self.take_house(address, street, centre(&spots()));
        }
        if let Some(step) = tags.get("addr:interpolation").and_then(step) {
            self.interpolations.push(Interpolation { step, line: line() });
        }
        let names = habits.names(tags);
        if names.is_empty() {
            return;
        }
        if tags.get("highway").is_some_and(|kind| !matches!(kind, "platform" | "rest_area" | "services" | "bus_stop")) {
            let postcode = tags.get("postal_code").map(str::to_owned);
            self.ways.push(NamedWay { names, postcode, line: spots() });
        } else if tags.get("place") == Some("square") {
            self.ways.push(NamedWay { names, postcode: None, line: spots() });
        } else if let Some(kind) = tags.town_kind() {
            let names = habits.town_names(tags);
            self.towns.extend(centre(&spots()).map(|at| Settlement { names, kind, at }));
        } else if tags.is_point() {
            self.points.extend(centre(&spots()).map(|at| (names, at)));
        }
    }

    fn take_node(
        &mut self,
        id: i64,
        tags: &Tags,
        positions: &Positions,
        habits: &Habits,
        streets: &HashMap<(bool, i64), String>,
    ) {
        // Most nodes have no tags; of the others those outside the area's bounds do not count.
        let Some(at) = (!tags.is_empty()).then(|| positions.e7(id)).flatten().map(spot) else { return };
        if let Some(address) = Address::of(tags) {
            self.take_house(address, streets.get(&(false, id)), Some(at));
            self.of_nodes.insert(id, self.houses.len() - 1);
        }
        if let Some(kind) = tags.town_kind() {
            let names = habits.town_names(tags);
            if !names.is_empty() {
                self.towns.push(Settlement { names, kind, at });
            }
        } else if tags.is_point() && tags.get("place").is_none() {
            let names = habits.names(tags);
            if !names.is_empty() {
                self.points.push((names, at));
            }
        }
    }

    fn take_house(&mut self, mut address: Address, street: Option<&String>, at: Option<Spot>) {
        address.street = address.street.or_else(|| street.cloned());
        self.houses.extend(at.map(|at| (address, at)));
    }

    /// Houses and other things that relations draw.
    pub(super) fn take_relations(&mut self, of_relations: Vec<super::boundaries::Drawn>) {
        for drawn in of_relations {
            let Some(at) = drawn.at else { continue };
            self.houses.extend(drawn.address.map(|address| (address, at)));
            if !drawn.names.is_empty() {
                self.points.push((drawn.names, at));
            }
        }
    }
}

fn step(value: &str) -> Option<Step> {
    match value {
        "odd" | "even" => Some(Step::Numbers(2)),
        "all" => Some(Step::Numbers(1)),
        "alphabetic" => Some(Step::Letters),
        number => number.parse().ok().filter(|step| (1..=100).contains(step)).map(Step::Numbers),
    }
}

/// The middle of all points.
pub(super) fn centre(spots: &[Spot]) -> Option<Spot> {
    let count = i64::try_from(spots.len()).ok().filter(|count| *count > 0)?;
    let mean = |of: fn(&Spot) -> i32| (spots.iter().map(|spot| i64::from(of(spot))).sum::<i64>() / count) as i32;
    Some(Spot { lat: mean(|spot| spot.lat), lon: mean(|spot| spot.lon) })
}
