//! The one route table, and the middleware in its order.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    dev::{ServiceRequest, ServiceResponse},
    error::{JsonPayloadError, PathError, QueryPayloadError},
    http::header::{self, HeaderName, HeaderValue},
    middleware::{Compress, Next, from_fn},
    web::{self, PayloadConfig, ServiceConfig},
};
use doorstep_shared::api::console::MAX_IMPORT_BYTES;

use super::{
    api, assets,
    body::{BodyPatience, MAX_BODY_BYTES},
    health, ingest, login, openapi, pages,
};
use crate::{error::ApiError, ws};

/// Files with many orders, and batches of phones in poor networks.
const SLOW_BODY_PATIENCE: Duration = Duration::from_secs(60);

/// Longer than the wait for a connection, which says the same with less to give up.
const DATABASE_PATIENCE: Duration = Duration::from_secs(3);

/// Everything this server answers.
pub fn configure(config: &mut ServiceConfig) {
    config
        .app_data(PayloadConfig::new(MAX_BODY_BYTES))
        .app_data(web::JsonConfig::default().error_handler(|error: JsonPayloadError, _| bad_request(&error)))
        .app_data(web::QueryConfig::default().error_handler(|error: QueryPayloadError, _| bad_request(&error)))
        .app_data(web::PathConfig::default().error_handler(|error: PathError, _| bad_request(&error)))
        .service(
            web::scope("/ws")
                .route("/courier", web::get().to(ws::courier::courier_socket))
                .route("/fleet", web::get().to(ws::fleet::fleet_socket))
                .route("/track/{token}", web::get().to(ws::customer::track_socket)),
        )
        .service(
            web::scope("/api/v1")
                .wrap(Compress::default())
                .service(
                    web::resource("/session")
                        .route(web::get().to(api::session::show))
                        .route(web::post().to(api::session::sign_in))
                        .route(web::delete().to(api::session::sign_out))
                        .default_service(web::to(method_not_allowed)),
                )
                .service(
                    web::resource("/couriers")
                        .route(web::post().to(api::couriers::create))
                        .route(web::get().to(api::couriers::list))
                        .default_service(web::to(method_not_allowed)),
                )
                .service(
                    get("/couriers/{id}")
                        .route(web::get().to(api::couriers::show))
                        .route(web::patch().to(api::dispatch::edit_courier)),
                )
                .service(
                    get("/couriers/{id}/devices")
                        .route(web::post().to(api::devices::create))
                        .route(web::get().to(api::devices::list)),
                )
                .service(get("/couriers/{id}/trackers").route(web::post().to(api::devices::create_tracker)))
                .service(get("/couriers/{id}/devices/{device}").route(web::delete().to(api::devices::revoke)))
                .service(get("/couriers/{id}/devices/{device}/sign-in").route(web::post().to(api::devices::sign_in)))
                .service(get("/couriers/{id}/fixes").route(web::get().to(api::couriers::fixes)))
                .service(get("/courier").route(web::get().to(api::courier::home)))
                .service(get("/courier/trackers").route(web::post().to(api::courier::create_tracker)))
                .service(
                    get("/courier/session")
                        .route(web::post().to(api::courier_session::sign_in))
                        .route(web::delete().to(api::courier_session::sign_out)),
                )
                .service(
                    web::resource("/orders")
                        .route(web::post().to(api::orders::create))
                        .route(web::get().to(api::order_lists::list))
                        .default_service(web::to(method_not_allowed)),
                )
                .service(
                    get("/orders/import")
                        .app_data(PayloadConfig::new(MAX_IMPORT_BYTES))
                        .app_data(BodyPatience { time: SLOW_BODY_PATIENCE, ..BodyPatience::default() })
                        .route(web::post().to(api::imports::create)),
                )
                .service(get("/orders/counts").route(web::get().to(api::order_lists::counts)))
                .service(get("/orders/{id}").route(web::get().to(api::orders::show)))
                .service(get("/orders/{id}/assign").route(web::post().to(api::orders::assign)))
                .service(get("/orders/{id}/suggestions").route(web::get().to(api::dispatch::suggestions)))
                .service(get("/orders/{id}/tracking-link").route(web::post().to(api::dispatch::tracking_link)))
                .service(get("/orders/{id}/status").route(web::post().to(api::orders::set_status)))
                .service(get("/courier/tour").route(web::get().to(api::courier_tour::show)))
                .service(get("/audit").route(web::get().to(api::audit::list)))
                .service(get("/exceptions").route(web::get().to(api::exceptions::list)))
                .service(get("/exceptions/{id}/acknowledge").route(web::post().to(api::exceptions::acknowledge)))
                .service(get("/places").route(web::get().to(api::places::find)))
                .service(get("/track/{token}").route(web::get().to(api::track::show)))
                .service(get("/orders/{id}/proofs/{proof_id}/image").route(web::get().to(api::proofs::order_image)))
                .service(get("/courier/orders/{order_id}/proofs/{proof_id}").route(web::put().to(api::proofs::put)))
                .service(
                    get("/courier/orders/{order_id}/proofs/{proof_id}/image")
                        .route(web::get().to(api::proofs::courier_image)),
                )
                .service(get("/track/{token}/proofs/{proof_id}/image").route(web::get().to(api::proofs::track_image)))
                .service(get("/track/{token}/route").route(web::get().to(api::track::route)))
                .service(get("/track/{token}/events").route(web::get().to(ws::customer::track_events)))
                .service(get("/openapi.json").route(web::get().to(openapi::serve)))
                .default_service(web::to(not_found)),
        )
        .service(
            web::scope("/ingest")
                .app_data(PayloadConfig::new(ingest::MAX_BODY_BYTES))
                .app_data(BodyPatience { time: SLOW_BODY_PATIENCE, refusal: ApiError::too_slow_now })
                .service(get("/osmand").route(web::get().to(ingest::osmand)).route(web::post().to(ingest::osmand)))
                .service(get("/owntracks").route(web::post().to(ingest::owntracks)))
                .service(get("/overland").route(web::post().to(ingest::overland)))
                .default_service(web::to(not_found)),
        )
        .service(
            web::scope("/health")
                .route("/live", web::get().to(health::live))
                .route("/ready", web::get().to(health::ready)),
        )
        .route("/metrics", web::get().to(health::metrics))
        .route("/assets/{path:.*}", web::get().to(assets::serve))
        .service(
            web::scope("/courier")
                .wrap(Compress::default())
                .wrap(from_fn(courier_page_headers))
                .route("", web::get().to(pages::courier))
                .route("/sw.js", web::get().to(pages::courier_worker))
                .default_service(web::get().to(pages::nowhere)),
        )
        .service(
            web::scope("")
                .wrap(Compress::default())
                .wrap(from_fn(page_headers))
                .route("/login", web::get().to(login::show))
                .route("/login", web::post().to(login::submit))
                .route("/dispatch", web::get().to(pages::dispatch))
                .route("/t/{token}", web::get().to(pages::track))
                .default_service(web::get().to(pages::nowhere)),
        );
}

fn get(path: &str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(method_not_allowed))
}

async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_found())
}

async fn method_not_allowed() -> Result<HttpResponse, ApiError> {
    Err(ApiError::method_not_allowed())
}

fn bad_request(error: &dyn std::fmt::Display) -> actix_web::Error {
    ApiError::bad_request(error.to_string()).into()
}

/// Lets no request wait for a database that has stopped in the middle of a query: none of its own deadlines passes then.
/// What was begun goes on without the request. Trackers have a deadline of their own.
pub async fn in_time(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, actix_web::Error> {
    let app = request.app_data::<web::Data<crate::state::AppState>>().cloned();
    let Some(app) = app.filter(|_| !request.path().starts_with("/ingest/")) else { return next.call(request).await };
    tokio::select! {
        biased;
        response = next.call(request) => response,
        () = app.readiness.database_is_silent_for(DATABASE_PATIENCE) => Err(ApiError::unavailable().into()),
    }
}

/// What every answer says to the browser, whatever it is.
pub async fn security_headers(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, actix_web::Error> {
    let is_https = request.app_data::<web::Data<crate::state::AppState>>().is_some_and(|app| app.config.is_https());
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    Ok(response)
}

async fn page_headers(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    isolate(response.headers_mut(), "geolocation=(), camera=(), microphone=()");
    Ok(response)
}

/// The courier's app alone may ask for the position, and keep the screen on.
async fn courier_page_headers(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    isolate(response.headers_mut(), "geolocation=(self), camera=(self), screen-wake-lock=(self), microphone=()");
    Ok(response)
}

fn isolate(headers: &mut header::HeaderMap, permissions: &'static str) {
    for (name, value) in [("cross-origin-opener-policy", "same-origin"), ("permissions-policy", permissions)] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
