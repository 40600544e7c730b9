//! Turn restrictions: from relations between ways to sequences of arcs that are forbidden.
//!
//! "Only straight on" forbids everything else. A restriction that holds at some hours holds always; one for lorries
//! never.

use super::{
    access::{conditions, is_about_size},
    graph::Cuts,
};
use crate::import::tags::Tags;
use crate::roads::{
    Profile, Profiles, Restriction, RoadArc, RoadData, RoadsError,
    topology::{Topology, arc_id},
};

/// What a relation forbids, in the extract's ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    from: Vec<i64>,
    via_node: Option<i64>,
    via_ways: Vec<i64>,
    to: Vec<i64>,
    /// `to` is the only way on, rather than the forbidden one.
    is_only: bool,
    profiles: Profiles,
}

/// For each key of a restriction, whom it is meant for. Walkers turn as they like.
const KEYS: [(&str, Profiles); 8] = [
    ("restriction", Profiles::ALL.without(Profiles::only(Profile::Foot))),
    ("restriction:vehicle", Profiles::ALL.without(Profiles::only(Profile::Foot))),
    ("restriction:motor_vehicle", Profiles::MOTOR),
    ("restriction:motorcar", Profiles::only(Profile::Car)),
    ("restriction:motorcycle", Profiles::only(Profile::Motorcycle)),
    ("restriction:moped", Profiles::only(Profile::Moped)),
    ("restriction:bicycle", Profiles::only(Profile::Bicycle)),
    ("restriction:foot", Profiles::only(Profile::Foot)),
];

impl Rule {
    /// The rules of a relation with these tags and members: role, whether it is a way, id.
    pub(super) fn all_of(tags: &Tags<'_>, members: &[(&str, bool, i64)]) -> Vec<Self> {
        let with = |role: &str, ways: bool| -> Vec<i64> {
            let found = members.iter().filter(|(its, is_way, _)| *its == role && *is_way == ways);
            found.map(|(_, _, id)| *id).collect()
        };
        let except = excepted(tags.get("except").unwrap_or_default());
        let rule = |(key, whom): &(&str, Profiles)| {
            let kind = kind(tags, key)?;
            let is_only = kind.starts_with("only_");
            let profiles = whom.without(except);
            let rule = Self {
                from: with("from", true),
                via_node: with("via", false).first().copied(),
                via_ways: with("via", true),
                to: with("to", true),
                is_only,
                profiles,
            };
            let is_whole = !rule.from.is_empty() && !rule.to.is_empty() && !profiles.is_empty();
            (is_whole && (is_only || kind.starts_with("no_"))).then_some(rule)
        };
        KEYS.iter().filter_map(rule).collect()
    }

    pub(super) fn ways(&self) -> impl Iterator<Item = i64> {
        self.from.iter().chain(&self.via_ways).chain(&self.to).copied()
    }
}

/// What is forbidden under `key`, always or at times.
fn kind<'a>(tags: &Tags<'a>, key: &str) -> Option<&'a str> {
    tags.get(key).or_else(|| {
        let text = tags.get(&format!("{key}:conditional"))?;
        conditions(text).find(|(_, about)| !is_about_size(about)).map(|(kind, _)| kind)
    })
}

fn excepted(except: &str) -> Profiles {
    let one = |name: &str| match name.trim() {
        "bicycle" => Profiles::only(Profile::Bicycle),
        "motorcar" => Profiles::only(Profile::Car),
        "motorcycle" => Profiles::only(Profile::Motorcycle),
        "moped" => Profiles::only(Profile::Moped),
        "motor_vehicle" => Profiles::MOTOR,
        _ => Profiles::NONE,
    };
    except.split([';', ',']).map(one).fold(Profiles::NONE, Profiles::and)
}

/// All rules as sequences of arcs of `data`. A rule about ways that the extract cuts off says nothing.
pub(super) fn resolve(cuts: &Cuts, data: &RoadData) -> Result<Vec<Restriction>, RoadsError> {
    let topology = Topology::new(data)?;
    let mut all: Vec<Restriction> = Vec::new();
    for rule in &cuts.rules {
        let resolver = Resolver { cuts, topology: &topology, rule };
        let sequences = resolver.sequences();
        all.extend(sequences.into_iter().map(|arcs| Restriction { arcs, profiles: rule.profiles }));
    }
    Ok(all)
}

struct Resolver<'a> {
    cuts: &'a Cuts,
    topology: &'a Topology,
    rule: &'a Rule,
}

impl Resolver<'_> {
    fn sequences(&self) -> Vec<Vec<RoadArc>> {
        let onto = self.onto();
        let mut all = Vec::new();
        for path in self.paths_to_via() {
            let end = self.topology.head(arc_id(path[path.len() - 1]));
            let targets: Vec<RoadArc> = onto.iter().copied().filter(|arc| self.tail(*arc) == end).collect();
            let with = |arc: &RoadArc| [&path[..], &[*arc]].concat();
            if !self.rule.is_only {
                all.extend(self.turns_back_only(&path, &targets).iter().map(with));
            } else if self.has_somewhere_to_go(path[path.len() - 1], &targets) {
                // Along the ways between, too, nobody may turn off.
                for length in 1..=path.len() {
                    let allowed = path.get(length).map_or(&targets[..], std::slice::from_ref);
                    all.extend(self.others(&path[..length], allowed));
                }
            }
        }
        all
    }

    /// An `only_…` rule whose way on is missing from the extract would close the street; one that tells everybody to turn
    /// back means to.
    fn has_somewhere_to_go(&self, last: RoadArc, targets: &[RoadArc]) -> bool {
        let is_turn_back = self.rule.from == self.rule.to && !targets.is_empty();
        is_turn_back || targets.iter().any(|arc| !is_back(last, *arc))
    }

    /// From a way onto itself is a turn back, not a turn into its other part.
    fn turns_back_only(&self, path: &[RoadArc], targets: &[RoadArc]) -> Vec<RoadArc> {
        let is_same_way = self.rule.from == self.rule.to && path.len() == 1;
        targets.iter().copied().filter(|arc| !is_same_way || is_back(path[0], *arc)).collect()
    }

    /// `path` and then anything but `allowed` and back.
    fn others(&self, path: &[RoadArc], allowed: &[RoadArc]) -> Vec<Vec<RoadArc>> {
        let last = path[path.len() - 1];
        let leaving = self.topology.leaving(self.topology.head(arc_id(last))).iter();
        let leaving = leaving.map(|arc| RoadArc { edge: arc / 2, forward: arc.is_multiple_of(2) });
        let others = leaving.filter(|arc| !allowed.contains(arc) && !is_back(last, *arc));
        others.map(|arc| [path, &[arc]].concat()).collect()
    }

    /// The last arc of `from`, and all arcs of the ways between.
    fn paths_to_via(&self) -> Vec<Vec<RoadArc>> {
        let last = self.rule.from.iter().flat_map(|way| self.cuts.arcs(*way));
        if let Some(node) = self.rule.via_node {
            let Some(node) = self.cuts.node(node) else { return Vec::new() };
            return last.filter(|arc| self.topology.head(arc_id(*arc)) == node).map(|arc| vec![arc]).collect();
        }
        let mut reversed = self.rule.via_ways.clone();
        reversed.reverse();
        let orders = if reversed.len() > 1 { vec![self.rule.via_ways.clone(), reversed] } else { vec![reversed] };
        let last: Vec<RoadArc> = last.collect();
        let paths = orders.iter().flat_map(|ways| last.iter().filter_map(|arc| self.along(*arc, ways)));
        paths.collect()
    }

    /// `first` and then the whole of each of `ways`, if they follow each other.
    fn along(&self, first: RoadArc, ways: &[i64]) -> Option<Vec<RoadArc>> {
        let mut path = vec![first];
        for way in ways {
            let end = self.topology.head(arc_id(path[path.len() - 1]));
            let whole = self.cuts.both_ways(*way).into_iter().find(|arcs| self.is_line_from(arcs, end))?;
            path.extend(whole);
        }
        (path.len() > 1).then_some(path)
    }

    fn is_line_from(&self, arcs: &[RoadArc], start: u32) -> bool {
        let is_joined = |pair: &[RoadArc]| self.topology.head(arc_id(pair[0])) == self.tail(pair[1]);
        arcs.first().is_some_and(|first| self.tail(*first) == start) && arcs.windows(2).all(is_joined)
    }

    fn onto(&self) -> Vec<RoadArc> {
        self.rule.to.iter().flat_map(|way| self.cuts.arcs(*way)).collect()
    }

    fn tail(&self, arc: RoadArc) -> u32 {
        self.topology.tail(arc_id(arc))
    }
}

fn is_back(arc: RoadArc, next: RoadArc) -> bool {
    arc.edge == next.edge && arc.forward != next.forward
}
