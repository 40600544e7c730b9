//! How fast a rider may be at each point of a route: limits, bends, stops, and braking in time for them.

use doorstep_area::roads::{RoadNetwork, Route};
use doorstep_shared::{
    LatLon, Vehicle,
    geo::{
        distance::{bearing_deg, haversine_m},
        motion::turn_deg,
    },
};
use rand::Rng;

use super::rider::Rider;

/// A point of the route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vertex {
    pub point: LatLon,
    /// Metres from the route's start.
    pub at_m: f64,
    /// The highest speed when passing it, in metres per second; braking for what follows is included.
    pub pass_mps: f64,
    /// How long to stand here, in seconds.
    pub stop_s: f64,
    /// The highest speed on the way to the next point, in metres per second.
    pub leave_mps: f64,
    /// Direction to the next point.
    pub heading_deg: f64,
    /// The way to the next point is under ground.
    pub in_tunnel: bool,
}

// Nearer points than this are drawn corners of one bend, not bends of their own.
const SHARP_BEND_DEG: f64 = 12.0;
// The speed at which one can still stop for what comes out of a side street.
const LOOKING_MPS: f64 = 4.0;

/// The vertices of `route` for `rider`, at least two, with equal neighbours left out.
pub(super) fn vertices(network: &RoadNetwork, route: &Route, rider: &Rider, random: &mut impl Rng) -> Vec<Vertex> {
    let mut vertices = positions(&route.line);
    limit_by_street(&mut vertices, network, route, rider);
    slow_down_in_bends(&mut vertices, rider);
    give_way_at_junctions(&mut vertices, route, rider, random);
    if let Some(last) = vertices.last_mut() {
        last.pass_mps = 0.0;
    }
    brake_in_time(&mut vertices, rider);
    vertices
}

fn positions(line: &[LatLon]) -> Vec<Vertex> {
    let mut at_m = 0.0;
    let mut vertices: Vec<Vertex> = Vec::with_capacity(line.len());
    for (index, point) in line.iter().enumerate() {
        if index > 0 {
            at_m += haversine_m(line[index - 1], *point);
        }
        let heading_deg = line.get(index + 1).map_or(0.0, |next| bearing_deg(*point, *next));
        vertices.push(Vertex {
            point: *point,
            at_m,
            pass_mps: f64::INFINITY,
            stop_s: 0.0,
            leave_mps: 1.0,
            heading_deg,
            in_tunnel: false,
        });
    }
    if let [.., before, last] = vertices.as_mut_slice() {
        last.heading_deg = before.heading_deg;
    }
    vertices
}

fn limit_by_street(vertices: &mut [Vertex], network: &RoadNetwork, route: &Route, rider: &Rider) {
    for (index, step) in route.steps.iter().enumerate() {
        let end = route.steps.get(index + 1).map_or(vertices.len(), |next| next.first_point);
        let leave_mps = rider.free_speed_mps(step.limit_kmh);
        let in_tunnel = network.edge(step.edge).tunnel;
        for vertex in &mut vertices[step.first_point..end] {
            (vertex.leave_mps, vertex.in_tunnel) = (leave_mps, in_tunnel);
        }
    }
}

fn slow_down_in_bends(vertices: &mut [Vertex], rider: &Rider) {
    for index in 1..vertices.len().saturating_sub(1) {
        let turn = turn_deg(vertices[index - 1].heading_deg, vertices[index].heading_deg).abs();
        let allowed = vertices[index - 1].leave_mps.min(vertices[index].leave_mps);
        vertices[index].pass_mps =
            if turn > SHARP_BEND_DEG { rider.bend_speed_mps(turn).min(allowed) } else { allowed };
    }
}

/// Where streets meet, others may have the right of way: slow down to look, and now and then wait.
/// Walkers hardly ever do, and two wheels filter through.
fn give_way_at_junctions(vertices: &mut [Vertex], route: &Route, rider: &Rider, random: &mut impl Rng) {
    let (slow, stop) = match rider.vehicle {
        Vehicle::Foot => (0.0, 0.02),
        Vehicle::Bicycle => (0.1, 0.07),
        Vehicle::Scooter | Vehicle::Motorcycle => (0.35, 0.15),
        Vehicle::Car | Vehicle::Van => (0.4, 0.16),
    };
    for step in route.steps.iter().skip(1) {
        let vertex = &mut vertices[step.first_point];
        let drawn: f64 = random.random();
        if drawn < stop {
            vertex.pass_mps = 0.0;
            vertex.stop_s = random.random_range(2.0..18.0);
        } else if drawn < stop + slow {
            vertex.pass_mps = vertex.pass_mps.min(LOOKING_MPS);
        }
    }
}

fn brake_in_time(vertices: &mut [Vertex], rider: &Rider) {
    for index in (0..vertices.len().saturating_sub(1)).rev() {
        let distance_m = vertices[index + 1].at_m - vertices[index].at_m;
        let next_mps = vertices[index + 1].pass_mps;
        let here = &mut vertices[index];
        here.pass_mps = here.pass_mps.min(braking_from(next_mps, distance_m, rider));
    }
}

/// The speed from which `rider` can be down to `end_mps` within `distance_m`.
pub(super) fn braking_from(end_mps: f64, distance_m: f64, rider: &Rider) -> f64 {
    (end_mps * end_mps + 2.0 * rider.braking_mps2 * distance_m.max(0.0)).sqrt()
}
