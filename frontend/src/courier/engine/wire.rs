//! Talks to the server: what comes in over the socket, and what goes out when it may.

use doorstep_shared::{
    OrderId, OrderStatus,
    api::courier::Tour,
    protocol::{
        CloseCode, ErrorMessage,
        courier::{Ack, CourierEvent, CourierMessage, Pace, Ping, StatusReport, Stop, Welcome},
    },
};

use super::{Effect, Engine, Moment, Slot, TOUR_AGAIN_MS};
use crate::courier::{
    outbox::actions::{Action, Deed},
    sentences,
    state::{Door, Tone},
    stops,
};

/// What the server does not say how long to wait for.
const UNAVAILABLE_WAIT_MS: f64 = 2_000.0;

/// A batch that the server does not understand is not given up, yet not pressed on it either.
const NOT_UNDERSTOOD_WAIT_MS: f64 = 60_000.0;

impl Engine {
    pub(super) fn socket_message(&mut self, at: Moment, event: CourierEvent) {
        let asked_ms = self.line.opening_since_ms();
        self.line.heard(at.now_ms);
        match event {
            CourierEvent::Welcome(welcome) => self.welcomed(at, asked_ms, welcome),
            CourierEvent::Ack(ack) => self.acked(at, &ack),
            CourierEvent::Stops(stops) => self.stops_came(at, stops.stops),
            CourierEvent::Pace(pace) => self.pace_came(pace),
            CourierEvent::Audience(audience) => self.audience = Some(audience),
            CourierEvent::Error(error) => self.error_came(at, &error),
            CourierEvent::Heartbeat(time) => {
                self.clock.heard(time.server_time_ms);
                if self.clock.sure_ms().is_none() {
                    self.ping();
                }
                self.check_clock();
            }
            CourierEvent::Pong(time) => {
                self.clock.ponged(time.server_time_ms);
                self.check_clock();
                if self.memory.presence.ponged() {
                    self.is_memory_new = true;
                    self.told_presence();
                }
            }
        }
    }

    pub(super) fn socket_closed(&mut self, at: Moment, code: u16) {
        let was_up = self.line.closed(at.now_ms, at.random, code);
        self.out.push(Effect::CloseSocket);
        self.lost_socket(at, was_up);
        match CloseCode::ALL.into_iter().find(|known| known.code() == code) {
            Some(CloseCode::Unauthorized) => self.revoke(at),
            Some(CloseCode::Superseded) => self.supersede(),
            _ if !CloseCode::should_reconnect(code) => self.notify(Tone::Bad, sentences::not_understood()),
            _ => {}
        }
    }

    /// Nothing that was on its way counts any more.
    pub(super) fn lost_socket(&mut self, at: Moment, was_up: bool) {
        self.fixes.disconnected();
        self.actions.disconnected();
        self.memory.presence.disconnected();
        self.audience = None;
        if !was_up {
            self.check_session(at);
        }
    }

    pub(super) fn network(&mut self, at: Moment, has_network: bool) {
        self.line.set_network(has_network);
        // Without a network there is nothing to open a socket with; one that is up is asked, for the device may be wrong.
        if has_network || self.line.is_up() {
            let step = self.line.nudge(at.now_ms);
            self.follow(step);
        }
        if has_network {
            self.retry_door(at);
        }
    }

    pub(super) fn ping(&mut self) {
        self.memory.presence.pinged();
        self.clock.asked();
        self.out.push(Effect::Send(CourierMessage::Ping(Ping {})));
    }

    /// Sends what may be sent now: how things stand first, positions live first, then one action. What is dated by a clock
    /// in doubt waits for a moment: the server would refuse it for good, or end a pause that goes on.
    pub(super) fn pump(&mut self, at: Moment) {
        if !self.line.is_up() || self.clock.is_doubted() {
            return;
        }
        let reports = self.memory.presence.take();
        if !reports.is_empty() {
            self.out.extend(reports.into_iter().map(|report| Effect::Send(CourierMessage::Presence(report))));
            self.ping();
        }
        if at.now_ms < self.hold_until_ms {
            return;
        }
        while let Some(message) = self.fixes.next(self.next_id) {
            self.next_id += 1;
            self.out.push(Effect::Send(CourierMessage::Fixes(message)));
        }
        if let Some(action) = self.actions.next(at.now_ms) {
            self.out.push(carry(action));
        }
    }

    pub(super) fn toured(&mut self, at: Moment, tour: Option<Tour>) {
        let Some(tour) = tour else {
            self.tour_due_ms = Some(at.now_ms + TOUR_AGAIN_MS);
            return;
        };
        let legs = stops::legs(&tour);
        if self.memory.legs != legs {
            self.remember().legs = legs;
        }
        self.way = tour.line;
    }

    /// An action is over, one way or another.
    pub(super) fn delete_action(&mut self, id: u64) {
        self.write(Slot::Action(id), None);
    }

    fn welcomed(&mut self, at: Moment, asked_ms: Option<f64>, welcome: Welcome) {
        self.clock.connected(asked_ms, welcome.server_time_ms);
        self.memory.presence.connected();
        if self.clock.sure_ms().is_none() {
            self.doubt_clock();
        }
        self.check_clock();
        self.pace_came(welcome.pace);
        self.stops_came(at, welcome.stops);
        self.tour_due_ms = Some(at.now_ms);
    }

    fn pace_came(&mut self, pace: Pace) {
        if self.sampler.pace() != &pace {
            self.sampler.set_pace(pace.clone());
            self.remember().pace = Some(pace);
        }
    }

    fn stops_came(&mut self, at: Moment, stops: Vec<Stop>) {
        if self.memory.stops.as_ref() == Some(&stops) {
            return;
        }
        if let Some(before) = self.memory.stops.clone() {
            let (came, went) = stops::changes(&before, &stops);
            came.iter().for_each(|stop| self.notify(Tone::Quiet, sentences::new_order(stop)));
            let gone = went.iter().filter(|stop| !self.will_hear_of(stop.order_id)).cloned().collect::<Vec<_>>();
            for stop in gone {
                self.notify(Tone::Quiet, sentences::order_gone(&stop));
                self.drop_draft(stop.order_id);
            }
        }
        self.remember().stops = Some(stops);
        self.tour_due_ms = Some(at.now_ms);
    }

    /// Whether something the courier did on this order waits: the answer to it says what there is to say.
    fn will_hear_of(&self, order_id: OrderId) -> bool {
        self.actions.iter().any(|action| action.order_id == order_id)
    }

    fn acked(&mut self, at: Moment, ack: &Ack) {
        let settled = self.fixes.acked(ack);
        if !settled.gone_ms.is_empty() {
            self.want_way(at);
        }
        settled.gone_ms.into_iter().for_each(|time_ms| self.write(Slot::Fix(time_ms), None));
        if settled.off_duty > 0 {
            self.notify(Tone::Quiet, sentences::off_duty(settled.off_duty));
        }
        if settled.in_future > 0 {
            self.notify(Tone::Warn, sentences::in_future(settled.in_future));
        }
        if let Some(action) = self.actions.done(ack.id) {
            self.delete_action(action.id);
            self.status_taken(&action);
        }
    }

    /// The server knows now where the courier is; without that, the tour it sent had no way and no times.
    fn want_way(&mut self, at: Moment) {
        if !self.way.is_empty() || self.memory.stops.as_ref().is_none_or(Vec::is_empty) {
            return;
        }
        let soon_ms = self.tour_asked_ms.map_or(at.now_ms, |asked_ms| at.now_ms.max(asked_ms + TOUR_AGAIN_MS));
        self.tour_due_ms = Some(self.tour_due_ms.map_or(soon_ms, |due_ms| due_ms.min(soon_ms)));
    }

    fn status_taken(&mut self, action: &Action) {
        let Deed::Status { status, .. } = action.deed else { return };
        let mut stops = self.memory.stops.clone().unwrap_or_default();
        stops::advance(&mut stops, action.order_id, status);
        if self.memory.stops.as_ref().is_some_and(|before| *before != stops) {
            self.remember().stops = Some(stops);
        }
        if status.is_final() || status == OrderStatus::Failed {
            self.drop_draft(action.order_id);
        }
    }

    fn error_came(&mut self, at: Moment, error: &ErrorMessage) {
        let Some(id) = error.id else { return };
        let is_temporary = error.code == "unavailable" || error.retry_after_ms.is_some();
        let told_ms = error.retry_after_ms.map_or(UNAVAILABLE_WAIT_MS, |wait_ms| wait_ms as f64);
        if self.fixes.refused(id) {
            let wait_ms = if is_temporary { told_ms } else { NOT_UNDERSTOOD_WAIT_MS };
            self.hold_until_ms = self.hold_until_ms.max(at.now_ms + wait_ms);
        } else if is_temporary {
            self.actions.again(id, at.now_ms, at.random, told_ms);
        } else {
            self.status_refused(id, error);
        }
    }

    fn status_refused(&mut self, id: u64, error: &ErrorMessage) {
        let Some(action) = self.actions.refused(id).action else { return };
        self.delete_action(id);
        let Deed::Status { status, .. } = action.deed else { return };
        self.notify(Tone::Bad, sentences::conflict(&action, status, error));
        if error.code == "not_found" {
            self.drop_rest_of(action.order_id);
        }
    }

    /// An order that is not this courier's any more: one sentence is enough for everything that waits on it.
    pub(super) fn drop_rest_of(&mut self, order_id: OrderId) {
        let rest: Vec<u64> =
            self.actions.iter().filter(|action| action.order_id == order_id).map(|action| action.id).collect();
        for id in rest {
            self.actions.refused(id);
            self.delete_action(id);
        }
        self.drop_draft(order_id);
    }

    /// What ended with the shift's door is not sent any more.
    pub(super) fn is_open(&self) -> bool {
        self.door == Door::Open
    }
}

fn carry(action: Action) -> Effect {
    let Action { id, order_id, time_ms, deed, .. } = action;
    match deed {
        Deed::Status { status, note } => {
            Effect::Send(CourierMessage::Status(StatusReport { id, order_id, status, time_ms, note }))
        }
        Deed::Proof { proof_id, body, .. } => Effect::PutProof { id, order_id, proof_id, taken_ms: time_ms, body },
    }
}
