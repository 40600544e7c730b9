//! The two bounded queues between an instance and the others, and their overflow policy.
//!
//! Both refuse a fact that does not fit, because their writers hold locks and must not wait. A refused fact is counted
//! and remembered: as soon as there is room, the reader learns that it missed something and reads the database.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::mpsc;

use super::{fact::Fact, inbound::Inbound};

/// Facts that may wait to be sent. At 2 000 fixes a second five seconds of a stuck connection, about 2 MB.
const OUTGOING: usize = 10_000;

/// Facts that may wait to be taken in.
const INCOMING: usize = 10_000;

/// Where facts go out.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    sender: mpsc::Sender<Fact>,
    missed: Arc<AtomicBool>,
}

impl Outlet {
    /// An outlet and the end from which it is emptied.
    pub(super) fn new() -> (Self, mpsc::Receiver<Fact>) {
        let (sender, receiver) = mpsc::channel(OUTGOING);
        (Self { sender, missed: Arc::default() }, receiver)
    }

    /// Puts a fact in. Overflow policy: it is dropped, and the other instances learn that they missed something.
    pub(super) fn put(&self, fact: Fact) {
        if self.sender.try_send(fact).is_err() {
            self.note_missed(1);
        }
    }

    /// Notes that facts were lost on their way out.
    pub(super) fn note_missed(&self, facts: u64) {
        self.missed.store(true, Ordering::Release);
        metrics::counter!("doorstep_broker_dropped_total", "direction" => "out").increment(facts);
    }

    /// Whether facts were lost since this was last asked.
    pub(super) fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::AcqRel)
    }
}

/// Where facts come in.
#[derive(Clone, Debug)]
pub(super) struct Inlet {
    sender: mpsc::Sender<Inbound>,
    missed: Arc<AtomicBool>,
}

impl Inlet {
    /// An inlet and the end from which it is emptied.
    pub(super) fn new() -> (Self, mpsc::Receiver<Inbound>) {
        let (sender, receiver) = mpsc::channel(INCOMING);
        (Self { sender, missed: Arc::default() }, receiver)
    }

    /// Puts a fact in. Overflow policy: it is dropped, and [`Inbound::Missed`] follows when there is room.
    pub(super) fn put(&self, inbound: Inbound) {
        if !self.catch_up() || self.sender.try_send(inbound).is_err() {
            self.missed.store(true, Ordering::Release);
            metrics::counter!("doorstep_broker_dropped_total", "direction" => "in").increment(1);
        }
    }

    /// Puts [`Inbound::Missed`] in, now or as soon as there is room.
    pub(super) fn put_missed(&self) {
        self.missed.store(true, Ordering::Release);
        self.catch_up();
    }

    /// Puts an [`Inbound::Missed`] in that found no room before; `false` when there still is none.
    pub(super) fn catch_up(&self) -> bool {
        if self.missed.load(Ordering::Acquire) && self.sender.try_send(Inbound::Missed).is_ok() {
            self.missed.store(false, Ordering::Release);
        }
        !self.missed.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::broker::InstanceId;

    #[test]
    fn a_full_inlet_says_later_that_something_was_missed() {
        let (inlet, mut inbound) = Inlet::new();
        let from = InstanceId::new();
        let told = || Inbound::Told { from, fact: Fact::Alive };
        (0..INCOMING + 5).for_each(|_| inlet.put(told()));
        let mut taken = 0;
        while inbound.try_recv().is_ok() {
            taken += 1;
        }
        assert_eq!(taken, INCOMING);
        inlet.put(told());
        assert_eq!((inbound.try_recv(), inbound.try_recv()), (Ok(Inbound::Missed), Ok(told())));
    }

    #[test]
    fn a_full_outlet_remembers_it_once() {
        let (outlet, _facts) = Outlet::new();
        (0..=OUTGOING).for_each(|_| outlet.put(Fact::Alive));
        assert!(outlet.take_missed());
        assert!(!outlet.take_missed());
    }
}
