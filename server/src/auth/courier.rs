//! Which courier asks, and with which of their devices: by the device's token, or by the session cookie of a
//! browser that signed in with a link.
//!
//! Every endpoint and socket for couriers asks here. Neither credential opens anything of the dispatchers' API, nor
//! the other way round: they are kept in different tables. A device that was set up for a tracker's app passes for no
//! courier here; its token reports on `/ingest` and reads nothing.

use std::ops::Deref;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use chrono::TimeDelta;
use futures_util::{FutureExt, future::LocalBoxFuture};

use super::{
    access::{Access, Credential},
    authenticator::{Authenticator, bearer},
    origin,
    registered::registered,
};
use crate::{
    error::ApiError,
    live::accepted::Rank,
    platform::{
        config::Config,
        token::{self, SecretHash},
    },
    service::devices::SESSION_LIFETIME,
    store::{couriers::SignedInDevice, devices::DeviceClient},
};

/// How exactly the last use of a session is known.
const TOUCH_EVERY: TimeDelta = TimeDelta::hours(1);

/// A courier's device that may ask and report.
#[derive(Clone, Debug)]
pub struct CourierDevice(SignedInDevice);

impl Deref for CourierDevice {
    type Target = SignedInDevice;

    fn deref(&self) -> &SignedInDevice {
        &self.0
    }
}

impl Credential for CourierDevice {
    const ACCESS: Access = Access::Courier;
}

impl FromRequest for CourierDevice {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { Ok(Self(registered::<Authenticator>(&request)?.courier_device(&request).await?)) }.boxed_local()
    }
}

/// A courier's device that opens a WebSocket.
#[derive(Clone, Debug)]
pub struct CourierSocketDevice(pub SignedInDevice);

impl Credential for CourierSocketDevice {
    const ACCESS: Access = Access::Courier;
}

impl FromRequest for CourierSocketDevice {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { Ok(Self(registered::<Authenticator>(&request)?.courier_socket(&request).await?)) }.boxed_local()
    }
}

impl Authenticator {
    /// Finds out which courier's device sent a request: by `Authorization: Bearer` with its token, else by its cookie.
    ///
    /// # Errors
    /// 401 without or with wrong credentials; 403 when a cookie comes with another site's request; 429 after too many
    /// wrong ones; 503 when the database is away.
    pub async fn courier_device(&self, request: &HttpRequest) -> Result<SignedInDevice, ApiError> {
        let signed_in = match bearer(request) {
            Some(token) => {
                let hash = token::hash(token);
                let looking = self.store.device_by_token(&hash);
                self.look_up(request, Rank::Crew, ApiError::too_many_attempts, looking).await?
            }
            None => self.by_courier_cookie(request).await?,
        };
        let signed_in = signed_in.filter(|device| !device.is_tracker).ok_or_else(ApiError::unauthorized)?;
        let client = DeviceClient::of_courier(signed_in.session.is_some());
        self.devices.sightings().note(signed_in.courier.id, signed_in.device, client, self.clock.now());
        Ok(signed_in)
    }

    /// The same for a WebSocket, whose handshake any site's script can send: a cookie counts only together with an
    /// `Origin` that is ours. Programs send none, and pass on their token alone.
    ///
    /// # Errors
    /// As [`Authenticator::courier_device`]; 403 also for a cookie without an origin.
    pub async fn courier_socket(&self, request: &HttpRequest) -> Result<SignedInDevice, ApiError> {
        origin::check(&self.config, request)?;
        if bearer(request).is_none() && session_in(&self.config, request).is_some() {
            origin::require(&self.config, request)?;
        }
        self.courier_device(request).await
    }

    async fn by_courier_cookie(&self, request: &HttpRequest) -> Result<Option<SignedInDevice>, ApiError> {
        let Some(session) = session_in(&self.config, request) else { return Ok(None) };
        origin::check(&self.config, request)?;
        origin::refuse_cross_site(request)?;
        let now = self.clock.now();
        let looking = self.store.courier_session(&session, now, SESSION_LIFETIME);
        let used = self.look_up(request, Rank::Crew, ApiError::too_many_attempts, looking).await?;
        let Some(used) = used else { return Ok(None) };
        if now - used.last_used_at > TOUCH_EVERY {
            self.store.touch_courier_sessions(&[session], now).await?;
        }
        Ok(Some(used.signed_in))
    }
}

/// The session that a request's cookie names, by its hash; it may be over, or never have been.
pub fn session_in(config: &Config, request: &HttpRequest) -> Option<SecretHash> {
    request.cookie(config.courier_cookie()).map(|cookie| token::hash(cookie.value()))
}
