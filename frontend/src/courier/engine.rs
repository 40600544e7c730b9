//! Decides everything behind the courier's screens: from what happened, what to do next.
//!
//! [`Engine::step`] takes one [`Input`] at one [`Moment`] and answers [`Effect`]s, in order; [`Engine::show`] says what
//! the screens are drawn from. It holds no browser object and reads no clock, so every rule is tested natively; the
//! driver owns both and is the only caller.
//!
//! The state is one type for each subject, and each subject's file holds its rules: `session` and `sign_out` for who works
//! here, `storage` and `writer` for what the phone keeps, `positions` and `duty` for the shift, `stops` and `proofs` for
//! the work at the stops, `undo` for taking it back, `plan` and
//! `changes` for their order and what dispatch does to them, `uploads` and `socket` for the server.
//!
//! The engine sends nothing before it is in the phone's storage: a step's writes go out as one [`Effect::Commit`], and
//! what they hold is sent when the driver reports them kept. Where storage is missing, memory has to do, and a notice says
//! so.

mod browser;
mod changes;
mod clock;
mod day;
mod duty;
mod effect;
mod input;
mod plan;
mod positions;
mod proofs;
mod records;
mod retire;
mod screens;
mod session;
mod show;
mod sign_out;
mod socket;
mod stops;
mod storage;
#[cfg(test)]
mod tests;
mod tour;
mod undo;
mod uploads;
mod writer;

use doorstep_shared::protocol::courier::{Audience, Pace};

use self::{
    browser::{Battery, BrowserState},
    clock::Clock,
    day::DayState,
    plan::PlanState,
    positions::Positions,
    proofs::Proofs,
    screens::{About, Screens},
    session::Session,
    storage::Storage,
    tour::TourState,
    undo::Holding,
    uploads::Uploads,
};
pub use self::{
    effect::{Effect, Slot, Write},
    input::{Answer, Input, Lock, Moment, NoStorage, PlanAnswer, ProofAnswer, Records, Start},
};
use super::{
    intent::Intent,
    state::{Tone, TrackerSetup},
    text::notices,
};
use crate::live::connection::{Connection, Rules};

/// The pace until the server says one.
const FIRST_PACE: Pace = Pace { interval_ms: 2_000, min_distance_m: 5, reason: None };

/// The whole state, by subject.
#[derive(Clone, Debug)]
pub struct Engine {
    browser: BrowserState,
    session: Session,
    storage: Storage,
    uploads: Uploads,
    positions: Positions,
    connection: Connection,
    clock: Clock,
    tour: TourState,
    plan: PlanState,
    holding: Holding,
    day: DayState,
    proofs: Proofs,
    screens: Screens,
    /// Who looks at the courier, as the server said on this connection.
    audience: Option<Audience>,
    /// What this step has decided so far.
    out: Vec<Effect>,
}

impl Engine {
    /// An app that has not started.
    pub fn new(now_ms: f64) -> Self {
        Self {
            browser: BrowserState::default(),
            session: Session::default(),
            storage: Storage::default(),
            uploads: Uploads::default(),
            positions: Positions::default(),
            connection: Connection::new(now_ms, Rules::STANDARD),
            clock: Clock::default(),
            tour: TourState::default(),
            plan: PlanState::default(),
            holding: Holding::default(),
            day: DayState::default(),
            proofs: Proofs::default(),
            screens: Screens::default(),
            audience: None,
            out: Vec::new(),
        }
    }

    /// Takes note of what happened and answers what to do, in order.
    pub fn step(&mut self, at: Moment, input: Input) -> Vec<Effect> {
        self.pass_time(at);
        self.take(at, input);
        self.catch_up(at);
        self.settle_presence(at);
        self.retire_notices();
        self.flush(at);
        self.pump(at);
        self.tell_seen();
        std::mem::take(&mut self.out)
    }

    /// When [`Input::Tick`] is due, if nothing else happens first; `date_ms` is the phone's own clock. While the courier
    /// looks at the page the driver ticks every second too.
    pub fn next_wake_ms(&self, now_ms: f64, date_ms: i64) -> Option<f64> {
        let whenever = [
            self.connection.wake_ms(),
            self.connection.telling_ms(now_ms),
            self.session.sign_out.wake_ms(),
            self.storage.wake_ms(),
            self.holding.wake_ms(),
        ];
        let connected = [self.uploads.wake_ms(now_ms), self.tour.due_ms.filter(|_| !self.browser.is_hidden)];
        let on_duty = [self.positions.sensor.wake_ms(now_ms), self.positions.held_until_ms(now_ms, date_ms)];
        let connected = connected.into_iter().filter(|_| self.connection.is_up());
        let on_duty = on_duty.into_iter().filter(|_| self.is_on_duty());
        whenever.into_iter().chain(connected).chain(on_duty).flatten().reduce(f64::min)
    }

    fn take(&mut self, at: Moment, input: Input) {
        match input {
            Input::Start(start) => self.start(start),
            Input::Lock(lock) => self.locked(at, lock),
            Input::Loaded(records) => self.loaded(at, records),
            Input::NoStorage(why) => self.no_storage(at, why),
            Input::Committed { number, is_kept } => self.committed(at, number, is_kept),
            Input::SignedIn(answer) => self.signed_in(at, answer),
            Input::WhoAmI(answer) => self.who_am_i(at, answer),
            Input::SignedOut { is_known } => self.signed_out(is_known),
            Input::Tour(tour) => self.toured(at, tour),
            Input::PlanAnswered(answer) => self.plan_answered(answer),
            Input::Day(day) => self.day_came(day),
            Input::Tracker(tracker) => self.tracker_answered(tracker),
            Input::ProofAnswered { id, answer } => self.proof_answered(at, id, answer),
            Input::SocketMessage(event) => self.socket_message(at, event),
            Input::SocketClosed(code) => self.socket_closed(at, code),
            Input::Online => self.network(at, true),
            Input::Offline => self.network(at, false),
            Input::Shown => self.shown(at),
            Input::Hidden => self.hidden(at),
            Input::Reading(reading) => self.reading(at, &reading),
            Input::PositionFailed(failure) => self.position_failed(failure),
            Input::Permission { is_granted } => self.permission(at, is_granted),
            Input::Battery { level, is_charging } => self.browser.battery = Some(Battery { level, is_charging }),
            Input::Wake(wake) => self.browser.wake = wake,
            Input::Install(install) => self.browser.install = install,
            Input::PhotoUnkept => self.screens.tell(About::Photo, Tone::Warn, notices::photo_unkept()),
            Input::Photo { order_id, proof_id, url } => self.photo_taken(at, order_id, proof_id, url),
            Input::Act(intent) => self.act(at, intent),
            Input::Tick => {}
        }
    }

    fn act(&mut self, at: Moment, intent: Intent) {
        if intent != Intent::SignOut {
            self.stay();
        }
        match intent {
            Intent::SignIn => self.sign_in(),
            Intent::GoOnline => self.go_online(at),
            Intent::GoOffline => self.go_offline(at),
            Intent::Retry => self.retry(at),
            Intent::Advance { order_id } => self.advance(at, order_id),
            Intent::AdvanceOne { order_id } => self.advance_one(at, order_id),
            Intent::Wait { order_id, reason } => self.wait(at, order_id, reason),
            Intent::GiveBack { order_id, reason } => self.give_back(at, order_id, reason),
            Intent::DoorHere { order_id } => self.tell_door(at, order_id),
            Intent::Undo => self.undo(),
            Intent::Move { stop, to } => self.move_stop(stop, to),
            Intent::ReadChanges { stop } => self.read_changes(stop),
            Intent::Fail { order_id, reason } => self.fail(at, order_id, reason),
            Intent::BeginProof { order_id } => self.begin_proof(order_id),
            Intent::LeaveProof => self.leave_proof(),
            Intent::PhotoChosen { order_id } => self.photo_chosen(at, order_id),
            Intent::DropProof { order_id, kind } => self.drop_proof(order_id, kind),
            Intent::Sign { order_id, name, strokes } => self.sign(at, order_id, name, strokes),
            Intent::EnterPin { order_id, pin } => self.enter_pin(at, order_id, pin),
            Intent::WriteNote { order_id, note } => self.draft(order_id).note = note,
            Intent::Deliver { order_id, note } => self.deliver(at, order_id, note),
            Intent::Dismiss { notice } => self.screens.dismiss(notice),
            Intent::Show(screen) => self.show_screen(screen),
            Intent::SetUpTracker(app) => self.set_up_tracker(app),
            Intent::LeaveTracker => self.screens.tracker = TrackerSetup::Choose,
            Intent::TakeOver => self.take_over(at),
            Intent::Install => self.out.push(Effect::PromptInstall),
            Intent::SignOut => self.sign_out(at),
        }
    }

    /// Does whatever its time has come for.
    fn catch_up(&mut self, at: Moment) {
        self.tick_connection(at);
        self.record_held(at);
        self.ask_position_again(at);
        self.ask_tour(at);
        self.ask_day(at);
        self.release_in_time(at);
        self.leave_in_time(at);
    }
}
