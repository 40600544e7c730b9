//! Looks up the secret that a request shows, and counts secrets that do not exist against the network that showed them.

use actix_web::HttpRequest;

use super::peer::peer_network;
use crate::{error::ApiError, state::AppState, store::StoreError};

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
    app.unknown_secrets.check(network).map_err(refused)?;
    let found = lookup.await?;
    if found.is_none() {
        app.unknown_secrets.note(network);
    }
    Ok(found)
}
