//! Writes a line of the access log for a request that was shown where a courier or an order is.

use actix_web::HttpRequest;
use doorstep_shared::api::console::AccessKind;
use uuid::Uuid;

use crate::{
    auth::{peer::peer_address, principal::Principal},
    domain::access_log::AccessLogEntry,
    state::AppState,
};

/// Notes that the principal who sent `request` was shown `what`. Never waits.
pub fn note(app: &AppState, request: &HttpRequest, by: &Principal, what: AccessKind, subject: Option<Uuid>) {
    let (at, address) = (app.clock.now(), peer_address(app, request));
    app.access_log.note(AccessLogEntry { at, actor: Some(by.actor()), what, subject, address, lost: None });
}
