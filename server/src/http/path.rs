//! Ids in a request's path. Text that is no id names nothing, so it is a 404 like any unknown id.

use std::{
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Path};
use futures_util::FutureExt;

use crate::error::ApiError;

/// The one id in a path.
#[derive(Clone, Copy, Debug)]
pub struct PathId<T>(pub T);

impl<T: FromStr + 'static> FromRequest for PathId<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = segments::<String>(request).and_then(|segment| segment.parse().ok());
        ready(id.map(Self).ok_or_else(ApiError::not_found))
    }
}

/// Both ids in a path with two.
#[derive(Clone, Copy, Debug)]
pub struct PathIds<A, B>(pub A, pub B);

impl<A: FromStr + 'static, B: FromStr + 'static> FromRequest for PathIds<A, B> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ids = segments::<(String, String)>(request).and_then(|(a, b)| Some(Self(a.parse().ok()?, b.parse().ok()?)));
        ready(ids.ok_or_else(ApiError::not_found))
    }
}

/// The variable segments of a path, decoded.
fn segments<T: serde::de::DeserializeOwned + 'static>(request: &HttpRequest) -> Option<T> {
    Some(Path::<T>::extract(request).now_or_never()?.ok()?.into_inner())
}
