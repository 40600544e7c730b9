//! What the courier did, waiting for the server: statuses, reports and proofs, strictly in the order in which they were
//! done.
//!
//! One is under way at a time. A proof goes by HTTP, everything else over the socket; the proofs of a hand-over stand
//! before its `delivered`, so the server has them when it is asked to believe it. What the server refuses for good is
//! taken out, and with it whatever rests on it. What can still be taken back is held, and with it all that follows.

use std::collections::VecDeque;

use doorstep_shared::{OrderId, OrderStatus, api::proof::ProofKind, protocol::courier::ReportKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::live::backoff::Backoff;

/// The most actions that wait. A courier does fewer in a week; it bounds what a stuck button can do.
pub const CAP: usize = 500;

/// One thing the courier did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its own id, and that of the message that carries it.
    pub id: u64,
    /// On which order.
    pub order_id: OrderId,
    /// The order's name, for notices about it.
    pub reference: String,
    /// The address of the stop, for notices about it.
    pub place: String,
    /// When, Unix epoch milliseconds.
    pub time_ms: i64,
    /// What.
    pub deed: Deed,
    /// Until when it can be taken back, by the phone's own clock, Unix epoch milliseconds; it is not sent before.
    #[serde(default)]
    pub held_until_ms: Option<i64>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// The order moved on.
    Status {
        /// What it became.
        status: OrderStatus,
        /// A remark.
        note: Option<String>,
    },
    /// Something holds the order up, or its door is elsewhere.
    Report {
        /// What.
        report: ReportKind,
        /// A remark for the dispatcher.
        note: Option<String>,
        /// Where the door is, `[lon, lat]`.
        #[serde(default)]
        at: Option<[f64; 2]>,
    },
    /// Something was brought back from the door.
    Proof {
        /// Its id, made here, so that a repeat is harmless.
        proof_id: Uuid,
        /// Which kind.
        kind: ProofKind,
        /// The JSON body; `None` for a photo, whose picture is in storage.
        body: Option<String>,
    },
}

/// What goes out of the queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Removed {
    /// The action itself.
    pub action: Option<Action>,
    /// What rested on it.
    pub held_back: Vec<Action>,
}

#[derive(Clone, Debug)]
struct Entry {
    action: Action,
    is_written: bool,
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub struct ActionQueue {
    entries: VecDeque<Entry>,
    under_way: Option<u64>,
    backoff: Backoff,
    hold_until_ms: f64,
}

impl ActionQueue {
    /// Takes what storage held from before, in the order of their ids.
    pub fn restore(&mut self, mut actions: Vec<Action>) {
        actions.sort_by_key(|action| action.id);
        self.entries.extend(actions.into_iter().map(|action| Entry { action, is_written: true }));
    }

    /// Takes a new action; `false` when there are too many.
    pub fn push(&mut self, action: Action) -> bool {
        let has_room = self.entries.len() < CAP;
        if has_room {
            self.entries.push_back(Entry { action, is_written: false });
        }
        has_room
    }

    /// These are in storage now, and may be sent.
    pub fn written(&mut self, ids: &[u64]) {
        for entry in &mut self.entries {
            entry.is_written |= ids.contains(&entry.action.id);
        }
    }

    /// These can be taken back no more, and may be sent.
    pub fn release(&mut self, ids: &[u64]) {
        for entry in self.entries.iter_mut().filter(|entry| ids.contains(&entry.action.id)) {
            entry.action.held_until_ms = None;
        }
    }

    /// The next action, when it may be sent now. It counts as under way from then on.
    pub fn next(&mut self, now_ms: f64) -> Option<Action> {
        let may_go = |entry: &&Entry| entry.is_written && entry.action.held_until_ms.is_none();
        let first = self.entries.front().filter(may_go)?;
        if self.under_way.is_some() || now_ms < self.hold_until_ms {
            return None;
        }
        self.under_way = Some(first.action.id);
        Some(first.action.clone())
    }

    /// When something held may be sent, on the clock of [`Self::next`].
    pub fn wake_ms(&self) -> Option<f64> {
        (self.under_way.is_none() && !self.entries.is_empty()).then_some(self.hold_until_ms)
    }

    /// The server has it.
    pub fn done(&mut self, id: u64) -> Option<Action> {
        self.backoff.reset();
        self.take(id)
    }

    /// It did not get through and goes again, not before `least_ms` from now. Answers whether it is ours.
    pub fn again(&mut self, id: u64, now_ms: f64, random: f64, least_ms: f64) -> bool {
        if self.under_way != Some(id) {
            return false;
        }
        self.under_way = None;
        self.hold_until_ms = now_ms + self.backoff.next_ms(random).max(least_ms);
        true
    }

    /// The server refuses it for good. When it is a proof, the hand-over that rests on it is taken out too, with the
    /// order's other proofs that stand before it: they go again with the next try.
    pub fn refused(&mut self, id: u64) -> Removed {
        self.backoff.reset();
        let Some(action) = self.take(id) else { return Removed::default() };
        let held_back = match action.deed {
            Deed::Proof { .. } => self.take_hand_over(action.order_id),
            Deed::Status { .. } | Deed::Report { .. } => Vec::new(),
        };
        Removed { action: Some(action), held_back }
    }

    /// Takes actions out that the server shall not get, or not get again.
    pub fn remove(&mut self, ids: &[u64]) {
        ids.iter().for_each(|id| drop(self.take(*id)));
    }

    /// What went over the socket may have arrived or not, and goes again; a proof has its own answer still to come.
    pub fn disconnected(&mut self) {
        let is_proof = self.entries.front().is_some_and(|entry| matches!(entry.action.deed, Deed::Proof { .. }));
        if !is_proof {
            self.under_way = None;
        }
    }

    /// All that wait, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Action> + Clone {
        self.entries.iter().map(|entry| &entry.action)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn take(&mut self, id: u64) -> Option<Action> {
        let place = self.entries.iter().position(|entry| entry.action.id == id)?;
        if self.under_way == Some(id) {
            self.under_way = None;
        }
        self.entries.remove(place).map(|entry| entry.action)
    }

    /// Up to and including the first `delivered` of this order.
    fn take_hand_over(&mut self, order_id: OrderId) -> Vec<Action> {
        let is_end = |deed: &Deed| matches!(deed, Deed::Status { status: OrderStatus::Delivered, .. });
        let mut taken = Vec::new();
        for action in self.iter().filter(|action| action.order_id == order_id) {
            taken.push(action.id);
            if is_end(&action.deed) {
                break;
            }
        }
        taken.into_iter().filter_map(|id| self.take(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(number: u128) -> OrderId {
        OrderId::from_uuid(Uuid::from_u128(number))
    }

    fn action(id: u64, order_id: OrderId, deed: Deed) -> Action {
        Action {
            id,
            order_id,
            reference: "A-1".into(),
            place: "Strait Street".into(),
            time_ms: id as i64,
            deed,
            held_until_ms: None,
        }
    }

    fn status(id: u64, order_id: OrderId, status: OrderStatus) -> Action {
        action(id, order_id, Deed::Status { status, note: None })
    }

    fn photo(id: u64, order_id: OrderId) -> Action {
        let deed = Deed::Proof { proof_id: Uuid::from_u128(id.into()), kind: ProofKind::Photo, body: None };
        action(id, order_id, deed)
    }

    fn ids(actions: &[Action]) -> Vec<u64> {
        actions.iter().map(|action| action.id).collect()
    }

    #[test]
    fn one_after_the_other_and_not_before_it_is_in_storage() {
        let mut queue = ActionQueue::default();
        queue.push(status(1, order(1), OrderStatus::AtPickup));
        queue.push(status(2, order(1), OrderStatus::PickedUp));
        assert_eq!(queue.next(0.0), None);
        queue.written(&[1, 2]);
        assert_eq!(queue.next(0.0).map(|action| action.id), Some(1));
        assert_eq!(queue.next(0.0), None, "the first has no answer yet");
        queue.done(1);
        assert_eq!(queue.next(0.0).map(|action| action.id), Some(2));
    }

    #[test]
    fn what_can_be_taken_back_is_held_with_all_that_follows() {
        let mut queue = ActionQueue::default();
        let held = Action { held_until_ms: Some(8_000), ..status(1, order(1), OrderStatus::Delivered) };
        queue.restore(vec![held, status(2, order(2), OrderStatus::AtPickup)]);
        assert_eq!(queue.next(1e12), None, "time alone does not let it go");
        queue.release(&[1]);
        assert_eq!(queue.next(0.0).map(|action| action.id), Some(1));
        queue.remove(&[1]);
        assert_eq!(queue.next(0.0).map(|action| action.id), Some(2), "what was taken out holds nothing up");
    }

    #[test]
    fn what_could_not_be_stored_is_tried_again_later_and_stays_first() {
        let mut queue = ActionQueue::default();
        queue.restore(vec![status(2, order(1), OrderStatus::PickedUp), status(1, order(1), OrderStatus::AtPickup)]);
        queue.next(0.0);
        assert!(queue.again(1, 0.0, 0.5, 2_000.0));
        assert_eq!((queue.next(1_999.0), queue.wake_ms()), (None, Some(2_000.0)));
        assert_eq!(queue.next(2_000.0).map(|action| action.id), Some(1));
    }

    #[test]
    fn a_refused_proof_holds_its_hand_over_back_and_nothing_else() {
        let mut queue = ActionQueue::default();
        let (a, b) = (order(1), order(2));
        queue.restore(vec![
            photo(1, a),
            photo(2, a),
            status(3, b, OrderStatus::PickedUp),
            status(4, a, OrderStatus::Delivered),
            status(5, a, OrderStatus::Failed),
        ]);
        queue.next(0.0);
        let removed = queue.refused(1);
        assert_eq!(removed.action.map(|action| action.id), Some(1));
        assert_eq!(ids(&removed.held_back), [2, 4]);
        assert_eq!(ids(&queue.iter().cloned().collect::<Vec<_>>()), [3, 5]);
    }

    #[test]
    fn a_lost_socket_sends_a_status_again_but_waits_for_the_answer_to_a_proof() {
        let mut queue = ActionQueue::default();
        queue.restore(vec![status(1, order(1), OrderStatus::PickedUp), photo(2, order(1))]);
        queue.next(0.0);
        queue.disconnected();
        assert_eq!(queue.next(0.0).map(|action| action.id), Some(1));
        queue.done(1);
        queue.next(0.0);
        queue.disconnected();
        assert_eq!(queue.next(0.0), None);
    }

    #[test]
    fn a_stuck_button_fills_no_phone() {
        let mut queue = ActionQueue::default();
        let taken = (0..600).filter(|id| queue.push(status(*id, order(1), OrderStatus::AtPickup))).count();
        assert_eq!(taken, CAP);
    }

    proptest! {
        #[test]
        fn the_server_hears_them_in_the_order_in_which_they_were_done(
            answers in prop::collection::vec(0u8..4, 0..200), count in 1u64..30,
        ) {
            let mut queue = ActionQueue::default();
            queue.restore((1..=count).map(|id| status(id, order(u128::from(id % 3)), OrderStatus::PickedUp)).collect());
            let (mut now_ms, mut settled) = (0.0, vec![]);
            for answer in answers {
                now_ms += 30_001.0;
                let Some(action) = queue.next(now_ms) else { break };
                prop_assert_eq!(action.id, settled.len() as u64 + 1, "never ahead of one before it");
                match answer {
                    0 => queue.disconnected(),
                    1 => prop_assert!(queue.again(action.id, now_ms, 0.9, 0.0)),
                    2 => settled.extend(queue.refused(action.id).action),
                    _ => settled.extend(queue.done(action.id)),
                }
            }
            prop_assert_eq!(queue.len() as u64 + settled.len() as u64, count);
        }
    }
}
