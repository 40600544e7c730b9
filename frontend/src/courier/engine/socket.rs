//! The socket: opens and drops it as the connection decides, and hands on what comes in over it.

use doorstep_shared::protocol::{
    CloseCode,
    courier::{CourierEvent, CourierMessage, Pace, Ping, Welcome},
};

use super::{Effect, Engine, Moment};
use crate::{
    courier::{state::Tone, text::notices},
    live::connection::{ABNORMAL, Command, Due, Phase},
};

impl Engine {
    pub(super) fn socket_message(&mut self, at: Moment, event: CourierEvent) {
        let asked_ms = self.connection.opening_since_ms();
        self.connection.heard(at.now_ms);
        match event {
            CourierEvent::Welcome(welcome) => self.welcomed(at, asked_ms, welcome),
            CourierEvent::Ack(ack) => self.acked(at, &ack),
            CourierEvent::Stops(stops) => self.stops_came(at, stops.stops, stops.version),
            CourierEvent::Pace(pace) => self.pace_came(pace),
            CourierEvent::Audience(audience) => self.audience = Some(audience),
            CourierEvent::Error(error) => self.error_came(at, &error),
            CourierEvent::Heartbeat(time) => self.heartbeat_came(time.server_time_ms),
            CourierEvent::Pong(time) => self.pong_came(time.server_time_ms),
            CourierEvent::Area(_) => self.out.push(Effect::RenewArea),
        }
    }

    pub(super) fn socket_closed(&mut self, at: Moment, code: u16) {
        let before = self.connection.closed(at.now_ms, at.random, code);
        self.out.push(Effect::CloseSocket);
        self.lost_socket(at, before == Phase::Up);
        match CloseCode::ALL.into_iter().find(|known| known.code() == code) {
            Some(CloseCode::Unauthorized) => self.revoke(at),
            Some(CloseCode::Superseded) => self.supersede(),
            _ if !CloseCode::should_reconnect(code) => self.screens.notify(Tone::Bad, notices::not_understood()),
            _ => {}
        }
    }

    pub(super) fn network(&mut self, at: Moment, has_network: bool) {
        self.connection.set_network(has_network);
        // Without a network no socket can open; one that is up is probed, for the device may be wrong.
        if has_network || self.connection.is_up() {
            let command = self.connection.nudge(at.now_ms);
            self.follow(command);
        }
        if has_network {
            self.retry_door(at);
        }
    }

    /// Opens the socket when its wait is over, and gives up one that is silent or never opened.
    pub(super) fn tick_connection(&mut self, at: Moment) {
        match self.connection.due(at.now_ms) {
            Some(Due::Open) => {
                let command = self.connection.connect(at.now_ms);
                self.follow(command);
            }
            Some(Due::GiveUp) => {
                self.connection.closed(at.now_ms, at.random, ABNORMAL);
                self.lost_socket(at, false);
                self.out.push(Effect::CloseSocket);
            }
            None => {}
        }
    }

    /// Does what the connection asks for.
    pub(super) fn follow(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Open) => self.out.push(Effect::OpenSocket),
            Some(Command::Close) => self.out.push(Effect::CloseSocket),
            Some(Command::Ping) => self.ping(),
            None => {}
        }
    }

    pub(super) fn ping(&mut self) {
        self.storage.memory.presence.pinged();
        self.clock.comparison.asked();
        self.out.push(Effect::Send(CourierMessage::Ping(Ping {})));
    }

    /// Nothing that was on its way counts any more.
    fn lost_socket(&mut self, at: Moment, was_up: bool) {
        self.uploads.disconnected();
        self.plan.disconnected();
        self.storage.memory.presence.disconnected();
        self.audience = None;
        if !was_up {
            self.check_session(at);
        }
    }

    fn welcomed(&mut self, at: Moment, asked_ms: Option<f64>, welcome: Welcome) {
        self.clock.comparison.connected(asked_ms, welcome.server_time_ms);
        self.storage.memory.presence.connected();
        if self.clock.comparison.sure_ms().is_none() {
            self.doubt_clock();
        }
        self.check_clock();
        self.pace_came(welcome.pace);
        let memory = &self.storage.memory;
        if (memory.may_reorder, &memory.office_phone) != (welcome.may_reorder, &welcome.office_phone) {
            let memory = self.storage.remember();
            (memory.may_reorder, memory.office_phone) = (welcome.may_reorder, welcome.office_phone);
        }
        self.stops_came(at, welcome.stops, welcome.version);
        self.tour.due_ms = Some(at.now_ms);
    }

    fn pace_came(&mut self, pace: Pace) {
        if self.positions.sampler.pace() != &pace {
            self.positions.sampler.set_pace(pace.clone());
            self.storage.remember().pace = Some(pace);
        }
    }

    fn heartbeat_came(&mut self, server_time_ms: i64) {
        self.clock.comparison.heard(server_time_ms);
        if self.clock.comparison.sure_ms().is_none() {
            self.ping();
        }
        self.check_clock();
    }

    fn pong_came(&mut self, server_time_ms: i64) {
        self.clock.comparison.ponged(server_time_ms);
        self.check_clock();
        if self.storage.memory.presence.ponged() {
            self.storage.remember();
            self.presence_was_read();
        }
    }
}
