//! Makes API keys, for the command line, the demo and tests.

use uuid::Uuid;

use crate::{auth::scope::Scope, platform::token, store::Store};

/// Makes an API key with these scopes, or all of them when none is named, and returns its secret.
///
/// # Errors
/// When the database cannot be reached.
pub async fn new_api_key(store: &Store, name: &str, scopes: &[Scope]) -> anyhow::Result<String> {
    let scopes = if scopes.is_empty() { Scope::ALL.as_slice() } else { scopes };
    let words: Vec<_> = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let key = token::new_api_key();
    store.create_api_key(Uuid::now_v7(), name, &token::hash(&key), &words).await?;
    Ok(key)
}
