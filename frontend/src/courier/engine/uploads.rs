//! What waits on the phone for the server: sends it when it may go, and settles it when the server answers.

use doorstep_shared::{
    OrderId,
    protocol::{
        ErrorMessage,
        courier::{Ack, CourierMessage, OrderReport, StatusReport},
        encode_json,
    },
};

use super::{Effect, Engine, Moment, ProofAnswer, Slot, screens::About};
use crate::courier::{
    outbox::{
        actions::{Action, ActionQueue, Deed},
        fixes::FixQueue,
    },
    state::{StopCard, Tone},
    text::notices,
};

/// The wait after an error that names none.
const UNAVAILABLE_WAIT_MS: f64 = 2_000.0;

/// The wait before the phone sends a batch again that the server did not understand. It keeps the positions.
const NOT_UNDERSTOOD_WAIT_MS: f64 = 60_000.0;

/// The queues of positions and actions, which share one sequence of message ids.
#[derive(Clone, Debug)]
pub(super) struct Uploads {
    pub(super) fixes: FixQueue,
    pub(super) actions: ActionQueue,
    next_id: u64,
    /// Positions and actions wait until then.
    hold_until_ms: f64,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { fixes: FixQueue::default(), actions: ActionQueue::default(), next_id: 1, hold_until_ms: 0.0 }
    }
}

impl Uploads {
    pub(super) fn is_empty(&self) -> bool {
        self.fixes.is_empty() && self.actions.is_empty()
    }

    /// Ids from before are not given out again.
    pub(super) fn skip_id(&mut self, id: u64) {
        self.next_id = self.next_id.max(id + 1);
    }

    /// Nothing that was on its way counts any more.
    pub(super) fn disconnected(&mut self) {
        self.fixes.disconnected();
        self.actions.disconnected();
    }

    /// Forgets what waits.
    pub(super) fn clear(&mut self) {
        (self.fixes, self.actions) = (FixQueue::default(), ActionQueue::default());
    }

    /// When something that waits for its time may be sent.
    pub(super) fn wake_ms(&self, now_ms: f64) -> Option<f64> {
        let is_ahead = |at_ms: &f64| *at_ms > now_ms;
        let held_ms = Some(self.hold_until_ms).filter(is_ahead);
        let actions_ms = self.actions.wake_ms().filter(is_ahead);
        held_ms.into_iter().chain(actions_ms).reduce(f64::min)
    }

    fn hold(&mut self, until_ms: f64) {
        self.hold_until_ms = self.hold_until_ms.max(until_ms);
    }

    /// What may be sent now: positions live first, then one action.
    fn next_effects(&mut self, now_ms: f64) -> Vec<Effect> {
        if now_ms < self.hold_until_ms {
            return Vec::new();
        }
        let mut effects = Vec::new();
        while let Some(message) = self.fixes.next(self.next_id) {
            self.next_id += 1;
            effects.push(Effect::Send(CourierMessage::Fixes(message)));
        }
        effects.extend(self.actions.next(now_ms).map(carry));
        effects
    }
}

impl Engine {
    /// Sends what may be sent now: the presence first, then positions, then one action. What is dated by a clock in doubt
    /// waits for a moment: the server would refuse it for good, or end a pause that goes on.
    pub(super) fn pump(&mut self, at: Moment) {
        if !self.connection.is_up() || self.clock.comparison.is_doubted() {
            return;
        }
        let reports = self.storage.memory.presence.take();
        if !reports.is_empty() {
            self.out.extend(reports.into_iter().map(|report| Effect::Send(CourierMessage::Presence(report))));
            self.ping();
        }
        self.out.extend(self.uploads.next_effects(at.now_ms));
    }

    pub(super) fn acked(&mut self, at: Moment, ack: &Ack) {
        let settled = self.uploads.fixes.acked(ack);
        if !settled.gone_ms.is_empty() {
            self.want_way(at);
        }
        settled.gone_ms.into_iter().for_each(|time_ms| self.storage.write(Slot::Fix(time_ms), None));
        if settled.off_duty > 0 {
            self.screens.notify(Tone::Quiet, notices::off_duty(settled.off_duty));
        }
        if settled.in_future > 0 {
            self.screens.notify(Tone::Warn, notices::in_future(settled.in_future));
        }
        if let Some(action) = self.uploads.actions.done(ack.id) {
            self.delete_action(action.id);
            self.action_taken(&action);
        }
    }

    pub(super) fn error_came(&mut self, at: Moment, error: &ErrorMessage) {
        let Some(id) = error.id else {
            if let Some(text) = notices::device_rejected(error) {
                self.screens.notify(Tone::Bad, text);
            }
            return;
        };
        let is_temporary = error.code == "unavailable" || error.retry_after_ms.is_some();
        let least_ms = error.retry_after_ms.map_or(UNAVAILABLE_WAIT_MS, |wait_ms| wait_ms as f64);
        if self.uploads.fixes.refused(id) {
            let wait_ms = if is_temporary { least_ms } else { NOT_UNDERSTOOD_WAIT_MS };
            self.uploads.hold(at.now_ms + wait_ms);
        } else if is_temporary {
            self.uploads.actions.again(id, at.now_ms, at.random, least_ms);
        } else {
            self.action_refused(id, error);
        }
    }

    pub(super) fn proof_answered(&mut self, at: Moment, id: u64, answer: ProofAnswer) {
        match answer {
            ProofAnswer::Taken => {
                if let Some(action) = self.uploads.actions.done(id) {
                    self.delete_action(id);
                    self.proof_taken(&action);
                }
            }
            ProofAnswer::Again { least_ms } => {
                self.uploads.actions.again(id, at.now_ms, at.random, least_ms);
            }
            ProofAnswer::SignedOut => {
                self.uploads.actions.again(id, at.now_ms, at.random, 0.0);
                if self.is_open() {
                    self.revoke(at);
                }
            }
            ProofAnswer::Refused { code } => self.proof_refused(id, &code),
        }
    }

    /// Queues what the courier did at a stop. Until `held_until_ms`, by the phone's own clock, it can be taken back.
    pub(super) fn queue(&mut self, card: &StopCard, time_ms: i64, deed: Deed, held_until_ms: Option<i64>) {
        if held_until_ms.is_none() {
            self.release_held_of(card.stop.order_id);
        }
        let id = self.uploads.next_id;
        let StopCard { stop, .. } = card;
        let (reference, place) = (stop.reference.clone(), stop.address.clone());
        let action = Action { id, order_id: stop.order_id, reference, place, time_ms, deed, held_until_ms };
        let text = encode_json(&action);
        if !self.uploads.actions.push(action) {
            self.screens.tell(About::Queue, Tone::Warn, notices::too_many_actions());
            return;
        }
        self.uploads.next_id += 1;
        self.screens.withdraw_new(stop.order_id);
        self.storage.keep_action(id, text);
    }

    /// An action is over, one way or another.
    pub(super) fn delete_action(&mut self, id: u64) {
        self.storage.write(Slot::Action(id), None);
    }

    /// Drops what waits for an order that is not this courier's any more: its one notice is enough.
    pub(super) fn drop_rest_of(&mut self, order_id: OrderId) {
        let actions = self.uploads.actions.iter();
        let rest: Vec<u64> = actions.filter(|action| action.order_id == order_id).map(|action| action.id).collect();
        for id in rest {
            self.uploads.actions.refused(id);
            self.delete_action(id);
        }
        self.drop_draft(order_id);
    }

    /// What was refused ends in one sentence for its order. Whatever the courier did there afterwards is still sent, for
    /// dispatch hears of it; only of an order that they never had nothing more is said.
    fn action_refused(&mut self, id: u64, error: &ErrorMessage) {
        let Some(action) = self.uploads.actions.refused(id).action else { return };
        self.delete_action(id);
        let order_id = action.order_id;
        self.screens.notify_result(order_id, notices::conflict(&action, error));
        match &*error.code {
            "not_found" => self.drop_rest_of(order_id),
            "order_withdrawn" => self.drop_draft(order_id),
            _ => {}
        }
        if matches!(action.deed, Deed::Report { .. }) {
            let memory = self.storage.remember();
            memory.waits.retain(|wait| wait.0 != order_id);
            memory.doors.retain(|door| *door != order_id);
        }
    }

    fn proof_refused(&mut self, id: u64, code: &str) {
        if matches!(code, "not_found" | "not_at_the_door") && self.drop_proofs_before_a_status(id) {
            return;
        }
        let removed = self.uploads.actions.refused(id);
        let Some(action) = removed.action else { return };
        let Deed::Proof { kind, .. } = action.deed else { return };
        self.delete_action(action.id);
        removed.held_back.iter().for_each(|held| self.delete_action(held.id));
        let (order_id, text) = (action.order_id, notices::proof_refused(&action, kind, code));
        if code == "not_found" {
            self.screens.notify_result(order_id, text);
            self.drop_rest_of(order_id);
            return;
        }
        self.drop_proof(order_id, kind);
        self.draft(order_id).problem = Some(notices::proof_problem(kind, code));
        self.screens.tell(About::Proof(order_id), Tone::Bad, text);
    }
}

impl Engine {
    /// An order that is not this courier's any more takes no proofs, but dispatch hears of the hand-over: the status goes
    /// alone, and its answer says what is the matter. `false` when no status follows.
    fn drop_proofs_before_a_status(&mut self, id: u64) -> bool {
        let Some(order_id) = self.uploads.actions.iter().find(|action| action.id == id).map(|action| action.order_id)
        else {
            return false;
        };
        let of_order: Vec<&Action> = self.uploads.actions.iter().filter(|action| action.order_id == order_id).collect();
        let is_proof = |action: &&Action| matches!(action.deed, Deed::Proof { .. });
        let proofs: Vec<u64> = of_order.iter().copied().filter(is_proof).map(|action| action.id).collect();
        if proofs.len() == of_order.len() {
            return false;
        }
        self.uploads.actions.remove(&proofs);
        proofs.into_iter().for_each(|id| self.delete_action(id));
        true
    }
}

fn carry(action: Action) -> Effect {
    let Action { id, order_id, time_ms, deed, .. } = action;
    match deed {
        Deed::Status { status, note } => {
            Effect::Send(CourierMessage::Status(StatusReport { id, order_id, status, time_ms, note }))
        }
        Deed::Report { report, note, at } => {
            let (lat, lon) = (at.map(|at| at[1]), at.map(|at| at[0]));
            Effect::Send(CourierMessage::Report(OrderReport { id, order_id, report, time_ms, note, lat, lon }))
        }
        Deed::Proof { proof_id, body, .. } => Effect::PutProof { id, order_id, proof_id, taken_ms: time_ms, body },
    }
}
