//! Somebody proves with a password who they are: the same for the API and for the page `/login`.
//!
//! Attempts are counted by account and by address. An unknown address takes as long and is told the same as a wrong
//! password. A session always begins with a new secret, and the one that the browser brought along ends.

use std::{num::NonZeroU32, sync::Arc};

use actix_web::{HttpRequest, cookie::Cookie, web};
use doorstep_shared::{
    api::{SessionView, SignIn},
    protocol::CloseCode,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{password, principal::session_cookie, sessions, token};
use crate::{app::AppState, error::ApiError, http::peer_address, store::access::User, ws::registry::Holder};

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

/// Signs somebody in; the cookie is to be sent to them.
///
/// # Errors
/// 401 when address or password is wrong, 429 after too many tries, 503 while the database is away.
pub async fn sign_in(
    app: &AppState,
    request: &HttpRequest,
    wanted: SignIn,
) -> Result<(SessionView, Cookie<'static>), ApiError> {
    let email = wanted.email.trim().to_lowercase();
    if let Some(address) = peer_address(app, request) {
        app.sign_in_throttle.check(format!("address:{address}"))?;
    }
    app.sign_in_throttle.check(format!("account:{email}"))?;
    let Some(user) = proven(app, &email, wanted.password).await? else {
        tracing::info!("a sign-in was refused");
        metrics::counter!("doorstep_sign_ins_total", "outcome" => "refused").increment(1);
        return Err(ApiError::unauthorized());
    };
    end_session(app, request).await?;
    let secret = token::new_session_token();
    let expires_at = sessions::expires_at(app.clock.now());
    app.store.create_session(&token::hash(&secret), user.id, app.clock.now(), expires_at).await?;
    tracing::info!(user.id = %user.id, "signed in");
    metrics::counter!("doorstep_sign_ins_total", "outcome" => "accepted").increment(1);
    let view = SessionView { email: user.email, role: user.role.as_str().to_owned(), expires_at };
    Ok((view, session_cookie(app, secret)))
}

/// Whom this address and password belong to.
async fn proven(app: &AppState, email: &str, password: String) -> Result<Option<User>, ApiError> {
    // Postgres cannot hold a NUL, so nobody has an address with one.
    let user = if email.contains('\0') { None } else { app.store.user_by_email(email).await? };
    let phc = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password_hash.clone());
    if password.len() > password::MAX_BYTES {
        return Ok(None);
    }
    let verified = web::block(move || password::verify(&password, &phc)).await;
    let verified = verified.map_err(|error| ApiError::internal(&error))?;
    Ok(user.filter(|_| verified))
}

/// Ends the session that a request's cookie names, if any, with its sockets.
///
/// # Errors
/// When the database is away.
pub async fn end_session(app: &AppState, request: &HttpRequest) -> Result<(), ApiError> {
    let Some(cookie) = request.cookie(app.config.session_cookie()) else { return Ok(()) };
    let hash = token::hash(cookie.value());
    app.store.delete_session(&hash).await?;
    app.sockets.close_holders(
        CloseCode::Unauthorized,
        |holder| matches!(holder, Holder::Session { token_hash, .. } if *token_hash == hash),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_account_costs_the_same_work_as_a_known_one() {
        let work = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        let known = password::hash("correct horse battery");
        assert_eq!(work(NOBODY), work(&known), "the same algorithm with the same cost");
        let lengths = |phc: &str| phc.split('$').skip(4).map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(NOBODY), lengths(&known));
        assert!(!password::verify("", NOBODY));
    }
}
