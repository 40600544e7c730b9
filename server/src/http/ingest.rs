//! Fixes from other companies' apps: `/ingest/osmand`, `/ingest/owntracks`, `/ingest/overland`.
//!
//! The answer decides what a phone does next, so it says only what the phone can act on. Success means that
//! what can be stored is committed; points that can never be stored are counted and taken with it, or that phone
//! would send nothing else. Failures of ours are 503, never 4xx: iOS deletes what was refused. A phone that asks for
//! too much gets the same answer, and keeps what it has.

use std::{num::NonZeroU32, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Query,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use doorstep_shared::{
    DeviceId,
    api::ingest::{OverlandAnswer, OverlandBatch, OwntracksMessage, TraccarMessage},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    body::bytes::{OsmandReport, RequestBody, TrackerBatch},
    context::pieces,
    describe::Describe,
};
use crate::{
    auth::{access::Access, authenticator::Authenticator},
    error::ApiError,
    live::accepted::Rank,
    platform::{clock::Clock, rate_limit::RateLimit, token},
    service::{
        devices::Devices,
        ingest::{Ingest, decode::Decoded, osmand, overland, owntracks},
    },
    store::{Store, couriers::SignedInDevice, devices::DeviceClient},
};

/// How long a phone waits for the commit. Their own patience begins at ten seconds; what was not acked comes
/// again, and storing it twice is harmless.
const COMMIT_PATIENCE: Duration = Duration::from_secs(8);

/// Requests that one phone may send at once, and how many a second after that. Traccar Client empties the queue of a
/// day without a network one point at a time and waits for each answer, which this does not slow down; a phone that
/// repeats itself in a circle is.
const BURST: NonZeroU32 = NonZeroU32::new(1_000).expect("not zero");
const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).expect("not zero");

/// How often one device may report.
pub fn device_limit() -> RateLimit<DeviceId> {
    RateLimit::per_second(PER_SECOND, BURST)
}

pieces! {
    /// What takes reports in, from devices that show their token.
    pub struct Reports {
        authenticator: Authenticator,
        store: Store,
        clock: Clock,
        limit: RateLimit<DeviceId>,
        devices: Devices,
        ingest: Ingest,
    }
}

/// Every handler that takes these knows its caller by a device's token, wherever the app puts it.
impl Describe for Reports {
    const ACCESS: Option<Access> = Some(Access::Tracker);
}

/// What OsmAnd's protocol has in the query.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "read by the decoder, which takes an encoded query or form; named here for the description"
)]
struct OsmandQuery {
    /// The device's token.
    #[param(max_length = 200)]
    id: Option<String>,
    /// Degrees north.
    #[param(minimum = -90, maximum = 90)]
    lat: Option<f64>,
    /// Degrees east.
    #[param(minimum = -180, maximum = 180)]
    lon: Option<f64>,
    /// Seconds or milliseconds since 1970, or ISO 8601.
    #[param(max_length = 100)]
    timestamp: Option<String>,
    /// Knots.
    speed: Option<f64>,
    /// Degrees clockwise from north.
    bearing: Option<f64>,
    /// Metres.
    altitude: Option<f64>,
    /// Metres.
    accuracy: Option<f64>,
    /// Percent.
    batt: Option<f64>,
}

/// Take positions from Traccar Client, OsmAnd and other apps of OsmAnd's protocol.
///
/// `id`, `deviceid` or, in JSON, `device_id` is the device's token. Parameters come in the query or a form, or as Traccar
/// Client's JSON; a flat JSON object has the parameters' names and units.
#[utoipa::path(post, path = "/ingest/osmand", operation_id = "reportOsmand", tag = "ingest", params(OsmandQuery),
    request_body(description = "Empty when the query holds the parameters. JSON may also be a list of messages", content(
        (String = "application/x-www-form-urlencoded"),
        (TraccarMessage = "application/json"),
    )),
    security(("deviceTokenId" = []), ()),
    responses(
        (status = 200, description = "Taken"),
        (status = 400, description = "No device has this token, or the JSON could not be read"),
        (status = 404, description = "No device has this token, for JSON"),
    ))]
pub async fn osmand(
    reports: Reports,
    request: HttpRequest,
    body: RequestBody<OsmandReport>,
) -> Result<HttpResponse, ApiError> {
    let now_ms = reports.clock.now_ms();
    let (report, unknown) = if has_json(&request, &body) {
        (osmand::decode_json(&body, now_ms)?, StatusCode::NOT_FOUND)
    } else {
        let form = String::from_utf8_lossy(&body);
        let query = Some(request.query_string()).filter(|query| !query.is_empty());
        (osmand::decode_parameters(query.unwrap_or(&form), now_ms), StatusCode::BAD_REQUEST)
    };
    let device = reports.device(&request, report.token).await?.ok_or_else(|| ApiError::unknown_device(unknown))?;
    reports.take_in(&device, DeviceClient::Traccar, (report.decoded, now_ms)).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// Take a position from an app of OsmAnd's protocol that sends it in the query alone.
///
/// `id` or `deviceid` is the device's token.
#[utoipa::path(get, path = "/ingest/osmand", operation_id = "reportOsmandQuery", tag = "ingest", params(OsmandQuery),
    security(("deviceTokenId" = [])),
    responses(
        (status = 200, description = "Taken"),
        (status = 400, description = "No device has this token"),
        (status = 404, description = "No device has this token, for JSON"),
    ))]
pub async fn osmand_by_query(
    reports: Reports,
    request: HttpRequest,
    body: RequestBody<OsmandReport>,
) -> Result<HttpResponse, ApiError> {
    osmand(reports, request, body).await
}

/// Take messages from OwnTracks in HTTP mode.
///
/// The password of HTTP Basic is the device's token, with any user name.
#[utoipa::path(post, path = "/ingest/owntracks", operation_id = "reportOwntracks", tag = "ingest",
    request_body(content = OwntracksMessage, description = "One message of OwnTracks"),
    security(("deviceTokenBasic" = []), ("deviceToken" = [])),
    responses(
        (status = 200, description = "Taken; always an empty list", body = Vec<String>),
        (status = 401, description = "No device has this token"),
    ))]
pub async fn owntracks(
    reports: Reports,
    request: HttpRequest,
    body: RequestBody<TrackerBatch>,
) -> Result<HttpResponse, ApiError> {
    let device = reports.device(&request, basic_password(&request).or_else(|| bearer(&request))).await?;
    let device = device.ok_or_else(ApiError::unauthorized_basic)?;
    let now_ms = reports.clock.now_ms();
    reports.take_in(&device, DeviceClient::Owntracks, (owntracks::decode(&body, now_ms), now_ms)).await?;
    Ok(json("[]"))
}

/// Take batches from Overland.
///
/// The device's token is the Bearer, or `token` in the query.
#[utoipa::path(post, path = "/ingest/overland", operation_id = "reportOverland", tag = "ingest",
    request_body(content = OverlandBatch, description = "A batch of Overland"),
    security(("deviceToken" = []), ("deviceTokenQuery" = [])),
    responses(
        (status = 200, description = "Taken", body = OverlandAnswer),
        (status = 401, description = "No device has this token"),
    ))]
pub async fn overland(
    reports: Reports,
    request: HttpRequest,
    body: RequestBody<TrackerBatch>,
) -> Result<HttpResponse, ApiError> {
    let device = reports.device(&request, bearer(&request).or_else(|| query_token(&request))).await?;
    let device = device.ok_or_else(ApiError::unauthorized)?;
    let now_ms = reports.clock.now_ms();
    reports.take_in(&device, DeviceClient::Overland, (overland::decode(&body)?, now_ms)).await?;
    Ok(json(r#"{"result":"ok"}"#))
}

impl Reports {
    async fn device(&self, request: &HttpRequest, token: Option<String>) -> Result<Option<SignedInDevice>, ApiError> {
        let Some(token) = token else { return Ok(None) };
        let hash = token::hash(&token);
        let looking = self.store.device_by_token(&hash);
        self.authenticator.look_up(request, Rank::Crew, ApiError::slow_down, looking).await
    }

    /// Shows and stores a courier's points; returns when they are committed.
    async fn take_in(
        &self,
        from: &SignedInDevice,
        client: DeviceClient,
        (decoded, received_ms): (Decoded, i64),
    ) -> Result<(), ApiError> {
        self.limit.check(&from.device).map_err(ApiError::slow_down)?;
        self.devices.sightings().note(from.courier.id, from.device, client, self.clock.now());
        let rows = self.ingest.rows_of(from.courier.id);
        let points = decoded.fixes.len() + decoded.past.len();
        if let Some(wait) = rows.wait().filter(|_| points > 0) {
            return Err(ApiError::slow_down(wait.as_secs() as u32 + 1));
        }
        rows.spend(points);
        let committed = self.ingest.accept_report(from, &decoded, received_ms);
        let committed = tokio::time::timeout(COMMIT_PATIENCE, committed).await;
        committed.map_err(|_| ApiError::unavailable())??;
        Ok(())
    }
}

fn json(body: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").insert_header((header::CACHE_CONTROL, "no-store")).body(body)
}

/// Whether the body is to be read as JSON. Some apps send everything in the query and call their empty body JSON.
fn has_json(request: &HttpRequest, body: &[u8]) -> bool {
    is_json(request) && (!body.trim_ascii().is_empty() || request.query_string().is_empty())
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
