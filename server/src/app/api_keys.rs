//! Makes API keys, for the demo and tests.

use crate::{
    auth::scope::Scope,
    platform::clock::Clock,
    service::api_keys::{self, WantedApiKey},
    store::Store,
};

/// Makes an API key with these scopes, or all of them when none is named, and returns its secret.
///
/// # Errors
/// When the database cannot be reached.
pub async fn new_api_key(store: &Store, name: &str, scopes: &[Scope]) -> anyhow::Result<String> {
    let wanted = WantedApiKey { name: name.to_owned(), scopes: scopes.to_vec(), expires_at: None, by: None };
    Ok(api_keys::create(store, wanted, Clock::system().now()).await?.secret)
}
