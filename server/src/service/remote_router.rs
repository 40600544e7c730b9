//! Asks the operator's own routing server, Valhalla or OSRM, for routes.
//!
//! An operator who runs one has live traffic, their own closures or one graph for everything. Whenever it does not answer
//! in time the caller plans on the area's streets, as without it.

use std::time::Duration;

use doorstep_area::roads::SNAP_LIMIT_M;
use doorstep_shared::{LatLon, Vehicle, geo::distance::haversine_m};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::json;

use crate::platform::{
    engine_url::{EngineUrl, Router},
    side_server::{Manners, SideServer},
};

const MANNERS: Manners = Manners {
    what: "the router",
    metric: "doorstep_router_requests_total",
    // Arrivals are written anew every few seconds; a route that takes longer is planned here.
    deadline: Duration::from_millis(800),
    at_once: 4,
    apart: Duration::ZERO,
    // A route across a country has some 300 kB.
    most_bytes: 4 * 1024 * 1024,
};

/// A way that another server planned.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteRoute {
    /// Its points, at least two.
    pub line: Vec<LatLon>,
    /// How long it takes, in seconds.
    pub duration_s: f64,
}

impl RemoteRoute {
    fn is_sound(&self) -> bool {
        self.line.len() >= 2 && self.duration_s.is_finite() && self.duration_s >= 0.0
    }
}

/// A routing server.
#[derive(Debug)]
pub struct RemoteRouter {
    server: SideServer,
    url: EngineUrl<Router>,
}

impl RemoteRouter {
    /// A router at `url`, which is not asked yet.
    ///
    /// # Errors
    /// When the system gives no client.
    pub fn new(url: EngineUrl<Router>) -> reqwest::Result<Self> {
        Ok(Self { server: SideServer::new(MANNERS)?, url })
    }

    /// The quickest route; `None` when the server knows none, is busy or fails.
    ///
    /// # Cancel safety
    /// Safe; the other server may still plan.
    pub async fn route(&self, from: LatLon, to: LatLon, vehicle: Vehicle) -> Option<RemoteRoute> {
        let request = |client: &Client| match self.url.engine() {
            Router::Valhalla => self.valhalla_request(client, from, to, vehicle),
            Router::Osrm => self.osrm_request(client, from, to, vehicle),
        };
        let read = |body: &[u8]| match self.url.engine() {
            Router::Valhalla => valhalla_route(body),
            Router::Osrm => osrm_route(body),
        };
        // An arrival that comes later is no better: whoever finds it busy plans here.
        let route = self.server.ask(Duration::ZERO, request, |body| read(body).filter(RemoteRoute::is_sound)).await?;
        // OSRM goes to the nearest street that it knows, and be it on another continent.
        let reaches = |end: Option<&LatLon>, asked| end.is_some_and(|end| haversine_m(*end, asked) <= SNAP_LIMIT_M);
        (reaches(route.line.first(), from) && reaches(route.line.last(), to)).then_some(route)
    }

    fn valhalla_request(&self, client: &Client, from: LatLon, to: LatLon, vehicle: Vehicle) -> RequestBuilder {
        let costing = match vehicle {
            Vehicle::Foot => "pedestrian",
            Vehicle::Bicycle => "bicycle",
            Vehicle::Scooter => "motor_scooter",
            Vehicle::Motorcycle => "motorcycle",
            Vehicle::Car | Vehicle::Van => "auto",
        };
        let locations = [from, to].map(|end| json!({ "lat": end.lat(), "lon": end.lon() }));
        let question = json!({ "locations": locations, "costing": costing, "directions_type": "none" });
        client.post(format!("{}/route", self.url.base())).json(&question)
    }

    fn osrm_request(&self, client: &Client, from: LatLon, to: LatLon, vehicle: Vehicle) -> RequestBuilder {
        let profile = match vehicle {
            Vehicle::Foot => "foot",
            Vehicle::Bicycle => "bike",
            Vehicle::Scooter | Vehicle::Motorcycle | Vehicle::Car | Vehicle::Van => "driving",
        };
        let [from, to] = [from, to].map(|end| format!("{},{}", end.lon(), end.lat()));
        let address = format!("{}/route/v1/{profile}/{from};{to}", self.url.base());
        client.get(address).query(&[("overview", "full"), ("geometries", "polyline6"), ("steps", "false")])
    }
}

fn valhalla_route(body: &[u8]) -> Option<RemoteRoute> {
    #[derive(Deserialize)]
    struct Answer {
        trip: Trip,
    }
    #[derive(Deserialize)]
    struct Trip {
        legs: Vec<Leg>,
    }
    #[derive(Deserialize)]
    struct Leg {
        shape: String,
        summary: Summary,
    }
    #[derive(Deserialize)]
    struct Summary {
        time: f64,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let leg = answer.trip.legs.first()?;
    Some(RemoteRoute { line: polyline6(&leg.shape)?, duration_s: leg.summary.time })
}

fn osrm_route(body: &[u8]) -> Option<RemoteRoute> {
    #[derive(Deserialize)]
    struct Answer {
        routes: Vec<Route>,
    }
    #[derive(Deserialize)]
    struct Route {
        geometry: String,
        duration: f64,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let route = answer.routes.first()?;
    Some(RemoteRoute { line: polyline6(&route.geometry)?, duration_s: route.duration })
}

/// The points of an encoded polyline in millionths of a degree, as both engines write it.
fn polyline6(text: &str) -> Option<Vec<LatLon>> {
    let line = polyline::decode_polyline(text, 6).ok()?;
    line.into_iter().map(|point| LatLon::try_new(point.y, point.x).ok()).collect()
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::polyline::length_m;
    use proptest::prelude::*;

    use super::*;
    use crate::platform::side_server::fake;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::try_new(lat, lon).expect("on earth")
    }

    fn encoded(line: &[LatLon]) -> String {
        let points = line.iter().map(|point| [point.lon(), point.lat()].into());
        polyline::encode_coordinates(points, 6).expect("on earth")
    }

    fn router(engine: &str, base: &str) -> RemoteRouter {
        RemoteRouter::new(format!("{engine}+{base}").parse().expect("an address")).expect("a client")
    }

    #[tokio::test]
    async fn both_engines_are_asked_in_their_own_words() {
        let line = vec![at(35.9, 14.5), at(35.901, 14.502), at(35.9005, 14.499)];
        let shape = encoded(&line);
        let cases = [
            (
                "valhalla",
                json!({ "trip": { "legs": [{ "shape": shape, "summary": { "time": 60.5 } }] } }),
                "POST /route ",
            ),
            (
                "osrm",
                json!({ "routes": [{ "geometry": shape, "duration": 60.5 }] }),
                "GET /route/v1/bike/14.5,35.9;14.499,35.9005?",
            ),
        ];
        for (engine, answer, begins) in cases {
            let (base, questions) = fake::server("200 OK", Some(answer.to_string()));
            let router = router(engine, &base);
            let expected = RemoteRoute { line: line.clone(), duration_s: 60.5 };
            assert_eq!(router.route(line[0], line[2], Vehicle::Bicycle).await, Some(expected), "{engine}");
            let question = questions.recv().expect("it was asked");
            assert!(question.starts_with(begins), "{question}");
        }
    }

    /// What Valhalla 3.9 and OSRM 26 answered to the same question in Valletta, without what is not read.
    const VALHALLA: &str = r#"{"trip":{"legs":[{"summary":{"time":137.598,"length":1.242},"shape":"o~ancAgp{tZp@k@dXuVxXiXk[gk@oSga@aZdXyVpV{VvSaZpYmTbTkEwIaF}HaP`[yChDwNiNeRv\\q\\rj@m@hCDhCl@pBtRlr@|@pCtA`ClBlCxBzBxD|ClE|DfFjF|UvUlAtA~AjCdB|E`ArD~A`DpAjBvB|BvJxJpMzOlFtH|@rA`BAdAExALfA^|@p@xA|Bv@dBlA`Er@xCXlA"}],"status":0,"units":"kilometers"}}"#;
    const OSRM: &str = r#"{"code":"Ok","routes":[{"geometry":"o~ancAgp{tZn@k@fXwVxXgXk[gk@oSga@cZdXwVpV{VvSaZpYmTbTkEyIaF{H_E}Emh@`}@qB`FsChHyClHkArEQrC?nAHbBx@bE`F~QhEbJ~F`MnH~NjGjKlThU~D|EzDjFtCxEjLhT~@vAx@pA|AdAbBr@zElAvBn@bBbChDbKlGdS~H~UrEhOvHrUmBj@}BNgA[wAqA}@wBgAqC}B{JmFwT","duration":181.9,"distance":1337.3}]}"#;

    #[tokio::test]
    async fn real_answers_are_read() {
        for (engine, answer, expected_m, expected_s) in
            [("valhalla", VALHALLA, 1_242.0, 137.598), ("osrm", OSRM, 1_337.3, 181.9)]
        {
            let (base, _questions) = fake::server("200 OK", Some(answer.to_owned()));
            let (from, to) = (at(35.8989, 14.5145), at(35.9, 14.51));
            let route = router(engine, &base).route(from, to, Vehicle::Scooter).await.expect("a way");
            assert!((length_m(&route.line) - expected_m).abs() < 5.0, "{engine}: {} m", length_m(&route.line));
            assert_eq!(route.duration_s, expected_s, "{engine}");
        }
    }

    #[tokio::test]
    async fn a_way_between_other_places_is_no_way() {
        let (base, questions) = fake::server("200 OK", Some(OSRM.to_owned()));
        let router = router("osrm", &base);
        let (here, far) = (at(35.8989, 14.5145), at(55.8989, 1.5145));
        assert_eq!(router.route(far, here, Vehicle::Car).await, None);
        assert_eq!(router.route(here, far, Vehicle::Car).await, None);
        assert_eq!(questions.try_iter().count(), 2, "it has not failed");
    }

    #[tokio::test]
    async fn nonsense_is_no_route() {
        for body in ["not JSON", "{}", r#"{"routes":[]}"#, r#"{"routes":[{"geometry":"??","duration":1}]}"#] {
            let (base, _questions) = fake::server("200 OK", Some(body.to_owned()));
            let line = router("osrm", &base).route(at(35.9, 14.5), at(35.91, 14.5), Vehicle::Car).await;
            assert_eq!(line, None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn a_polyline_is_read_as_it_was_written(points in prop::collection::vec((-90_000_000..=90_000_000_i32, -180_000_000..=180_000_000_i32), 0..20)) {
            let line: Vec<LatLon> = points.into_iter().map(|(lat, lon)| at(f64::from(lat) / 1e6, f64::from(lon) / 1e6)).collect();
            prop_assert_eq!(polyline6(&encoded(&line)), Some(line));
        }

        #[test]
        fn nonsense_is_no_line_and_no_panic(text in ".{0,40}") {
            let _ = polyline6(&text);
        }
    }
}
