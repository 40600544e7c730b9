//! The task of a courier's device: connect, talk, lose the connection, come back.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use doorstep_shared::protocol::{
    Codec, ErrorMessage, SILENCE_LIMIT_MS,
    courier::{Ack, CourierEvent, CourierMessage, PresenceReport, Seen, Stop, Welcome},
};
use tokio::sync::{mpsc, watch};

use super::{Command, CourierLog, CourierOptions, CourierState, FixOutcome, MAX_FIXES_OF_JSON, Outbox, Settled, lock};
use crate::{
    backoff::Backoff,
    socket::{Ended, Incoming, Socket},
};

const SILENCE_LIMIT: Duration = Duration::from_millis(SILENCE_LIMIT_MS);
// Longer than a database needs to come back; then the message may have been lost inside the server.
const ACK_LIMIT: Duration = Duration::from_secs(60);
const CHECK_EVERY: Duration = Duration::from_secs(5);
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) struct Session {
    options: CourierOptions,
    commands: mpsc::Receiver<Command>,
    log: Arc<Mutex<CourierLog>>,
    state: watch::Sender<CourierState>,
    outbox: Outbox,
    /// Said again on every connection: the server may have forgotten it.
    presence: Option<PresenceReport>,
    presence_unsent: bool,
    /// The version of a plan that the screen shows and the server does not know of.
    seen_unsent: Option<u64>,
    reachable: bool,
    max_fixes: u32,
    /// How many commands were obeyed.
    taken: u64,
}

#[allow(
    clippy::large_enum_variant,
    reason = "there is one at a time, and a box for each would cost more than it saves"
)]
enum Event {
    Incoming(Result<Incoming<CourierEvent>, Ended>),
    Command(Option<Command>),
    Check,
}

/// The owner let go of the bot.
struct OwnerGone;

impl Session {
    pub(super) fn new(
        options: CourierOptions,
        commands: mpsc::Receiver<Command>,
        log: Arc<Mutex<CourierLog>>,
        state: watch::Sender<CourierState>,
    ) -> Self {
        Self {
            options,
            commands,
            log,
            state,
            outbox: Outbox::default(),
            presence: None,
            presence_unsent: false,
            seen_unsent: None,
            reachable: true,
            max_fixes: 1,
            taken: 0,
        }
    }

    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(self.options.random.clone());
        loop {
            let Ok(ended) = self.one_connection(&mut backoff).await else { break };
            lock(&self.log).note_lost(ended.code());
            match ended {
                Ended::Stop { code } => {
                    lock(&self.log).stopped_with = Some(code);
                    break;
                }
                Ended::Reconnect { not_before, reason, .. } => {
                    tracing::debug!(reason, "courier lost the server");
                    if self.stay_away(backoff.next_delay().max(not_before)).await.is_err() {
                        break;
                    }
                }
            }
        }
        self.state.send_modify(|state| state.stopped = true);
    }

    /// Connects and talks until the connection is over.
    async fn one_connection(&mut self, backoff: &mut Backoff) -> Result<Ended, OwnerGone> {
        let url = self.options.server.ws("/ws/courier");
        let connecting = Socket::connect(&url, self.options.codec, Some(&self.options.device_token));
        let mut socket = match connecting.await {
            Ok(socket) => socket,
            Err(ended) => return Ok(ended),
        };
        let established = Instant::now();
        lock(&self.log).connections += 1;
        let ended = self.talk(&mut socket).await;
        self.outbox.disconnected();
        self.publish(|state| state.connected = false);
        backoff.lost_after(established.elapsed());
        if ended.is_err() {
            socket.close().await;
        }
        ended
    }

    async fn talk(&mut self, socket: &mut Socket) -> Result<Ended, OwnerGone> {
        let mut heard = Instant::now();
        let mut check_at = heard + CHECK_EVERY;
        loop {
            // Not only when nothing else happens: who goes on recording notices silence, too.
            if Instant::now() >= check_at {
                check_at += CHECK_EVERY;
                if let Some(reason) = self.why_give_up(heard) {
                    return Ok(Ended::lost(reason));
                }
            }
            if let Err(ended) = self.flush(socket).await {
                return Ok(last_words(socket, ended).await);
            }
            self.publish_unsettled();
            match self.next_event(socket, check_at).await {
                Event::Incoming(Err(ended)) => return Ok(ended),
                Event::Incoming(Ok(incoming)) => {
                    heard = Instant::now();
                    self.take(incoming);
                }
                Event::Command(None) => return Err(OwnerGone),
                Event::Command(Some(command)) => self.obey(command),
                Event::Check => {}
            }
        }
    }

    async fn next_event(&mut self, socket: &mut Socket, check_at: Instant) -> Event {
        let wake = self.outbox.waits_until().map_or(check_at, |until| until.min(check_at));
        tokio::select! {
            incoming = socket.receive() => Event::Incoming(incoming),
            command = self.commands.recv() => Event::Command(command),
            () = tokio::time::sleep_until(wake.into()) => Event::Check,
        }
    }

    fn why_give_up(&self, heard: Instant) -> Option<&'static str> {
        if heard.elapsed() > SILENCE_LIMIT {
            return Some("the server fell silent");
        }
        let waits_too_long = self.outbox.oldest_in_flight().is_some_and(|sent_at| sent_at.elapsed() > ACK_LIMIT);
        waits_too_long.then_some("a message got no answer")
    }

    /// Sends what may be sent.
    async fn flush(&mut self, socket: &mut Socket) -> Result<(), Ended> {
        if !self.reachable {
            return Ok(());
        }
        if let Some(presence) = self.presence.filter(|_| self.presence_unsent) {
            send(socket, &CourierMessage::Presence(presence)).await?;
            self.presence_unsent = false;
        }
        if let Some(version) = self.seen_unsent {
            send(socket, &CourierMessage::Seen(Seen { version })).await?;
            self.seen_unsent = None;
        }
        while let Some(message) = self.outbox.next_message(Instant::now()) {
            if let CourierMessage::Fixes(fixes) = &message {
                lock(&self.log).note_sent(&fixes.fixes);
            }
            send(socket, &message).await?;
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) {
        self.taken += 1;
        match command {
            Command::Record(fixes) => self.outbox.record(fixes),
            Command::Report { order_id, status, time_ms, note } => self.outbox.report(order_id, status, time_ms, note),
            Command::HoldUp(report) => self.outbox.hold_up(report),
            Command::Presence(report) => {
                self.presence = Some(report);
                self.presence_unsent = true;
            }
            Command::Reachable(reachable) => self.set_reachable(reachable),
        }
    }

    /// A dead zone is an outage as the queue sees it, though the connection may live through it.
    fn set_reachable(&mut self, reachable: bool) {
        if reachable == self.reachable {
            return;
        }
        self.reachable = reachable;
        if reachable && self.state.borrow().connected {
            self.outbox.connected(self.max_fixes);
        } else if !reachable {
            self.outbox.paused();
        }
    }

    fn take(&mut self, incoming: Incoming<CourierEvent>) {
        match incoming {
            Incoming::Message(event) => self.take_event(event),
            Incoming::Unreadable(reason) => self.note_violation(reason),
            Incoming::Sign => {}
        }
    }

    fn take_event(&mut self, event: CourierEvent) {
        match event {
            CourierEvent::Welcome(welcome) => self.welcomed(welcome),
            CourierEvent::Ack(ack) => self.acknowledged(&ack),
            CourierEvent::Error(error) => self.refused(&error),
            CourierEvent::Stops(stops) => self.show(stops.stops, stops.version),
            CourierEvent::Pace(pace) => self.publish(|state| state.pace = Some(pace)),
            CourierEvent::Audience(audience) => self.publish(|state| state.audience = Some(audience)),
            CourierEvent::Heartbeat(_) | CourierEvent::Pong(_) | CourierEvent::Area(_) => {}
        }
    }

    fn welcomed(&mut self, welcome: Welcome) {
        self.max_fixes = match self.options.codec {
            Codec::Json => welcome.max_fixes.min(MAX_FIXES_OF_JSON as u32),
            Codec::Postcard => welcome.max_fixes,
        };
        self.presence_unsent = self.presence.is_some();
        if self.reachable {
            self.outbox.connected(self.max_fixes);
        }
        self.publish(|state| {
            state.connected = true;
            state.pace = Some(welcome.pace);
        });
        self.show(welcome.stops, welcome.version);
    }

    /// Shows a plan, and says so if the server counts plans.
    fn show(&mut self, stops: Vec<Stop>, version: Option<u64>) {
        self.seen_unsent = version;
        self.publish(|state| (state.stops, state.plan_version) = (stops, version));
    }

    fn acknowledged(&mut self, ack: &Ack) {
        match self.outbox.acknowledged(ack) {
            Ok(settled) => self.settle(settled),
            Err(violation) => self.note_violation(violation.0),
        }
    }

    fn refused(&mut self, error: &ErrorMessage) {
        match self.outbox.refused(error, Instant::now()) {
            Ok(Some(settled)) => self.settle(settled),
            Ok(None) => {}
            Err(violation) => self.note_violation(violation.0),
        }
    }

    fn settle(&mut self, settled: Settled) {
        let now = Instant::now();
        let mut log = lock(&self.log);
        match settled {
            Settled::Status(report, outcome) => log.statuses.push((report, outcome)),
            Settled::Report(report, outcome) => log.reports.push((report, outcome)),
            Settled::Fixes(fixes) => {
                for (recorded, outcome) in fixes {
                    log.note_outcome(recorded.fix.time_ms, outcome);
                    if let (FixOutcome::Acked, Some(on_ack)) = (outcome, &mut self.options.on_ack) {
                        on_ack(&recorded, now);
                    }
                }
            }
        }
    }

    fn note_violation(&mut self, text: String) {
        tracing::debug!(text, "the server broke its contract with a courier");
        lock(&self.log).violations.push(text);
    }

    fn publish(&self, change: impl FnOnce(&mut CourierState)) {
        self.state.send_modify(change);
    }

    fn publish_unsettled(&self) {
        let (unsettled, taken) = (self.outbox.unsettled(), self.taken);
        self.state.send_if_modified(|state| {
            let before =
                (std::mem::replace(&mut state.unsettled, unsettled), std::mem::replace(&mut state.taken, taken));
            before != (unsettled, taken)
        });
    }

    /// Sleeps, while what is recorded meanwhile is kept.
    async fn stay_away(&mut self, pause: Duration) -> Result<(), OwnerGone> {
        let until = tokio::time::Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Ok(()),
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return Err(OwnerGone),
                },
            }
            self.publish_unsettled();
        }
    }
}

async fn send(socket: &mut Socket, message: &CourierMessage) -> Result<(), Ended> {
    match tokio::time::timeout(SEND_TIMEOUT, socket.send(message)).await {
        Ok(sent) => sent,
        Err(_) => Err(Ended::lost("the server does not read")),
    }
}

/// A server that closed the connection may have said why, behind what we have not read yet.
async fn last_words(socket: &mut Socket, ended: Ended) -> Ended {
    let reading = async {
        loop {
            if let Err(ended) = socket.receive::<CourierEvent>().await {
                return ended;
            }
        }
    };
    match tokio::time::timeout(Duration::from_millis(100), reading).await {
        Ok(said) if said.code().is_some() => said,
        _ => ended,
    }
}
