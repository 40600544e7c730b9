//! People sign in and out.

use std::{num::NonZeroU32, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data},
};
use doorstep_shared::{
    api::{SessionView, SignIn},
    problem::Problem,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::{
    app::AppState,
    auth::{password, principal, token},
    error::ApiError,
    http::{
        body::{self, RequestBody},
        peer_address,
    },
};

/// How long a session lasts.
const SESSION_HOURS: i64 = 12;

/// Tries that one account or one address has, and how many more it gets each minute.
const TRIES: NonZeroU32 = NonZeroU32::new(8).expect("not zero");
const TRIES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(4).expect("not zero");
const RETRY_AFTER_S: u32 = 30;

/// A hash that no password has, so that an unknown address takes as long as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Counts attempts to sign in, by account and by address.
#[derive(Clone)]
pub struct SignInThrottle(Arc<DefaultKeyedRateLimiter<String>>);

impl Default for SignInThrottle {
    fn default() -> Self {
        Self(Arc::new(RateLimiter::keyed(Quota::per_minute(TRIES_PER_MINUTE).allow_burst(TRIES))))
    }
}

impl std::fmt::Debug for SignInThrottle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignInThrottle")
    }
}

impl SignInThrottle {
    fn check(&self, key: String) -> Result<(), ApiError> {
        self.0.check_key(&key).map_err(|_| ApiError::too_many_attempts(RETRY_AFTER_S))
    }

    /// Forgets accounts and addresses that have not tried lately.
    pub fn forget_idle(&self) {
        self.0.retain_recent();
    }
}

/// Signs a person in: sets the session cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = SessionView), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub async fn sign_in(app: Data<AppState>, request: HttpRequest, bytes: RequestBody) -> Result<HttpResponse, ApiError> {
    crate::auth::origin::check(&app, &request)?;
    let wanted: SignIn = body::parse(&request, &bytes)?;
    let email = wanted.email.trim().to_lowercase();
    if let Some(address) = peer_address(&app, &request) {
        app.sign_in_throttle.check(format!("address:{address}"))?;
    }
    app.sign_in_throttle.check(format!("account:{email}"))?;
    // Postgres cannot hold a NUL, so nobody has an address with one.
    let user = if email.contains('\0') { None } else { app.store.user_by_email(&email).await? };
    let phc = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password_hash.clone());
    let verified = web::block(move || password::verify(&wanted.password, &phc)).await;
    let verified = verified.map_err(|error| ApiError::internal(&error))?;
    let user = user.filter(|_| verified).ok_or_else(ApiError::unauthorized)?;
    let session = token::new_session_token();
    let expires_at = app.clock.now() + chrono::TimeDelta::hours(SESSION_HOURS);
    app.store.create_session(&token::hash(&session), user.id, expires_at).await?;
    tracing::info!(user.id = %user.id, "signed in");
    Ok(HttpResponse::Ok().cookie(principal::session_cookie(&app, session)).json(SessionView {
        email: user.email,
        role: user.role.as_str().to_owned(),
        expires_at,
    }))
}

/// Signs out: ends the session and removes the cookie.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub async fn sign_out(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if let Some(cookie) = request.cookie(app.config.session_cookie()) {
        app.store.delete_session(&token::hash(cookie.value())).await?;
    }
    Ok(HttpResponse::NoContent().cookie(principal::session_cookie(&app, String::new())).finish())
}
