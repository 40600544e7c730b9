//! A rider on their way along a route.

use std::time::Duration;

use doorstep_area::roads::{RoadNetwork, Route};
use doorstep_shared::LatLon;
use rand::Rng;

use super::{
    profile::{self, Vertex},
    rider::Rider,
};

// Short enough that half a metre a second of speed is the most that changes in between.
const STEP_S: f64 = 0.2;
// A rider who brakes for a stop rolls the last metres, or they would never arrive.
const CREEP_MPS: f64 = 0.6;
const ARRIVED_WITHIN_M: f64 = 0.5;

/// Where a rider truly is, before the receiver adds its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// Where.
    pub point: LatLon,
    /// How fast, in metres per second.
    pub speed_mps: f64,
    /// Which way they face, in degrees.
    pub heading_deg: f64,
    /// Under ground.
    pub in_tunnel: bool,
}

/// A ride along a route, advanced by the clock.
#[derive(Clone, Debug)]
pub struct Drive {
    rider: Rider,
    vertices: Vec<Vertex>,
    /// The vertex behind.
    behind: usize,
    at_m: f64,
    speed_mps: f64,
    standing_s: f64,
    left_over_s: f64,
}

impl Drive {
    /// At the start of `route`, standing. `random` decides where there will be stops.
    pub fn new(network: &RoadNetwork, route: &Route, rider: Rider, random: &mut impl Rng) -> Self {
        let vertices = profile::vertices(network, route, &rider, random);
        Self { rider, vertices, behind: 0, at_m: 0.0, speed_mps: 0.0, standing_s: 0.0, left_over_s: 0.0 }
    }

    /// Lets time pass.
    pub fn advance(&mut self, elapsed: Duration) {
        self.left_over_s += elapsed.as_secs_f64();
        while self.left_over_s >= STEP_S {
            self.left_over_s -= STEP_S;
            self.step();
        }
    }

    fn step(&mut self) {
        if self.standing_s > 0.0 {
            self.standing_s -= STEP_S;
            return;
        }
        if self.has_arrived() {
            self.speed_mps = 0.0;
            return;
        }
        let ahead = self.vertices[self.behind + 1];
        let left_m = ahead.at_m - self.at_m;
        let in_time = profile::braking_from(ahead.pass_mps, left_m, &self.rider);
        let allowed = self.vertices[self.behind].leave_mps.min(in_time).max(CREEP_MPS);
        let faster = self.speed_mps + self.rider.acceleration_mps2 * STEP_S;
        self.speed_mps = faster.min(allowed);
        self.go(self.speed_mps * STEP_S);
    }

    fn go(&mut self, metres: f64) {
        self.at_m = (self.at_m + metres).min(self.length_m());
        while self.behind + 2 < self.vertices.len() && self.vertices[self.behind + 1].at_m <= self.at_m {
            let reached = &mut self.vertices[self.behind + 1];
            self.behind += 1;
            let stop_s = std::mem::take(&mut reached.stop_s);
            if stop_s > 0.0 {
                (self.standing_s, self.speed_mps, self.at_m) = (stop_s, 0.0, reached.at_m);
                return;
            }
        }
    }

    fn length_m(&self) -> f64 {
        self.vertices[self.vertices.len() - 1].at_m
    }

    /// Metres still to go.
    pub fn remaining_m(&self) -> f64 {
        self.length_m() - self.at_m
    }

    /// Whether the end is reached.
    pub fn has_arrived(&self) -> bool {
        self.remaining_m() < ARRIVED_WITHIN_M
    }

    /// Where they are now.
    pub fn truth(&self) -> Truth {
        let (a, b) = (&self.vertices[self.behind], &self.vertices[self.behind + 1]);
        let length_m = b.at_m - a.at_m;
        let share = if length_m > 0.0 { ((self.at_m - a.at_m) / length_m).clamp(0.0, 1.0) } else { 1.0 };
        let lerp = |from: f64, to: f64| from + share * (to - from);
        let point = LatLon::try_new(lerp(a.point.lat(), b.point.lat()), lerp(a.point.lon(), b.point.lon()));
        Truth {
            point: point.unwrap_or(a.point),
            speed_mps: self.speed_mps,
            heading_deg: a.heading_deg,
            in_tunnel: a.in_tunnel,
        }
    }
}
