//! How far many points are from one, in one search.

use super::{
    network::{RoadNetwork, Snap},
    route::{Way, with_workspace},
    search::{Goal, Search},
    zone::Zone,
};
use doorstep_shared::{LatLon, Vehicle};

/// The quickest way to a point, without its line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// Seconds it takes on average.
    pub duration_s: f64,
    /// Metres along the streets.
    pub length_m: f64,
}

pub(super) fn one_to_many(
    network: &RoadNetwork,
    from: LatLon,
    targets: &[LatLon],
    vehicle: Vehicle,
) -> Vec<Option<Distance>> {
    let Some(start) = network.nearest_for(from, vehicle) else { return vec![None; targets.len()] };
    let snaps: Vec<Option<Snap>> = targets.iter().map(|target| network.nearest_for(*target, vehicle)).collect();
    let costs = network.costs(vehicle);
    let zone = Zone::around(network, costs.profile, snaps.iter().flatten().chain([&start]));
    with_workspace(|work| {
        let mut search = Search { network, costs, start: &start, zone: &zone, aim: (), work };
        let mut goals: Vec<Goal<'_>> = snaps.iter().flatten().map(|snap| Goal { snap, best: None }).collect();
        if !goals.is_empty() {
            search.run(&mut goals);
        }
        let mut found = goals.iter().map(|goal| {
            let way = Way::new(&search, goal.best?.finish, goal.snap);
            Some(Distance { duration_s: way.duration_s, length_m: way.length_m })
        });
        snaps.iter().map(|snap| snap.and_then(|_| found.next().flatten())).collect()
    })
}
