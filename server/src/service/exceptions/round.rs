//! One round of the watch over the fleet: which exceptions are new, which go on, which are over.
//!
//! Pure: [`super::Exceptions`] passes in what the database and the live view know, and writes the outcome.

use std::collections::{HashMap, HashSet};

use doorstep_arrival::risk;
use doorstep_shared::{LatLon, OrderId, OrderStatus, Vehicle, api::exception::ExceptionCode, protocol::customer::Eta};
use uuid::Uuid;

use super::{expected::expected, memory::Memory};
use crate::{
    domain::{
        exception::{Change, End, Finding, Ongoing, RejectedDevice, WaitingAtPickup, goes_on_in, is_about_device},
        order::{
            OpenOrder, Order,
            outlook::time_needed_ms,
            promise::{GRACE_MS, Promise, late},
        },
        track::{
            eta,
            off_route::{Seen, Way},
            silence::{Reporter, Signs, silent},
            standstill::{KNOWN_FOR_MS, Stand, stationary},
            verdict::Verdict,
        },
    },
    live::tracker::AtWork,
};

/// An order must surely be late for this long before it is raised: one odd estimate is not enough.
const SURE_FOR_MS: i64 = 30_000;

/// An ongoing exception is written again when it grew by this much.
const WORSE_BY_S: i32 = 120;
const WORSE_BY_M: i32 = 250;

/// The accuracy of a position that does not give one.
const ASSUMED_ACCURACY_M: f64 = 30.0;

/// A wait at a pickup of which too little is known is too long after this, in seconds.
const WAIT_S: u32 = 600;

type Key = (ExceptionCode, Uuid);

/// A round over the fleet.
#[derive(Debug)]
pub struct Round {
    /// Exceptions noticed for the first time.
    pub found: Vec<Finding>,
    /// Exceptions that grew worse.
    pub changed: Vec<Change>,
    /// Exceptions that are over.
    pub over: Vec<End>,
    /// How many exceptions go on.
    pub going_on: usize,
    now_ms: i64,
    listening_since_ms: i64,
    ongoing: HashMap<Key, Ongoing>,
    /// An exception that this round ended does not begin again in the same round: the live view may be a moment behind.
    ended: HashSet<Key>,
}

impl Round {
    /// Begins a round at `now_ms`, and ends the exceptions that are over by what the database knows.
    pub fn begin(ongoing: Vec<Ongoing>, now_ms: i64, listening_since_ms: i64) -> Self {
        let mut round = Self {
            found: Vec::new(),
            changed: Vec::new(),
            over: Vec::new(),
            going_on: 0,
            now_ms,
            listening_since_ms,
            ongoing: HashMap::with_capacity(ongoing.len()),
            ended: HashSet::new(),
        };
        for known in ongoing {
            let key = (known.code, known.subject);
            if applies(&known) {
                round.going_on += 1;
                round.ongoing.insert(key, known);
            } else {
                let was_over_ms = known.order_state.filter(|order| !order.status.is_active());
                let at_ms = was_over_ms.map_or(now_ms, |order| order.status_at_ms);
                round.over.push(End { id: known.id, at_ms: at_ms.min(now_ms).max(known.since_ms) });
                round.ended.insert(key);
            }
        }
        round
    }

    /// Judges a courier who has orders.
    pub(super) fn judge_courier(&mut self, seen: &AtWork, memory: &mut Memory) {
        let heard_ms = seen.heard_ms.max(memory.heard(seen.courier).map(|heard| heard.at_ms));
        self.judge_silence(seen, heard_ms, memory.heard(seen.courier).map(|heard| heard.reporter));
        // A courier who reports to another instance is judged there.
        let is_current = seen.heard_ms.is_some_and(|heard_ms| self.now_ms.saturating_sub(heard_ms) <= KNOWN_FOR_MS);
        let here = seen.position.and_then(|position| position.point()).filter(|_| is_current);
        if let Some(here) = here {
            self.judge_standstill(seen, here);
            self.judge_detour(seen, here, memory.ways.entry(seen.courier).or_default());
        }
        self.judge_promises(seen, here, &mut memory.doubtful);
    }

    fn judge_silence(&mut self, seen: &AtWork, heard_ms: Option<i64>, reporter: Option<Reporter>) {
        let key = (ExceptionCode::Silent, *seen.courier.as_uuid());
        let noticed = self.ongoing.contains_key(&key);
        let assigned = seen.open.iter().filter_map(|order| order.assigned_at).min();
        let signs = Signs {
            heard_ms,
            reporter: reporter.unwrap_or_default(),
            presence: seen.presence,
            // Neither a new order nor a restart of ours ends a silence that was noticed.
            under_way_since_ms: match assigned {
                _ if noticed => i64::MIN,
                Some(at) => at.timestamp_millis(),
                None => self.now_ms,
            },
            has_goods: has_goods(&seen.open),
            listening_since_ms: if noticed { i64::MIN } else { self.listening_since_ms },
        };
        let verdict = match heard_ms {
            Some(_) => silent(&signs, self.now_ms).into(),
            None => Verdict::Unknown,
        };
        let finding = verdict.map(|found| Finding {
            reason: found.reason,
            ..Self::about_courier(ExceptionCode::Silent, seen, found.since_ms)
        });
        self.settle(key, finding);
    }

    fn judge_standstill(&mut self, seen: &AtWork, here: LatLon) {
        let key = (ExceptionCode::Stationary, *seen.courier.as_uuid());
        let stops: Vec<LatLon> = seen.open.iter().flat_map(|order| [order.pickup.point, order.dropoff.point]).collect();
        let stand = Stand {
            here,
            accuracy_m: accuracy_m(seen),
            heard_ms: seen.heard_ms.unwrap_or(i64::MIN),
            still_since_ms: seen.still_since_ms,
            has_goods: has_goods(&seen.open),
            stops: &stops,
        };
        let noticed_at = self.ongoing.get(&key).and_then(|known| known.place);
        let verdict = stationary(&stand, noticed_at, self.now_ms);
        let finding = verdict.map(|since_ms| Self::about_courier(ExceptionCode::Stationary, seen, since_ms));
        self.settle(key, finding);
    }

    fn judge_detour(&mut self, seen: &AtWork, here: LatLon, way: &mut Way) {
        let Some((order, first)) = seen.open.first().zip(seen.ahead.first()) else { return };
        if first.stop.order_id != order.id {
            // They bring something back, and no customer waits for that.
            return;
        }
        let target = first.at;
        let mut known = HashSet::from([order.id]);
        let next_of_others = seen.ahead.iter().filter(|stop| known.insert(stop.stop.order_id));
        let others: Vec<LatLon> = next_of_others.map(|stop| stop.at).collect();
        let key = (ExceptionCode::OffRoute, *order.id.as_uuid());
        let place = Seen {
            time_ms: seen.position.map_or(i64::MIN, |position| position.time_ms),
            here,
            accuracy_m: accuracy_m(seen),
            target,
            route: seen.route.as_ref(),
            others: &others,
        };
        let verdict = way.observe(&place, self.ongoing.get(&key).map(|known| known.since_ms));
        let finding = verdict.map(|off| Finding {
            subject: *order.id.as_uuid(),
            order: Some(order.id),
            distance_m: Some(off.distance_m as i32),
            ..Self::about_courier(ExceptionCode::OffRoute, seen, off.since_ms)
        });
        self.settle(key, finding);
    }

    fn judge_promises(&mut self, seen: &AtWork, here: Option<LatLon>, doubtful: &mut HashMap<OrderId, i64>) {
        if seen.open.iter().all(|order| order.promised_until.is_none()) {
            return;
        }
        let expected = here.map(|here| expected(seen, here, self.now_ms)).unwrap_or_default();
        for order in &seen.open {
            let Some(until) = order.promised_until else { continue };
            let until_ms = until.timestamp_millis();
            let told = seen.told.get(&order.id).and_then(|eta| told_promise(eta, until_ms, self.now_ms));
            let (earliest_ms, expected_ms) = expected.get(&order.id).copied().unzip();
            let guessed = Promise { until_ms, earliest_ms, expected_ms, late_probability: None };
            let promise = told.filter(|_| here.is_some()).unwrap_or(guessed);
            self.judge_promise(order.id, Some(seen), &promise, doubtful);
        }
    }

    /// Judges an order that has a promise and no courier.
    pub fn judge_unassigned(&mut self, order: &OpenOrder, doubtful: &mut HashMap<OrderId, i64>) {
        let Some(until) = order.promised_until else { return };
        // The quickest possible courier stands at its pickup and takes it this very moment.
        let needed_ms = time_needed_ms(order.pickup, order.status, order.pickup, order.dropoff, Vehicle::Motorcycle);
        let window = eta::window(needed_ms as f64, self.now_ms);
        let promise = Promise {
            until_ms: until.timestamp_millis(),
            earliest_ms: Some(window.earliest_ms),
            expected_ms: Some(self.now_ms.saturating_add(needed_ms)),
            late_probability: None,
        };
        self.judge_promise(order.id, None, &promise, doubtful);
    }

    /// Judges the devices of which nothing is taken; what was noticed of any other device is over.
    pub(super) fn judge_devices(&mut self, rejected: &[RejectedDevice]) {
        let key = |device: &RejectedDevice| (device.code, *device.device.as_uuid());
        let now: HashSet<Key> = rejected.iter().map(key).collect();
        let noticed = self.ongoing.keys().filter(|(code, _)| is_about_device(*code)).copied();
        let over: Vec<Key> = noticed.filter(|noticed| !now.contains(noticed)).collect();
        for noticed in over {
            self.settle(noticed, Verdict::Absent);
        }
        for device in rejected {
            self.settle(key(device), Verdict::Present(of_device(device)));
        }
    }

    /// Judges a courier who waits at a pickup where `usual_s` seconds are usual. It ends when they collect the order or
    /// lose it, as the database knows.
    pub(super) fn judge_wait(&mut self, waiting: &WaitingAtPickup, usual_s: Option<u32>) {
        let waited_ms = self.now_ms.saturating_sub(waiting.since_ms);
        if waited_ms <= i64::from(usual_s.unwrap_or(WAIT_S)) * 1_000 {
            return;
        }
        let subject = *waiting.order.as_uuid();
        let finding = Finding {
            code: ExceptionCode::NotReady,
            subject,
            courier: Some(waiting.courier),
            order: Some(waiting.order),
            since_ms: waiting.since_ms,
            ended_ms: None,
            place: None,
            late_by_s: None,
            distance_m: None,
            reason: None,
        };
        self.settle((ExceptionCode::NotReady, subject), Verdict::Present(finding));
    }

    fn judge_promise(
        &mut self,
        order: OrderId,
        seen: Option<&AtWork>,
        promise: &Promise,
        doubtful: &mut HashMap<OrderId, i64>,
    ) {
        let key = (ExceptionCode::Late, *order.as_uuid());
        let noticed = self.ongoing.contains_key(&key);
        let mut verdict = late(promise, noticed, self.now_ms);
        if let Verdict::Present(found) = verdict
            && !noticed
            && !found.is_certain
        {
            let since_ms = *doubtful.entry(order).or_insert(self.now_ms);
            if self.now_ms.saturating_sub(since_ms) < SURE_FOR_MS {
                verdict = Verdict::Unknown;
            }
        } else {
            doubtful.remove(&order);
        }
        let finding = verdict.map(|found| Finding {
            code: ExceptionCode::Late,
            subject: *order.as_uuid(),
            courier: seen.map(|seen| seen.courier),
            order: Some(order),
            since_ms: self.now_ms,
            ended_ms: None,
            place: seen.and_then(|seen| seen.position?.point()),
            late_by_s: Some(i32::try_from(found.by_ms / 1_000).unwrap_or(i32::MAX)),
            distance_m: None,
            reason: None,
        });
        self.settle(key, finding);
    }

    fn about_courier(code: ExceptionCode, seen: &AtWork, since_ms: i64) -> Finding {
        Finding {
            code,
            subject: *seen.courier.as_uuid(),
            courier: Some(seen.courier),
            order: seen.open.first().map(|order| order.id),
            since_ms,
            ended_ms: None,
            place: seen.position.and_then(|position| position.point()),
            late_by_s: None,
            distance_m: None,
            reason: None,
        }
    }

    /// Compares a verdict with what was known before.
    fn settle(&mut self, key: Key, verdict: Verdict<Finding>) {
        match (self.ongoing.get(&key), verdict) {
            (None, Verdict::Present(finding)) if !self.ended.contains(&key) => self.found.push(finding),
            (Some(known), Verdict::Present(finding)) => self.changed.extend(change(known, &finding)),
            (Some(known), Verdict::Absent) => {
                self.over.push(End { id: known.id, at_ms: self.now_ms.max(known.since_ms) });
                self.going_on -= 1;
                self.ongoing.remove(&key);
                self.ended.insert(key);
            }
            _ => {}
        }
    }
}

fn of_device(rejected: &RejectedDevice) -> Finding {
    Finding {
        code: rejected.code,
        subject: *rejected.device.as_uuid(),
        courier: Some(rejected.courier),
        order: None,
        since_ms: rejected.since_ms,
        ended_ms: None,
        place: None,
        late_by_s: None,
        distance_m: None,
        reason: None,
    }
}

/// Whether an exception can still go on, by what the database knows of its courier and order.
fn applies(known: &Ongoing) -> bool {
    let in_status = known.order_state.is_some_and(|order| goes_on_in(known.code, order.status));
    let has_courier = known.order_state.is_some_and(|order| order.courier == known.courier);
    match known.code {
        ExceptionCode::Late | ExceptionCode::GivenBack => in_status,
        ExceptionCode::OffRoute | ExceptionCode::NotReady => in_status && has_courier,
        ExceptionCode::Silent => known.courier_has_orders && !known.courier_is_off_duty,
        ExceptionCode::Stationary => known.courier_has_goods,
        ExceptionCode::ClockWrong | ExceptionCode::ReportsUnreadable => true,
        ExceptionCode::DeliveredFar | ExceptionCode::LateReport | ExceptionCode::DoorElsewhere => false,
    }
}

/// A promise by what its customer was told; `None` for an estimate from a server that does not say what it expects.
fn told_promise(eta: &Eta, until_ms: i64, now_ms: i64) -> Option<Promise> {
    let expected_ms = eta.expected_ms?.max(now_ms);
    let earliest_ms = eta.earliest_ms.max(now_ms);
    let arrival = risk::Arrival { earliest_ms, expected_ms, latest_ms: eta.latest_ms.max(expected_ms) };
    let late_probability = risk::late_probability(&arrival, until_ms.saturating_add(GRACE_MS));
    Some(Promise {
        until_ms,
        earliest_ms: Some(earliest_ms),
        expected_ms: Some(expected_ms),
        late_probability: Some(late_probability),
    })
}

fn change(known: &Ongoing, finding: &Finding) -> Option<Change> {
    let differs = |known: Option<i32>, now: Option<i32>, by: i32| {
        now.is_some_and(|now| known.is_none_or(|known| now.abs_diff(known) >= by.unsigned_abs()))
    };
    let is_news = differs(known.late_by_s, finding.late_by_s, WORSE_BY_S)
        || differs(known.distance_m, finding.distance_m, WORSE_BY_M)
        || known.reason != finding.reason;
    is_news.then_some(Change {
        id: known.id,
        late_by_s: finding.late_by_s,
        distance_m: finding.distance_m,
        reason: finding.reason,
    })
}

fn has_goods(open: &[Order]) -> bool {
    open.iter().any(|order| matches!(order.status, OrderStatus::PickedUp | OrderStatus::AtDropoff))
}

fn accuracy_m(seen: &AtWork) -> f64 {
    seen.position.and_then(|position| position.accuracy_m).map_or(ASSUMED_ACCURACY_M, f64::from)
}
