//! The REST API, `/api/v1`, and the addresses of other companies' tracking apps, `/ingest`.

use crate::{
    http::{
        api::{
            api_keys, area, areas, arrival, audit, courier, courier_day, courier_session, courier_tour, couriers,
            devices, dispatch, exceptions, fixes, imports, order_changes, order_export, order_lists, orders, people,
            pickups, pins, places, plans, proofs, session, track, webhooks,
        },
        ingest,
        openapi::serve,
        route::{Route, operations},
    },
    ws::customer,
};

/// `/api/v1`
pub(super) fn routes() -> Vec<Route> {
    let subjects = [people(), orders(), couriers(), own_phone(), customers(), receivers()];
    subjects.into_iter().flatten().collect()
}

fn people() -> Vec<Route> {
    operations![
        session::show,
        session::sign_in,
        session::sign_out,
        exceptions::list,
        exceptions::acknowledge,
        arrival::scores,
        arrival::waits,
        pins::take_proposal,
        audit::list,
        api_keys::list,
        api_keys::create,
        api_keys::rotate,
        api_keys::revoke,
        people::export,
        people::erase,
        people::erasures,
        area::show,
        areas::list,
        areas::upload,
        areas::cancel,
        areas::choose,
        areas::remove,
        serve::serve,
    ]
}

fn orders() -> Vec<Route> {
    operations![
        order_lists::list,
        orders::create,
        imports::create,
        order_export::template,
        order_export::export,
        order_lists::counts,
        orders::show,
        orders::assign,
        orders::set_status,
        order_changes::edit,
        order_changes::unassign,
        order_changes::try_again,
        order_changes::reopen,
        dispatch::suggestions,
        dispatch::tracking_link,
        proofs::order_image,
        places::find,
        pins::list,
        pins::put,
        pins::delete,
        pickups::list,
        pickups::save,
        pickups::delete,
    ]
}

fn couriers() -> Vec<Route> {
    operations![
        couriers::list,
        couriers::create,
        couriers::show,
        dispatch::edit_courier,
        plans::show,
        plans::put,
        fixes::list,
        devices::list,
        devices::create,
        devices::revoke,
        devices::sign_in,
        devices::create_tracker,
    ]
}

fn own_phone() -> Vec<Route> {
    operations![
        courier::home,
        courier::create_tracker,
        courier_session::sign_in,
        courier_session::sign_out,
        courier_tour::show,
        courier_day::show,
        proofs::put,
        proofs::courier_image,
    ]
}

fn customers() -> Vec<Route> {
    operations![track::show, track::route, customer::track_events, proofs::track_image]
}

fn receivers() -> Vec<Route> {
    operations![
        webhooks::list,
        webhooks::create,
        webhooks::show,
        webhooks::edit,
        webhooks::delete,
        webhooks::test,
        webhooks::rotate,
        webhooks::enable,
        webhooks::attempts,
        webhooks::resend,
    ]
}

/// `/ingest`
pub(super) fn ingest() -> Vec<Route> {
    operations![ingest::osmand_by_query, ingest::osmand, ingest::owntracks, ingest::overland]
}
