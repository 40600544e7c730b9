//! A dispatcher's console: `GET /ws/fleet`, also for programs with scope `fleet:read`.
//!
//! A browser comes with its session cookie and must say which site's script opens the socket: the cookie is
//! `SameSite`, and only our own origin passes. Programs come with a key. The registry closes the connection when
//! the session or the key ends. What is shown is [`crate::live::fleet`]'s; this reads what the console asks for.

use std::{ops::Deref, sync::Arc};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web::Data};
use doorstep_shared::{
    api::console::AccessKind,
    protocol::{
        CloseCode, Codec, ErrorMessage, ServerTime,
        courier::DecodeError,
        fleet::{FleetEvent, FleetMessage, Viewport, decode},
    },
};
use futures_util::{FutureExt, future::LocalBoxFuture};

use super::{Connection, Handshake, Incoming, allowance::Allowance, count_close, spawn};
use crate::{
    auth::{
        access::{Access, Credential},
        access_recorder::AccessRecorder,
        authenticator::Authenticator,
        origin::{self, AllowedOrigin},
        principal::Principal,
        registered::registered,
        scope::{FleetRead, Scopes},
    },
    error::ApiError,
    live::{
        connections::{Admission, Claim, Connections},
        fleet::{Fleet, Subscription, area::Area},
        outbox::{Outbox, Peer, frame},
        tracker::Tracker,
    },
    platform::{clock::Clock, config::Config, tasks::Tasks},
    store::Store,
};

/// Messages that cannot be understood, in a row, before the connection is closed with 4501.
const MAX_BAD_MESSAGES: u32 = 10;

/// A map that is dragged says where it is with every frame it draws.
const BURST_FRAMES: f64 = 400.0;
const FRAMES_PER_SECOND: f64 = 100.0;

/// What consoles' sockets work with.
#[derive(Debug)]
pub struct FleetSockets {
    /// The time.
    pub clock: Clock,
    /// Tasks of connections.
    pub tasks: Tasks,
    /// The database, where the first console's fleet is read.
    pub store: Store,
    /// Open connections.
    pub connections: Arc<Connections>,
    /// The live state of couriers.
    pub tracker: Arc<Tracker>,
    /// The dispatchers' view.
    pub fleet: Arc<Fleet>,
}

/// A principal who may watch the fleet over a socket: a key with the scope, or a person in a browser of ours.
#[derive(Clone, Debug)]
pub struct FleetWatcher(Principal);

impl Deref for FleetWatcher {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl Credential for FleetWatcher {
    const ACCESS: Access = Access::Scopes(<FleetRead as Scopes>::NEEDED);
}

impl FromRequest for FleetWatcher {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        async move { Self::of(&request).await }.boxed_local()
    }
}

impl FleetWatcher {
    async fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let authenticator = registered::<Authenticator>(request)?;
        let principal = authenticator.require_scopes(request, FleetRead::NEEDED).await?;
        // Every browser names the origin of a socket. A client that sends a cookie without one is no browser of ours.
        if matches!(principal, Principal::User { .. }) {
            let config = registered::<Config>(request)?;
            origin::require(&config, request)?;
        }
        Ok(Self(principal))
    }
}

/// `GET /ws/fleet`
pub async fn fleet_socket(
    sockets: Data<FleetSockets>,
    request: HttpRequest,
    _: AllowedOrigin,
    handshake: Handshake,
    by: FleetWatcher,
    recorder: AccessRecorder,
) -> Result<HttpResponse, ApiError> {
    let codec = handshake.codec;
    let admission = sockets.connections.admit(recorder.peer().0, Claim::Console(by.holder()))?;
    let seat = sockets.fleet.enter(&sockets.store, &sockets.tracker).await?;
    let (response, connection) =
        handshake.upgrade(Peer::Dispatcher, Allowance::new(BURST_FRAMES, FRAMES_PER_SECOND))?;
    admission.open_console(connection.outbox(), by.holder());
    // A credential that ended before the registry knew of this connection did not close it.
    let by = FleetWatcher::of(&request).await?;
    recorder.record(&by, AccessKind::Fleet, None);
    let subscription = sockets.fleet.subscribe(seat, Arc::clone(connection.outbox()), codec);
    let session = Session::new(&sockets.clock, connection.outbox(), codec, subscription);
    spawn(&sockets.tasks, "fleet_socket", session.run(connection, admission));
    Ok(response)
}

/// The session of one console.
struct Session {
    clock: Clock,
    outbox: Arc<Outbox>,
    codec: Codec,
    subscription: Subscription,
    bad_messages: u32,
}

impl Session {
    fn new(clock: &Clock, outbox: &Arc<Outbox>, codec: Codec, subscription: Subscription) -> Self {
        Self { clock: clock.clone(), outbox: Arc::clone(outbox), codec, subscription, bad_messages: 0 }
    }

    async fn run(mut self, mut connection: Connection, admission: Admission) {
        while let Incoming::Text(bytes) | Incoming::Binary(bytes) = connection.next().await {
            self.receive(&bytes);
        }
        count_close("fleet", &self.outbox, &admission);
        // A console that has left watches no courier, however long the close takes.
        drop(self);
        connection.linger().await;
    }

    fn receive(&mut self, bytes: &[u8]) {
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

    fn server_time(&self) -> ServerTime {
        ServerTime { server_time_ms: self.clock.now_ms() }
    }
}
