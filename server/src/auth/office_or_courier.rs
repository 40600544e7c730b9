//! A caller of what dispatchers and couriers both do: people, keys with the scopes `S`, and couriers' own devices.
//!
//! The credential decides which: an API key and a person's session speak for the office, a device's token and a courier's
//! session for that courier alone. What a courier may see of it, the handler checks with [`OfficeOrCourier::may_see`].

use std::marker::PhantomData;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use doorstep_shared::CourierId;
use futures_util::{FutureExt, future::LocalBoxFuture};

use super::{
    access::{Access, Credential},
    authenticator::{Authenticator, bearer},
    courier::session_in,
    principal::Principal,
    registered::registered,
    scope::Scopes,
};
use crate::{domain::order::Actor, error::ApiError, platform::token, store::couriers::SignedInDevice};

/// Who asks.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A person, or a key with the scopes.
    Office(Principal),
    /// A courier's device.
    Courier(Box<SignedInDevice>),
}

/// A person, a key with the scopes `S`, or a courier's device.
#[derive(Clone, Debug)]
pub struct OfficeOrCourier<S> {
    /// Who asks.
    pub caller: Caller,
    scopes: PhantomData<S>,
}

impl<S> OfficeOrCourier<S> {
    /// Lets a courier see what is their own. Everything else is to them as if it were not there.
    ///
    /// # Errors
    /// 404 for a courier who asks for another's.
    pub fn may_see(&self, courier: CourierId) -> Result<(), ApiError> {
        match &self.caller {
            Caller::Courier(device) if device.courier.id != courier => Err(ApiError::not_found()),
            Caller::Courier(_) | Caller::Office(_) => Ok(()),
        }
    }

    /// How events and plans name the caller.
    pub fn actor(&self) -> Actor {
        match &self.caller {
            Caller::Office(principal) => principal.actor(),
            Caller::Courier(device) => Actor::Courier(device.courier.id),
        }
    }

    /// The person or program; `None` for a courier.
    pub fn office(&self) -> Option<&Principal> {
        match &self.caller {
            Caller::Office(principal) => Some(principal),
            Caller::Courier(_) => None,
        }
    }
}

impl<S: Scopes> Credential for OfficeOrCourier<S> {
    const ACCESS: Access = Access::ScopesOrCourier(S::NEEDED);
}

impl<S: Scopes> FromRequest for OfficeOrCourier<S> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let authenticator = registered::<Authenticator>(&request)?;
            Ok(Self { caller: authenticator.office_or_courier(&request, S::NEEDED).await?, scopes: PhantomData })
        }
        .boxed_local()
    }
}

impl Authenticator {
    /// Finds out who asks. A browser may hold a person's session and a courier's: the person's counts.
    async fn office_or_courier(
        &self,
        request: &HttpRequest,
        scopes: &[super::scope::Scope],
    ) -> Result<Caller, ApiError> {
        let is_device = match bearer(request) {
            Some(secret) => !secret.starts_with(token::API_KEY_PREFIX),
            None => request.cookie(self.config.session_cookie()).is_none(),
        };
        if is_device {
            return Ok(Caller::Courier(Box::new(self.courier_device(request).await?)));
        }
        match self.identify(request).await? {
            Some(principal) => {
                scopes.iter().try_for_each(|scope| principal.check(*scope))?;
                Ok(Caller::Office(principal))
            }
            // The person's session is over; the courier's may not be.
            None if bearer(request).is_none() && session_in(&self.config, request).is_some() => {
                Ok(Caller::Courier(Box::new(self.courier_device(request).await?)))
            }
            None => Err(ApiError::unauthorized()),
        }
    }
}
