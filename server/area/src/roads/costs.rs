//! What a search adds up for one vehicle: seconds along edges and past nodes, looked up in small tables.

use std::collections::BTreeMap;

use doorstep_shared::{Vehicle, geo::distance::bearing_deg};

use super::{
    class::{Halt, RoadClass, Surface},
    data::{RoadData, RoadEdge},
    landmarks::group_of,
    network::Edge,
    profile::{Profile, Profiles},
    speed::{BOARDING_S, Passage, cruise_mps, turn_s, turning_round_s, wait_s},
};

/// What a way through a street costs that is only open to those who begin or end there, in seconds. It is no time that
/// passes: routes avoid such streets, and use them where nothing else leads on.
pub(super) const THROUGH_DESTINATION_S: f32 = 600.0;

/// What decides the speed on an edge. An area has some hundreds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pace {
    pub(super) class: RoadClass,
    pub(super) limit_kmh: u8,
    surface: Surface,
    /// Of a boat, in millimetres a second.
    boat_mmps: Option<u32>,
}

impl Pace {
    fn of(edge: &RoadEdge, length_m: f64) -> Self {
        let boat_mmps = edge.ferry_s.map(|seconds| ((length_m * 1e3 / f64::from(seconds.max(1))) as u32).max(1));
        Self { class: edge.class, limit_kmh: edge.limit_kmh, surface: edge.surface, boat_mmps }
    }

    const fn is_boat(self) -> bool {
        self.boat_mmps.is_some()
    }

    fn seconds_per_metre(self, vehicle: Vehicle) -> f64 {
        match self.boat_mmps {
            Some(speed) => 1e3 / f64::from(speed),
            None => 1.0 / cruise_mps(vehicle, self.class, self.limit_kmh, self.surface),
        }
    }
}

/// The paces of an area, each once.
#[derive(Debug, Default)]
pub(super) struct Paces {
    pub(super) all: Vec<Pace>,
    numbers: BTreeMap<Pace, u16>,
}

impl Paces {
    /// The number of the edge's pace; `None` when there are more than numbers.
    pub(super) fn number(&mut self, edge: &RoadEdge, length_m: f64) -> Option<u16> {
        let pace = Pace::of(edge, length_m);
        if let Some(number) = self.numbers.get(&pace) {
            return Some(*number);
        }
        let number = u16::try_from(self.all.len()).ok()?;
        self.all.push(pace);
        self.numbers.insert(pace, number);
        Some(number)
    }
}

/// What decides the wait at a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meeting {
    /// For whom three streets or more meet.
    junction_for: Profiles,
    /// The rank of the most important street.
    rank: u8,
    halt: Option<Halt>,
}

/// The meetings at all nodes.
pub(super) fn meetings(data: &RoadData) -> Vec<Meeting> {
    let none = Meeting { junction_for: Profiles::NONE, rank: u8::MAX, halt: None };
    let mut meetings = vec![none; data.nodes.len()];
    // How many ends were seen, for each profile: at most two are counted.
    let mut seen = vec![[Profiles::NONE; 2]; data.nodes.len()];
    for edge in &data.edges {
        for node in [edge.from as usize, edge.to as usize] {
            let users = edge.users();
            let [once, twice] = &mut seen[node];
            let meeting = &mut meetings[node];
            meeting.junction_for = meeting.junction_for.and(users.within(*twice));
            *twice = twice.and(users.within(*once));
            *once = once.and(users);
            if !users.within(Profiles::MOTOR).is_empty() {
                meeting.rank = meeting.rank.min(edge.class.rank());
            }
        }
    }
    for (node, halt) in &data.halts {
        meetings[*node as usize].halt = Some(*halt);
    }
    meetings
}

// A turn is kept in 256ths of a circle, finer than any street is straight.
const DIRECTIONS: usize = 256;

/// The direction from `a` to `b` in 256ths of a circle, clockwise from north.
pub(super) fn direction(a: doorstep_shared::LatLon, b: doorstep_shared::LatLon) -> u8 {
    // A circle has 256 of them: north comes again after the last.
    (bearing_deg(a, b) / 360.0 * DIRECTIONS as f64).round() as i64 as u8
}

/// The tables of one vehicle.
#[derive(Debug)]
pub(super) struct Costs {
    vehicle: Vehicle,
    pub(super) profile: Profile,
    seconds_per_metre: Vec<f32>,
    turns_s: [f32; DIRECTIONS],
    /// No land way costs less than this for each metre as the crow flies.
    pub(super) least_seconds_per_metre: f32,
    /// The vehicle needs at least so many times what its group needs, on every edge and at every node.
    pub(super) times_least: f32,
    /// The vehicle's among [`super::landmarks::GROUPS`].
    pub(super) group: usize,
    /// By how much two ways to go on from a node can differ in what the passage costs.
    pub(super) passage_slack_s: f32,
}

impl Costs {
    pub(super) fn new(vehicle: Vehicle, paces: &[Pace], least_of: &[Least], drives_on_left: bool) -> Self {
        let group = group_of(vehicle);
        let seconds_per_metre: Vec<f32> = paces.iter().map(|pace| pace.seconds_per_metre(vehicle) as f32).collect();
        let on_land = paces.iter().zip(&seconds_per_metre).filter(|(pace, _)| !pace.is_boat());
        let least = on_land.map(|(_, seconds)| *seconds).fold(f32::INFINITY, f32::min);
        let turns_s = std::array::from_fn(|difference| {
            let turn_deg = f64::from(difference as u8 as i8) * 360.0 / DIRECTIONS as f64;
            turn_s(vehicle, if drives_on_left { -turn_deg } else { turn_deg }) as f32
        });
        let sharpest_s = turns_s.iter().copied().fold(0.0, f32::max);
        let yielding_s = wait_s(vehicle, Passage::Yielding, None) as f32;
        Self {
            vehicle,
            profile: Profile::of(vehicle),
            seconds_per_metre,
            turns_s,
            least_seconds_per_metre: if least.is_finite() { least } else { 0.0 },
            times_least: least_of[group].exceeded_by(vehicle, paces),
            group,
            passage_slack_s: sharpest_s + yielding_s,
        }
    }

    /// Seconds for `metres` of an edge.
    pub(super) fn along_s(&self, edge: &Edge, metres: f64) -> f32 {
        metres as f32 * self.seconds_per_metre[usize::from(edge.pace)]
    }

    /// Seconds from one edge, in one direction, to the next, past the node between them.
    pub(super) fn passage_s(&self, (from, forward): (&Edge, bool), (to, onward): (&Edge, bool), at: Meeting) -> f32 {
        if to.is_ferry && !from.is_ferry {
            return BOARDING_S as f32;
        }
        if std::ptr::eq(from, to) && forward != onward {
            return turning_round_s(self.vehicle) as f32 + wait_s(self.vehicle, Passage::First, at.halt) as f32;
        }
        if !at.junction_for.contains(self.profile) {
            return wait_s(self.vehicle, Passage::Along, at.halt) as f32;
        }
        let passage = if from.rank > at.rank { Passage::Yielding } else { Passage::First };
        let turn = to.leaves_towards(onward).wrapping_sub(from.arrives_towards(forward));
        wait_s(self.vehicle, passage, at.halt) as f32 + self.turns_s[usize::from(turn)]
    }
}

/// The least that any of a group of vehicles needs; see [`super::landmarks`].
#[derive(Debug)]
pub(super) struct Least {
    vehicles: &'static [Vehicle],
    /// By pace.
    seconds_per_metre: Vec<f64>,
}

impl Least {
    pub(super) fn new(vehicles: &'static [Vehicle], paces: &[Pace]) -> Self {
        let on_land = |pace: &Pace| least(vehicles, |vehicle| pace.seconds_per_metre(vehicle));
        let mut of_group = Self { vehicles, seconds_per_metre: paces.iter().map(on_land).collect() };
        // A boat is as quick for every vehicle: what is multiplied for a slow one must be less for all.
        let most = vehicles.iter().map(|vehicle| of_group.exceeded_by(*vehicle, paces)).fold(1.0, f32::max);
        for (seconds, _) in of_group.seconds_per_metre.iter_mut().zip(paces).filter(|(_, pace)| pace.is_boat()) {
            *seconds /= f64::from(most);
        }
        of_group
    }

    /// For a whole edge, in seconds.
    pub(super) fn along_s(&self, edge: &Edge) -> f64 {
        edge.length_m * self.seconds_per_metre[usize::from(edge.pace)]
    }

    /// At a node that is passed, in seconds.
    pub(super) fn wait_s(&self, at: Meeting) -> f64 {
        least(self.vehicles, |vehicle| {
            let is_junction = at.junction_for.contains(Profile::of(vehicle));
            wait_s(vehicle, if is_junction { Passage::First } else { Passage::Along }, at.halt)
        })
    }

    /// `vehicle`, one of the group, needs at least so many times as much, on every edge on land and at every node.
    fn exceeded_by(&self, vehicle: Vehicle, paces: &[Pace]) -> f32 {
        let on_edges = paces.iter().zip(&self.seconds_per_metre).filter(|(pace, _)| !pace.is_boat());
        let on_edges = on_edges.map(|(pace, least)| (pace.seconds_per_metre(vehicle), *least));
        let halts = [None, Some(Halt::Signals), Some(Halt::Stop), Some(Halt::Crossing)];
        let wait_at = |vehicle: Vehicle, halt| wait_s(vehicle, Passage::First, halt);
        let at_nodes = halts.map(|halt| (wait_at(vehicle, halt), least(self.vehicles, |of| wait_at(of, halt))));
        // Where nobody of the group waits there is nothing to multiply.
        let ratios = on_edges.chain(at_nodes).filter(|(_, least)| *least > 0.0).map(|(own, least)| own / least);
        let fewest = ratios.fold(f64::INFINITY, f64::min);
        // A hair less, for what rounding adds.
        if fewest.is_finite() { (fewest * 0.999) as f32 } else { 0.0 }
    }
}

fn least(vehicles: &[Vehicle], seconds: impl Fn(Vehicle) -> f64) -> f64 {
    vehicles.iter().map(|vehicle| seconds(*vehicle)).fold(f64::INFINITY, f64::min)
}
