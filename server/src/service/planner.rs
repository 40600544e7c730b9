//! Plans routes for couriers on a thread that yields to everything else.
//!
//! A route costs milliseconds of a core, and after a restart or a storm of detours hundreds are wanted at once. On a
//! small machine that would stand between a courier's fix and its ack, so the one planning thread has idle priority:
//! an estimate that comes a second later is early enough. [`crate::service::arrival`] calls it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use doorstep_area::roads::{RoadClass, RoadNetwork, Route};
use doorstep_arrival::way::StreetKind;
use doorstep_shared::{LatLon, Vehicle, geo::distance::haversine_m};
use tokio::sync::{mpsc, oneshot};

use super::{
    areas::Areas,
    remote_router::{RemoteRoute, RemoteRouter},
};
use crate::{
    domain::track::progress::PlannedRoute,
    platform::{background_thread::run_idle, tasks::Tasks},
};

/// Requests routes. Cheap to clone. They are planned one after the other, so each holder has at most one that waits.
#[derive(Clone, Debug)]
pub struct Planner {
    /// The operator's own routing server, which is asked first.
    remote: Option<Arc<RemoteRouter>>,
    wanted: mpsc::Sender<Wanted>,
}

#[derive(Debug)]
struct Wanted {
    from: LatLon,
    to: LatLon,
    vehicle: Vehicle,
    planned: oneshot::Sender<Option<Arc<PlannedRoute>>>,
}

impl Planner {
    /// A planner on the streets of the area in use, for what `remote` does not answer. Its thread ends when the planner is dropped.
    pub fn start(areas: Arc<Areas>, remote: Option<RemoteRouter>, tasks: &Tasks) -> Self {
        let (wanted, mut waiting) = mpsc::channel::<Wanted>(1);
        tasks.spawn("planner", async move {
            let thread = tokio::task::spawn_blocking(move || {
                run_idle();
                while let Some(Wanted { from, to, vehicle, planned }) = waiting.blocking_recv() {
                    let area = areas.current();
                    let route = catch_unwind(AssertUnwindSafe(|| {
                        let roads = area.roads()?;
                        Some(timed(to, roads.route(from, to, vehicle)?, roads, vehicle))
                    }));
                    let route = route.unwrap_or_else(|_panic| {
                        tracing::error!(?from, ?to, ?vehicle, "planning a way panicked");
                        None
                    });
                    let route = route.map(Arc::new);
                    // A caller that gave up meanwhile needs no answer.
                    let _ = planned.send(route);
                }
            });
            if let Err(error) = thread.await {
                tracing::error!(error = %error, "ways are not planned any more");
            }
        });
        Self { remote: remote.map(Arc::new), wanted }
    }

    /// The quickest route; `None` when there is none.
    ///
    /// # Cancel safety
    /// Safe; the route may still be planned.
    pub async fn plan(&self, from: LatLon, to: LatLon, vehicle: Vehicle) -> Option<Arc<PlannedRoute>> {
        if let Some(remote) = &self.remote
            && let Some(route) = remote.route(from, to, vehicle).await
        {
            return Some(Arc::new(spread(to, route)));
        }
        let (planned, answer) = oneshot::channel();
        self.wanted.send(Wanted { from, to, vehicle, planned }).await.ok()?;
        answer.await.ok().flatten()
    }
}

/// Another server's route: of its segments it says nothing, so each has its share of the time by its length.
fn spread(target: LatLon, RemoteRoute { line, duration_s }: RemoteRoute) -> PlannedRoute {
    let lengths_m: Vec<f64> = line.windows(2).map(|pair| haversine_m(pair[0], pair[1])).collect();
    let whole_m: f64 = lengths_m.iter().sum();
    let seconds_per_m = if whole_m > 0.0 { duration_s / whole_m } else { 0.0 };
    let segments = lengths_m.into_iter().map(|metres| (metres * seconds_per_m, StreetKind::Unknown)).collect();
    PlannedRoute { target, line, segments }
}

/// A route with the time that each of its segments takes: the streets' shares of the whole, by length and limit.
pub(super) fn timed(target: LatLon, route: Route, roads: &RoadNetwork, vehicle: Vehicle) -> PlannedRoute {
    let mut segments = Vec::with_capacity(route.line.len().saturating_sub(1));
    for (at, pair) in route.line.windows(2).enumerate() {
        let step = route.steps.partition_point(|step| step.first_point <= at).saturating_sub(1);
        let Some(step) = route.steps.get(step) else { break };
        // Limits do not make walkers and cyclists faster.
        let slowness = match vehicle {
            Vehicle::Foot | Vehicle::Bicycle => 1.0,
            _ => 1.0 / f64::from(step.limit_kmh.max(5)),
        };
        segments.push((haversine_m(pair[0], pair[1]) * slowness, kind_of(roads.edge(step.edge).class)));
    }
    let whole: f64 = segments.iter().map(|(weight, _)| weight).sum();
    let seconds_per_weight = if whole > 0.0 { route.duration_s / whole } else { 0.0 };
    segments.iter_mut().for_each(|(weight, _)| *weight *= seconds_per_weight);
    PlannedRoute { target, line: route.line, segments }
}

const fn kind_of(class: RoadClass) -> StreetKind {
    match class {
        RoadClass::Motorway | RoadClass::Trunk => StreetKind::Fast,
        RoadClass::Primary | RoadClass::Secondary | RoadClass::Tertiary => StreetKind::Main,
        _ => StreetKind::Side,
    }
}

#[cfg(test)]
mod tests {
    use doorstep_area::{built_in, files};

    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::try_new(lat, lon).expect("on earth")
    }

    #[test]
    fn another_servers_time_is_spread_over_its_way() {
        let line = vec![at(35.9, 14.5), at(35.901, 14.5), at(35.904, 14.5)];
        let planned = spread(line[2], RemoteRoute { line, duration_s: 80.0 });
        let seconds: Vec<_> = planned.segments.iter().map(|(seconds, _)| seconds.round()).collect();
        assert_eq!(seconds, [20.0, 60.0]);
        let still = RemoteRoute { line: vec![at(35.9, 14.5); 2], duration_s: 0.0 };
        assert_eq!(spread(at(35.9, 14.5), still).segments, [(0.0, StreetKind::Unknown)]);
    }

    #[test]
    fn the_segments_of_a_route_take_as_long_as_the_route() {
        let roads = RoadNetwork::from_bytes(built_in::file(files::STREETS).expect("streets")).expect("they are sound");
        let (valletta, mdina) = (at(35.8978, 14.5125), at(35.8858, 14.4031));
        for vehicle in [Vehicle::Bicycle, Vehicle::Car] {
            let route = roads.route(valletta, mdina, vehicle).expect("there are streets");
            let (duration_s, points) = (route.duration_s, route.line.len());
            let planned = timed(mdina, route, &roads, vehicle);
            assert_eq!(planned.segments.len(), points - 1);
            let whole_s: f64 = planned.segments.iter().map(|(seconds, _)| seconds).sum();
            assert!((whole_s - duration_s).abs() < 1e-3, "{whole_s} s of {duration_s}");
            for kind in [StreetKind::Main, StreetKind::Side] {
                assert!(planned.segments.iter().any(|(_, of)| *of == kind), "no {kind:?} streets");
            }
        }
    }
}
