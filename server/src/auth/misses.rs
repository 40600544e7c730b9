//! How often a network may show secrets that nobody has: links, keys, sessions, devices' tokens.
//!
//! None of them is guessed at any rate; this keeps guessing from being the database's work. Only what was not found
//! counts: whoever has a good secret is refused only while somebody in their own network guesses.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use actix_web::HttpRequest;

use super::throttle::Tries;
use crate::{app::AppState, error::ApiError, http::peer_network, store::StoreError};

/// Secrets that one network may get wrong: a lost phone, a browser whose session ended and a mistyped link are a few
/// in a minute, and a mobile network's address stands for thousands of those.
const MISSES: u32 = 300;
const MISS_EVERY: Duration = Duration::from_millis(100);

/// Secrets that were not found, by network. Shared by reference.
#[derive(Debug)]
pub struct Misses(Tries<IpAddr>);

impl Default for Misses {
    fn default() -> Self {
        Self(Tries::new(MISSES, MISS_EVERY))
    }
}

impl Misses {
    /// Whether this network may show another secret.
    ///
    /// # Errors
    /// After how many seconds, at least one, it may.
    pub fn check(&self, network: IpAddr) -> Result<(), u32> {
        self.0.check(&network, Instant::now())
    }

    /// Counts a secret that nobody has.
    pub fn note(&self, network: IpAddr) {
        // Those who were let in at once may miss more often than there is room for; that is no debt.
        let _ = self.0.take(network, Instant::now());
    }

    /// Forgets networks that were not wrong lately.
    pub fn forget_idle(&self) {
        self.0.forget_idle(Instant::now());
    }
}

/// What a request's secret opens, if `lookup` finds anything.
///
/// # Errors
/// `refused`, with how many seconds to wait, when the request's network was wrong too often; 503 while the database
/// is away.
pub async fn look_up<T>(
    app: &AppState,
    request: &HttpRequest,
    refused: fn(u32) -> ApiError,
    lookup: impl Future<Output = Result<Option<T>, StoreError>>,
) -> Result<Option<T>, ApiError> {
    let network = peer_network(app, request);
    app.misses.check(network).map_err(refused)?;
    let found = lookup.await?;
    if found.is_none() {
        app.misses.note(network);
    }
    Ok(found)
}
