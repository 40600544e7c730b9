//! Fixes from other people's apps: `/ingest/osmand`, `/ingest/owntracks`, `/ingest/overland`.
//!
//! The answer decides what a phone does next, so it says only what the phone can act on. Success means that
//! what can be stored is committed; points that are bad for ever are counted and taken with it, or that phone
//! would send nothing else. Trouble of ours is 503, never 4xx: iOS deletes what was refused. A phone that asks for
//! too much is told the same, and keeps what it has.

use std::{num::NonZeroU32, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Query},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use doorstep_shared::{DeviceId, problem::Problem, protocol::courier::MAX_FIXES};
use futures_util::future::try_join_all;
use serde::Deserialize;

use super::body::RequestBody;
use crate::{
    auth::look_up::look_up,
    error::ApiError,
    platform::{rate_limit::RateLimit, token},
    service::ingest::{decode::Decoded, osmand, overland, owntracks},
    state::AppState,
    store::{couriers::SignedInDevice, devices::DeviceClient},
};

/// Overland's largest batch is half of this.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How long a phone waits for the commit. Their own patience begins at ten seconds; what was not acked comes
/// again, and storing it twice is harmless.
const COMMIT_PATIENCE: Duration = Duration::from_secs(8);

/// Requests that one phone may send at once, and how many a second after that. Traccar Client empties the queue of a
/// day without a network one point at a time and waits for each answer, which this does not slow down; what runs in
/// a circle is.
const BURST: NonZeroU32 = NonZeroU32::new(1_000).expect("not zero");
const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).expect("not zero");

/// How often one device may report.
pub fn device_limit() -> RateLimit<DeviceId> {
    RateLimit::per_second(PER_SECOND, BURST)
}

/// Takes positions from Traccar Client, OsmAnd and other apps of OsmAnd's protocol. `id`, `deviceid` or, in JSON,
/// `device_id` is the device's token; parameters come in the query or a form, or as Traccar Client's JSON.
#[utoipa::path(post, path = "/ingest/osmand", tag = "ingest",
    params(("id" = Option<String>, Query, description = "The device's token"), ("lat" = Option<f64>, Query),
        ("lon" = Option<f64>, Query), ("timestamp" = Option<String>, Query, description = "Seconds, milliseconds or ISO 8601"),
        ("speed" = Option<f64>, Query, description = "Knots"), ("bearing" = Option<f64>, Query),
        ("altitude" = Option<f64>, Query), ("accuracy" = Option<f64>, Query, description = "Metres"),
        ("batt" = Option<f64>, Query, description = "Percent")),
    responses((status = 200, description = "Taken; empty"), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem)))]
pub async fn osmand(app: Data<AppState>, request: HttpRequest, body: RequestBody) -> Result<HttpResponse, ApiError> {
    let now_ms = app.clock.now_ms();
    let (report, unknown) = if is_json(&request) {
        (osmand::decode_json(&body, now_ms)?, StatusCode::NOT_FOUND)
    } else {
        let form = String::from_utf8_lossy(&body);
        let query = Some(request.query_string()).filter(|query| !query.is_empty());
        (osmand::decode_parameters(query.unwrap_or(&form), now_ms), StatusCode::BAD_REQUEST)
    };
    let device = device(&app, &request, report.token).await?.ok_or_else(|| ApiError::unknown_device(unknown))?;
    take_in(&app, &device, DeviceClient::Traccar, report.decoded).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// Takes messages from OwnTracks in HTTP mode. The password of HTTP Basic is the device's token, with any user name.
#[utoipa::path(post, path = "/ingest/owntracks", tag = "ingest",
    responses((status = 200, description = "Taken; `[]`"), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn owntracks(app: Data<AppState>, request: HttpRequest, body: RequestBody) -> Result<HttpResponse, ApiError> {
    let device = device(&app, &request, basic_password(&request).or_else(|| bearer(&request))).await?;
    let device = device.ok_or_else(ApiError::unauthorized)?;
    take_in(&app, &device, DeviceClient::Owntracks, owntracks::decode(&body)).await?;
    Ok(json("[]"))
}

/// Takes batches from Overland. The device's token is the Bearer, or `token` in the query.
#[utoipa::path(post, path = "/ingest/overland", tag = "ingest",
    params(("token" = Option<String>, Query)),
    responses((status = 200, description = "Taken; `{\"result\":\"ok\"}`"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn overland(app: Data<AppState>, request: HttpRequest, body: RequestBody) -> Result<HttpResponse, ApiError> {
    let device = device(&app, &request, bearer(&request).or_else(|| query_token(&request))).await?;
    let device = device.ok_or_else(ApiError::unauthorized)?;
    take_in(&app, &device, DeviceClient::Overland, overland::decode(&body)?).await?;
    Ok(json(r#"{"result":"ok"}"#))
}

async fn device(
    app: &AppState,
    request: &HttpRequest,
    token: Option<String>,
) -> Result<Option<SignedInDevice>, ApiError> {
    let Some(token) = token else { return Ok(None) };
    let hash = token::hash(&token);
    look_up(app, request, ApiError::slow_down, app.store.device_by_token(&hash)).await
}

/// Shows and stores a courier's points; returns when they are committed.
async fn take_in(
    app: &AppState,
    from: &SignedInDevice,
    client: DeviceClient,
    decoded: Decoded,
) -> Result<(), ApiError> {
    app.ingest_limit.check(&from.device).map_err(ApiError::slow_down)?;
    app.devices.sightings().note(from.courier.id, from.device, client, app.clock.now());
    app.ingest.count_unreadable(decoded.unreadable);
    if decoded.fixes.is_empty() {
        return Ok(());
    }
    let courier = from.courier.id;
    app.plans.load(courier).await?;
    // In pieces as large as a message of our own courier app, which is what the writer is made for.
    let accept = |fixes| app.ingest.accept(courier, from.device, fixes);
    let accepted: Vec<_> = decoded.fixes.chunks(MAX_FIXES).map(accept).collect();
    let committed = tokio::time::timeout(COMMIT_PATIENCE, try_join_all(accepted)).await;
    committed.map_err(|_| ApiError::unavailable())??;
    Ok(())
}

fn json(body: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").insert_header((header::CACHE_CONTROL, "no-store")).body(body)
}

fn is_json(request: &HttpRequest) -> bool {
    const JSON: &str = "application/json";
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.and_then(|kind| kind.get(..JSON.len())).is_some_and(|kind| kind.eq_ignore_ascii_case(JSON))
}

fn authorization(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()
}

fn bearer(request: &HttpRequest) -> Option<String> {
    authorization(request).and_then(token::bearer).map(str::to_owned)
}

/// The password of HTTP Basic; the user's name is theirs to choose.
fn basic_password(request: &HttpRequest) -> Option<String> {
    let (scheme, credentials) = authorization(request)?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    credentials.split_once(':').map(|(_, password)| password.to_owned())
}

#[derive(Deserialize)]
struct TokenQuery {
    token: String,
}

fn query_token(request: &HttpRequest) -> Option<String> {
    Query::<TokenQuery>::from_query(request.query_string()).ok().map(|query| query.into_inner().token)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn with_header(name: &str, value: &str) -> HttpRequest {
        TestRequest::default().insert_header((name, value)).to_http_request()
    }

    #[test]
    fn only_the_password_of_basic_is_the_token() {
        let cases = [
            ("Basic YW5hOnRva2Vu", Some("token")),
            ("basic  YW5hOnRva2Vu", Some("token")),
            ("Basic OnRvOmtlbg==", Some("to:ken")),
            ("Basic YW5h", None),
            ("Basic ?", None),
            ("Basic /////w==", None),
            ("Basic", None),
            ("Bearer token", None),
        ];
        for (value, expected) in cases {
            assert_eq!(basic_password(&with_header("authorization", value)).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn json_is_known_by_the_beginning_of_its_type() {
        let cases = [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("Application/JSON", true),
            ("application/x-www-form-urlencoded", false),
            ("application/jso", false),
            ("", false),
        ];
        for (value, expected) in cases {
            assert_eq!(is_json(&with_header("content-type", value)), expected, "{value}");
        }
        assert!(!is_json(&TestRequest::default().to_http_request()));
    }
}
