//! Somebody proves with a password who they are: the same for the API and for the page `/login`.
//!
//! Wrong passwords are counted by network, by account, and by both together, and only that last limit is tight: a
//! stranger elsewhere cannot easily keep somebody from signing in. An unknown address takes as long and is told the
//! same as a wrong password. A session always begins with a new secret, and the one that the browser brought along
//! ends.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, cookie::Cookie, web};
use doorstep_shared::{
    api::{SessionView, SignIn},
    protocol::CloseCode,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{password, principal::session_cookie, sessions, throttle::Tries, token};
use crate::{app::AppState, error::ApiError, http::peer_network, store::access::User, ws::registry::Holder};

/// Wrong passwords for one account from one network.
const TRIES: u32 = 8;
const TRY_EVERY: Duration = Duration::from_secs(15);

/// Wrong passwords from one network, in which there may be an office full of people.
const TRIES_OF_NETWORK: u32 = 40;
const TRY_OF_NETWORK_EVERY: Duration = Duration::from_secs(3);

/// Wrong passwords for one account, wherever they come from: a hundred networks together get 30 a minute.
const TRIES_OF_ACCOUNT: u32 = 200;
const TRY_OF_ACCOUNT_EVERY: Duration = Duration::from_secs(2);

/// The longest address that e-mail knows.
pub const MAX_EMAIL_BYTES: usize = 254;

/// Checks of passwords that wait for their turn, beyond those that run, one for each core.
const MAX_WAITING: usize = 32;

/// A hash that no password has, so that an unknown address takes as long as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Limits what signing in may cost. Shared by reference.
#[derive(Debug)]
pub struct SignInThrottle {
    network: Tries<IpAddr>,
    account: Tries<String>,
    pair: Tries<(IpAddr, String)>,
    /// Everybody whose password is checked or waits for it.
    places: Arc<Semaphore>,
    /// Whose password is checked.
    turns: Arc<Semaphore>,
}

impl Default for SignInThrottle {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            network: Tries::new(TRIES_OF_NETWORK, TRY_OF_NETWORK_EVERY),
            account: Tries::new(TRIES_OF_ACCOUNT, TRY_OF_ACCOUNT_EVERY),
            pair: Tries::new(TRIES, TRY_EVERY),
            places: Arc::new(Semaphore::new(cores + MAX_WAITING)),
            turns: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl SignInThrottle {
    /// Takes a try of each kind, or none.
    fn take(&self, network: IpAddr, email: &str) -> Result<(), ApiError> {
        let (now, pair) = (Instant::now(), (network, email.to_owned()));
        let taken = self.network.take(network, now).and_then(|()| {
            let of_account = self
                .pair
                .take(pair.clone(), now)
                .and_then(|()| self.account.take(email.to_owned(), now).inspect_err(|_| self.pair.give_back(&pair)));
            of_account.inspect_err(|_| self.network.give_back(&network))
        });
        taken.map_err(ApiError::too_many_attempts)
    }

    fn give_back(&self, network: IpAddr, email: &str) {
        self.network.give_back(&network);
        self.account.give_back(&email.to_owned());
        self.pair.give_back(&(network, email.to_owned()));
    }

    /// Waits for a turn to check a password, which ends with what is returned.
    async fn turn(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), ApiError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| ApiError::unavailable())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| ApiError::unavailable())?;
        Ok((place, turn))
    }

    /// Forgets accounts and networks that were not wrong lately.
    pub fn forget_idle(&self) {
        let now = Instant::now();
        self.network.forget_idle(now);
        self.account.forget_idle(now);
        self.pair.forget_idle(now);
    }
}

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
    app.sign_in_throttle.take(network, &email)?;
    let proven = proven(app, &email, wanted.password).await;
    let begun = match proven {
        Ok(Some(user)) => begin_session(app, request, user).await,
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    if !matches!(begun, Ok(None)) {
        app.sign_in_throttle.give_back(network, &email);
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
    let turn = app.sign_in_throttle.turn().await?;
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
    app.sockets.close_holders(
        CloseCode::Unauthorized,
        |holder| matches!(holder, Holder::Session { token_hash, .. } if *token_hash == hash),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::rate_limit::network_of;

    #[test]
    fn an_unknown_account_costs_the_same_work_as_a_known_one() {
        let work = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        let known = password::hash("correct horse battery");
        assert_eq!(work(NOBODY), work(&known), "the same algorithm with the same cost");
        let lengths = |phc: &str| phc.split('$').skip(4).map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(NOBODY), lengths(&known));
        assert!(!password::verify("", NOBODY));
    }

    #[test]
    fn strangers_elsewhere_do_not_keep_somebody_from_signing_in() {
        let throttle = SignInThrottle::default();
        let network = |address: &str| network_of(address.parse().expect("an address"));
        let (theirs, ours) = (network("2001:db8:1:2::1"), network("192.0.2.7"));
        for _ in 0..TRIES {
            throttle.take(theirs, "eve@example.com").expect("a try");
        }
        assert!(throttle.take(network("2001:db8:1:2:ffff::9"), "eve@example.com").is_err(), "the same /64");
        throttle.take(theirs, "ben@example.com").expect("another account");
        throttle.take(ours, "eve@example.com").expect("from elsewhere");
    }

    #[test]
    fn a_network_and_an_account_have_limits_of_their_own() {
        let throttle = SignInThrottle::default();
        let network = |n: u8| IpAddr::from([192, 0, 2, n]);
        for account in 0..TRIES_OF_NETWORK {
            throttle.take(network(1), &format!("{account}@example.com")).expect("a try");
        }
        assert!(throttle.take(network(1), "one-more@example.com").is_err());
        for n in 0..TRIES_OF_ACCOUNT {
            throttle.take(network(10 + (n / 4) as u8), "eve@example.com").expect("a try");
        }
        assert!(throttle.take(network(200), "eve@example.com").is_err());
        throttle.take(network(200), "ben@example.com").expect("what was refused took nothing");
    }

    #[tokio::test]
    async fn too_many_checks_at_once_are_told_to_come_back() {
        let throttle = SignInThrottle::default();
        let places = throttle.places.available_permits() as u32;
        let held = Arc::clone(&throttle.places).acquire_many_owned(places).await.expect("all of them");
        assert_eq!(throttle.turn().await.expect_err("no place").retry_after_s(), Some(2));
        drop(held);
        drop(throttle.turn().await.expect("a turn"));
    }
}
