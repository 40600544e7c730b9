//! Looks up the credentials that requests show, and counts secrets that do not exist against the network that showed
//! them.
//!
//! Handlers mostly use it through the extractors of [`super::extract`] and [`super::courier`].

use std::sync::Arc;

use actix_web::{HttpRequest, http::header};

use super::{
    origin, peer::PeerAddress, principal::Principal, scope::Scope, sessions::LIFETIME,
    unknown_secrets::UnknownSecretLimiter,
};
use crate::{
    error::ApiError,
    live::accepted::{Accepted, Rank},
    platform::{clock::Clock, config::Config, token},
    service::devices::Devices,
    store::{Store, StoreError},
};

/// Looks up credentials. Shared by reference.
#[derive(Debug)]
pub struct Authenticator {
    /// The operator's choices: cookie names, allowed origins, whether a proxy is trusted.
    pub(super) config: Config,
    /// The time.
    pub(super) clock: Clock,
    /// Where credentials are kept.
    pub(super) store: Store,
    /// Notes when couriers' devices were seen.
    pub(super) devices: Arc<Devices>,
    unknown_secrets: Arc<UnknownSecretLimiter>,
}

impl Authenticator {
    /// Looks credentials up in `store`.
    pub fn new(
        config: Config,
        clock: Clock,
        store: Store,
        devices: Arc<Devices>,
        unknown_secrets: Arc<UnknownSecretLimiter>,
    ) -> Self {
        Self { config, clock, store, devices, unknown_secrets }
    }

    /// What a request's secret opens, if `lookup` finds anything. The connection is one of `rank` from then on.
    ///
    /// # Errors
    /// `refused`, with how many seconds to wait, when nothing was found and the request's network was wrong too often
    /// before; 503 while the database is away.
    pub async fn look_up<T>(
        &self,
        request: &HttpRequest,
        rank: Rank,
        refused: fn(u32) -> ApiError,
        lookup: impl Future<Output = Result<Option<T>, StoreError>>,
    ) -> Result<Option<T>, ApiError> {
        let network = PeerAddress::of(&self.config, request).network();
        let turn = self.unknown_secrets.turn(network).await.map_err(refused)?;
        let found = lookup.await?;
        match &found {
            Some(_) => vouch(request, rank),
            None => self.unknown_secrets.note(network, &turn).map_err(refused)?,
        }
        Ok(found)
    }

    /// Whether the network that a request comes from guesses secrets.
    pub fn is_from_guessing_network(&self, request: &HttpRequest) -> bool {
        self.unknown_secrets.is_guessing(PeerAddress::of(&self.config, request).network())
    }

    /// The principal who sent a request, if it has credentials that we know. A request with a Bearer is judged by that
    /// alone, whatever its cookies are.
    ///
    /// # Errors
    /// 403 when a cookie comes with a cross-site request, 429 after too many unknown secrets, 503 while the database is
    /// away.
    pub async fn identify(&self, request: &HttpRequest) -> Result<Option<Principal>, ApiError> {
        match bearer(request) {
            Some(secret) => self.by_api_key(request, secret).await,
            None => self.by_session(request).await,
        }
    }

    async fn by_api_key(&self, request: &HttpRequest, secret: &str) -> Result<Option<Principal>, ApiError> {
        if !secret.starts_with(token::API_KEY_PREFIX) {
            return Ok(None);
        }
        let hash = token::hash(secret);
        let looking = self.store.api_key_by_token(&hash, self.clock.now());
        let key = self.look_up(request, Rank::Crew, ApiError::too_many_attempts, looking).await?;
        Ok(key.map(|key| Principal::ApiKey { id: key.id, secret: secret.to_owned(), scopes: key.scopes }))
    }

    async fn by_session(&self, request: &HttpRequest) -> Result<Option<Principal>, ApiError> {
        let Some(cookie) = request.cookie(self.config.session_cookie()) else { return Ok(None) };
        origin::check(&self.config, request)?;
        origin::refuse_cross_site(request)?;
        let hash = token::hash(cookie.value());
        let looking = self.store.session(&hash, self.clock.now(), LIFETIME);
        let session = self.look_up(request, Rank::Crew, ApiError::too_many_attempts, looking).await?;
        Ok(session.map(|session| Principal::User {
            id: session.user,
            email: session.email,
            role: session.role,
            session: hash,
            expires_at: session.expires_at,
        }))
    }

    /// The principal who sent a request.
    ///
    /// # Errors
    /// 401 without or with wrong credentials; otherwise as [`Authenticator::identify`].
    pub async fn require(&self, request: &HttpRequest) -> Result<Principal, ApiError> {
        self.identify(request).await?.ok_or_else(ApiError::unauthorized)
    }

    /// The principal who sent a request, when they may do all of `scopes`.
    ///
    /// # Errors
    /// 401 without or with wrong credentials, 403 when they do not reach this far.
    pub async fn require_scopes(&self, request: &HttpRequest, scopes: &[Scope]) -> Result<Principal, ApiError> {
        let principal = self.require(request).await?;
        scopes.iter().try_for_each(|scope| principal.check(*scope))?;
        Ok(principal)
    }
}

/// Notes on a request's connection whose it is.
fn vouch(request: &HttpRequest, rank: Rank) {
    if let Some(accepted) = request.conn_data::<Accepted>() {
        accepted.is_of(rank);
    }
}

/// The Bearer that a request shows.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok().and_then(token::bearer)
}
