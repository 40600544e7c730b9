//! Decides everything behind the courier's screens: given what happened, what to do next.
//!
//! [`Engine::step`] takes one [`Input`] at one [`Moment`] and answers [`Effect`]s, in order; [`Engine::show`] says what
//! the screens are drawn from. It holds no browser object and reads no clock, so every rule is tested natively; the
//! driver owns both. The parts: `door` signs in and out and shares the phone among tabs, `duty` turns readings into
//! positions and presence, `wire` talks to the server, `work` is what the courier does at the stops.
//!
//! Nothing leaves the phone before it is in its storage: a step's writes go out as one [`Effect::Commit`], and what they
//! hold is sent when the driver says that they are kept. Where storage is missing, memory has to do, and it is said.

mod door;
mod duty;
mod keep;
mod show;
#[cfg(test)]
mod tests;
mod time;
mod wire;
mod work;

use doorstep_shared::{
    OrderId,
    api::courier::{CourierHome, Tour, TrackerApp, TrackerCreated},
    protocol::courier::{Audience, CourierEvent, CourierMessage, Pace},
};
use uuid::Uuid;

use self::keep::Keeping;
use super::{
    clock::Comparison,
    intent::{Intent, Screen},
    line::{Line, Step},
    memory::Memory,
    outbox::{
        actions::ActionQueue,
        fixes::{FixQueue, Limits},
    },
    position::{Failure, Reading, Sampler, Sensor},
    state::{Door, Here, Install, Notice, Tone, TrackerSetup, Wake},
};

/// The pace until the server says one.
const FIRST_PACE: Pace = Pace { interval_ms: 2_000, min_distance_m: 5, reason: None };

/// Sentences on the screen at once; the oldest quiet one gives way.
const MAX_NOTICES: usize = 6;

/// The pace of the tour's questions while somebody looks.
const TOUR_EVERY_MS: f64 = 120_000.0;

/// The tour is not asked for more often than this while it lacks something: the server's answer, or a way that begins
/// where the courier is.
const TOUR_AGAIN_MS: f64 = 15_000.0;

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// A clock that never goes back, in milliseconds.
    pub now_ms: f64,
    /// The phone's own clock, Unix epoch milliseconds.
    pub date_ms: i64,
    /// Uniform in `[0, 1)`.
    pub random: f64,
    /// A fresh random id.
    pub id: Uuid,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The page is ready.
    Start(Start),
    /// About the right to be the one tab that works.
    Lock(Lock),
    /// Storage was read.
    Loaded(Records),
    /// This browser keeps nothing.
    NoStorage,
    /// The writes with this number are kept, or could not be.
    Committed {
        /// Their number.
        number: u64,
        /// Whether they are in storage.
        is_kept: bool,
    },
    /// The server's answer to a sign-in link.
    SignedIn(Answer),
    /// Whom the server takes this phone for.
    WhoAmI(Answer),
    /// The session was ended, if the server was reached.
    SignedOut {
        /// Whether it was.
        is_known: bool,
    },
    /// The tour, if the server answered.
    Tour(Option<Tour>),
    /// A tracker that was set up, if the server answered.
    Tracker(Option<Box<TrackerCreated>>),
    /// The server's answer to a proof.
    ProofAnswered {
        /// The action that carried it.
        id: u64,
        /// The answer.
        answer: ProofAnswer,
    },
    /// A message came over the socket.
    SocketMessage(CourierEvent),
    /// The socket closed or never opened; 1006 when nobody said why.
    SocketClosed(u16),
    /// The device found a network.
    Online,
    /// The device lost its network, or believes so.
    Offline,
    /// Somebody looks at the page again.
    Shown,
    /// The page is hidden, or the phone locked.
    Hidden,
    /// The phone read its position.
    Reading(Reading),
    /// It could not.
    PositionFailed(Failure),
    /// The permission changed in the browser's settings.
    Permission {
        /// Whether it is granted now.
        is_granted: bool,
    },
    /// The battery, 0 to 1.
    Battery {
        /// Its charge.
        level: f32,
        /// Whether it is being charged.
        is_charging: bool,
    },
    /// Whether the screen is kept on.
    Wake(Wake),
    /// Whether the app can be installed.
    Install(Install),
    /// There was no room to store the photo that was just taken.
    PhotoUnkept,
    /// A photo was made smaller and stored, or could not be read.
    Photo {
        /// For which order.
        order_id: OrderId,
        /// Under which id.
        proof_id: Uuid,
        /// Where the page finds the picture.
        url: Option<String>,
    },
    /// The courier did something.
    Act(Intent),
    /// The time told by [`Engine::next_wake_ms`] has come.
    Tick,
}

/// How the page was opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    /// What stood behind the `#` of its address.
    pub code: Option<String>,
    /// Whether the browser may be asked for a position at all.
    pub can_locate: bool,
    /// Whether nobody looks.
    pub is_hidden: bool,
    /// Whether the device says that it has a network.
    pub has_network: bool,
}

/// About the right to be the one tab that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// This tab has it.
    Held,
    /// Another one has it.
    Taken,
    /// Another one took it away.
    Lost,
}

/// The server's answer about who is signed in.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Somebody is.
    Home(CourierHome),
    /// Nobody, or the link is spent.
    Refused,
    /// It was not reached, or could not say.
    Unreachable,
}

/// The server's answer to a proof.
#[derive(Clone, Debug, PartialEq)]
pub enum ProofAnswer {
    /// It has it.
    Taken,
    /// It refuses it for good.
    Refused {
        /// What a program matches on.
        code: String,
    },
    /// Nobody is signed in.
    SignedOut,
    /// Try again, not before this long from now.
    Again {
        /// In milliseconds.
        least_ms: f64,
    },
}

/// What storage held. Each text with the key under which it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// Positions by their time.
    pub fixes: Vec<(i64, String)>,
    /// Actions by their id.
    pub actions: Vec<(i64, String)>,
    /// The memory.
    pub memory: Option<String>,
    /// Photos by their id, with where the page finds the picture.
    pub photos: Vec<(Uuid, String)>,
}

/// A place in storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// A position, by its time.
    Fix(i64),
    /// An action, by its id.
    Action(u64),
    /// A photo, by its id. The driver writes it; here it is only deleted.
    Photo(Uuid),
    /// The memory.
    Memory,
}

/// A change to storage.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Where.
    pub slot: Slot,
    /// What stands there from now on; `None` for nothing.
    pub text: Option<String>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask for the right to be the one tab that works, or take it.
    TakeLock {
        /// Take it from another tab.
        steal: bool,
    },
    /// Read storage.
    Load,
    /// Change storage, all of it or nothing.
    Commit {
        /// Comes back in [`Input::Committed`].
        number: u64,
        /// The changes.
        writes: Vec<Write>,
        /// Wait until it survives a dead battery too. Costs a flush, so it is for what people did and not for
        /// positions: those survive a closed tab and a crashed browser either way.
        is_strict: bool,
    },
    /// Delete everything that storage holds.
    Wipe,
    /// Exchange the code of a link for a session.
    SignIn {
        /// The code.
        code: String,
    },
    /// Ask the server whom it takes this phone for.
    AskWhoAmI,
    /// End the session.
    EndSession,
    /// Ask for the tour.
    AskTour,
    /// Set another app up.
    SetUpTracker(TrackerApp),
    /// Send a proof.
    PutProof {
        /// The action.
        id: u64,
        /// Which order.
        order_id: OrderId,
        /// Its own id.
        proof_id: Uuid,
        /// When it was taken, Unix epoch milliseconds.
        taken_ms: i64,
        /// The JSON; `None` for the photo in storage under the proof's id.
        body: Option<String>,
    },
    /// Open a socket.
    OpenSocket,
    /// Drop the socket, opened or not.
    CloseSocket,
    /// Send a message.
    Send(CourierMessage),
    /// Watch the position, anew if it is watched, or stop.
    Watch(bool),
    /// Keep the screen on, or let it go.
    KeepAwake(bool),
    /// Read the photo that was chosen, make it smaller and store it.
    TakePhoto {
        /// For which order.
        order_id: OrderId,
        /// Under which id.
        proof_id: Uuid,
    },
    /// Let a picture go.
    ForgetPhoto {
        /// Where the page found it.
        url: String,
    },
    /// Ask the browser not to clear away what waits to be sent.
    Persist,
    /// Show the browser's own question about installing.
    PromptInstall,
}

/// The whole state.
#[derive(Clone, Debug)]
pub struct Engine {
    // What the browser says.
    can_locate: bool,
    is_hidden: bool,
    hidden_since_ms: Option<i64>,
    battery: Option<(f32, bool)>,
    wake: Wake,
    install: Install,
    // Who works here.
    door: Door,
    code: Option<String>,
    is_link_spent: bool,
    lock: Option<Lock>,
    is_loaded: bool,
    home: Option<CourierHome>,
    checked_ms: Option<f64>,
    is_checking: bool,
    sign_out: SignOut,
    // What is kept.
    memory: Memory,
    is_memory_new: bool,
    fixes: FixQueue,
    actions: ActionQueue,
    next_id: u64,
    is_strict: bool,
    keeping: Keeping,
    // The position.
    sampler: Sampler,
    sensor: Sensor,
    here: Option<Here>,
    recorded_ms: Option<i64>,
    is_returning: bool,
    // The server.
    line: Line,
    hold_until_ms: f64,
    clock: Comparison,
    audience: Option<Audience>,
    tour_due_ms: Option<f64>,
    tour_asked_ms: Option<f64>,
    way: Vec<[f64; 2]>,
    told_clock: bool,
    // The screens.
    screen: Screen,
    open_proof: Option<OrderId>,
    shrinking: Option<Uuid>,
    photo_urls: Vec<(Uuid, String)>,
    tracker: TrackerSetup,
    notices: Vec<Notice>,
    next_notice: u32,
    out: Vec<Effect>,
}

/// How far signing out is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum SignOut {
    /// Not wanted.
    No,
    /// Asked once while something waited.
    Warned,
    /// The server is being told that the shift is over; not waited for beyond this.
    Telling { until_ms: f64 },
    /// The session is being ended.
    Ending,
}

impl Engine {
    /// An app that has not started.
    pub fn new(now_ms: f64) -> Self {
        Self {
            can_locate: false,
            is_hidden: false,
            hidden_since_ms: None,
            battery: None,
            wake: Wake::Idle,
            install: Install::NotOffered,
            door: Door::Starting,
            code: None,
            is_link_spent: false,
            lock: None,
            is_loaded: false,
            home: None,
            checked_ms: None,
            is_checking: false,
            sign_out: SignOut::No,
            memory: Memory::default(),
            is_memory_new: false,
            fixes: FixQueue::new(Limits::default()),
            actions: ActionQueue::default(),
            next_id: 1,
            is_strict: false,
            keeping: Keeping::default(),
            sampler: Sampler::new(FIRST_PACE),
            sensor: Sensor::default(),
            here: None,
            recorded_ms: None,
            is_returning: false,
            line: Line::new(now_ms),
            hold_until_ms: 0.0,
            clock: Comparison::default(),
            audience: None,
            tour_due_ms: None,
            tour_asked_ms: None,
            way: Vec::new(),
            told_clock: false,
            screen: Screen::Stops,
            open_proof: None,
            shrinking: None,
            photo_urls: Vec::new(),
            tracker: TrackerSetup::Choose,
            notices: Vec::new(),
            next_notice: 0,
            out: Vec::new(),
        }
    }

    /// Takes note of what happened and answers what to do, in order.
    pub fn step(&mut self, at: Moment, input: Input) -> Vec<Effect> {
        self.pass_time(at);
        self.take(at, input);
        self.catch_up(at);
        self.settle_presence(at);
        self.flush(at);
        self.pump(at);
        std::mem::take(&mut self.out)
    }

    /// When [`Input::Tick`] is due, if nothing else happens first; `date_ms` is the phone's own clock. While somebody looks
    /// there is a second hand too.
    pub fn next_wake_ms(&self, now_ms: f64, date_ms: i64) -> Option<f64> {
        let held_ms = Some(self.hold_until_ms).filter(|at_ms| *at_ms > now_ms && self.line.is_up());
        let tour_ms = self.tour_due_ms.filter(|_| self.line.is_up() && !self.is_hidden);
        let leaving_ms = match self.sign_out {
            SignOut::Telling { until_ms } => Some(until_ms),
            _ => None,
        };
        let sensor_ms = if self.is_on_duty() { self.sensor.wake_ms(now_ms) } else { None };
        let actions_ms = self.actions.wake_ms().filter(|at_ms| self.line.is_up() && *at_ms > now_ms);
        let line_ms = [self.line.wake_ms(), self.line.telling_ms(now_ms)];
        let reading_ms =
            self.sampler.held_for_ms(date_ms).filter(|_| self.is_on_duty()).map(|wait_ms| now_ms + wait_ms as f64);
        let others_ms = [held_ms, tour_ms, leaving_ms, sensor_ms, actions_ms, reading_ms, self.keeping.wake_ms()];
        line_ms.into_iter().chain(others_ms).flatten().reduce(f64::min)
    }

    fn take(&mut self, at: Moment, input: Input) {
        match input {
            Input::Start(start) => self.start(start),
            Input::Lock(lock) => self.locked(at, lock),
            Input::Loaded(records) => self.loaded(at, records),
            Input::NoStorage => self.no_storage(at),
            Input::Committed { number, is_kept } => self.committed(at, number, is_kept),
            Input::SignedIn(answer) => self.signed_in(at, answer),
            Input::WhoAmI(answer) => self.who_am_i(at, answer),
            Input::SignedOut { is_known } => self.signed_out(is_known),
            Input::Tour(tour) => self.toured(at, tour),
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
            Input::Battery { level, is_charging } => self.battery = Some((level, is_charging)),
            Input::Wake(wake) => self.wake = wake,
            Input::Install(install) => self.install = install,
            Input::PhotoUnkept => self.notify(Tone::Warn, super::sentences::photo_unkept()),
            Input::Photo { order_id, proof_id, url } => self.photo_taken(at, order_id, proof_id, url),
            Input::Act(intent) => self.act(at, intent),
            Input::Tick => {}
        }
    }

    fn act(&mut self, at: Moment, intent: Intent) {
        if intent != Intent::SignOut && self.sign_out == SignOut::Warned {
            self.sign_out = SignOut::No;
        }
        match intent {
            Intent::GoOnline => self.go_online(at),
            Intent::GoOffline => self.go_offline(at),
            Intent::Retry => self.retry(at),
            Intent::Advance { order_id } => self.advance(at, order_id),
            Intent::Fail { order_id, reason } => self.fail(at, order_id, reason),
            Intent::BeginProof { order_id } => self.begin_proof(order_id),
            Intent::LeaveProof => self.leave_proof(),
            Intent::PhotoChosen { order_id } => self.photo_chosen(at, order_id),
            Intent::DropProof { order_id, kind } => self.drop_proof(order_id, kind),
            Intent::Sign { order_id, name, strokes } => self.sign(at, order_id, name, strokes),
            Intent::EnterPin { order_id, pin } => self.enter_pin(at, order_id, pin),
            Intent::Deliver { order_id, note } => self.deliver(at, order_id, note),
            Intent::Dismiss { notice } => self.notices.retain(|shown| shown.id != notice),
            Intent::Show(screen) => self.show_screen(screen),
            Intent::SetUpTracker(app) => self.set_up_tracker(app),
            Intent::LeaveTracker => self.tracker = TrackerSetup::Choose,
            Intent::TakeOver => self.take_over(at),
            Intent::Install => self.out.push(Effect::PromptInstall),
            Intent::SignOut => self.sign_out(at),
        }
    }

    /// Does what is due.
    fn catch_up(&mut self, at: Moment) {
        let step = self.line.tick(at.now_ms, at.random);
        if step == Some(Step::Close) {
            self.lost_socket(at, false);
        }
        self.follow(step);
        self.record_held(at);
        if self.is_on_duty() && self.sensor.should_ask(at.now_ms) && !self.is_hidden {
            self.out.push(Effect::Watch(true));
        }
        if self.line.is_up() && !self.is_hidden && self.tour_due_ms.is_some_and(|due_ms| due_ms <= at.now_ms) {
            self.tour_due_ms = Some(at.now_ms + TOUR_EVERY_MS);
            self.tour_asked_ms = Some(at.now_ms);
            self.out.push(Effect::AskTour);
        }
        if let SignOut::Telling { until_ms } = self.sign_out
            && until_ms <= at.now_ms
        {
            self.end_session();
        }
    }

    fn follow(&mut self, step: Option<Step>) {
        match step {
            Some(Step::Open) => self.out.push(Effect::OpenSocket),
            Some(Step::Close) => self.out.push(Effect::CloseSocket),
            Some(Step::Ping) => self.ping(),
            None => {}
        }
    }

    /// The memory, to be changed; it is written at the end of the step.
    fn remember(&mut self) -> &mut Memory {
        self.is_memory_new = true;
        &mut self.memory
    }

    fn notify(&mut self, tone: Tone, text: String) {
        self.notify_with(tone, text, None);
    }

    fn notify_with(&mut self, tone: Tone, text: String, offer: Option<Screen>) {
        if self.notices.iter().any(|notice| notice.text == text) {
            return;
        }
        if self.notices.len() >= MAX_NOTICES {
            let quiet = self.notices.iter().position(|notice| notice.tone == Tone::Quiet);
            self.notices.remove(quiet.unwrap_or(0));
        }
        self.notices.push(Notice { id: self.next_notice, tone, text, offer });
        self.next_notice += 1;
    }

    fn is_on_duty(&self) -> bool {
        self.memory.on_duty_since_ms.is_some() && self.door == Door::Open
    }

    /// The phone's clock, put right.
    fn date_ms(&self, at: Moment) -> i64 {
        at.date_ms + self.memory.clock_shift_ms
    }
}
