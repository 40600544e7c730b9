//! What the arguments of a handler say about the operation: who may call it, what it is sent, how it can fail.
//!
//! The API's description is put together from these and from the handler's own `#[utoipa::path]`, so nothing that
//! follows from a type is written twice. A handler adds only what is its own: its parameters in the path, its answers,
//! and the errors of its use case.

use actix_web::{
    HttpRequest, ResponseError, web,
    web::{Data, Path, Query},
};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Content, Ref, RefOr, Required, Response, Schema, SecurityRequirement,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
    },
};

use super::{
    body::{
        bytes::{BodyLimits, RequestBody},
        idempotency::{IDEMPOTENCY_KEY, Idempotency, MAX_KEY_BYTES},
        json::{JsonBody, OptionalJson},
    },
    openapi::{schemas, schemes},
    path::{PathId, PathIds},
};
use crate::{
    auth::{
        access::{Access, Credential},
        access_recorder::AccessRecorder,
        courier::{CourierDevice, CourierSocketDevice},
        extract::{Admin, AdminOrKey, Allowed, Person, SessionUser},
        office_or_courier::OfficeOrCourier,
        origin::{AllowedOrigin, SameSite},
        peer::PeerAddress,
        scope::Scopes,
    },
    ws::{self, Handshake},
};

/// An operation while it is put together, with the schemas that it refers to.
pub struct Description {
    /// What the handler says itself.
    pub operation: Operation,
    /// Schemas by name.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    /// Whether its answers may be those of an earlier request.
    pub is_repeatable: bool,
}

impl Description {
    /// Adds an error, unless the handler describes that status itself. Its body is added with those of all errors.
    pub fn fails(&mut self, status: u16, reason: &str) {
        let responses = &mut self.operation.responses.responses;
        responses.entry(status.to_string()).or_insert_with(|| Response::new(reason).into());
    }

    /// Adds one way to authenticate.
    pub fn accepts(&mut self, credential: SecurityRequirement) {
        self.operation.security.get_or_insert_default().push(credential);
    }

    /// Adds a parameter.
    pub fn takes(&mut self, parameter: Parameter) {
        self.operation.parameters.get_or_insert_default().push(parameter.into());
    }

    /// A reference to a schema, which becomes part of the document.
    fn schema<T: ToSchema>(&mut self) -> Ref {
        let name = T::name();
        let reference = Ref::from_schema_name(name.clone());
        self.schemas.push((name.into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        reference
    }
}

/// What one argument of a handler says.
pub trait Describe {
    /// Whom it lets through; `None` for what is no credential.
    const ACCESS: Option<Access> = None;

    /// Adds what a client must know because of it.
    fn describe(_: &mut Description) {}
}

impl<T: ?Sized> Describe for Data<T> {}
impl<T> Describe for Path<T> {}
impl Describe for HttpRequest {}
impl Describe for web::Payload {}
impl Describe for PeerAddress {}
impl Describe for AccessRecorder {}

const UNKNOWN_CREDENTIALS: &str = "Credentials are missing or wrong";
const TOO_MANY_UNKNOWN: &str = "This network showed too many secrets that do not exist";

/// What every credential of the dispatchers' API has in common.
fn describe_principal(description: &mut Description, key: Option<&[&'static str]>, forbidden: &str) {
    if let Some(scopes) = key {
        description.accepts(SecurityRequirement::new(schemes::API_KEY, scopes.iter().copied()));
    }
    description.accepts(SecurityRequirement::new(schemes::SESSION, [""; 0]));
    description.fails(401, UNKNOWN_CREDENTIALS);
    description.fails(403, forbidden);
    description.fails(429, TOO_MANY_UNKNOWN);
}

impl<S: Scopes> Describe for Allowed<S> {
    const ACCESS: Option<Access> = Some(Self::ACCESS_OF_TYPE);

    fn describe(description: &mut Description) {
        let scopes: Vec<_> = S::NEEDED.iter().map(|scope| scope.as_str()).collect();
        let forbidden = format!(
            "The key lacks a scope (it needs {}), or another site's page sent the cookie",
            scopes.join(" and ")
        );
        describe_principal(description, Some(&scopes), &forbidden);
    }
}

impl<S: Scopes> Allowed<S> {
    const ACCESS_OF_TYPE: Access = <Self as Credential>::ACCESS;
}

impl<S: Scopes> Describe for AdminOrKey<S> {
    const ACCESS: Option<Access> = Some(<Self as Credential>::ACCESS);

    fn describe(description: &mut Description) {
        let scopes: Vec<_> = S::NEEDED.iter().map(|scope| scope.as_str()).collect();
        let forbidden = format!(
            "A person who is no admin, a key that lacks a scope (it needs {}), or a request of another site's page",
            scopes.join(" and ")
        );
        describe_principal(description, Some(&scopes), &forbidden);
    }
}

impl Describe for Person {
    const ACCESS: Option<Access> = Some(<Self as Credential>::ACCESS);

    fn describe(description: &mut Description) {
        describe_principal(description, None, "An API key, or a request of another site's page");
    }
}

impl Describe for Admin {
    const ACCESS: Option<Access> = Some(<Self as Credential>::ACCESS);

    fn describe(description: &mut Description) {
        describe_principal(description, None, "A person who is no admin, or an API key");
    }
}

impl Describe for SessionUser {
    const ACCESS: Option<Access> = Some(<Self as Credential>::ACCESS);

    fn describe(description: &mut Description) {
        description.accepts(SecurityRequirement::new(schemes::SESSION, [""; 0]));
        description.fails(401, "The request shows no session");
        description.fails(429, TOO_MANY_UNKNOWN);
    }
}

impl Describe for CourierDevice {
    const ACCESS: Option<Access> = Some(<Self as Credential>::ACCESS);

    fn describe(description: &mut Description) {
        description.accepts(SecurityRequirement::new(schemes::DEVICE_TOKEN, [""; 0]));
        description.accepts(SecurityRequirement::new(schemes::COURIER_SESSION, [""; 0]));
        description.fails(401, UNKNOWN_CREDENTIALS);
        description.fails(403, "Another site's page sent the cookie");
        description.fails(429, TOO_MANY_UNKNOWN);
    }
}

impl<S: Scopes> Describe for OfficeOrCourier<S> {
    const ACCESS: Option<Access> = Some(<Self as Credential>::ACCESS);

    fn describe(description: &mut Description) {
        let scopes: Vec<_> = S::NEEDED.iter().map(|scope| scope.as_str()).collect();
        let forbidden = format!(
            "The key lacks a scope (it needs {}), couriers may not do this here, or another site's page sent the cookie",
            scopes.join(" and ")
        );
        describe_principal(description, Some(&scopes), &forbidden);
        description.accepts(SecurityRequirement::new(schemes::DEVICE_TOKEN, [""; 0]));
        description.accepts(SecurityRequirement::new(schemes::COURIER_SESSION, [""; 0]));
    }
}

impl Describe for CourierSocketDevice {
    const ACCESS: Option<Access> = Some(<Self as Credential>::ACCESS);
}

impl Describe for Handshake {}

impl Describe for ws::fleet::FleetWatcher {
    const ACCESS: Option<Access> = Some(<Self as Credential>::ACCESS);
}

impl Describe for ws::customer::OpenLink {
    const ACCESS: Option<Access> = Some(<Self as Credential>::ACCESS);

    fn describe(description: &mut Description) {
        describe_tracking_link(description);
    }
}

/// What every operation with a tracking token in its path has in common.
pub fn describe_tracking_link(description: &mut Description) {
    description.fails(404, "No order has this tracking link");
    description.fails(410, "Tracking has ended: the order is over");
    description.fails(429, TOO_MANY_UNKNOWN);
}

impl Describe for AllowedOrigin {
    fn describe(description: &mut Description) {
        description.fails(403, "The `Origin` is not one of this server");
    }
}

impl Describe for SameSite {
    fn describe(description: &mut Description) {
        description.fails(403, "Another site's page sent the request");
    }
}

impl<T> Describe for PathId<T> {
    fn describe(description: &mut Description) {
        description.fails(404, "There is nothing with this id");
    }
}

impl<A, B> Describe for PathIds<A, B> {
    fn describe(description: &mut Description) {
        description.fails(404, "There is nothing with these ids");
    }
}

impl<T: IntoParams> Describe for Query<T> {
    fn describe(description: &mut Description) {
        let parameters = T::into_params(|| Some(ParameterIn::Query));
        parameters.into_iter().for_each(|parameter| description.takes(parameter));
        description.fails(400, "The query could not be read");
    }
}

impl<L: BodyLimits> Describe for RequestBody<L> {
    fn describe(description: &mut Description) {
        if let Some(RefOr::T(body)) = &mut description.operation.request_body {
            body.required = Some(if L::IS_REQUIRED { Required::True } else { Required::False });
        }
        description.fails(400, "The request could not be read");
        let too_slow = L::too_slow().status_code().as_u16();
        description.fails(too_slow, "The body came too slowly; the same may be sent again");
        description.fails(413, &format!("The body is larger than {} bytes", L::MAX_BYTES));
        description.fails(415, "The body has another media type, or is compressed");
    }
}

impl<T: ToSchema> Describe for JsonBody<T> {
    fn describe(description: &mut Description) {
        let content = Content::new(Some(description.schema::<T>()));
        let body = RequestBodyBuilder::new().content("application/json", content).build();
        description.operation.request_body = Some(body.into());
        RequestBody::<super::body::bytes::Small>::describe(description);
    }
}

impl<T: ToSchema> Describe for OptionalJson<T> {
    fn describe(description: &mut Description) {
        JsonBody::<T>::describe(description);
        if let Some(RefOr::T(body)) = &mut description.operation.request_body {
            body.required = Some(Required::False);
        }
    }
}

impl Describe for Idempotency {
    fn describe(description: &mut Description) {
        let schema = schemas::idempotency_key(MAX_KEY_BYTES);
        description.takes(
            ParameterBuilder::new()
                .name(IDEMPOTENCY_KEY)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some("A repeat with the same key gets the first answer, for a day"))
                .schema(Some(schema))
                .build(),
        );
        description.is_repeatable = true;
        description.fails(400, "The request could not be read");
        description.fails(409, "The key came with another request, or the first one is still being worked on");
    }
}
