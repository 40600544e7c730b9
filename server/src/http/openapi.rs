//! The description of the REST API, made from the handlers themselves.

use actix_web::HttpResponse;
use utoipa::OpenApi;

use super::{
    api::{
        audit, courier, courier_session, courier_tour, couriers, devices, dispatch, exceptions, imports, order_lists,
        orders, places, proofs, session, track,
    },
    ingest,
};
use crate::ws::customer;

#[derive(OpenApi)]
#[openapi(
    info(title = "Doorstep", description = "Live delivery tracking: orders, couriers and tracking links."),
    paths(
        session::sign_in, session::show, session::sign_out,
        couriers::create, couriers::list, couriers::show, couriers::fixes, dispatch::edit_courier,
        devices::create, devices::list, devices::revoke, devices::sign_in, devices::create_tracker,
        courier::home, courier::create_tracker, courier_session::sign_in, courier_session::sign_out, courier_tour::show,
        proofs::put, proofs::courier_image,
        orders::create, order_lists::list, order_lists::counts, orders::show, orders::assign, orders::set_status,
        dispatch::suggestions, dispatch::tracking_link, places::find, imports::create, audit::list,
        exceptions::list, exceptions::acknowledge,
        proofs::order_image, proofs::track_image,
        track::show, track::route, customer::track_events,
        ingest::osmand, ingest::owntracks, ingest::overland,
    ),
    tags(
        (name = "orders", description = "Needs an API key with orders:read or orders:write, or a session"),
        (name = "couriers", description = "Needs an API key with couriers:read or couriers:write, or a session"),
        (name = "courier", description = "For a courier's own phone: its session cookie or device token"),
        (name = "ingest", description = "For other people's tracking apps. Success means that what can be stored is committed; points that are bad for ever are taken with it. Anything else is 503 with Retry-After, but for wrong credentials and bodies that cannot be read"),
        (name = "track", description = "The tracking token in the path is the only credential"),
        (name = "audit", description = "For signed-in admins"),
        (name = "exceptions", description = "For people at the console; no API key opens them"),
        (name = "session", description = "For people at the console"),
    )
)]
struct Description;

/// The document as JSON text.
pub fn document() -> String {
    Description::openapi().to_pretty_json().expect("the description holds plain values")
}

/// `GET /api/v1/openapi.json`
pub async fn serve() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document())
}
