//! Makes the links with which couriers sign in, and exchanges them for sessions.
//!
//! A link's code stands behind the `#`, which browsers send to no server: it is in no log and no `Referer`. It works
//! once and for minutes, so a link that stays behind in a chat or on a photo opens nothing.

use doorstep_shared::api::SignInLink;

use super::{Devices, SESSION_LIFETIME};
use crate::{
    platform::token,
    store::{
        StoreError,
        courier_sessions::{Exchange, NewCode},
    },
};

impl Devices {
    /// A new link, and what the database keeps of it.
    pub fn new_sign_in_link(&self) -> (SignInLink, NewCode) {
        let code = token::new_sign_in_code();
        let created_at = self.clock.now();
        let expires_at = created_at + self.sign_in_for;
        let kept = NewCode { hash: token::hash(&code), created_at, expires_at };
        let sign_in_url = format!("{}/courier#{code}", self.public_url);
        (SignInLink { sign_in_url, sign_in_expires_at: expires_at }, kept)
    }

    /// Exchanges a link's code for the secret of a new session. Ends the device's earlier sessions and closes their
    /// sockets: one device is one signed-in browser. `None` when the code does not work.
    ///
    /// # Errors
    /// When the database is away; the code then still works.
    pub async fn exchange_sign_in_code(&self, code: &str) -> Result<Option<(Exchange, String)>, StoreError> {
        let session = token::new_session_token();
        let hashes = (token::hash(code), token::hash(&session));
        let exchanged =
            self.store.exchange_sign_in_code(&hashes.0, &hashes.1, self.clock.now(), SESSION_LIFETIME).await?;
        let Some(exchange) = exchanged else { return Ok(None) };
        self.close_sessions(exchange.signed_in.courier.id, exchange.ended.clone());
        Ok(Some((exchange, session)))
    }
}
