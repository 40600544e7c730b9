//! People sign in with a password: the same for the API and for the page `/login`.
//!
//! Wrong passwords are counted by network, by account, and by both together, and only that last limit is tight: a
//! stranger elsewhere cannot easily keep a person from signing in. An unknown address takes as long and gets the same
//! answer as a wrong password. A session always begins with a new secret, and the one that the browser brought along
//! ends.

use std::sync::Arc;

use actix_web::{HttpRequest, cookie::Cookie, web};
use doorstep_shared::{
    UserId,
    api::{SessionView, SignIn},
    protocol::CloseCode,
};

use super::{cookies, peer::PeerAddress, sessions, sign_in_limiter::SignInLimiter};
use crate::{
    domain::order::Actor,
    error::ApiError,
    live::connections::{Connections, Holder},
    platform::{
        clock::Clock,
        config::Config,
        password,
        security::{Kind, SecurityEvent},
        token,
    },
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
        let peer = PeerAddress::of(&self.config, request);
        // No account has these, so they are worth neither a check nor room in memory.
        if email.len() > MAX_EMAIL_BYTES || wanted.password.len() > password::MAX_BYTES {
            return Err(refused(peer, None));
        }
        let network = peer.network();
        self.limiter.take(network, &email)?;
        let begun = self.begin(request, &email, wanted.password).await;
        if !matches!(begun, Ok(Err(_))) {
            self.limiter.give_back(network, &email);
        }
        begun?.map_err(|account| refused(peer, account))
    }

    /// A session for the account with this address and password; the account, if there is one, when the password is
    /// another.
    async fn begin(
        &self,
        request: &HttpRequest,
        email: &str,
        password: String,
    ) -> Result<Result<(SessionView, Cookie<'static>), Option<UserId>>, ApiError> {
        match self.account(email, password).await? {
            Ok(user) => {
                let id = user.id;
                Ok(self.begin_session(request, user).await?.ok_or(Some(id)))
            }
            Err(account) => Ok(Err(account)),
        }
    }

    /// The account with this address and password; the account alone when the password is another.
    async fn account(&self, email: &str, password: String) -> Result<Result<User, Option<UserId>>, ApiError> {
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
        Ok(match user {
            Some(user) if verified => Ok(user),
            other => Err(other.map(|user| user.id)),
        })
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
        self.end_session(request, "replaced").await?;
        let peer = PeerAddress::of(&self.config, request);
        SecurityEvent::new(Kind::SignInAccepted).by(Actor::User(user.id)).from(peer.0).log();
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
        self.end_session(request, "signed_out").await?;
        Ok(cookies::removed(cookies::session(&self.config, String::new())))
    }

    async fn end_session(&self, request: &HttpRequest, reason: &str) -> Result<(), ApiError> {
        let Some(cookie) = request.cookie(self.config.session_cookie()) else { return Ok(()) };
        let hash = token::hash(cookie.value());
        let Some(user) = self.store.delete_session(&hash).await? else { return Ok(()) };
        let sockets = self.connections.close_holders(
            CloseCode::Unauthorized,
            |holder| matches!(holder, Holder::Session { token_hash, .. } if *token_hash == hash),
        );
        let ended = SecurityEvent::new(Kind::SessionEnded).by(Actor::User(user)).because(reason);
        ended.from(PeerAddress::of(&self.config, request).0).counting(sockets as u64).log();
        Ok(())
    }
}

/// What was typed as the address is not logged: it may be a password.
fn refused(peer: PeerAddress, account: Option<UserId>) -> ApiError {
    let event = SecurityEvent::new(Kind::SignInRefused).from(peer.0);
    match account {
        Some(account) => event.about(Actor::User(account)).log(),
        None => event.because("unknown_account").log(),
    }
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
