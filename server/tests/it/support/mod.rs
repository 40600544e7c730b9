//! The ground of every test: a server, a database, and clients that never wait without a deadline.

mod api;
mod app;
mod database;
mod pbf;
mod people;
mod receiver;
mod redis;
mod sign_in;
mod socket;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

pub(crate) use self::{
    api::{Answer, TestCourier, TestOrder, order_body, text},
    app::{
        BUILT_IN_AREA, TestApp, settings, with_app, with_manual_clock, with_manual_clock_and, with_settings,
        with_two_instances, with_two_servers,
    },
    database::Database,
    pbf::{Way, extract},
    people::{PASSWORD, TestPerson},
    receiver::{Receiver, Reply, TO_THIS_MACHINE},
    redis::RedisServer,
    sign_in::{Invited, code_in, set_cookie},
    socket::Socket,
};

/// Longer than anything here may take on a busy machine. Only a failing test ever waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Somewhere in Valletta, where the tests' couriers are.
pub(crate) const HERE: (f64, f64) = (35.8980, 14.5125);

/// The present, Unix epoch milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_millis()).expect("the clock is before the end of time")
}

/// A fix as a phone sends it.
pub(crate) fn fix(time_ms: i64, lat: f64, lon: f64) -> Value {
    json!({ "time_ms": time_ms, "lat": lat, "lon": lon, "accuracy_m": 6.0 })
}

/// A fix near [`HERE`], `step` times about ten metres to the north.
pub(crate) fn step(time_ms: i64, step: i64) -> Value {
    fix(time_ms, HERE.0 + step as f64 * 0.000_09, HERE.1)
}

/// Waits for `work`; a test that is stuck names the place.
pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("{what} took longer than {PATIENCE:?}"))
}

/// Asks again and again until the answer is yes. For effects that the server promises soon, without a time.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(what, asking).await;
}
