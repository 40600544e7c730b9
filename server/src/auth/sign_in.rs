//! People sign in with a password: the same for the API and for the page `/login`.
//!
//! Wrong passwords are counted by network, by account, and by both together, and only that last limit is tight: a
//! stranger elsewhere cannot easily keep a person from signing in. An unknown address takes as long and gets the same
//! answer as a wrong password. A session always begins with a new secret, and the one that the browser brought along
//! ends.

use std::sync::Arc;

use actix_web::{HttpRequest, cookie::Cookie, web};
use doorstep_shared::{
    api::{SessionView, SignIn},
    protocol::CloseCode,
};

use super::{cookies, peer::PeerAddress, sessions, sign_in_limiter::SignInLimiter};
use crate::{
    error::ApiError,
    live::connections::{Connections, Holder},
    platform::{clock::Clock, config::Config, password, token},
    store::{Store, access::User},
};

/// The longest address that e-mail knows.
pub const MAX_EMAIL_BYTES: usize = 254;

/// A hash that no password has, so that an unknown address takes as long as a wrong password.
const NO_PASSWORD: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Signs people in and out. Shared by reference.
#[derive(Debug)]
pub struct PasswordSignIn {
    /// The operator's choices.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// Where accounts and sessions are kept.
    pub store: Store,
    /// The sockets that end with a session.
    pub connections: Arc<Connections>,
    /// How often and how many at once may try.
    pub limiter: Arc<SignInLimiter>,
}

impl PasswordSignIn {
    /// Signs a person in; the answer is to set the cookie.
    ///
    /// # Errors
    /// 401 when address or password is wrong, 429 after too many of those, 503 while the database is away or too many
    /// passwords wait to be checked.
    pub async fn sign_in(
        &self,
        request: &HttpRequest,
        wanted: SignIn,
    ) -> Result<(SessionView, Cookie<'static>), ApiError> {
        let email = wanted.email.trim().to_lowercase();
        // No account has these, so they are worth neither a check nor room in memory.
        if email.len() > MAX_EMAIL_BYTES || wanted.password.len() > password::MAX_BYTES {
            return Err(refused());
        }
        let network = PeerAddress::of(&self.config, request).network();
        self.limiter.take(network, &email)?;
        let begun = self.begin(request, &email, wanted.password).await;
        if !matches!(begun, Ok(None)) {
            self.limiter.give_back(network, &email);
        }
        begun?.ok_or_else(refused)
    }

    /// A session for the account with this address and password; `None` when there is no such account.
    async fn begin(
        &self,
        request: &HttpRequest,
        email: &str,
        password: String,
    ) -> Result<Option<(SessionView, Cookie<'static>)>, ApiError> {
        match self.account(email, password).await? {
            Some(user) => self.begin_session(request, user).await,
            None => Ok(None),
        }
    }

    /// The account with this address and password.
    async fn account(&self, email: &str, password: String) -> Result<Option<User>, ApiError> {
        // Postgres cannot hold a NUL, so no account has an address with one.
        let user = if email.contains('\0') { None } else { self.store.user_by_email(email).await? };
        let phc = user.as_ref().map_or_else(|| NO_PASSWORD.to_owned(), |user| user.password_hash.clone());
        let turn = self.limiter.turn().await?;
        let verifying = web::block(move || {
            // Held until the work ends, whether or not the request still waits for it.
            let _turn = turn;
            password::verify(&password, &phc)
        });
        let verified = verifying.await.map_err(|error| ApiError::internal(&error))?;
        Ok(user.filter(|_| verified))
    }

    /// A new session in place of the browser's old one; `None` when the password was replaced since it was checked.
    async fn begin_session(
        &self,
        request: &HttpRequest,
        user: User,
    ) -> Result<Option<(SessionView, Cookie<'static>)>, ApiError> {
        let secret = token::new_session_token();
        let now = self.clock.now();
        let expires_at = sessions::expires_at(now);
        if !self.store.create_session(&token::hash(&secret), &user, now, expires_at).await? {
            return Ok(None);
        }
        self.end_session(request).await?;
        tracing::info!(user.id = %user.id, "signed in");
        metrics::counter!("doorstep_sign_ins_total", "outcome" => "accepted").increment(1);
        let view = SessionView { email: user.email, role: user.role.as_str().to_owned(), expires_at };
        Ok(Some((view, cookies::session(&self.config, secret))))
    }

    /// Signs a person out: ends the session that a request's cookie names, if any, with its sockets. Gives what removes
    /// the cookie.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn sign_out(&self, request: &HttpRequest) -> Result<Cookie<'static>, ApiError> {
        self.end_session(request).await?;
        Ok(cookies::removed(cookies::session(&self.config, String::new())))
    }

    async fn end_session(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let Some(cookie) = request.cookie(self.config.session_cookie()) else { return Ok(()) };
        let hash = token::hash(cookie.value());
        self.store.delete_session(&hash).await?;
        self.connections.close_holders(
            CloseCode::Unauthorized,
            |holder| matches!(holder, Holder::Session { token_hash, .. } if *token_hash == hash),
        );
        Ok(())
    }
}

fn refused() -> ApiError {
    tracing::info!("a sign-in was refused");
    metrics::counter!("doorstep_sign_ins_total", "outcome" => "refused").increment(1);
    ApiError::unauthorized()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_account_costs_the_same_work_as_a_known_one() {
        let work = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        let known = password::hash("correct horse battery");
        assert_eq!(work(NO_PASSWORD), work(&known), "the same algorithm with the same cost");
        let lengths = |phc: &str| phc.split('$').skip(4).map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(NO_PASSWORD), lengths(&known));
        assert!(!password::verify("", NO_PASSWORD));
    }
}
