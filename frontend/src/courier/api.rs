//! The courier's questions by plain HTTP, each answered once.

use doorstep_shared::{
    CourierId, OrderId,
    api::{
        courier::{CourierHome, CourierSignIn, CreateTracker, Tour, TrackerApp, TrackerCreated},
        plan::{CourierDay, PlanStop},
    },
    problem,
    protocol::{decode_json, encode_json},
};
use serde::de::DeserializeOwned;
use uuid::Uuid;
use wasm_bindgen::JsCast;

use super::{
    device::{self, Reply},
    engine::{Answer, PlanAnswer, ProofAnswer},
};

const HOME: &str = "/api/v1/courier";
const SESSION: &str = "/api/v1/courier/session";
const TOUR: &str = "/api/v1/courier/tour";
const DAY: &str = "/api/v1/courier/day";
const TRACKERS: &str = "/api/v1/courier/trackers";

/// A request without an answer fails after this long.
const LIMIT_MS: f64 = 15_000.0;

/// A photo over a slow network: half a megabyte at 14 kbit/s. The server gives up sooner.
const UPLOAD_LIMIT_MS: f64 = 310_000.0;

/// The wait after a "too many" that names none.
const TOO_MANY_WAIT_MS: f64 = 10_000.0;

/// A proof that has to wait longer than this is refused: nothing else could be reported meanwhile.
const LONGEST_WAIT_MS: f64 = 60_000.0;

/// Exchanges the code of a link for a session.
pub async fn sign_in(code: String) -> Answer {
    let reply = ask("POST", SESSION, Some(encode_json(&CourierSignIn { code })), LIMIT_MS).await;
    // Anything that will not be different in a minute.
    who(reply, |status| matches!(status, 400 | 401 | 403 | 404 | 409 | 410 | 422))
}

/// Which courier the server takes this phone for.
pub async fn who_am_i() -> Answer {
    // A proxy in between may say many things; only this one is the server's about the session.
    who(ask("GET", HOME, None, LIMIT_MS).await, |status| status == 401)
}

/// Ends the session; answers whether the server knows.
pub async fn end_session() -> bool {
    match ask("DELETE", SESSION, None, LIMIT_MS).await {
        Some(reply) => is_success(&reply) || matches!(reply.status(), 401 | 403 | 404),
        None => false,
    }
}

/// The tour.
pub async fn tour() -> Option<Tour> {
    body(&ask("GET", TOUR, None, LIMIT_MS).await?)
}

/// The day so far, which began at this phone's midnight.
pub async fn day() -> Option<CourierDay> {
    body(&ask("GET", &format!("{DAY}?since={}", midnight()), None, LIMIT_MS).await?)
}

/// Asks for another order of the courier's stops.
pub async fn put_plan(courier_id: CourierId, version: u64, stops: Vec<PlanStop>) -> PlanAnswer {
    let path = format!("/api/v1/couriers/{courier_id}/plan");
    let Some(reply) = ask("PUT", &path, Some(plan_json(version, &stops)), LIMIT_MS).await else {
        return PlanAnswer::Unreachable;
    };
    match reply.status() {
        200..300 => PlanAnswer::Taken,
        409 => PlanAnswer::Conflict,
        400..500 => PlanAnswer::Refused { code: code(&reply) },
        _ => PlanAnswer::Unreachable,
    }
}

/// `shared::api::plan::PutPlan`, by hand: ids and words need no escapes, and its serializer is much code for a phone.
fn plan_json(version: u64, stops: &[PlanStop]) -> String {
    let mut json = format!("{{\"version\":{version},\"stops\":[");
    for (place, stop) in stops.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        json += &format!("{comma}{{\"order_id\":\"{}\",\"kind\":\"{}\"}}", stop.order_id, stop.kind.as_str());
    }
    json + "]}"
}

/// When this day began here.
fn midnight() -> String {
    let day = js_sys::Date::new_0();
    day.set_hours(0);
    day.set_minutes(0);
    day.set_seconds(0);
    day.set_milliseconds(0);
    day.to_iso_string().into()
}

/// Sets another app up.
pub async fn set_up_tracker(app: TrackerApp) -> Option<TrackerCreated> {
    body(&ask("POST", TRACKERS, Some(encode_json(&CreateTracker { app })), LIMIT_MS).await?)
}

/// Sends a proof: this JSON, or else the photo that is kept under its id.
pub async fn put_proof(order_id: OrderId, proof_id: Uuid, taken_ms: i64, json: Option<String>) -> ProofAnswer {
    let mut path = format!("{HOME}/orders/{order_id}/proofs/{proof_id}");
    let photo_id = json.is_none().then(|| proof_id.to_string());
    if photo_id.is_some() {
        path += &format!("?taken_ms={taken_ms}");
    }
    let reply = device::ask("PUT", &path, json, photo_id, UPLOAD_LIMIT_MS).await;
    reply.map_or(ProofAnswer::Again { least_ms: 0.0 }, |reply| proof_answer(&reply.unchecked_into()))
}

fn proof_answer(reply: &Reply) -> ProofAnswer {
    let least_ms = reply.retry_after_s() * 1_000.0;
    match reply.status() {
        401 => ProofAnswer::SignedOut,
        // The network was too slow for the server's patience.
        408 => ProofAnswer::Again { least_ms: TOO_MANY_WAIT_MS },
        429 if least_ms > LONGEST_WAIT_MS => ProofAnswer::Refused { code: code(reply) },
        429 => ProofAnswer::Again { least_ms: if least_ms > 0.0 { least_ms } else { TOO_MANY_WAIT_MS } },
        200..300 => ProofAnswer::Taken,
        400..500 => ProofAnswer::Refused { code: code(reply) },
        _ => ProofAnswer::Again { least_ms },
    }
}

/// The problem's own code, or the one that fits the status.
fn code(reply: &Reply) -> String {
    problem::code_of(&reply.text()).unwrap_or_else(|| {
        match reply.status() {
            404 => "not_found",
            413 => "too_large",
            _ => "refused",
        }
        .to_owned()
    })
}

fn who(reply: Option<Reply>, is_refused: fn(u16) -> bool) -> Answer {
    let Some(reply) = reply else { return Answer::Unreachable };
    match reply.status() {
        200..300 => body::<CourierHome>(&reply).map_or(Answer::Unreachable, Answer::Home),
        status if is_refused(status) => Answer::Refused,
        _ => Answer::Unreachable,
    }
}

async fn ask(method: &str, path: &str, json: Option<String>, limit_ms: f64) -> Option<Reply> {
    let reply = device::ask(method, path, json, None, limit_ms).await.ok()?;
    Some(reply.unchecked_into())
}

fn body<T: DeserializeOwned>(reply: &Reply) -> Option<T> {
    if !is_success(reply) {
        return None;
    }
    decode_json(&reply.text()).ok()
}

fn is_success(reply: &Reply) -> bool {
    (200..300).contains(&reply.status())
}
