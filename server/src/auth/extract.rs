//! Extractors for principals: a handler that takes one runs only for callers who may call it.

use std::{marker::PhantomData, ops::Deref};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use chrono::{DateTime, Utc};
use doorstep_shared::UserId;
use futures_util::{FutureExt, future::LocalBoxFuture};

use super::{
    access::{Access, Credential},
    authenticator::Authenticator,
    principal::Principal,
    registered::registered,
    scope::Scopes,
};
use crate::{error::ApiError, store::access::Role};

/// A person, or a key with the scopes `S`.
#[derive(Clone, Debug)]
pub struct Allowed<S> {
    principal: Principal,
    scopes: PhantomData<S>,
}

impl<S> Deref for Allowed<S> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl<S: Scopes> Credential for Allowed<S> {
    const ACCESS: Access = Access::Scopes(S::NEEDED);
}

impl<S: Scopes> FromRequest for Allowed<S> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let principal = registered::<Authenticator>(&request)?.require_scopes(&request, S::NEEDED).await?;
            Ok(Self { principal, scopes: PhantomData })
        }
        .boxed_local()
    }
}

/// A signed-in person, dispatcher or admin.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their id.
    pub id: UserId,
    principal: Principal,
}

impl Deref for Person {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl Credential for Person {
    const ACCESS: Access = Access::Person;
}

impl FromRequest for Person {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let principal = registered::<Authenticator>(&request)?.require(&request).await?;
            match principal {
                Principal::User { id, .. } => Ok(Self { id, principal }),
                Principal::ApiKey { .. } => Err(ApiError::people_only()),
            }
        }
        .boxed_local()
    }
}

/// A signed-in admin.
#[derive(Clone, Debug)]
pub struct Admin(Principal);

impl Deref for Admin {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl Credential for Admin {
    const ACCESS: Access = Access::Admin;
}

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            match registered::<Authenticator>(&request)?.require(&request).await? {
                admin @ Principal::User { role: Role::Admin, .. } => Ok(Self(admin)),
                _ => Err(ApiError::admins_only()),
            }
        }
        .boxed_local()
    }
}

/// A signed-in admin, or a key with the scopes `S`: for what decides about the whole server, and programs set up, too.
#[derive(Clone, Debug)]
pub struct AdminOrKey<S> {
    principal: Principal,
    scopes: PhantomData<S>,
}

impl<S> Deref for AdminOrKey<S> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl<S: Scopes> Credential for AdminOrKey<S> {
    const ACCESS: Access = Access::AdminOrScopes(S::NEEDED);
}

impl<S: Scopes> FromRequest for AdminOrKey<S> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            match registered::<Authenticator>(&request)?.require_scopes(&request, S::NEEDED).await? {
                Principal::User { role: Role::Dispatcher, .. } => Err(ApiError::admins_only()),
                principal => Ok(Self { principal, scopes: PhantomData }),
            }
        }
        .boxed_local()
    }
}

/// The person whose session a request shows. A key has no session: it gets 401, and not 403 as from [`Person`].
#[derive(Clone, Debug)]
pub struct SessionUser {
    /// Their address.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// When the session ends.
    pub expires_at: DateTime<Utc>,
}

impl Credential for SessionUser {
    const ACCESS: Access = Access::SignedIn;
}

impl FromRequest for SessionUser {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            match registered::<Authenticator>(&request)?.identify(&request).await? {
                Some(Principal::User { email, role, expires_at, .. }) => Ok(Self { email, role, expires_at }),
                _ => Err(ApiError::unauthorized()),
            }
        }
        .boxed_local()
    }
}
