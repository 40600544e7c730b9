//! A courier's phone: `GET /ws/courier`.
//!
//! Reads one message after another and keeps up to a fixed number of batches on their way to the database at
//! once. When that many wait, it stops reading, and the phone's own queue and TCP do the rest. An ack goes out
//! when its batch is committed and not before. A batch that could not be stored is answered `unavailable`.

mod reports;

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web::Data};
use doorstep_shared::protocol::{
    CloseCode, Codec, ErrorMessage, ServerTime,
    courier::{
        Ack, CourierEvent, CourierIdentity, CourierMessage, DecodeError, Fixes, MAX_FIXES, Stops, Welcome, decode,
    },
};
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};

use self::reports::{change_status, note_presence, note_report, note_seen, unavailable};
use super::{Connection, Handshake, Incoming, allowance::Allowance, count_close, spawn};
use crate::{
    auth::{authenticator::Authenticator, courier::CourierSocketDevice, peer::PeerAddress},
    error::ApiError,
    live::{
        broker::{Broker, Fact},
        connections::{Admission, Claim, ConnectedDevice, Connections},
        outbox::{Outbox, Peer, frame},
    },
    platform::{clock::Clock, tasks::Tasks},
    service::{
        ingest::{Ingest, Origin, Tense, row_limit::RowAllowance},
        orders::{lifecycle::Orders, plans::Plans},
        pacing::Pacing,
        presence::Presences,
    },
    store::couriers::SignedInDevice,
};

/// Messages of one phone that may wait for the database at once. At a fix a second the marker moves on through
/// more than eight minutes of an absent database. What waits in all is bounded by the fix writer's queue.
const MAX_IN_FLIGHT: usize = 512;

/// Messages that cannot be understood, in a row, before the connection is closed with 4501.
const MAX_BAD_MESSAGES: u32 = 10;

/// How many frames a phone may send at once, and how many a second after that. A backlog comes in bursts of large
/// messages; no phone needs more than this. Its fixes are counted, too; see [`Ingest::rows_of`].
const BURST_FRAMES: f64 = 400.0;
const FRAMES_PER_SECOND: f64 = 50.0;

/// How long what a phone sent before it went away gets to reach the database and its viewers. A database that takes
/// longer is away, and the phone sends again what was not acked.
const DRAIN_PATIENCE: Duration = Duration::from_secs(3);

/// What couriers' sockets work with.
#[derive(Debug)]
pub struct CourierSockets {
    /// The time.
    pub clock: Clock,
    /// Tasks of connections.
    pub tasks: Tasks,
    /// Who the phones belong to.
    pub authenticator: Arc<Authenticator>,
    /// Open connections.
    pub connections: Arc<Connections>,
    /// Other instances.
    pub broker: Arc<dyn Broker>,
    /// The way in for fixes.
    pub ingest: Ingest,
    /// The use cases of orders.
    pub orders: Arc<Orders>,
    /// Couriers' plans, read into the live view.
    pub plans: Arc<Plans>,
    /// Whether couriers share their position.
    pub presences: Arc<Presences>,
    /// How often phones report.
    pub pacing: Arc<Pacing>,
    /// The dispatch office's number.
    pub office_phone: Option<String>,
    /// Whether couriers may put their own stops in another order.
    pub may_reorder: bool,
}

/// `GET /ws/courier`
pub async fn courier_socket(
    sockets: Data<CourierSockets>,
    request: HttpRequest,
    handshake: Handshake,
    CourierSocketDevice(device): CourierSocketDevice,
    peer: PeerAddress,
) -> Result<HttpResponse, ApiError> {
    let codec = handshake.codec;
    let mut admission = sockets.connections.admit(peer.0, Claim::Device(device.device))?;
    let (response, connection) = handshake.upgrade(Peer::Courier, Allowance::new(BURST_FRAMES, FRAMES_PER_SECOND))?;
    // What changes from here on waits in the outbox behind the welcome, so the plan is read only once.
    connection.outbox().await_greeting();
    sockets.open(&mut admission, connection.outbox(), &device);
    // A revocation before the device was registered did not find this connection.
    let device = sockets.authenticator.courier_socket(&request).await?;
    let origin = sockets.ingest.origin(&device, 0, Tense::Live).await?;
    let stops = sockets.plans.stops_of(&device.courier).await?;
    let tasks = sockets.tasks.clone();
    let session = Session::new(sockets.into_inner(), connection.outbox(), codec, (device, origin));
    spawn(&tasks, "courier_socket", session.run(connection, admission, stops));
    Ok(response)
}

impl CourierSockets {
    /// Registers a device's connection here, and tells the other instances.
    fn open(&self, admission: &mut Admission, outbox: &Arc<Outbox>, signed_in: &SignedInDevice) {
        let at_ms = self.clock.now_ms();
        admission.open_courier(outbox, ConnectedDevice::from(signed_in), at_ms);
        if self.broker.has_peers() {
            let (courier, device) = (signed_in.courier.id, signed_in.device);
            self.broker.tell(Fact::DeviceConnected { courier, device, at_ms });
        }
    }
}

/// The answer to a message, when there is one.
type Pending = LocalBoxFuture<'static, Option<CourierEvent>>;

struct Session {
    sockets: Arc<CourierSockets>,
    outbox: Arc<Outbox>,
    codec: Codec,
    signed_in: SignedInDevice,
    origin: Origin,
    in_flight: FuturesUnordered<Pending>,
    /// The order of this phone's reports. Fixes may overtake each other, as fix time orders them; "at
    /// the door" must not arrive after "delivered". The queue of a tokio mutex is first come, first served.
    report_turn: Arc<tokio::sync::Mutex<()>>,
    bad_messages: u32,
    rows: Arc<RowAllowance>,
}

impl Session {
    fn new(
        sockets: Arc<CourierSockets>,
        outbox: &Arc<Outbox>,
        codec: Codec,
        (signed_in, origin): (SignedInDevice, Origin),
    ) -> Self {
        Self {
            rows: sockets.ingest.rows_of(signed_in.courier.id),
            sockets,
            outbox: Arc::clone(outbox),
            codec,
            signed_in,
            origin,
            in_flight: FuturesUnordered::new(),
            report_turn: Arc::default(),
            bad_messages: 0,
        }
    }

    async fn run(mut self, mut connection: Connection, admission: Admission, stops: Stops) {
        tracing::debug!(courier.id = %self.signed_in.courier.id, "courier connected");
        self.welcome(stops);
        loop {
            let wait = self.rows.wait();
            let may_read = self.in_flight.len() < MAX_IN_FLIGHT && wait.is_none();
            tokio::select! {
                biased;
                Some(answer) = self.in_flight.next() => answer.iter().for_each(|answer| self.send(answer)),
                incoming = connection.next(), if may_read => match incoming {
                    Incoming::Text(bytes) | Incoming::Binary(bytes) => self.receive(&bytes),
                    Incoming::Closed => break,
                },
                () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {}
                () = self.outbox.closed(), if !may_read => break,
            }
        }
        let code = count_close("courier", &self.outbox, &admission);
        tracing::debug!(courier.id = %self.signed_in.courier.id, close.code = code, "courier disconnected");
        self.leave(&mut connection, admission).await;
    }

    /// Ends the connection, and sees through what was received: the phone says "off duty" and "delivered" just before it
    /// goes, and will not always come back to say it again.
    async fn leave(&mut self, connection: &mut Connection, admission: Admission) {
        let leaving = async {
            connection.linger().await;
            drop(admission);
        };
        let drained = async { while self.in_flight.next().await.is_some() {} };
        let (_, drained) = tokio::join!(leaving, tokio::time::timeout(DRAIN_PATIENCE, drained));
        if drained.is_err() {
            tracing::debug!(courier.id = %self.signed_in.courier.id, "some of a phone's last messages were not stored");
        }
    }

    fn welcome(&self, Stops { stops, version }: Stops) {
        let courier = &self.signed_in.courier;
        let told = self.sockets.pacing.greet(courier.id);
        let welcome = CourierEvent::Welcome(Welcome {
            server_time_ms: self.sockets.clock.now_ms(),
            courier: CourierIdentity { id: courier.id, name: courier.name.clone() },
            max_fixes: MAX_FIXES as u32,
            pace: told.pace.to_wire(),
            stops,
            version,
            office_phone: self.sockets.office_phone.clone(),
            may_reorder: Some(self.sockets.may_reorder),
        });
        self.outbox
            .push_greeting([frame(self.codec, &welcome), frame(self.codec, &CourierEvent::Audience(told.audience))]);
    }

    fn receive(&mut self, bytes: &[u8]) {
        match decode(self.codec, bytes) {
            Ok(message) => {
                self.bad_messages = 0;
                self.handle(message);
            }
            Err(DecodeError::Unreadable(_)) => self.outbox.close(CloseCode::BadMessage),
            Err(DecodeError::UnknownType { kind, id }) => {
                self.refuse(id, "unknown_type", format!("this server does not know messages of type {kind:?}"));
            }
            Err(DecodeError::Invalid { id, message }) => {
                self.bad_messages += 1;
                self.refuse(id, "bad_message", message);
                if self.bad_messages >= MAX_BAD_MESSAGES {
                    self.outbox.close(CloseCode::BadMessage);
                }
            }
        }
    }

    fn handle(&mut self, message: CourierMessage) {
        match message {
            CourierMessage::Fixes(fixes) => self.store(&fixes),
            CourierMessage::Status(report) => self.in_flight.push(change_status(self, report).map(Some).boxed_local()),
            CourierMessage::Presence(report) => {
                self.in_flight.push(note_presence(self, report).map(|()| None).boxed_local())
            }
            CourierMessage::Report(report) => self.in_flight.push(note_report(self, report).map(Some).boxed_local()),
            CourierMessage::Seen(seen) => self.in_flight.push(note_seen(self, seen).map(|()| None).boxed_local()),
            CourierMessage::Ping(_) => self.send(&CourierEvent::Pong(self.server_time())),
        }
    }

    fn store(&mut self, batch: &Fixes) {
        self.rows.spend(batch.fixes.len());
        let accepted = self.sockets.ingest.accept(self.origin, Tense::Live, &batch.fixes);
        let id = batch.id;
        self.in_flight.push(Box::pin(async move {
            Some(match accepted.await {
                Ok(receipt) => CourierEvent::Ack(Ack {
                    id,
                    stored: receipt.stored,
                    duplicates: receipt.duplicates,
                    rejected: receipt.rejected,
                }),
                Err(_) => CourierEvent::Error(unavailable(id)),
            })
        }));
    }

    fn send(&self, event: &CourierEvent) {
        self.outbox.push(frame(self.codec, event));
    }

    fn refuse(&self, id: Option<u64>, code: &str, message: String) {
        self.send(&CourierEvent::Error(ErrorMessage::refusal(id, code, message)));
    }

    fn server_time(&self) -> ServerTime {
        ServerTime { server_time_ms: self.sockets.clock.now_ms() }
    }
}
