//! The one route table. The actix routes, the description of the API and the test of who may call what follow from it.

mod api;
mod operations;
mod pages;
mod sockets;

use std::sync::LazyLock;

use actix_web::{
    HttpResponse, Resource, Scope,
    error::{PathError, QueryPayloadError},
    guard,
    http::Method,
    middleware::{Compress, from_fn},
    web::{self, Data, ServiceConfig},
};

use super::{
    middleware::{courier_page_headers, page_headers},
    openapi::{self, serve::Document},
    pages as handlers,
    route::Route,
};
use crate::error::ApiError;

/// The routes, by where they are served.
pub struct Table {
    sockets: Vec<Route>,
    api: Vec<Route>,
    ingest: Vec<Route>,
    operations: Vec<Route>,
    area: Vec<Route>,
    courier: Vec<Route>,
    pages: Vec<Route>,
}

impl Table {
    fn new() -> Self {
        Self {
            sockets: sockets::routes(),
            api: api::routes(),
            ingest: api::ingest(),
            operations: operations::routes(),
            area: operations::area(),
            courier: pages::courier(),
            pages: pages::routes(),
        }
    }

    /// Every route.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        let Self { sockets, api, ingest, operations, area, courier, pages } = self;
        [sockets, api, ingest, operations, area, courier, pages].into_iter().flatten()
    }
}

/// The route table.
pub fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(Table::new);
    &TABLE
}

/// The description of the API as JSON text.
pub fn document() -> String {
    openapi::document(table().iter())
}

/// Everything this server answers.
pub fn configure(config: &mut ServiceConfig) {
    let table = table();
    config
        .app_data(web::QueryConfig::default().error_handler(|error: QueryPayloadError, _| bad_request(&error)))
        .app_data(web::PathConfig::default().error_handler(|error: PathError, _| bad_request(&error)))
        .app_data(Data::new(Document(document())))
        .service(scope("/ws", &table.sockets))
        .service(scope("/api/v1", &table.api).default_service(web::to(not_found)).wrap(Compress::default()))
        .service(scope("/area", &table.area).default_service(web::to(not_found)).wrap(Compress::default()))
        .service(tracker_scope("/ingest", &table.ingest).default_service(web::to(not_found)));
    resources("", &table.operations).into_iter().for_each(|resource| {
        config.service(resource);
    });
    let nowhere = || web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handlers::nowhere);
    let courier = scope("/courier", &table.courier).default_service(nowhere());
    let pages = scope("", &table.pages).default_service(nowhere());
    config
        .service(courier.wrap(Compress::default()).wrap(from_fn(courier_page_headers)))
        .service(pages.wrap(Compress::default()).wrap(from_fn(page_headers)));
}

/// The routes below `prefix`.
fn scope(prefix: &str, routes: &[Route]) -> Scope {
    resources(prefix, routes).into_iter().fold(web::scope(prefix), Scope::service)
}

/// The same for apps whose users type an address by hand: a slash at its end makes no difference.
fn tracker_scope(prefix: &str, routes: &[Route]) -> Scope {
    let with_slash = addresses(prefix, routes)
        .into_iter()
        .map(|(address, routes)| resource(vec![address.to_owned(), format!("{address}/")], &routes));
    with_slash.fold(web::scope(prefix), Scope::service)
}

/// A resource for each address, which answers 405 to every other method (RFC 9110, section 15.5.6).
fn resources(prefix: &str, routes: &[Route]) -> Vec<Resource> {
    let addresses = addresses(prefix, routes).into_iter();
    addresses.map(|(address, routes)| resource(vec![address.to_owned()], &routes)).collect()
}

/// The addresses below `prefix`, each with its routes, in the order in which actix must try them.
fn addresses<'a>(prefix: &str, routes: &'a [Route]) -> Vec<(&'a str, Vec<&'a Route>)> {
    let mut addresses: Vec<(&str, Vec<&Route>)> = Vec::new();
    for route in routes {
        let address = route.path.strip_prefix(prefix).expect("routes stand below their prefix");
        match addresses.iter_mut().find(|(known, _)| *known == address) {
            Some((_, routes)) => routes.push(route),
            None => addresses.push((address, vec![route])),
        }
    }
    // actix takes the first that fits, so that words come before variables: `/orders/counts` before `/orders/{id}`.
    addresses.sort_by_key(|(address, _)| address.split('/').map(|part| part.starts_with('{')).collect::<Vec<_>>());
    addresses
}

fn resource(addresses: Vec<String>, routes: &[&Route]) -> Resource {
    let reads = routes.iter().any(|route| route.method == Method::GET);
    let methods = routes.iter().map(|route| route.method.as_str()).chain(reads.then_some("HEAD"));
    let allow = methods.collect::<Vec<_>>().join(", ");
    let refuse = web::to(move || std::future::ready(Err::<HttpResponse, _>(ApiError::method_not_allowed(&allow))));
    routes
        .iter()
        .fold(web::resource(addresses), |resource, route| resource.route(route.to_actix()))
        .default_service(refuse)
}

async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_found())
}

fn bad_request(error: &dyn std::fmt::Display) -> actix_web::Error {
    ApiError::bad_request(error.to_string()).into()
}

/// A route for `GET` that is not part of the REST API.
macro_rules! get {
    ($path:literal, $($handler:ident)::+) => {
        $crate::http::route::Route::page(actix_web::http::Method::GET, $path, $($handler)::+)
    };
}

use get;
