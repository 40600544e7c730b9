//! JSON bodies, in both directions.

use std::ops::Deref;

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{StatusCode, header},
    web::Bytes,
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use serde::{Serialize, de::DeserializeOwned};

use super::bytes::{RequestBody, Small};
use crate::error::ApiError;

/// A request's JSON body, parsed.
#[derive(Debug)]
pub struct JsonBody<T> {
    value: T,
    bytes: Bytes,
}

impl<T> JsonBody<T> {
    /// What the body says.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The body as it was sent; cheap to clone.
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }
}

impl<T> Deref for JsonBody<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, reading) = (request.clone(), RequestBody::<Small>::from_request(request, payload));
        async move {
            let bytes = reading.await?.into_inner();
            Ok(Self { value: parse(&request, &bytes)?, bytes })
        }
        .boxed_local()
    }
}

/// A request's JSON body, parsed; a request without one says what the empty object does.
#[derive(Debug)]
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, reading) = (request.clone(), RequestBody::<Small>::from_request(request, payload));
        async move {
            let bytes = reading.await?.into_inner();
            if bytes.is_empty() { Ok(Self(T::default())) } else { parse(&request, &bytes).map(Self) }
        }
        .boxed_local()
    }
}

/// Reads a JSON body.
///
/// # Errors
/// 415 when it is not JSON, 400 when it does not parse; the detail says where.
pub fn parse<T: DeserializeOwned>(request: &HttpRequest, body: &Bytes) -> Result<T, ApiError> {
    if !has_media_type(request, "application/json") {
        return Err(ApiError::unsupported_media_type());
    }
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// Whether a request's `Content-Type` is `media_type`, whatever its parameters are.
pub fn has_media_type(request: &HttpRequest, media_type: &str) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = content_type.and_then(|value| value.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(media_type))
}

/// The encoding that a request's `Content-Type` names for its body.
pub fn charset(request: &HttpRequest) -> Option<String> {
    let content_type = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let named = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charsets = named.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

/// A JSON answer that no cache keeps.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> HttpResponse {
    HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(value)
}
