//! The engine with a phone around it: storage that keeps what is committed, a clock, and a server that is played by
//! hand.

use std::collections::BTreeMap;

use doorstep_shared::{
    CourierId, DeviceId, OrderStatus, RawFix, Rejection, Vehicle,
    api::{
        courier::{CourierHome, Tour, TourStop},
        proof::ProofKind,
    },
    problem::ErrorDetails,
    protocol::{
        ErrorMessage, PresenceReason, PresenceState, ServerTime,
        courier::{
            Ack, CourierEvent, CourierIdentity, CourierMessage, Fixes, PresenceReport, RejectedFix, StatusReport, Stop,
            StopKind, Stops, Welcome,
        },
    },
};

use uuid::Uuid;

use super::*;

mod failures;
mod notices;
mod plans;
mod undo;

use crate::{
    courier::{
        intent::Screen,
        platform::Platform,
        position::{Failure, Reading},
        state::{Door, Duty, Gps, Pin, Shift},
        stops::tests::{order, stop},
    },
    data::Locale,
    live::connection::Health,
};

/// How long a final button can be taken back.
const UNDO_MS: f64 = 8_000.0;

const START_MS: i64 = 1_795_219_200_000;

/// What a phone keeps when its tab is closed.
#[derive(Clone, Debug, Default)]
struct Disk {
    fixes: BTreeMap<i64, String>,
    actions: BTreeMap<u64, String>,
    memory: Option<String>,
}

impl Disk {
    fn write(&mut self, Write { slot, text }: Write) {
        match (slot, text) {
            (Slot::Fix(time_ms), Some(text)) => drop(self.fixes.insert(time_ms, text)),
            (Slot::Fix(time_ms), None) => drop(self.fixes.remove(&time_ms)),
            (Slot::Action(id), Some(text)) => drop(self.actions.insert(id, text)),
            (Slot::Action(id), None) => drop(self.actions.remove(&id)),
            (Slot::Memory, text) => self.memory = text,
            (Slot::Photo(_), _) => {}
        }
    }

    fn records(&self) -> Records {
        Records {
            fixes: self.fixes.iter().map(|(time_ms, text)| (*time_ms, text.clone())).collect(),
            actions: self.actions.iter().map(|(id, text)| (*id as i64, text.clone())).collect(),
            memory: self.memory.clone(),
            photos: vec![],
        }
    }
}

struct Phone {
    engine: Engine,
    now_ms: f64,
    /// How far the phone's clock is from the truth.
    skew_ms: i64,
    disk: Disk,
    /// What the disk does not take.
    refuses: fn(&Write) -> bool,
    /// Everything that was decided since it was last asked for, without what the disk did.
    effects: Vec<Effect>,
    ids: u128,
}

impl Phone {
    fn new(disk: Disk, now_ms: f64) -> Self {
        let engine = Engine::new(now_ms);
        Self { engine, now_ms, skew_ms: 0, disk, refuses: |_| false, effects: vec![], ids: 0 }
    }

    /// A tab that opens with the right to work and reads its storage.
    fn opened(disk: Disk, now_ms: f64) -> Self {
        let mut phone = Self::new(disk, now_ms);
        phone.tell(Input::Start(Start { can_locate: true, has_network: true, ..Start::default() }));
        phone.tell(Input::Lock(Lock::Held));
        phone
    }

    /// Signed in, connected, greeted with these stops.
    fn connected(stops: Vec<Stop>) -> Self {
        let mut phone = Self::opened(Disk::default(), 0.0);
        phone.tell(Input::WhoAmI(Answer::Home(home(1))));
        assert!(phone.take().contains(&Effect::OpenSocket));
        phone.welcome(stops);
        phone.take();
        phone
    }

    /// On duty, with a first position that the server has.
    fn working(stops: Vec<Stop>) -> Self {
        let mut phone = Self::connected(stops);
        phone.act(Intent::GoOnline);
        phone.read();
        phone.serve();
        assert_eq!(phone.shift().waiting_fixes, 0);
        phone
    }

    fn moment(&mut self) -> Moment {
        self.ids += 1;
        let date_ms = START_MS + self.now_ms as i64 + self.skew_ms;
        Moment { now_ms: self.now_ms, date_ms, random: 0.5, id: Uuid::from_u128(self.ids) }
    }

    fn tell(&mut self, input: Input) {
        let at = self.moment();
        let mut then = vec![];
        for effect in self.engine.step(at, input) {
            match effect {
                Effect::Commit { number, writes, .. } => {
                    let is_kept = !writes.iter().any(self.refuses);
                    writes.into_iter().filter(|_| is_kept).for_each(|write| self.disk.write(write));
                    then.push(Input::Committed { number, is_kept });
                }
                Effect::Load => then.push(Input::Loaded(self.disk.records())),
                Effect::Wipe => self.disk = Disk::default(),
                other => self.effects.push(other),
            }
        }
        // Storage answers later, after everything else that was decided.
        then.into_iter().for_each(|input| self.tell(input));
    }

    fn act(&mut self, intent: Intent) {
        self.tell(Input::Act(intent));
    }

    fn hear(&mut self, event: CourierEvent) {
        self.tell(Input::SocketMessage(event));
    }

    fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn sent(&mut self) -> Vec<CourierMessage> {
        let message = |effect| match effect {
            Effect::Send(message) => Some(message),
            _ => None,
        };
        self.take().into_iter().filter_map(message).collect()
    }

    fn fixes_sent(&mut self) -> Vec<Fixes> {
        let fixes = |message| match message {
            CourierMessage::Fixes(fixes) => Some(fixes),
            _ => None,
        };
        self.sent().into_iter().filter_map(fixes).collect()
    }

    fn presence_sent(&mut self) -> Vec<(PresenceState, Option<PresenceReason>)> {
        let report = |message| match message {
            CourierMessage::Presence(PresenceReport { state, reason, .. }) => Some((state, reason)),
            _ => None,
        };
        self.sent().into_iter().filter_map(report).collect()
    }

    fn welcome(&mut self, stops: Vec<Stop>) {
        self.hear(CourierEvent::Welcome(Welcome {
            server_time_ms: START_MS + self.now_ms as i64,
            courier: CourierIdentity { id: home(1).id, name: "Ana".into() },
            max_fixes: 500,
            pace: pace(1_000),
            stops,
            version: None,
            office_phone: None,
            may_reorder: None,
        }));
    }

    /// Acks everything, pongs every ping, until nothing more comes; answers what the server got, in order.
    fn serve(&mut self) -> (Vec<RawFix>, Vec<StatusReport>) {
        let (mut fixes, mut statuses) = (vec![], vec![]);
        loop {
            let sent = self.sent();
            if sent.is_empty() {
                return (fixes, statuses);
            }
            for message in sent {
                match message {
                    CourierMessage::Fixes(batch) => {
                        fixes.extend(batch.fixes);
                        self.hear(ack(batch.id));
                    }
                    CourierMessage::Status(status) => {
                        let id = status.id;
                        statuses.push(status);
                        self.hear(ack(id));
                    }
                    CourierMessage::Ping(_) => {
                        let server_time_ms = START_MS + self.now_ms as i64;
                        self.hear(CourierEvent::Pong(ServerTime { server_time_ms }));
                    }
                    CourierMessage::Report(report) => self.hear(ack(report.id)),
                    CourierMessage::Presence(_) | CourierMessage::Seen(_) => {}
                }
            }
        }
    }

    fn read(&mut self) {
        let time_ms = START_MS + self.now_ms as i64 + self.skew_ms;
        self.tell(Input::Reading(Reading {
            time_ms,
            lat: 35.9,
            lon: 14.5 + self.now_ms * 1e-7,
            accuracy_m: 6.0,
            speed_mps: Some(8.0),
            heading_deg: Some(90.0),
            altitude_m: None,
        }));
    }

    /// A reading a second, on a connection that is alive if there is one.
    fn drive(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.pass(1_000.0);
            if self.engine.connection.is_up() {
                let server_time_ms = START_MS + self.now_ms as i64;
                self.hear(CourierEvent::Heartbeat(ServerTime { server_time_ms }));
            }
            self.read();
        }
    }

    fn next_wake_ms(&self) -> Option<f64> {
        self.engine.next_wake_ms(self.now_ms, START_MS + self.now_ms as i64 + self.skew_ms)
    }

    /// Lets time pass, with every wake-up on the way.
    fn pass(&mut self, whole_ms: f64) {
        let until_ms = self.now_ms + whole_ms;
        while let Some(wake_ms) = self.next_wake_ms().filter(|wake_ms| *wake_ms <= until_ms) {
            self.now_ms = wake_ms.max(self.now_ms);
            self.tell(Input::Tick);
        }
        self.now_ms = until_ms;
    }

    fn shift(&mut self) -> Shift {
        let locale = Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false };
        let mut shift = Shift::starting(locale, Platform::default());
        let at = self.moment();
        self.engine.show(at, &mut shift);
        shift
    }

    fn notices(&mut self) -> Vec<String> {
        self.shift().notices.into_iter().map(|notice| notice.text).collect()
    }

    /// The tunnel: no network, the socket is gone, and no try to open one succeeds.
    fn lose_network(&mut self) {
        self.tell(Input::Offline);
        self.tell(Input::SocketClosed(1006));
        self.take();
    }

    fn find_network(&mut self, stops: Vec<Stop>) {
        self.tell(Input::SocketClosed(1006));
        self.tell(Input::Online);
        assert!(self.take().contains(&Effect::OpenSocket));
        self.welcome(stops);
    }
}

fn home(number: u128) -> CourierHome {
    CourierHome {
        id: CourierId::from_uuid(Uuid::from_u128(number)),
        name: "Ana".into(),
        vehicle: Vehicle::Scooter,
        device_id: DeviceId::from_uuid(Uuid::from_u128(9)),
        device_label: "Ana's phone".into(),
    }
}

fn pace(interval_ms: u64) -> Pace {
    Pace { interval_ms, min_distance_m: 0, reason: None }
}

fn ack(id: u64) -> CourierEvent {
    CourierEvent::Ack(Ack { id, stored: 1, duplicates: 0, rejected: vec![] })
}

fn error(id: u64, code: &str, message: &str) -> CourierEvent {
    let retry_after_ms = (code == "unavailable").then_some(2_000);
    CourierEvent::Error(ErrorMessage { retry_after_ms, ..ErrorMessage::refusal(Some(id), code, message.to_owned()) })
}

fn at_the_door() -> Vec<Stop> {
    vec![stop(1, StopKind::Dropoff, OrderStatus::AtDropoff)]
}

fn whole_trip() -> Vec<Stop> {
    vec![stop(1, StopKind::Pickup, OrderStatus::Assigned), stop(1, StopKind::Dropoff, OrderStatus::Assigned)]
}

const TRACKING: (PresenceState, Option<PresenceReason>) = (PresenceState::Tracking, None);

fn paused(reason: PresenceReason) -> (PresenceState, Option<PresenceReason>) {
    (PresenceState::Paused, Some(reason))
}

fn times(fixes: &[RawFix]) -> Vec<i64> {
    fixes.iter().map(|fix| fix.time_ms - START_MS).collect()
}

// The position and the tunnel.

#[test]
fn going_online_reports_itself_before_the_first_position() {
    let mut phone = Phone::connected(vec![]);
    assert_eq!(phone.shift().duty, Duty::Off);
    phone.pass(5_000.0);
    phone.act(Intent::GoOnline);
    assert_eq!(phone.shift().duty, Duty::GoingOnline);
    assert_eq!(phone.take(), [Effect::Persist, Effect::Watch(true), Effect::KeepAwake(true)]);
    phone.pass(3_000.0);
    phone.read();
    let sent = phone.sent();
    let CourierMessage::Presence(report) = &sent[0] else { panic!("the presence comes first: {sent:?}") };
    assert_eq!((report.state, report.time_ms), (PresenceState::Tracking, Some(START_MS + 5_000)));
    assert!(sent.iter().any(|message| matches!(message, CourierMessage::Fixes(_))));
    assert_eq!((phone.shift().duty, phone.shift().gps), (Duty::Online, Gps::Good { accuracy_m: 6.0 }));
}

#[test]
fn after_three_minutes_in_a_tunnel_the_newest_comes_first_and_all_180_arrive_once() {
    let mut phone = Phone::working(vec![]);
    phone.lose_network();
    phone.drive(180);
    let shift = phone.shift();
    assert_eq!((shift.health, shift.waiting_fixes), (Health::NoNetwork, 180));
    assert_eq!(phone.disk.fixes.len(), 180, "all are in storage");
    phone.take();
    phone.find_network(vec![]);
    let first = phone.effects.iter().find_map(|effect| match effect {
        Effect::Send(CourierMessage::Fixes(batch)) => Some(times(&batch.fixes)),
        _ => None,
    });
    assert_eq!(first, Some(vec![180_000]));
    let (mut fixes, _) = phone.serve();
    fixes.sort_by_key(|fix| fix.time_ms);
    assert_eq!(times(&fixes), (1..=180).map(|second| second * 1_000).collect::<Vec<_>>());
    assert_eq!((phone.shift().waiting_fixes, phone.disk.fixes.len()), (0, 0));
}

#[test]
fn closing_and_reopening_the_tab_in_the_tunnel_loses_nothing() {
    let mut phone = Phone::working(whole_trip());
    phone.lose_network();
    phone.drive(60);
    phone.act(Intent::Advance { order_id: order(1) });
    let mut phone = Phone::opened(phone.disk.clone(), phone.now_ms + 5_000.0);
    phone.tell(Input::WhoAmI(Answer::Unreachable));
    let shift = phone.shift();
    assert_eq!((shift.door, shift.duty), (Door::Open, Duty::Online), "the shift goes on");
    assert_eq!((shift.waiting_fixes, shift.waiting_actions), (60, 1));
    assert_eq!(shift.stops[0].status, OrderStatus::AtPickup);
    assert_eq!(shift.courier.map(|who| who.name), Some("Ana".into()));
    phone.drive(30);
    phone.take();
    phone.find_network(whole_trip());
    let (fixes, statuses) = phone.serve();
    assert_eq!((fixes.len(), statuses.len()), (90, 1));
}

#[test]
fn the_pace_is_obeyed_within_one_interval() {
    let mut phone = Phone::working(vec![]);
    phone.hear(CourierEvent::Pace(pace(30_000)));
    phone.drive(60);
    assert_eq!(phone.serve().0.len(), 2);
    phone.hear(CourierEvent::Pace(pace(1_000)));
    phone.drive(10);
    assert_eq!(phone.serve().0.len(), 10);
}

#[test]
fn where_a_drive_ends_is_known_even_from_a_phone_that_then_falls_silent() {
    let mut phone = Phone::working(vec![]);
    phone.hear(CourierEvent::Pace(pace(5_000)));
    phone.pass(2_000.0);
    phone.read();
    assert_eq!(phone.fixes_sent(), []);
    phone.pass(5_000.0);
    let sent: Vec<_> = phone.fixes_sent().iter().map(|batch| times(&batch.fixes)).collect();
    assert_eq!(sent, [vec![2_000]]);
}

#[test]
fn a_database_that_is_away_gets_the_newest_first_when_it_is_back() {
    let mut phone = Phone::working(vec![]);
    phone.drive(1);
    let id = phone.fixes_sent()[0].id;
    phone.hear(error(id, "unavailable", "keep it"));
    assert_eq!(phone.fixes_sent(), []);
    phone.pass(1_000.0);
    phone.read();
    assert_eq!(phone.fixes_sent(), [], "it asked for two seconds");
    phone.pass(1_000.0);
    let sent: Vec<_> = phone.fixes_sent().iter().map(|batch| times(&batch.fixes)).collect();
    assert_eq!(sent, [vec![2_000], vec![1_000]]);
}

#[test]
fn refused_positions_are_told_once_and_never_sent_again() {
    let mut phone = Phone::working(vec![]);
    phone.lose_network();
    phone.drive(3);
    phone.find_network(vec![]);
    for batch in phone.fixes_sent() {
        let count = batch.fixes.len() as u32;
        let rejected = (0..count).map(|index| RejectedFix { index, code: Rejection::OffDuty }).collect();
        phone.hear(CourierEvent::Ack(Ack { id: batch.id, stored: 0, duplicates: 0, rejected }));
    }
    assert_eq!((phone.fixes_sent(), phone.disk.fixes.len()), (vec![], 0));
    assert!(phone.notices().iter().any(|text| text.starts_with("2 positions from while you were off duty")));
}

#[test]
fn a_clock_in_the_future_is_put_right_and_told_once() {
    let mut phone = Phone::opened(Disk::default(), 0.0);
    phone.skew_ms = 420_000;
    phone.tell(Input::WhoAmI(Answer::Unreachable));
    phone.tell(Input::Start(Start { can_locate: true, has_network: true, ..Start::default() }));
    phone.tell(Input::Act(Intent::Retry));
    phone.tell(Input::WhoAmI(Answer::Home(home(1))));
    phone.act(Intent::GoOnline);
    phone.drive(5);
    phone.take();
    phone.welcome(vec![]);
    let (mut fixes, _) = phone.serve();
    phone.drive(2);
    fixes.extend(phone.serve().0);
    fixes.sort_by_key(|fix| fix.time_ms);
    assert_eq!(times(&fixes), [1_000, 3_000, 5_000, 6_000, 7_000]);
    assert_eq!(
        phone.notices(),
        ["This phone's clock is 7 min ahead, so positions are dated by the server's. Set it to automatic."]
    );
}

/// Opened without a network by a courier whose shift of yesterday is over, on a phone with this skew.
fn without_network(skew_ms: i64) -> Phone {
    let mut phone = Phone::working(vec![]);
    phone.act(Intent::GoOffline);
    phone.serve();
    let mut phone = Phone::new(phone.disk.clone(), 10.0 * 3_600_000.0);
    phone.skew_ms = skew_ms;
    reopen(phone)
}

/// The same phone with its tab closed and opened again, without a network.
fn reopen(phone: Phone) -> Phone {
    let mut phone = Phone { engine: Engine::new(phone.now_ms), effects: vec![], ..phone };
    phone.tell(Input::Start(Start { can_locate: true, has_network: false, ..Start::default() }));
    phone.tell(Input::Lock(Lock::Held));
    phone.tell(Input::WhoAmI(Answer::Unreachable));
    phone
}

/// Since when the courier is on duty, as reported, and the times of all positions, in order; by the clock of the test.
fn arrived(phone: &mut Phone) -> (Vec<i64>, Vec<i64>) {
    let report = |effect: &Effect| match effect {
        Effect::Send(CourierMessage::Presence(report)) => report.time_ms.filter(|_| report.reason.is_none()),
        _ => None,
    };
    let since: Vec<_> = phone.effects.iter().filter_map(report).map(|time_ms| time_ms - START_MS).collect();
    let mut times = times(&phone.serve().0);
    times.sort_unstable();
    (since, times)
}

#[test]
fn a_shift_begun_offline_with_a_fast_clock_is_put_right_as_a_whole() {
    let begun_ms = 10 * 3_600_000;
    let mut phone = without_network(600_000);
    phone.act(Intent::GoOnline);
    phone.drive(150);
    let mut phone = reopen(phone);
    phone.drive(150);
    phone.take();
    phone.find_network(vec![]);
    let (since, times) = arrived(&mut phone);
    assert_eq!(since, [begun_ms], "not when the clock said, and not when the network came");
    assert!(times.len() >= 290, "{}", times.len());
    assert!(times.iter().all(|time_ms| (begun_ms..=begun_ms + 300_000).contains(time_ms)), "{times:?}");
    let again = reopen(phone);
    assert_eq!(again.engine.storage.memory.on_duty_since_ms, Some(START_MS + begun_ms));
}

#[test]
fn what_a_right_clock_dated_stays_when_it_is_set_wrong_later() {
    let mut phone = Phone::working(vec![]);
    phone.lose_network();
    phone.drive(10);
    phone.skew_ms = 600_000;
    phone.drive(10);
    phone.take();
    phone.find_network(vec![]);
    let (_, times) = arrived(&mut phone);
    assert_eq!(times, (1..=20).map(|second| second * 1_000).collect::<Vec<_>>());
}

#[test]
fn a_clock_put_right_without_a_network_takes_with_it_what_it_dated_wrong() {
    let mut phone = without_network(600_000);
    phone.act(Intent::GoOnline);
    phone.drive(10);
    phone.skew_ms = 0;
    phone.drive(10);
    phone.take();
    phone.find_network(vec![]);
    let (since, times) = arrived(&mut phone);
    assert_eq!((since, times.len()), (vec![36_000_000], 20));
    assert!(times.iter().all(|time_ms| (36_000_000..=36_020_000).contains(time_ms)), "{times:?}");
}

#[test]
fn a_clock_that_is_set_on_a_living_connection_is_noticed_before_anything_is_sent() {
    for (before_ms, after_ms) in [(-600_000, 0), (600_000, 0), (0, 600_000), (0, -600_000), (600_000, -600_000)] {
        let mut phone = Phone::opened(Disk::default(), 0.0);
        phone.skew_ms = before_ms;
        phone.tell(Input::WhoAmI(Answer::Home(home(1))));
        phone.welcome(vec![]);
        phone.act(Intent::GoOnline);
        phone.drive(3);
        phone.serve();
        phone.skew_ms = after_ms;
        phone.pass(1_000.0);
        phone.read();
        assert_eq!(phone.fixes_sent().len(), 0, "not before the server said what time it is");
        let server_time_ms = START_MS + phone.now_ms as i64;
        phone.hear(CourierEvent::Pong(ServerTime { server_time_ms }));
        let mut got = phone.serve().0;
        phone.drive(2);
        got.extend(phone.serve().0);
        got.sort_by_key(|fix| fix.time_ms);
        assert_eq!(times(&got), [4_000, 5_000, 6_000], "from {before_ms} to {after_ms}");
        let told = match after_ms {
            0 => vec![],
            1.. => vec!["This phone's clock is 10 min ahead"],
            _ => vec!["This phone's clock is 10 min behind"],
        };
        let notices = phone.notices();
        let notices: Vec<_> = notices.iter().filter_map(|notice| notice.split(',').next()).collect();
        assert_eq!(notices, told, "from {before_ms} to {after_ms}: as long as it is true");
    }
}

#[test]
fn a_phone_far_behind_is_put_right_too() {
    let mut phone = Phone::opened(Disk::default(), 0.0);
    phone.skew_ms = -400_000;
    phone.tell(Input::WhoAmI(Answer::Home(home(1))));
    phone.act(Intent::GoOnline);
    phone.drive(2);
    phone.welcome(vec![]);
    phone.drive(2);
    let mut got = phone.serve().0;
    got.sort_by_key(|fix| fix.time_ms);
    assert_eq!(times(&got), [1_000, 3_000, 4_000]);
    assert_eq!(
        phone.notices(),
        ["This phone's clock is 7 min behind, so positions are dated by the server's. Set it to automatic."]
    );
}

#[test]
fn a_greeting_read_late_is_no_proof_of_a_wrong_clock() {
    let mut phone = Phone::working(vec![]);
    phone.lose_network();
    phone.tell(Input::Online);
    let server_time_ms = START_MS + phone.now_ms as i64;
    // The page sleeps with the greeting before its door.
    phone.now_ms += 300_000.0;
    phone.hear(CourierEvent::Welcome(Welcome {
        server_time_ms,
        courier: CourierIdentity { id: home(1).id, name: "Ana".into() },
        max_fixes: 500,
        pace: pace(1_000),
        stops: vec![],
        version: None,
        office_phone: None,
        may_reorder: None,
    }));
    phone.read();
    assert_eq!(times(&phone.serve().0), [300_000]);
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn an_old_reading_neither_moves_the_courier_nor_ends_the_pause() {
    let mut phone = Phone::working(vec![]);
    let before = phone.shift().position;
    phone.pass(1_000.0);
    phone.tell(Input::Hidden);
    phone.now_ms += 240_000.0;
    phone.tell(Input::Shown);
    let state = |phone: &Phone| phone.engine.storage.memory.presence.current().map(|report| report.state);
    assert_eq!(state(&phone), Some(PresenceState::Paused));
    phone.tell(Input::Reading(Reading {
        time_ms: START_MS + phone.now_ms as i64 - 180_000,
        lat: 36.0,
        lon: 14.0,
        accuracy_m: 6.0,
        speed_mps: None,
        heading_deg: None,
        altitude_m: None,
    }));
    assert_eq!((state(&phone), phone.shift().position), (Some(PresenceState::Paused), before));
    assert_eq!(phone.shift().waiting_fixes, 0);
    phone.read();
    assert_eq!((state(&phone), phone.shift().waiting_fixes), (Some(PresenceState::Tracking), 1));
}

// Presence.

#[test]
fn a_denied_permission_is_told_to_everybody() {
    let mut phone = Phone::connected(vec![]);
    phone.act(Intent::GoOnline);
    phone.take();
    phone.tell(Input::PositionFailed(Failure::Denied));
    assert_eq!((phone.shift().gps, phone.shift().duty), (Gps::Denied, Duty::GoingOnline));
    assert_eq!(phone.presence_sent(), [paused(PresenceReason::NoPermission)]);
    phone.act(Intent::Retry);
    assert!(phone.take().contains(&Effect::Watch(true)));
    phone.read();
    assert_eq!((phone.presence_sent(), phone.shift().duty), (vec![TRACKING], Duty::Online));
}

#[test]
fn a_permission_lost_on_the_way_is_lost_and_comes_back_by_itself() {
    let mut phone = Phone::working(vec![]);
    phone.tell(Input::Permission { is_granted: false });
    assert_eq!((phone.shift().gps, phone.shift().duty), (Gps::Lost, Duty::Online));
    assert_eq!(phone.presence_sent(), [paused(PresenceReason::NoPermission)]);
    phone.tell(Input::Permission { is_granted: true });
    phone.read();
    assert_eq!(phone.presence_sent(), [TRACKING]);
}

#[test]
fn a_hidden_page_says_so_at_once_and_on_return_how_long_it_was() {
    let mut phone = Phone::working(vec![]);
    phone.pass(1_000.0);
    phone.tell(Input::Hidden);
    assert_eq!(phone.presence_sent(), [paused(PresenceReason::ScreenLocked)]);
    phone.now_ms += 240_000.0;
    phone.tell(Input::Shown);
    assert_eq!(phone.presence_sent(), [], "nothing is shared before a position comes");
    let notice = phone.shift().notices.pop().expect("a notice");
    assert!(notice.text.starts_with("Sharing paused 4 min while this page was in the background"), "{}", notice.text);
    assert_eq!(notice.offer, Some(Screen::Trackers));
    phone.read();
    phone.serve();
    let current = phone.engine.storage.memory.presence.current().expect("a presence");
    assert_eq!((current.state, current.time_ms), (PresenceState::Tracking, Some(START_MS + 241_000)));
}

#[test]
fn a_glance_at_another_app_is_not_worth_a_sentence() {
    let mut phone = Phone::working(vec![]);
    phone.tell(Input::Hidden);
    phone.now_ms += 15_000.0;
    phone.tell(Input::Shown);
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn a_phone_that_cannot_find_itself_is_asked_again_and_then_it_is_told() {
    let mut phone = Phone::working(vec![]);
    phone.pass(15_000.0);
    assert!(phone.take().contains(&Effect::Watch(true)));
    assert_eq!(phone.shift().gps, Gps::Weak);
    phone.pass(15_000.0);
    assert_eq!(phone.presence_sent(), [paused(PresenceReason::NoSignal)]);
    phone.read();
    assert_eq!(phone.presence_sent(), [TRACKING]);
}

#[test]
fn an_empty_battery_is_the_reason_when_positions_stop() {
    let mut phone = Phone::working(vec![]);
    phone.tell(Input::Battery { level: 0.04, is_charging: false });
    phone.drive(1);
    assert_eq!(phone.presence_sent(), [], "as long as they come, they are shared");
    phone.tell(Input::Hidden);
    assert_eq!(phone.presence_sent(), [paused(PresenceReason::LowBattery)]);
}

#[test]
fn going_offline_stops_everything_and_survives_the_tunnel() {
    let mut phone = Phone::working(vec![]);
    phone.lose_network();
    phone.drive(2);
    phone.act(Intent::GoOffline);
    assert!(phone.take().contains(&Effect::Watch(false)));
    phone.read();
    assert_eq!(phone.shift().waiting_fixes, 2, "nothing is recorded off duty");
    let mut phone = Phone::opened(phone.disk.clone(), phone.now_ms + 60_000.0);
    phone.tell(Input::WhoAmI(Answer::Home(home(1))));
    phone.welcome(vec![]);
    let sent = phone.sent();
    let CourierMessage::Presence(report) = sent[0] else { panic!("the presence comes first: {sent:?}") };
    assert_eq!((report.state, report.time_ms), (PresenceState::OffDuty, Some(START_MS + 2_000)));
    assert_eq!(phone.shift().duty, Duty::Off);
}

#[test]
fn a_shift_that_somebody_forgot_to_end_is_over() {
    let phone = Phone::working(vec![]);
    let mut phone = Phone::opened(phone.disk.clone(), 17.0 * 3_600_000.0);
    phone.tell(Input::WhoAmI(Answer::Home(home(1))));
    phone.welcome(vec![]);
    assert_eq!(phone.shift().duty, Duty::Off);
    assert_eq!(phone.presence_sent(), [(PresenceState::OffDuty, Some(PresenceReason::User))]);
}

// The stops.

#[test]
fn statuses_pressed_in_a_tunnel_arrive_in_order_with_their_own_times() {
    let mut phone = Phone::working(whole_trip());
    phone.lose_network();
    for expected in [OrderStatus::AtPickup, OrderStatus::PickedUp, OrderStatus::AtDropoff, OrderStatus::Delivered] {
        phone.pass(10_000.0);
        let card = phone.shift().stops[0].clone();
        assert_eq!(card.next_status(), Some(expected));
        phone.act(Intent::Advance { order_id: order(1) });
    }
    let shift = phone.shift();
    assert_eq!((shift.stops.len(), shift.waiting_actions), (0, 4));
    phone.pass(UNDO_MS);
    phone.find_network(whole_trip());
    let (_, statuses) = phone.serve();
    let told: Vec<_> = statuses.iter().map(|report| (report.status, report.time_ms - START_MS)).collect();
    assert_eq!(
        told,
        [
            (OrderStatus::AtPickup, 10_000),
            (OrderStatus::PickedUp, 20_000),
            (OrderStatus::AtDropoff, 30_000),
            (OrderStatus::Delivered, 40_000),
        ]
    );
    let shift = phone.shift();
    assert_eq!((shift.stops.len(), shift.waiting_actions, phone.disk.actions.len()), (0, 0, 0));
}

#[test]
fn a_status_goes_again_after_a_lost_ack_and_nothing_overtakes_it() {
    let mut phone = Phone::working(whole_trip());
    phone.act(Intent::Advance { order_id: order(1) });
    phone.act(Intent::Advance { order_id: order(1) });
    let statuses = |phone: &mut Phone| {
        let status = |message| match message {
            CourierMessage::Status(report) => Some(report.status),
            _ => None,
        };
        phone.sent().into_iter().filter_map(status).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&mut phone), [OrderStatus::AtPickup]);
    phone.lose_network();
    phone.find_network(whole_trip());
    assert_eq!(statuses(&mut phone), [OrderStatus::AtPickup]);
}

#[test]
fn a_conflict_comes_back_as_a_sentence_and_the_next_status_goes_on() {
    let mut phone = Phone::working([whole_trip(), vec![stop(2, StopKind::Dropoff, OrderStatus::PickedUp)]].concat());
    phone.act(Intent::Advance { order_id: order(1) });
    phone.act(Intent::Advance { order_id: order(2) });
    let Some(CourierMessage::Status(report)) = phone.sent().pop() else { panic!("a status") };
    let details = Some(ErrorDetails::invalid_transition(order(1), OrderStatus::Delivered, report.status));
    let refused = ErrorMessage::refusal(Some(report.id), "invalid_transition", "it is over".to_owned());
    phone.hear(CourierEvent::Error(ErrorMessage { details, ..refused }));
    assert_eq!(
        phone.notices(),
        ["Order A-1, 1 Strait Street, was already delivered. Your “I have arrived” was passed on to dispatch."]
    );
    let Some(CourierMessage::Status(report)) = phone.sent().pop() else { panic!("the next status") };
    assert_eq!((report.order_id, report.status), (order(2), OrderStatus::AtDropoff));
    assert_eq!(phone.disk.actions.len(), 1);
}

#[test]
fn an_order_that_is_not_theirs_any_more_takes_one_sentence() {
    let mut phone = Phone::working(whole_trip());
    phone.act(Intent::Advance { order_id: order(1) });
    phone.act(Intent::Advance { order_id: order(1) });
    let Some(CourierMessage::Status(report)) = phone.sent().pop() else { panic!("a status") };
    phone.hear(CourierEvent::Stops(Stops { stops: vec![], version: None }));
    phone.hear(error(report.id, "not_found", "there is no such order"));
    assert_eq!((phone.notices().len(), phone.shift().waiting_actions), (1, 0));
}

#[test]
fn what_dispatch_changes_is_said_quietly_and_what_the_courier_did_is_not() {
    let mut phone = Phone::working([at_the_door(), vec![stop(2, StopKind::Dropoff, OrderStatus::PickedUp)]].concat());
    phone.act(Intent::Advance { order_id: order(1) });
    let stops = vec![stop(3, StopKind::Pickup, OrderStatus::Assigned)];
    phone.hear(CourierEvent::Stops(Stops { stops, version: None }));
    assert_eq!(
        phone.notices(),
        ["New on your list: order A-3, 3 Strait Street.", "Order A-2, 2 Strait Street, was taken off your list."]
    );
    assert!(phone.take().contains(&Effect::AskTour));
}

#[test]
fn the_way_is_asked_for_once_the_server_knows_where_the_courier_is() {
    let mut phone = Phone::connected(at_the_door());
    let tour = |line| Input::Tour(Some(Tour { computed_at: Default::default(), stops: vec![], line }));
    phone.tell(tour(vec![]));
    phone.pass(20_000.0);
    phone.act(Intent::GoOnline);
    phone.read();
    let Some(Fixes { id, .. }) = phone.fixes_sent().pop() else { panic!("a position") };
    phone.hear(ack(id));
    assert!(phone.take().contains(&Effect::AskTour));
    phone.tell(tour(vec![[14.5, 35.9]]));
    phone.drive(20);
    assert!(!phone.effects.contains(&Effect::AskTour), "then it goes on at its own pace");
}

#[test]
fn a_failed_delivery_carries_its_reason() {
    let mut phone = Phone::working(at_the_door());
    phone.act(Intent::Fail { order_id: order(1), reason: " Nobody there ".into() });
    phone.pass(UNDO_MS);
    let (_, statuses) = phone.serve();
    assert_eq!((statuses[0].status, statuses[0].note.as_deref()), (OrderStatus::Failed, Some("Nobody there")));
    assert_eq!(phone.shift().stops, []);
}

// Proofs.

/// At a door that wants these.
fn proving(wanted: Vec<ProofKind>) -> Phone {
    let mut phone = Phone::working(at_the_door());
    let stop = TourStop {
        order_id: order(1),
        kind: StopKind::Dropoff,
        earliest_at: None,
        latest_at: None,
        distance_m: Some(400),
        promised_from: None,
        promised_until: None,
        proof: wanted,
    };
    let computed_at = Default::default();
    phone.tell(Input::Tour(Some(Tour { computed_at, stops: vec![stop], line: vec![[14.5, 35.9]] })));
    phone.act(Intent::Advance { order_id: order(1) });
    assert_eq!(phone.shift().screen, Screen::Proof, "the main button asks for the proof");
    phone
}

fn photo(phone: &mut Phone) {
    phone.act(Intent::PhotoChosen { order_id: order(1) });
    assert!(phone.shift().proof.is_some_and(|proof| proof.is_shrinking));
    let Some(Effect::TakePhoto { order_id, proof_id }) = phone.take().pop() else { panic!("a photo is taken") };
    phone.tell(Input::Photo { order_id, proof_id, url: Some("blob:1".into()) });
}

fn proofs_put(phone: &mut Phone) -> Vec<u64> {
    let id = |effect| match effect {
        Effect::PutProof { id, .. } => Some(id),
        _ => None,
    };
    phone.take().into_iter().filter_map(id).collect()
}

#[test]
fn proofs_go_before_the_delivery_that_rests_on_them() {
    let mut phone = proving(vec![ProofKind::Photo, ProofKind::Signature]);
    photo(&mut phone);
    assert!(phone.shift().proof.is_some_and(|proof| !proof.is_complete()));
    phone.act(Intent::Deliver { order_id: order(1), note: String::new() });
    let problem = phone.shift().proof.and_then(|proof| proof.problem);
    assert_eq!(problem.as_deref(), Some("Still needed: a signature."));
    phone.act(Intent::Sign { order_id: order(1), name: "Kim".into(), strokes: vec![] });
    phone.act(Intent::Deliver { order_id: order(1), note: "with the neighbour".into() });
    assert_eq!((phone.shift().screen, phone.shift().waiting_actions), (Screen::Stops, 3));
    phone.pass(UNDO_MS);
    for _ in 0..2 {
        let put = proofs_put(&mut phone);
        assert_eq!(put.len(), 1);
        phone.tell(Input::ProofAnswered { id: put[0], answer: ProofAnswer::Taken });
    }
    let (_, statuses) = phone.serve();
    assert_eq!((statuses[0].status, statuses[0].note.as_deref()), (OrderStatus::Delivered, Some("with the neighbour")));
    assert_eq!(phone.engine.storage.memory.drafts, []);
}

#[test]
fn a_wrong_pin_holds_the_delivery_back_and_costs_no_second_photo() {
    let mut phone = proving(vec![ProofKind::Photo, ProofKind::Pin]);
    photo(&mut phone);
    phone.act(Intent::EnterPin { order_id: order(1), pin: "0000".into() });
    assert_eq!(phone.shift().proof.map(|proof| proof.pin), Some(Pin::Entered));
    phone.act(Intent::Deliver { order_id: order(1), note: "third floor ".into() });
    phone.pass(UNDO_MS);
    let photo_action = proofs_put(&mut phone)[0];
    phone.tell(Input::ProofAnswered { id: photo_action, answer: ProofAnswer::Taken });
    let pin_action = proofs_put(&mut phone)[0];
    let answer = ProofAnswer::Refused { code: "wrong_pin".into() };
    phone.tell(Input::ProofAnswered { id: pin_action, answer });
    assert_eq!(phone.notices(), ["Order A-1, 1 Strait Street, is not delivered yet: the PIN was not the right one."]);
    let shift = phone.shift();
    assert_eq!((shift.waiting_actions, shift.stops[0].status), (0, OrderStatus::AtDropoff));
    phone.act(Intent::BeginProof { order_id: order(1) });
    let proof = phone.shift().proof.expect("the screen of the proof");
    assert_eq!((proof.photo_url.as_deref(), proof.pin, &*proof.note), (Some("blob:1"), Pin::Missing, "third floor "));
    assert!(proof.problem.is_some_and(|problem| problem.contains("PIN")));
    phone.act(Intent::EnterPin { order_id: order(1), pin: "1234".into() });
    assert_eq!(phone.notices(), Vec::<String>::new(), "it is corrected");
    phone.act(Intent::Deliver { order_id: order(1), note: proof.note });
    phone.pass(UNDO_MS);
    let again = proofs_put(&mut phone);
    assert_eq!(again.len(), 1, "the server has the photo");
    phone.tell(Input::ProofAnswered { id: again[0], answer: ProofAnswer::Taken });
    let delivered = phone.serve().1;
    assert_eq!(delivered[0].note.as_deref(), Some("third floor"));
}

#[test]
fn a_pin_is_confirmed_when_the_server_says_so_and_not_sent_again() {
    let mut phone = proving(vec![ProofKind::Pin]);
    phone.act(Intent::Sign { order_id: order(1), name: "Kim".into(), strokes: vec![] });
    phone.act(Intent::EnterPin { order_id: order(1), pin: "1234".into() });
    phone.act(Intent::Deliver { order_id: order(1), note: String::new() });
    phone.pass(UNDO_MS);
    let signature = proofs_put(&mut phone)[0];
    phone.tell(Input::ProofAnswered { id: signature, answer: ProofAnswer::Taken });
    let pin = proofs_put(&mut phone)[0];
    phone.tell(Input::ProofAnswered { id: pin, answer: ProofAnswer::Taken });
    let Some(CourierMessage::Status(delivered)) = phone.sent().pop() else { panic!("a status") };
    phone.hear(error(delivered.id, "forbidden", "not now"));
    phone.act(Intent::BeginProof { order_id: order(1) });
    assert_eq!(phone.shift().proof.map(|proof| proof.pin), Some(Pin::Confirmed));
    phone.act(Intent::Deliver { order_id: order(1), note: String::new() });
    phone.pass(UNDO_MS);
    assert_eq!(proofs_put(&mut phone), [0u64; 0]);
}

#[test]
fn a_proof_that_does_not_get_through_is_tried_again() {
    let mut phone = proving(vec![ProofKind::Pin]);
    phone.act(Intent::EnterPin { order_id: order(1), pin: "1234".into() });
    phone.act(Intent::Deliver { order_id: order(1), note: String::new() });
    phone.pass(UNDO_MS);
    let id = proofs_put(&mut phone)[0];
    phone.tell(Input::ProofAnswered { id, answer: ProofAnswer::Again { least_ms: 10_000.0 } });
    assert!(proofs_put(&mut phone).is_empty());
    phone.pass(10_000.0);
    assert_eq!(proofs_put(&mut phone), [id]);
}

// Doors and tabs.

#[test]
fn a_link_signs_in_and_going_online_stays_a_choice() {
    let mut phone = Phone::new(Disk::default(), 0.0);
    let code = Some("secret".to_owned());
    phone.tell(Input::Start(Start { code, can_locate: true, has_network: true, ..Start::default() }));
    phone.tell(Input::Lock(Lock::Held));
    phone.pass(600_000.0);
    assert_eq!(phone.shift().door, Door::Invited);
    let before_the_tap = phone.take();
    assert_eq!(before_the_tap, [Effect::TakeLock { steal: false }], "a scanner of e-mails must not use it up");
    phone.act(Intent::SignIn);
    phone.act(Intent::SignIn);
    assert_eq!(phone.take(), [Effect::SignIn { code: "secret".into() }], "the link decides, not an older session");
    assert_eq!(phone.shift().door, Door::Starting);
    phone.tell(Input::SignedIn(Answer::Home(home(1))));
    assert_eq!((phone.shift().door, phone.shift().duty), (Door::Open, Duty::Off));
    assert_eq!(phone.take(), [Effect::OpenSocket]);
}

#[test]
fn every_way_in_ends_at_its_door() {
    let spent = |answer| {
        let mut phone = Phone::new(Disk::default(), 0.0);
        let start = Start { code: Some("old".into()), can_locate: true, has_network: true, ..Start::default() };
        phone.tell(Input::Start(start));
        phone.tell(Input::Lock(Lock::Held));
        phone.act(Intent::SignIn);
        phone.tell(Input::SignedIn(Answer::Refused));
        phone.tell(Input::WhoAmI(answer));
        phone.shift().door
    };
    assert_eq!(spent(Answer::Refused), Door::LinkSpent);
    assert_eq!(spent(Answer::Home(home(1))), Door::Open, "signed in all the same");
    let bare = |answer| {
        let mut phone = Phone::opened(Disk::default(), 0.0);
        phone.tell(Input::WhoAmI(answer));
        phone.shift().door
    };
    assert_eq!(bare(Answer::Refused), Door::SignedOut);
    assert_eq!(bare(Answer::Unreachable), Door::Unreachable);
}

#[test]
fn an_unreachable_first_start_is_tried_again_when_the_network_comes() {
    let mut phone = Phone::opened(Disk::default(), 0.0);
    phone.tell(Input::WhoAmI(Answer::Unreachable));
    phone.take();
    phone.tell(Input::Online);
    assert!(phone.take().contains(&Effect::AskWhoAmI));
}

#[test]
fn a_revoked_phone_stops_and_keeps_for_a_day_what_it_could_not_send() {
    let mut phone = Phone::working(whole_trip());
    phone.drive(3);
    phone.tell(Input::SocketClosed(4500));
    let effects = phone.take();
    assert!(effects.contains(&Effect::Watch(false)) && effects.contains(&Effect::KeepAwake(false)));
    let shift = phone.shift();
    assert_eq!((shift.door, shift.duty, shift.stops.len()), (Door::Revoked, Duty::Off, 0));
    assert!(shift.notices[0].text.starts_with("3 positions could not be sent."), "{}", shift.notices[0].text);
    phone.pass(3_600_000.0);
    assert!(!phone.take().contains(&Effect::OpenSocket), "it does not come back by itself");
    let mut again = Phone::opened(phone.disk.clone(), phone.now_ms);
    again.tell(Input::WhoAmI(Answer::Home(home(1))));
    again.welcome(vec![]);
    assert_eq!(again.serve().0.len(), 3, "signed in again in time");
    let late = Phone::opened(phone.disk.clone(), phone.now_ms + 24.0 * 3_600_000.0);
    assert_eq!(late.disk.fixes.len(), 0);
}

#[test]
fn a_session_that_ended_behind_the_phones_back_is_found_out() {
    let mut phone = Phone::working(vec![]);
    phone.pass(20_000.0);
    phone.tell(Input::SocketClosed(1006));
    phone.pass(1_000.0);
    phone.tell(Input::SocketClosed(1006));
    assert!(phone.take().contains(&Effect::AskWhoAmI));
    phone.tell(Input::WhoAmI(Answer::Refused));
    assert_eq!(phone.shift().door, Door::Revoked);
}

#[test]
fn what_one_courier_left_is_never_sent_as_another_ones() {
    let mut phone = Phone::working(vec![]);
    phone.lose_network();
    phone.drive(5);
    let mut phone = Phone::opened(phone.disk.clone(), phone.now_ms);
    phone.tell(Input::WhoAmI(Answer::Home(home(2))));
    phone.welcome(vec![]);
    assert_eq!((phone.serve().0, phone.disk.fixes.len()), (vec![], 0));
    assert!(phone.notices()[0].starts_with("5 positions of the courier who used this phone before"));
}

#[test]
fn of_two_tabs_one_works_and_the_other_may_take_over() {
    let mut first = Phone::working(vec![]);
    let mut second = Phone::new(first.disk.clone(), first.now_ms);
    second.tell(Input::Start(Start { can_locate: true, has_network: true, ..Start::default() }));
    second.tell(Input::Lock(Lock::Taken));
    assert_eq!(second.shift().door, Door::OtherTab);
    second.take();
    second.act(Intent::TakeOver);
    assert_eq!(second.take(), [Effect::TakeLock { steal: true }]);
    first.tell(Input::Lock(Lock::Lost));
    assert_eq!(first.shift().door, Door::OtherTab);
    let effects = first.take();
    assert!(effects.contains(&Effect::CloseSocket) && effects.contains(&Effect::Watch(false)));
    first.read();
    first.tell(Input::WhoAmI(Answer::Home(home(1))));
    first.pass(60_000.0);
    assert_eq!((first.take(), first.shift().door), (vec![], Door::OtherTab));
    second.tell(Input::Lock(Lock::Held));
    second.tell(Input::WhoAmI(Answer::Home(home(1))));
    assert_eq!((second.shift().door, second.shift().duty), (Door::Open, Duty::Online));
}

#[test]
fn a_tab_that_works_again_asks_who_works_here_now_before_it_touches_anything() {
    let mut first = Phone::working(vec![]);
    first.tell(Input::Lock(Lock::Lost));
    // Meanwhile Ben signed in beside it, drove through a tunnel and closed his tab.
    let mut ben = Phone::opened(Disk::default(), first.now_ms);
    ben.tell(Input::WhoAmI(Answer::Home(home(2))));
    ben.welcome(vec![]);
    ben.act(Intent::GoOnline);
    ben.tell(Input::SocketClosed(1006));
    ben.read();
    first.disk = ben.disk.clone();
    let waiting = first.disk.fixes.len();
    first.take();
    first.tell(Input::Lock(Lock::Held));
    assert!(first.take().contains(&Effect::AskWhoAmI));
    first.tell(Input::WhoAmI(Answer::Home(home(2))));
    assert_eq!((first.shift().waiting_fixes as usize, first.disk.fixes.len()), (waiting, waiting));
    assert!(waiting > 0 && first.notices().iter().all(|notice| !notice.contains("used this phone before")));
}

#[test]
fn a_link_opened_in_a_second_tab_takes_over() {
    let mut phone = Phone::new(Disk::default(), 0.0);
    phone.tell(Input::Start(Start { code: Some("new".into()), can_locate: true, has_network: true, is_hidden: false }));
    phone.tell(Input::Lock(Lock::Taken));
    assert_eq!(phone.shift().door, Door::Invited, "the other tab works on until the tap");
    phone.act(Intent::SignIn);
    phone.take();
    phone.tell(Input::SignedIn(Answer::Home(home(1))));
    assert_eq!(phone.take(), [Effect::TakeLock { steal: true }]);
    phone.tell(Input::Lock(Lock::Held));
    assert_eq!(phone.shift().door, Door::Open);
}

#[test]
fn a_device_used_elsewhere_stops_here_until_it_is_taken_back() {
    let mut phone = Phone::working(vec![]);
    phone.tell(Input::SocketClosed(4503));
    assert_eq!(phone.shift().door, Door::Superseded);
    phone.pass(600_000.0);
    assert!(!phone.take().contains(&Effect::OpenSocket));
    phone.act(Intent::TakeOver);
    assert!(phone.take().contains(&Effect::OpenSocket));
}

#[test]
fn signing_out_tells_the_server_and_leaves_nothing_behind() {
    let mut phone = Phone::working(whole_trip());
    phone.take();
    phone.act(Intent::SignOut);
    assert_eq!(phone.presence_sent(), [(PresenceState::OffDuty, Some(PresenceReason::User))]);
    phone.hear(CourierEvent::Pong(ServerTime { server_time_ms: START_MS }));
    assert!(phone.take().contains(&Effect::EndSession));
    phone.tell(Input::SignedOut { is_known: true });
    assert_eq!(phone.shift().door, Door::SignedOut);
    let Disk { fixes, actions, memory } = &phone.disk;
    assert!(fixes.is_empty() && actions.is_empty() && memory.is_none());
}

#[test]
fn signing_out_over_what_waits_takes_saying_so_twice() {
    let mut phone = Phone::working(vec![]);
    phone.lose_network();
    phone.drive(2);
    phone.act(Intent::SignOut);
    assert_eq!((phone.shift().door, phone.disk.fixes.len()), (Door::Open, 2));
    assert!(phone.notices()[0].starts_with("2 positions not sent yet."));
    phone.act(Intent::SignOut);
    assert!(phone.take().contains(&Effect::EndSession));
    phone.tell(Input::SignedOut { is_known: false });
    assert_eq!((phone.shift().door, phone.disk.fixes.len()), (Door::SignedOut, 0));
    let mut later = Phone::opened(phone.disk.clone(), phone.now_ms);
    assert_eq!(later.take().last(), Some(&Effect::EndSession), "it must not be signed in again by itself");
    later.tell(Input::SignedOut { is_known: true });
    assert_eq!((later.shift().door, later.disk.memory), (Door::SignedOut, None));
}

/// What a courier reads who goes online and drives with a phone that keeps nothing.
fn notice_without_storage(why: NoStorage) -> String {
    let mut phone = Phone::new(Disk::default(), 0.0);
    phone.tell(Input::Start(Start { can_locate: true, has_network: true, ..Start::default() }));
    let at = phone.moment();
    assert!(phone.engine.step(at, Input::Lock(Lock::Held)).contains(&Effect::Load));
    phone.tell(Input::NoStorage(why));
    phone.tell(Input::WhoAmI(Answer::Home(home(1))));
    phone.welcome(vec![]);
    phone.act(Intent::GoOnline);
    phone.read();
    assert_eq!(phone.serve().0.len(), 1);
    phone.notices()[0].clone()
}

#[test]
fn without_storage_it_works_and_says_what_that_means() {
    let refused = notice_without_storage(NoStorage::Refused);
    let silent = notice_without_storage(NoStorage::Silent);
    assert!(refused.starts_with("This browser keeps nothing"));
    assert!(silent.starts_with("This phone’s storage does not answer, so positions are not kept"));
    assert!([refused, silent].iter().all(|notice| notice.ends_with("is lost when the page closes.")));
}

#[test]
fn a_full_phone_goes_on_in_memory_and_says_so() {
    let mut phone = Phone::working(vec![]);
    phone.refuses = |write| write.text.is_some();
    phone.pass(1_000.0);
    phone.read();
    assert_eq!(phone.fixes_sent().len(), 1);
    assert!(phone.notices()[0].starts_with("This phone could not save"));
}

#[test]
fn storage_that_failed_for_a_while_holds_everything_again_afterwards() {
    let mut phone = Phone::working(whole_trip());
    phone.lose_network();
    phone.drive(5);
    phone.refuses = |_| true;
    phone.drive(5);
    phone.act(Intent::Advance { order_id: order(1) });
    phone.act(Intent::GoOffline);
    assert_eq!((phone.disk.fixes.len(), phone.disk.actions.len()), (5, 0));
    phone.refuses = |_| false;
    phone.pass(60_000.0);
    assert_eq!((phone.disk.fixes.len(), phone.disk.actions.len()), (10, 1));
    assert_eq!(phone.notices(), Vec::<String>::new(), "there is nothing to worry about any more");
    assert_eq!(phone.next_wake_ms().map(|wake_ms| wake_ms > phone.now_ms), Some(true));
    let mut again = Phone::opened(phone.disk.clone(), phone.now_ms);
    again.tell(Input::WhoAmI(Answer::Unreachable));
    let shift = again.shift();
    assert_eq!((shift.duty, shift.waiting_fixes, shift.waiting_actions), (Duty::Off, 10, 1));
}

#[test]
fn a_full_phone_still_forgets_what_is_over() {
    let mut phone = Phone::working(whole_trip());
    phone.lose_network();
    phone.drive(5);
    phone.act(Intent::Advance { order_id: order(1) });
    phone.refuses = |write| matches!(write.slot, Slot::Fix(_)) && write.text.is_some();
    phone.drive(2);
    phone.find_network(whole_trip());
    phone.serve();
    phone.act(Intent::GoOffline);
    phone.serve();
    phone.pass(60_000.0);
    assert_eq!((phone.disk.fixes.len(), phone.disk.actions.len()), (0, 0));
    let mut again = Phone::opened(phone.disk.clone(), phone.now_ms);
    again.tell(Input::WhoAmI(Answer::Home(home(1))));
    again.welcome(whole_trip());
    assert_eq!((again.shift().duty, again.serve()), (Duty::Off, (vec![], vec![])));
}

#[test]
fn storage_that_fails_for_hours_is_tried_at_a_growing_distance() {
    let mut phone = Phone::working(vec![]);
    phone.lose_network();
    phone.refuses = |_| true;
    phone.drive(1);
    let mut tries = 0;
    for _ in 0..600 {
        phone.now_ms += 1_000.0;
        let at = phone.moment();
        for effect in phone.engine.step(at, Input::Tick) {
            if let Effect::Commit { number, .. } = effect {
                tries += 1;
                phone.tell(Input::Committed { number, is_kept: false });
            }
        }
    }
    assert!((20..60).contains(&tries), "{tries} in ten minutes");
    assert_eq!(phone.shift().waiting_fixes, 1, "memory has it");
}
