//! Positions that wait for the server's ack.
//!
//! **Live first.** On a new connection the newest position goes alone, so that the marker is right at once; then
//! whatever is recorded meanwhile goes ahead of the backlog, and the backlog follows, newest batch first. A position is
//! forgotten when it was acked or refused for good, and at no other time, except that more than [`CAP`] are thinned.

use std::collections::BTreeMap;

use doorstep_shared::{
    RawFix, Rejection,
    protocol::courier::{Ack, Fixes, MAX_FIXES},
};
use serde::{Deserialize, Serialize};

use super::thin::{self, Held};

/// The most positions kept on a phone: five hours and a half at one a second.
pub const CAP: usize = 20_000;

/// Messages of the backlog on their way at once. Two keep the network busy; more would only make live positions wait.
const BACKLOG_IN_FLIGHT: usize = 2;

/// Live messages on their way at once. While its database is away the server shows positions that it cannot ack, so the
/// marker moves on for minutes; it reads no more than 512 messages ahead. What is recorded beyond this waits, and goes in
/// one message later.
const LIVE_IN_FLIGHT: usize = 256;

/// Sizes, apart so that tests reach them quickly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most positions kept.
    pub cap: usize,
    /// The most positions in a message. With [`MAX_FIXES`] in postcard a message stays below 32 KiB.
    pub per_message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cap: CAP, per_message: MAX_FIXES }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not in the phone's storage yet.
    Unwritten,
    /// To be sent.
    Waiting,
    /// Sent, not acked.
    InFlight,
}

/// A position as it stands in the phone's storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The position.
    #[serde(flatten)]
    pub fix: RawFix,
    /// By which clock it is dated; see [`crate::courier::clock::PhoneClock`].
    #[serde(default)]
    pub clock: u32,
}

#[derive(Clone, Debug)]
struct Kept {
    recorded: Recorded,
    state: State,
}

#[derive(Clone, Debug)]
struct Batch {
    id: u64,
    is_live: bool,
    times_ms: Vec<i64>,
}

/// What became of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Times of the positions that are over, to be deleted from storage.
    pub gone_ms: Vec<i64>,
    /// How many of them were refused because the courier was off duty.
    pub off_duty: u32,
    /// How many of them were refused because they lie in the future.
    pub in_future: u32,
}

/// How many positions took which way. `recorded = acked + refused + thinned + ` what waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Recorded, or found in storage.
    pub recorded: u64,
    /// Acked.
    pub acked: u64,
    /// Refused for good.
    pub refused: u64,
    /// Dropped to make room.
    pub thinned: u64,
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub struct FixQueue {
    limits: Limits,
    kept: BTreeMap<i64, Kept>,
    in_flight: Vec<Batch>,
    /// The newest time sent on this connection; newer ones are live.
    head_ms: Option<i64>,
    tally: Tally,
}

impl FixQueue {
    /// An empty queue.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes what storage held from before.
    pub fn restore(&mut self, all: Vec<Recorded>) {
        for recorded in all {
            let time_ms = recorded.fix.time_ms;
            self.tally.recorded += u64::from(!self.kept.contains_key(&time_ms));
            self.kept.insert(time_ms, Kept { recorded, state: State::Waiting });
        }
    }

    /// Takes a new position; `None` when there is one of the same time. Answers the times of those dropped to make room.
    pub fn record(&mut self, recorded: Recorded) -> Option<Vec<i64>> {
        let time_ms = recorded.fix.time_ms;
        if self.kept.contains_key(&time_ms) {
            return None;
        }
        self.tally.recorded += 1;
        self.kept.insert(time_ms, Kept { recorded, state: State::Unwritten });
        Some(self.thin())
    }

    /// The position of this time, for storage.
    pub fn get(&self, time_ms: i64) -> Option<&Recorded> {
        self.kept.get(&time_ms).map(|kept| &kept.recorded)
    }

    /// These are in storage now, and may be sent.
    pub fn written(&mut self, times_ms: &[i64]) {
        for time_ms in times_ms {
            if let Some(kept) = self.kept.get_mut(time_ms)
                && kept.state == State::Unwritten
            {
                kept.state = State::Waiting;
            }
        }
    }

    /// The next message, if one may be sent now; `id` names it.
    pub fn next(&mut self, id: u64) -> Option<Fixes> {
        let is_live_free = self.count_in_flight(true) < LIVE_IN_FLIGHT;
        let live = is_live_free.then(|| self.live()).flatten();
        let is_live = live.is_some();
        let times_ms = live.or_else(|| self.backlog())?;
        let fixes = times_ms.iter().filter_map(|time_ms| self.take_off(*time_ms)).collect();
        self.head_ms = self.head_ms.max(times_ms.last().copied());
        self.in_flight.push(Batch { id, is_live, times_ms });
        Some(Fixes { id, fixes })
    }

    /// The server has this message in its database.
    pub fn acked(&mut self, ack: &Ack) -> Settled {
        let Some(batch) = self.land(ack.id) else { return Settled::default() };
        let mut settled = Settled::default();
        let mut refused = 0;
        for rejected in ack.rejected.iter().filter(|rejected| (rejected.index as usize) < batch.times_ms.len()) {
            refused += 1;
            match rejected.code {
                Rejection::OffDuty => settled.off_duty += 1,
                Rejection::TimeInFuture => settled.in_future += 1,
                _ => {}
            }
        }
        self.tally.refused += refused;
        self.tally.acked += (batch.times_ms.len() as u64).saturating_sub(refused);
        batch.times_ms.iter().for_each(|time_ms| {
            self.kept.remove(time_ms);
        });
        settled.gone_ms = batch.times_ms;
        settled
    }

    /// The server could not store this message: it will be sent again, the newest first. Answers whether it is ours.
    pub fn refused(&mut self, id: u64) -> bool {
        let Some(batch) = self.land(id) else { return false };
        self.put_back(&batch);
        self.head_ms = None;
        true
    }

    /// Whatever was on its way may have arrived or not; the server knows a position by its time, so it goes again.
    pub fn disconnected(&mut self) {
        for batch in std::mem::take(&mut self.in_flight) {
            self.put_back(&batch);
        }
        self.head_ms = None;
    }

    /// Moves the times of positions that wait and were dated by this clock, when it turns out to be wrong. Answers the
    /// old times and the new positions, for storage.
    pub fn shift(&mut self, clock: u32, by_ms: i64) -> (Vec<i64>, Vec<Recorded>) {
        let is_ours = |kept: &Kept| kept.recorded.clock == clock && kept.state != State::InFlight;
        let moved: Vec<i64> = self.kept.iter().filter(|(_, kept)| is_ours(kept)).map(|(time_ms, _)| *time_ms).collect();
        let taken: Vec<Kept> = moved.iter().filter_map(|time_ms| self.kept.remove(time_ms)).collect();
        let mut shifted = Vec::with_capacity(taken.len());
        for mut kept in taken {
            let time_ms = kept.recorded.fix.time_ms + by_ms;
            // One already there has the better claim to its time; two of the same would count as one anyway.
            if self.kept.contains_key(&time_ms) {
                self.tally.thinned += 1;
                continue;
            }
            (kept.recorded.fix.time_ms, kept.state) = (time_ms, State::Unwritten);
            shifted.push(kept.recorded.clone());
            self.kept.insert(time_ms, kept);
        }
        (moved, shifted)
    }

    /// Positions that the server has not acked.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The newest position that waits.
    pub fn newest(&self) -> Option<&RawFix> {
        self.kept.last_key_value().map(|(_, kept)| &kept.recorded.fix)
    }

    /// How many took which way.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// What is newer than everything sent on this connection; at first the newest alone.
    fn live(&self) -> Option<Vec<i64>> {
        let most = if self.head_ms.is_some() { self.limits.per_message } else { 1 };
        let newer = self.kept.iter().rev().take_while(|(time_ms, _)| Some(**time_ms) > self.head_ms);
        newest_of(newer, most)
    }

    fn backlog(&self) -> Option<Vec<i64>> {
        let head_ms = self.head_ms?;
        if self.count_in_flight(false) >= BACKLOG_IN_FLIGHT {
            return None;
        }
        newest_of(self.kept.range(..head_ms).rev(), self.limits.per_message)
    }

    fn count_in_flight(&self, is_live: bool) -> usize {
        self.in_flight.iter().filter(|batch| batch.is_live == is_live).count()
    }

    /// The batch with this id, which is on its way no more.
    fn land(&mut self, id: u64) -> Option<Batch> {
        let place = self.in_flight.iter().position(|batch| batch.id == id)?;
        Some(self.in_flight.remove(place))
    }

    fn take_off(&mut self, time_ms: i64) -> Option<RawFix> {
        let kept = self.kept.get_mut(&time_ms)?;
        kept.state = State::InFlight;
        Some(kept.recorded.fix.clone())
    }

    fn put_back(&mut self, batch: &Batch) {
        for time_ms in &batch.times_ms {
            if let Some(kept) = self.kept.get_mut(time_ms) {
                kept.state = State::Waiting;
            }
        }
    }

    fn thin(&mut self) -> Vec<i64> {
        if self.kept.len() <= self.limits.cap {
            return Vec::new();
        }
        let held: Vec<Held> = self
            .kept
            .iter()
            .map(|(time_ms, kept)| Held { time_ms: *time_ms, is_in_flight: kept.state == State::InFlight })
            .collect();
        // A twentieth at once, so that a full phone thins every thousandth position and not every one.
        let victims = thin::victims(&held, (self.limits.cap / 20).max(1));
        victims.iter().for_each(|time_ms| {
            self.kept.remove(time_ms);
        });
        self.tally.thinned += victims.len() as u64;
        victims
    }
}

/// The newest that wait, at most `most`, in order of time.
fn newest_of<'a>(newest_first: impl Iterator<Item = (&'a i64, &'a Kept)>, most: usize) -> Option<Vec<i64>> {
    let waiting = newest_first.filter(|(_, kept)| kept.state == State::Waiting);
    let mut times_ms: Vec<i64> = waiting.take(most).map(|(time_ms, _)| *time_ms).collect();
    times_ms.reverse();
    (!times_ms.is_empty()).then_some(times_ms)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use doorstep_shared::protocol::{
        MAX_MESSAGE_BYTES, courier::CourierMessage, courier::RejectedFix, decode_json, encode_json, encode_postcard,
    };
    use proptest::prelude::*;

    use super::*;

    fn fix(time_ms: i64) -> Recorded {
        by_clock(0, time_ms)
    }

    fn by_clock(clock: u32, time_ms: i64) -> Recorded {
        Recorded { fix: RawFix { time_ms, lat: 35.9, lon: 14.5, ..RawFix::default() }, clock }
    }

    fn ack(id: u64) -> Ack {
        Ack { id, stored: 0, duplicates: 0, rejected: vec![] }
    }

    fn queue(times_ms: impl IntoIterator<Item = i64>) -> FixQueue {
        let mut queue = FixQueue::new(Limits::default());
        queue.restore(times_ms.into_iter().map(fix).collect());
        queue
    }

    fn times(message: Option<Fixes>) -> Vec<i64> {
        message.map_or(vec![], |message| message.fixes.iter().map(|fix| fix.time_ms).collect())
    }

    #[test]
    fn after_a_tunnel_the_newest_goes_alone_and_the_backlog_follows_newest_first() {
        let mut queue = queue(1..=1_180);
        assert_eq!(times(queue.next(1)), [1_180]);
        assert_eq!(times(queue.next(2)), (680..=1_179).collect::<Vec<_>>());
        assert_eq!(times(queue.next(3)), (180..=679).collect::<Vec<_>>());
        assert_eq!(queue.next(4), None, "two messages of the backlog are under way");
        queue.acked(&ack(2));
        assert_eq!(times(queue.next(5)), (1..=179).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_recorded_meanwhile_goes_ahead_of_the_backlog() {
        let mut queue = queue(1..=1_180);
        queue.next(1);
        queue.next(2);
        queue.next(3);
        queue.record(fix(2_000));
        assert_eq!(queue.next(4), None, "nothing leaves before it is in storage");
        queue.written(&[2_000]);
        assert_eq!(times(queue.next(4)), [2_000]);
    }

    #[test]
    fn a_message_the_server_could_not_store_goes_again_newest_first() {
        let mut queue = queue(1..=3);
        queue.next(1);
        queue.next(2);
        assert!(queue.refused(2) && queue.refused(1) && !queue.refused(1));
        assert_eq!(times(queue.next(3)), [3]);
        assert_eq!(times(queue.next(4)), [1, 2]);
    }

    #[test]
    fn refused_positions_never_go_again_and_are_counted() {
        let mut queue = queue(1..=4);
        queue.next(1);
        queue.next(2);
        let rejected = |index, code| RejectedFix { index, code };
        let rejected = vec![
            rejected(0, Rejection::OffDuty),
            rejected(2, Rejection::TimeInFuture),
            rejected(9, Rejection::OffDuty),
        ];
        let settled = queue.acked(&Ack { rejected, ..ack(2) });
        assert_eq!(settled, Settled { gone_ms: vec![1, 2, 3], off_duty: 1, in_future: 1 });
        assert_eq!(queue.tally(), Tally { recorded: 4, acked: 1, refused: 2, thinned: 0 });
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn a_full_message_stays_below_the_limit_of_the_socket() {
        let whole = |time_ms| {
            let fix = RawFix {
                accuracy_m: Some(4.5),
                speed_mps: Some(8.25),
                heading_deg: Some(359.5),
                altitude_m: Some(71.0),
                battery: Some(0.5),
                ..fix(time_ms).fix
            };
            Recorded { fix, clock: 0 }
        };
        let mut queue = FixQueue::new(Limits::default());
        queue.restore((0..2_000).map(|second| whole(1_795_219_200_000 + second * 1_000)).collect());
        queue.next(1);
        let message = queue.next(u64::MAX).expect("a backlog");
        assert_eq!(message.fixes.len(), MAX_FIXES);
        assert!(encode_postcard(&CourierMessage::Fixes(message)).len() < MAX_MESSAGE_BYTES / 2);
    }

    #[test]
    fn a_wrong_clock_is_put_right_for_what_it_dated_and_nothing_else() {
        let mut queue = queue([1_000, 900_500]);
        queue.restore(vec![by_clock(1, 900_000)]);
        queue.record(by_clock(1, 901_000));
        let (old, new) = queue.shift(1, -400_000);
        assert_eq!(old, [900_000, 901_000]);
        assert_eq!(new.iter().map(|recorded| recorded.fix.time_ms).collect::<Vec<_>>(), [500_000, 501_000]);
        assert_eq!(queue.newest().map(|fix| fix.time_ms), Some(900_500));
    }

    #[test]
    fn what_an_older_app_kept_is_read_and_nothing_of_what_this_one_keeps_is_lost() {
        let read = |text: &str| decode_json::<Recorded>(text).expect("a position");
        let recorded = by_clock(3, 1_795_219_200_123);
        assert_eq!(read(&encode_json(&recorded)), recorded);
        assert_eq!(read(&encode_json(&recorded.fix)), Recorded { clock: 0, ..recorded });
    }

    #[test]
    fn while_the_server_acks_nothing_the_marker_still_moves_on_for_minutes() {
        let mut queue = queue([]);
        let live = (1..=400).filter(|second| {
            queue.record(fix(second * 1_000));
            queue.written(&[second * 1_000]);
            queue.next(second.unsigned_abs()).is_some()
        });
        assert_eq!(live.count(), LIVE_IN_FLIGHT);
        queue.acked(&ack(1));
        assert_eq!(times(queue.next(1_000)).len(), 400 - LIVE_IN_FLIGHT, "the rest in one message");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Record(i64),
        Write,
        Send,
        Ack(usize, Vec<u32>),
        Refuse(usize),
        Disconnect,
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (1i64..5_000).prop_map(Step::Record),
            4 => Just(Step::Write),
            3 => Just(Step::Send),
            2 => (any::<usize>(), prop::collection::btree_set(0u32..6, 0..3))
                .prop_map(|(which, refused)| Step::Ack(which, refused.into_iter().collect())),
            1 => any::<usize>().prop_map(Step::Refuse),
            1 => Just(Step::Disconnect),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_lost_nothing_goes_twice_and_the_cap_holds(steps in prop::collection::vec(any_step(), 0..600)) {
            const LIMITS: Limits = Limits { cap: 100, per_message: 5 };
            let mut queue = FixQueue::new(LIMITS);
            let (mut now_ms, mut id) = (0, 0);
            let (mut unwritten, mut open): (Vec<i64>, Vec<(u64, Vec<i64>)>) = (vec![], vec![]);
            let mut over: BTreeSet<i64> = BTreeSet::new();
            for step in steps {
                match step {
                    Step::Record(gap_ms) => {
                        now_ms += gap_ms;
                        let thinned = queue.record(fix(now_ms)).expect("a new time");
                        unwritten.push(now_ms);
                        prop_assert!(thinned.iter().all(|time_ms| over.insert(*time_ms)), "given up once");
                        prop_assert_eq!(queue.newest().map(|fix| fix.time_ms), Some(now_ms), "the newest stays");
                    }
                    Step::Write => queue.written(&std::mem::take(&mut unwritten)),
                    Step::Send => {
                        id += 1;
                        if let Some(message) = queue.next(id) {
                            let times = times(Some(message));
                            prop_assert!(times.len() <= LIMITS.per_message && times.is_sorted());
                            prop_assert!(!times.iter().any(|time_ms| over.contains(time_ms)), "over is over");
                            prop_assert!(!times.iter().any(|time_ms| unwritten.contains(time_ms)), "stored first");
                            let mut flying = open.iter().flat_map(|(_, times)| times);
                            prop_assert!(!flying.any(|time_ms| times.contains(time_ms)), "one way at a time");
                            open.push((id, times));
                        }
                    }
                    Step::Ack(which, refused) if !open.is_empty() => {
                        let (id, times) = open.remove(which % open.len());
                        let code = Rejection::TimeTooOld;
                        let rejected = refused.into_iter().map(|index| RejectedFix { index, code }).collect();
                        let settled = queue.acked(&Ack { rejected, ..ack(id) });
                        prop_assert_eq!(&settled.gone_ms, &times);
                        prop_assert!(times.into_iter().all(|time_ms| over.insert(time_ms)), "over once");
                    }
                    Step::Refuse(which) if !open.is_empty() => {
                        let (id, _) = open.remove(which % open.len());
                        prop_assert!(queue.refused(id));
                    }
                    Step::Disconnect => {
                        open.clear();
                        queue.disconnected();
                    }
                    Step::Ack(..) | Step::Refuse(_) => {}
                }
                let Tally { recorded, acked, refused, thinned } = queue.tally();
                prop_assert!(queue.len() <= LIMITS.cap);
                prop_assert_eq!(recorded, acked + refused + thinned + queue.len() as u64);
            }
            queue.disconnected();
            queue.written(&unwritten);
            while let Some(message) = { id += 1; queue.next(id) } {
                queue.acked(&ack(message.id));
            }
            prop_assert_eq!(queue.len(), 0, "all that waits gets through in the end");
        }
    }
}
