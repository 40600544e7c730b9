//! Writes a line of the access log for a request that showed where a courier or an order is.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use doorstep_shared::api::console::AccessKind;
use uuid::Uuid;

use super::{peer::PeerAddress, principal::Principal, registered::registered};
use crate::{
    domain::access_log::AccessLogEntry,
    error::ApiError,
    platform::{clock::Clock, config::Config},
    service::access_log::AccessLog,
};

/// The access log, for one request. Every endpoint that tells a position takes one.
#[derive(Clone, Debug)]
pub struct AccessRecorder {
    log: Data<AccessLog>,
    clock: Data<Clock>,
    peer: PeerAddress,
}

impl AccessRecorder {
    /// Notes that `by` was shown `what`, of `subject` where it is about one courier or order. Never waits.
    pub fn record(&self, by: &Principal, what: AccessKind, subject: Option<Uuid>) {
        let (at, address) = (self.clock.now(), self.peer.0);
        self.log.note(AccessLogEntry { at, actor: Some(by.actor()), what, subject, address, lost: None });
    }

    /// Where the request comes from.
    pub fn peer(&self) -> PeerAddress {
        self.peer
    }

    fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let peer = PeerAddress::of(&*registered::<Config>(request)?, request);
        Ok(Self { log: registered(request)?, clock: registered(request)?, peer })
    }
}

impl FromRequest for AccessRecorder {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
