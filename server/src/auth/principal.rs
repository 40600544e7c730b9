//! Who may do what over REST: a person by their session cookie, a program by its API key.

use actix_web::{HttpRequest, cookie::Cookie, http::header};
use chrono::{DateTime, Utc};
use doorstep_shared::UserId;
use uuid::Uuid;

use super::{look_up::look_up, sessions::LIFETIME};
use crate::{
    domain::order::Actor, error::ApiError, live::connections::Holder, platform::token, state::AppState,
    store::access::Role,
};

/// Something that an API key may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Look at orders.
    OrdersRead,
    /// Create and change orders.
    OrdersWrite,
    /// Look at couriers and their fixes.
    CouriersRead,
    /// Create couriers and devices.
    CouriersWrite,
    /// The live fleet.
    FleetRead,
}

impl Scope {
    /// Every scope; what a key gets when none is named.
    pub const ALL: [Self; 5] =
        [Self::OrdersRead, Self::OrdersWrite, Self::CouriersRead, Self::CouriersWrite, Self::FleetRead];

    /// The word on the command line and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::CouriersRead => "couriers:read",
            Self::CouriersWrite => "couriers:write",
            Self::FleetRead => "fleet:read",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|scope| scope.as_str() == word).ok_or_else(|| format!("scopes are {}", known()))
    }
}

/// Somebody who proved who they are.
#[derive(Clone, Debug)]
pub enum Principal {
    /// A person at the console.
    User {
        /// Who.
        id: UserId,
        /// Their address.
        email: String,
        /// What they may do.
        role: Role,
        /// SHA-256 of their session's secret.
        session: [u8; 32],
        /// When the session ends.
        expires_at: DateTime<Utc>,
    },
    /// A program.
    ApiKey {
        /// Which key.
        id: Uuid,
        /// The secret it showed; only kept to seal what is kept for it.
        secret: String,
        /// What it may do.
        scopes: Vec<String>,
    },
}

impl Principal {
    /// Finds out who sent a request, and whether they may do `scope`. A person may do all of them.
    ///
    /// # Errors
    /// 401 without or with wrong credentials, 403 when they do not reach this far.
    pub async fn require(app: &AppState, request: &HttpRequest, scope: Scope) -> Result<Self, ApiError> {
        let principal = Self::identify(app, request).await?.ok_or_else(ApiError::unauthorized)?;
        principal.also(scope)?;
        Ok(principal)
    }

    /// Whether they may do this besides. A person may.
    ///
    /// # Errors
    /// 403 when they may not.
    pub fn also(&self, scope: Scope) -> Result<(), ApiError> {
        match self {
            Self::ApiKey { scopes, .. } if !scopes.iter().any(|held| held == scope.as_str()) => {
                Err(ApiError::missing_scope(scope.as_str()))
            }
            _ => Ok(()),
        }
    }

    /// Finds out who sent a request, if anybody we know.
    ///
    /// # Errors
    /// When the database is away, a cookie comes with a cross-site request, or 429 after too many unknown secrets.
    pub async fn identify(app: &AppState, request: &HttpRequest) -> Result<Option<Self>, ApiError> {
        let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(secret) = authorization.and_then(token::bearer) {
            if !secret.starts_with(token::API_KEY_PREFIX) {
                return Ok(None);
            }
            let hash = token::hash(secret);
            let looking = app.store.api_key_by_token(&hash);
            let key = look_up(app, request, ApiError::too_many_attempts, looking).await?;
            return Ok(key.map(|key| Self::ApiKey { id: key.id, secret: secret.to_owned(), scopes: key.scopes }));
        }
        let Some(cookie) = request.cookie(app.config.session_cookie()) else { return Ok(None) };
        refuse_cross_site(request)?;
        let hash = token::hash(cookie.value());
        let looking = app.store.session(&hash, app.clock.now(), LIFETIME);
        let session = look_up(app, request, ApiError::too_many_attempts, looking).await?;
        Ok(session.map(|session| Self::User {
            id: session.user,
            email: session.email,
            role: session.role,
            session: hash,
            expires_at: session.expires_at,
        }))
    }

    /// Finds out who sent a request; only a person who is an admin gets through.
    ///
    /// # Errors
    /// 401 without or with wrong credentials, 403 for everybody else.
    pub async fn require_admin(app: &AppState, request: &HttpRequest) -> Result<Self, ApiError> {
        let principal = Self::identify(app, request).await?.ok_or_else(ApiError::unauthorized)?;
        match &principal {
            Self::User { role: Role::Admin, .. } => Ok(principal),
            _ => Err(ApiError::admins_only()),
        }
    }

    /// Finds out who sent a request; only a person gets through, whatever they are.
    ///
    /// # Errors
    /// 401 without or with wrong credentials, 403 for a program.
    pub async fn require_person(app: &AppState, request: &HttpRequest) -> Result<(Self, UserId), ApiError> {
        let principal = Self::identify(app, request).await?.ok_or_else(ApiError::unauthorized)?;
        match principal {
            Self::User { id, .. } => Ok((principal, id)),
            Self::ApiKey { .. } => Err(ApiError::people_only()),
        }
    }

    /// What a socket of this principal is held by, so that it ends with the credential.
    pub fn holder(&self) -> Holder {
        match self {
            Self::User { id, session, .. } => Holder::Session { user: *id, token_hash: *session },
            Self::ApiKey { id, .. } => Holder::ApiKey(*id),
        }
    }

    /// How an order's events name this principal.
    pub fn actor(&self) -> Actor {
        match self {
            Self::User { id, .. } => Actor::User(*id),
            Self::ApiKey { id, .. } => Actor::ApiKey(*id),
        }
    }
}

/// A browser sends cookies along with another site's form; it also says so.
///
/// # Errors
/// 403 when the request changes something and comes from another site.
pub fn refuse_cross_site(request: &HttpRequest) -> Result<(), ApiError> {
    let site = request.headers().get("Sec-Fetch-Site").and_then(|value| value.to_str().ok());
    match site {
        Some("cross-site" | "same-site") if !request.method().is_safe() => Err(ApiError::origin_not_allowed()),
        _ => Ok(()),
    }
}

/// The cookie that holds a session, or removes it when `token` is empty.
pub fn session_cookie(app: &AppState, token: String) -> Cookie<'static> {
    let removes = token.is_empty();
    let mut cookie = Cookie::build(app.config.session_cookie(), token)
        .path("/")
        .http_only(true)
        .secure(app.config.is_https())
        .same_site(actix_web::cookie::SameSite::Lax)
        .finish();
    if removes {
        cookie.make_removal();
    }
    cookie
}
