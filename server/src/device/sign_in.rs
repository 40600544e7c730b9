//! Makes the links with which couriers sign in, and exchanges them for sessions.
//!
//! A link's code stands behind the `#`, which browsers send to nobody: it is in no log and no `Referer`. It works
//! once and for minutes, so a link that stays behind in a chat or on a photo opens nothing.

use chrono::TimeDelta;
use doorstep_shared::api::SignInLink;

use super::revoke;
use crate::{
    app::AppState,
    auth::{courier::LIFETIME, token},
    store::{
        StoreError,
        courier_sessions::{Exchange, NewCode},
    },
};

/// A new link, and what the database keeps of it.
pub fn new_link(app: &AppState) -> (SignInLink, NewCode) {
    let code = token::new_sign_in_code();
    let created_at = app.clock.now();
    let expires_at = created_at + TimeDelta::minutes(i64::from(app.config.settings.sign_in_minutes));
    let kept = NewCode { hash: token::hash(&code), created_at, expires_at };
    let sign_in_url = format!("{}/courier#{code}", app.config.public_url);
    (SignInLink { sign_in_url, sign_in_expires_at: expires_at }, kept)
}

/// Exchanges a link's code for the secret of a new session. The device's earlier sessions are over, and their
/// sockets are closed: one device is one signed-in browser. `None` when the code does not work.
///
/// # Errors
/// When the database is away; the code then still works.
pub async fn exchange(app: &AppState, code: &str) -> Result<Option<(Exchange, String)>, StoreError> {
    let session = token::new_session_token();
    let hashes = (token::hash(code), token::hash(&session));
    let exchanged = app.store.exchange_sign_in_code(&hashes.0, &hashes.1, app.clock.now(), LIFETIME).await?;
    let Some(exchange) = exchanged else { return Ok(None) };
    revoke::close_sessions(app, exchange.signed_in.courier.id, exchange.ended.clone());
    Ok(Some((exchange, session)))
}
