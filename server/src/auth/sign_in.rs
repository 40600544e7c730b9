//! Somebody proves with a password who they are: the same for the API and for the page `/login`.
//!
//! Wrong passwords are counted by network, by account, and by both together, and only that last limit is tight: a
//! stranger elsewhere cannot easily keep somebody from signing in. An unknown address takes as long and is told the
//! same as a wrong password. A session always begins with a new secret, and the one that the browser brought along
//! ends.

use actix_web::{HttpRequest, cookie::Cookie, web};
use doorstep_shared::{
    api::{SessionView, SignIn},
    protocol::CloseCode,
};

use super::{principal::session_cookie, sessions};
use crate::{
    auth::peer::peer_network,
    error::ApiError,
    live::connections::Holder,
    platform::{password, token},
    state::AppState,
    store::access::User,
};

/// The longest address that e-mail knows.
pub const MAX_EMAIL_BYTES: usize = 254;

/// A hash that no password has, so that an unknown address takes as long as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Signs somebody in; the cookie is to be sent to them.
///
/// # Errors
/// 401 when address or password is wrong, 429 after too many of those, 503 while the database is away or too many
/// passwords wait to be checked.
pub async fn sign_in(
    app: &AppState,
    request: &HttpRequest,
    wanted: SignIn,
) -> Result<(SessionView, Cookie<'static>), ApiError> {
    let email = wanted.email.trim().to_lowercase();
    // Nobody's, whatever is tried: neither worth a check nor a place in memory.
    if email.len() > MAX_EMAIL_BYTES || wanted.password.len() > password::MAX_BYTES {
        return Err(refused());
    }
    let network = peer_network(app, request);
    app.sign_in_limiter.take(network, &email)?;
    let proven = proven(app, &email, wanted.password).await;
    let begun = match proven {
        Ok(Some(user)) => begin_session(app, request, user).await,
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    if !matches!(begun, Ok(None)) {
        app.sign_in_limiter.give_back(network, &email);
    }
    begun?.ok_or_else(refused)
}

fn refused() -> ApiError {
    tracing::info!("a sign-in was refused");
    metrics::counter!("doorstep_sign_ins_total", "outcome" => "refused").increment(1);
    ApiError::unauthorized()
}

/// A new session in place of the browser's old one; `None` when the password was replaced since it was checked.
async fn begin_session(
    app: &AppState,
    request: &HttpRequest,
    user: User,
) -> Result<Option<(SessionView, Cookie<'static>)>, ApiError> {
    let secret = token::new_session_token();
    let now = app.clock.now();
    let expires_at = sessions::expires_at(now);
    if !app.store.create_session(&token::hash(&secret), &user, now, expires_at).await? {
        return Ok(None);
    }
    end_session(app, request).await?;
    tracing::info!(user.id = %user.id, "signed in");
    metrics::counter!("doorstep_sign_ins_total", "outcome" => "accepted").increment(1);
    let view = SessionView { email: user.email, role: user.role.as_str().to_owned(), expires_at };
    Ok(Some((view, session_cookie(app, secret))))
}

/// Whom this address and password belong to.
async fn proven(app: &AppState, email: &str, password: String) -> Result<Option<User>, ApiError> {
    // Postgres cannot hold a NUL, so nobody has an address with one.
    let user = if email.contains('\0') { None } else { app.store.user_by_email(email).await? };
    let phc = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password_hash.clone());
    let turn = app.sign_in_limiter.turn().await?;
    let verifying = web::block(move || {
        // Held until the work ends, whether or not somebody still waits for it.
        let _turn = turn;
        password::verify(&password, &phc)
    });
    let verified = verifying.await.map_err(|error| ApiError::internal(&error))?;
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
    app.connections.close_holders(
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
