//! The description of the REST API, put together from the route table.
//!
//! Every operation of the table is in it, with what its handler says of itself (`#[utoipa::path]`) and what follows from
//! the types of the handler's arguments ([`super::describe`]). Served at `/api/v1/openapi.json` and printed by
//! `doorstep openapi`.

pub mod schemas;
pub mod schemes;
pub mod serve;

use doorstep_shared::{
    openapi::Conventions,
    problem::{self, Problem},
};
use utoipa::{
    Modify, PartialSchema, ToSchema,
    openapi::{
        ComponentsBuilder, Content, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref,
        RefOr, Response, Schema, ServerBuilder,
        path::{Operation, Parameter},
        schema::{SchemaType, Type},
        tag::{Tag, TagBuilder},
    },
};

use super::route::{Described, Route};

const ABOUT: &str = "Live delivery tracking: orders, couriers and tracking links. Times are RFC 3339 in UTC unless a \
    name ends in `_ms`, which is Unix epoch milliseconds. Every error is a problem (RFC 9457) whose `code` a program can \
    rely on. Cursors are opaque. Unknown fields of a body are ignored; absent fields are left out of answers.";

/// The tags, with what their operations have in common.
const TAGS: [(&str, &str); 13] = [
    ("orders", "Orders, for programs with a key and people at the console"),
    ("couriers", "Couriers and their devices, for programs with a key and people at the console"),
    ("courier", "For a courier's own phone"),
    ("track", "For customers. The tracking token in the path is the only credential"),
    (
        "ingest",
        "For other companies' tracking apps. Success means that what can be stored is committed; points that can never be \
        stored are taken with it. Everything else is 503 with `Retry-After`, except wrong credentials and bodies that \
        cannot be read: some apps delete what was refused with a 4xx",
    ),
    ("exceptions", "What needs a dispatcher's look, for people at the console"),
    ("area", "Where this server delivers: its map, streets and addresses"),
    (
        "webhooks",
        "Events sent to other servers by Standard Webhooks 1.0, for admins and programs with a key that may write orders \
        and see couriers",
    ),
    ("audit", "The access log, for admins"),
    ("people", "A person's data, which admins export and erase"),
    ("keys", "API keys, which admins make, replace and take back"),
    ("session", "People sign in and out"),
    ("description", "This document"),
];

/// The description of these routes as JSON text.
pub fn document<'a>(routes: impl IntoIterator<Item = &'a Route>) -> String {
    describe(routes).to_pretty_json().expect("the description holds plain values")
}

fn describe<'a>(routes: impl IntoIterator<Item = &'a Route>) -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new().schema(Problem::name(), Problem::schema());
    let mut parts = Vec::new();
    Problem::schemas(&mut parts);
    components = components.schemas_from_iter(parts);
    for route in routes {
        let Some(described) = &route.described else { continue };
        let operation = finished(described);
        paths = paths.path(&*route.path, PathItem::new(described.method.clone(), operation));
        components = components.schemas_from_iter(described.schemas.iter().cloned());
    }
    for (name, scheme) in schemes::all() {
        components = components.security_scheme(name, scheme);
    }
    let mut document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Doorstep")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .license(Some(
                    LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build(),
                ))
                .build(),
        )
        .servers(Some([ServerBuilder::new()
            .url("/")
            .description(Some("The server that serves this document"))
            .build()]))
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(TAGS.map(|(name, about)| tag(name, about))))
        .build();
    Conventions.modify(&mut document);
    document
}

fn tag(name: &str, about: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(about)).build()
}

/// The operation with what every operation has.
fn finished(described: &Described) -> Operation {
    let mut operation = described.operation.clone();
    let text = operation.summary.as_deref().map(|summary| summary.replace('\n', " "));
    let longer = operation.description.take().filter(|description| !description.trim().is_empty());
    operation.description = longer.or_else(|| text.clone());
    operation.summary = text;
    operation.security.get_or_insert_default();
    let responses = &mut operation.responses.responses;
    // Whatever it does may meet a database that is away.
    responses
        .entry("503".to_owned())
        .or_insert_with(|| Response::new("Not available just now, or too busy; the same may be sent again").into());
    for (status, response) in responses.iter_mut() {
        match response {
            RefOr::T(response) if status.as_str() >= "400" => complete_error(status, response),
            RefOr::T(response) if described.is_repeatable => {
                insert_header(response, "Idempotent-Replayed", schemas::idempotent_replayed());
            }
            _ => {}
        }
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(Parameter { schema: Some(schema), .. }) = parameter {
            never_null(schema);
        }
    }
    operation
}

/// A parameter is left out or has a value. `Option` would have it null, too, which no query can say.
fn never_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            if let SchemaType::Array(types) = &mut object.schema_type {
                types.retain(|kind| *kind != Type::Null);
                if let [only] = &types[..] {
                    object.schema_type = SchemaType::Type(only.clone());
                }
            }
        }
        RefOr::T(Schema::OneOf(choice)) => {
            let is_null = |item: &RefOr<Schema>| matches!(item, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null));
            choice.items.retain(|item| !is_null(item));
            if let [only] = &choice.items[..] {
                *schema = only.clone();
            }
        }
        _ => {}
    }
}

/// Every error has the same body, and some have headers.
fn complete_error(status: &str, response: &mut Response) {
    let body = Content::new(Some(Ref::from_schema_name(Problem::name())));
    response.content.clear();
    response.content.insert(problem::MEDIA_TYPE.to_owned(), body.into());
    match status {
        "401" => insert_header(response, "WWW-Authenticate", schemas::www_authenticate()),
        "429" | "503" => insert_header(response, "Retry-After", schemas::retry_after()),
        _ => {}
    }
}

fn insert_header(response: &mut Response, name: &str, header: utoipa::openapi::Header) {
    response.headers.insert(name.to_owned(), header.into());
}
