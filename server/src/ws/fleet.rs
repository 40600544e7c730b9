//! A dispatcher's console: `GET /ws/fleet`, also for programs with scope `fleet:read`.
//!
//! A browser comes with its session cookie and must say which site's script opens the socket: the cookie is
//! `SameSite`, and only our own origin passes. Programs come with a key. The registry closes the connection when
//! the session or the key ends. What is shown is [`crate::live::fleet`]'s; this reads what the console asks for.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Payload},
};
use doorstep_shared::{
    api::console::AccessKind,
    protocol::{
        CloseCode, Codec, ErrorMessage, ServerTime,
        courier::DecodeError,
        fleet::{FleetEvent, FleetMessage, Viewport, decode},
    },
};

use super::{Connection, Incoming, allowance::Allowance, negotiate, upgrade};
use crate::{
    auth::{
        origin,
        principal::{Principal, Scope},
    },
    error::ApiError,
    http::access,
    live::{
        connections::Admission,
        fleet::{Subscription, area::Area},
        outbox::{Outbox, Peer, frame},
    },
    state::AppState,
};

/// Messages that cannot be understood, in a row, before the connection is closed with 4501.
const MAX_BAD_MESSAGES: u32 = 10;

/// A map that is dragged says where it is with every frame it draws.
const BURST_MESSAGES: f64 = 400.0;
const MESSAGES_PER_SECOND: f64 = 100.0;

/// `GET /ws/fleet`
pub async fn fleet_socket(
    app: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    origin::check(&app, &request)?;
    let codecs = negotiate(&request)?;
    let codec = codecs.0;
    let holder = authenticate(&app, &request).await?.holder();
    let admission = app.connections.admit(crate::auth::peer::peer_address(&app, &request))?;
    let seat = app.fleet.enter(&app.store, &app.tracker).await?;
    let (response, connection) = upgrade(&request, payload, codecs, Peer::Dispatcher)?;
    admission.open_console(connection.outbox(), holder);
    // What ended before the registry knew of this connection did not close it.
    let by = authenticate(&app, &request).await?;
    access::note(&app, &request, &by, AccessKind::Fleet, None);
    let subscription = app.fleet.subscribe(seat, Arc::clone(connection.outbox()), codec);
    let tasks = app.tasks.clone();
    let session = Session {
        app: app.into_inner(),
        outbox: Arc::clone(connection.outbox()),
        codec,
        subscription,
        allowance: Allowance::new(BURST_MESSAGES, MESSAGES_PER_SECOND),
        bad_messages: 0,
    };
    #[allow(clippy::disallowed_methods, reason = "a session lives on its connection's worker thread")]
    actix_web::rt::spawn(tasks.watched("fleet_socket", false, session.run(connection, admission)));
    Ok(response)
}

async fn authenticate(app: &AppState, request: &HttpRequest) -> Result<Principal, ApiError> {
    let principal = Principal::require(app, request, Scope::FleetRead).await?;
    // Every browser names the origin of a socket. What sends a cookie without one is no browser of ours.
    if matches!(principal, Principal::User { .. }) && !request.headers().contains_key(header::ORIGIN) {
        return Err(ApiError::origin_not_allowed());
    }
    Ok(principal)
}

struct Session {
    app: Arc<AppState>,
    outbox: Arc<Outbox>,
    codec: Codec,
    subscription: Subscription,
    allowance: Allowance,
    bad_messages: u32,
}

impl Session {
    async fn run(mut self, mut connection: Connection, _admission: Admission) {
        loop {
            let wait = self.allowance.wait();
            tokio::select! {
                incoming = connection.next(), if wait.is_none() => match incoming {
                    Incoming::Text(bytes) | Incoming::Binary(bytes) => self.receive(&bytes),
                    Incoming::Closed => break,
                },
                () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => self.check_flood(),
                () = self.outbox.closed(), if wait.is_some() => break,
            }
        }
        let code = self.outbox.closed_with().unwrap_or(1006);
        metrics::counter!("doorstep_socket_closes_total", "socket" => "fleet", "code" => code.to_string()).increment(1);
        // Whoever has left watches nobody, however long the goodbye takes.
        drop(self);
        connection.linger().await;
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.allowance.spend();
        match decode(self.codec, bytes) {
            Ok(message) => self.handle(&message),
            Err(DecodeError::Unreadable(_)) => self.outbox.close(CloseCode::BadMessage),
            Err(DecodeError::UnknownType { kind, id }) => {
                self.refuse(id, "unknown_type", format!("this server does not know messages of type {kind:?}"));
            }
            Err(DecodeError::Invalid { id, message }) => self.invalid(id, message),
        }
    }

    fn handle(&mut self, message: &FleetMessage) {
        match message {
            FleetMessage::Viewport(Viewport { bbox }) => match Area::from_bbox(*bbox) {
                Ok(area) => self.subscription.change_view(|view| view.area = area),
                Err(error) => return self.invalid(None, error.to_string()),
            },
            FleetMessage::Follow(follow) => self.subscription.change_view(|view| view.follow = follow.courier_id),
            FleetMessage::Ping(_) => self.send(&FleetEvent::Pong(self.server_time())),
        }
        self.bad_messages = 0;
    }

    fn invalid(&mut self, id: Option<u64>, message: String) {
        self.bad_messages += 1;
        self.refuse(id, "bad_message", message);
        if self.bad_messages >= MAX_BAD_MESSAGES {
            self.outbox.close(CloseCode::BadMessage);
        }
    }

    fn refuse(&self, id: Option<u64>, code: &str, message: String) {
        self.send(&FleetEvent::Error(ErrorMessage::refusal(id, code, message)));
    }

    fn send(&self, event: &FleetEvent) {
        self.outbox.push(frame(self.codec, event));
    }

    fn check_flood(&self) {
        if self.allowance.is_flood() {
            self.outbox.close(CloseCode::RateLimited);
        }
    }

    fn server_time(&self) -> ServerTime {
        ServerTime { server_time_ms: self.app.clock.now_ms() }
    }
}
