//! What the courier's screens are drawn from. The engine writes it, the screens read it, previews make it up.

use doorstep_shared::{
    OrderId, OrderStatus, Vehicle,
    api::{
        courier::{TrackerApp, TrackerCreated},
        plan::CourierDay,
        proof::ProofKind,
    },
    protocol::courier::{Audience, Pace, Stop, StopKind},
};

use super::{intent::Screen, marks::Change, plan::Reordering, platform::Platform};
use crate::{data::Locale, live::connection::Health, ui::time};

/// The whole app as the courier sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// How far signing in is.
    pub door: Door,
    /// Which screen is open.
    pub screen: Screen,
    /// Who is signed in.
    pub courier: Option<Who>,
    /// Whether the courier works now.
    pub duty: Duty,
    /// What the phone says about the position.
    pub gps: Gps,
    /// Whether the server is reached.
    pub health: Health,
    /// Fixes on the phone that the server has not acked.
    pub waiting_fixes: u32,
    /// Statuses and proofs on the phone that the server has not acked.
    pub waiting_actions: u32,
    /// Whether the screen is kept on.
    pub wake: Wake,
    /// The stops ahead in the order of the plan, as they stand with what waits on the phone already applied. Orders that
    /// share a place in a row are one stop.
    pub stops: Vec<StopCard>,
    /// Whether the courier may move stops, and whether they can now.
    pub reordering: Reordering,
    /// What was pressed last and can still be taken back.
    pub undo: Option<Undo>,
    /// The day so far; `None` until the server said it.
    pub day: Option<CourierDay>,
    /// The dispatch office's number, where the operator set one.
    pub office_phone: Option<String>,
    /// When the last stop is done, Unix epoch milliseconds.
    pub done_at_ms: Option<i64>,
    /// The newest position, `[lon, lat]`, and its heading.
    pub position: Option<Here>,
    /// The way to the next stop, `[lon, lat]`.
    pub way: Vec<[f64; 2]>,
    /// Who looks at the courier; `None` until the server said so, and while offline.
    pub audience: Option<Audience>,
    /// How often the position is sent.
    pub pace: Pace,
    /// Notices that want to be read, oldest first.
    pub notices: Vec<Notice>,
    /// The order whose proofs are being collected.
    pub proof: Option<ProofDraft>,
    /// Setting up another app.
    pub tracker: TrackerSetup,
    /// Whether the browser offers to install the app, or how it is done by hand.
    pub install: Install,
    /// Which phone and browser this is, for maps links and for how a permission is given back.
    pub platform: Platform,
    /// How to write times and distances.
    pub locale: Locale,
    /// The minute that it is by the server's clock, Unix epoch milliseconds: which day is today.
    pub minute_ms: i64,
}

impl Shift {
    /// The app before anything is known: the skeleton that the server draws and the browser begins with.
    pub fn starting(locale: Locale, platform: Platform) -> Self {
        Self {
            door: Door::Starting,
            screen: Screen::Stops,
            courier: None,
            duty: Duty::Off,
            gps: Gps::Idle,
            health: Health::Connecting,
            waiting_fixes: 0,
            waiting_actions: 0,
            wake: Wake::Idle,
            stops: Vec::new(),
            reordering: Reordering::NotAllowed,
            undo: None,
            day: None,
            office_phone: None,
            done_at_ms: None,
            position: None,
            way: Vec::new(),
            audience: None,
            pace: Pace { interval_ms: 5_000, min_distance_m: 0, reason: None },
            notices: Vec::new(),
            proof: None,
            tracker: TrackerSetup::Choose,
            install: Install::NotOffered,
            platform,
            locale,
            minute_ms: 0,
        }
    }

    /// A moment as a clock time, behind the name of its day where it is not today.
    pub fn moment(&self, at_ms: i64) -> String {
        time::moment(at_ms, self.minute_ms, &self.locale)
    }

    /// The same of a window.
    pub fn window(&self, ends: (Option<i64>, Option<i64>)) -> String {
        time::window(ends, self.minute_ms, &self.locale)
    }

    /// Everything on the phone that the server has not acked.
    pub fn waiting(&self) -> u32 {
        self.waiting_fixes.saturating_add(self.waiting_actions)
    }
}

/// How far signing in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The app is starting.
    Starting,
    /// No courier is signed in; dispatch sends a link.
    SignedOut,
    /// A sign-in link was opened, and not used yet.
    Invited,
    /// The link was used before, or is too old.
    LinkSpent,
    /// The first start has no network; nothing is known yet.
    Unreachable,
    /// Signed in.
    Open,
    /// Dispatch signed this phone out.
    Revoked,
    /// Another tab of this browser sends.
    OtherTab,
    /// The same device connected from elsewhere (close 4503).
    Superseded,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Who {
    /// Their name.
    pub name: String,
    /// What they ride.
    pub vehicle: Vehicle,
    /// What this phone is called.
    pub device_label: String,
}

/// Whether the courier works now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Not working: nothing is shared.
    Off,
    /// The phone is being asked for its position.
    GoingOnline,
    /// Working.
    Online,
}

/// What the phone says about the position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gps {
    /// Not asked.
    Idle,
    /// Asked, no answer yet.
    Searching,
    /// A fix came within the last 15 s or one interval.
    Good {
        /// Radius in metres.
        accuracy_m: f32,
    },
    /// Watching goes on, but nothing comes, or only vaguely.
    Weak,
    /// The courier, or the phone's settings, said no.
    Denied,
    /// It was allowed and is not any more.
    Lost,
    /// The page is not on `https://`, or the browser has no position.
    Unavailable,
}

/// Whether the screen is kept on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Not wanted now.
    Idle,
    /// Held.
    On,
    /// The browser refused (low battery) or cannot.
    Unavailable,
}

/// Where the courier is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Here {
    /// Degrees east.
    pub lon: f64,
    /// Degrees north.
    pub lat: f64,
    /// Direction of travel, when moving.
    pub heading_deg: Option<f32>,
}

/// One stop with everything its card shows.
#[derive(Clone, Debug, PartialEq)]
pub struct StopCard {
    /// As the server sends it.
    pub stop: Stop,
    /// The order's status with what waits on the phone applied.
    pub status: OrderStatus,
    /// Earliest arrival, Unix epoch milliseconds.
    pub earliest_ms: Option<i64>,
    /// Latest arrival, Unix epoch milliseconds.
    pub latest_ms: Option<i64>,
    /// Metres from where the courier is now; `None` where that is not known, and at the stop itself.
    pub distance_m: Option<u32>,
    /// What must be brought back from this door.
    pub proof: Vec<ProofKind>,
    /// Whether an action on it waits on the phone; one that can still be taken back does not count.
    pub is_waiting: bool,
    /// Whether its goods must be collected first, at a stop that is still ahead.
    pub needs_pickup: bool,
    /// The courier waits here for the goods.
    pub wait: Option<Wait>,
    /// The courier said that its door is elsewhere.
    pub is_door_told: bool,
    /// What dispatch changed and the courier has not acknowledged.
    pub changes: Vec<Change>,
    /// Further orders at the same place, which come right after this one in the plan.
    pub others: Vec<StopCard>,
}

impl StopCard {
    /// A stop as the server sends it, about which nothing else is known.
    pub fn new(stop: Stop) -> Self {
        Self {
            status: stop.status,
            earliest_ms: stop.arrival.map(|arrival| arrival.earliest_ms),
            latest_ms: stop.arrival.map(|arrival| arrival.latest_ms),
            stop,
            distance_m: None,
            proof: Vec::new(),
            is_waiting: false,
            needs_pickup: false,
            wait: None,
            is_door_told: false,
            changes: Vec::new(),
            others: Vec::new(),
        }
    }

    /// The status that the stop's main button sends; `None` when there is nothing left to do.
    pub fn next_status(&self) -> Option<OrderStatus> {
        match (self.stop.kind, self.status) {
            (StopKind::Pickup, OrderStatus::Assigned) => Some(OrderStatus::AtPickup),
            (StopKind::Pickup, OrderStatus::AtPickup) => Some(OrderStatus::PickedUp),
            (StopKind::Dropoff, OrderStatus::AtDropoff) => Some(OrderStatus::Delivered),
            // A second attempt begins with the goods on board and no pickup.
            (StopKind::Dropoff, status) if status.is_active() && !self.needs_pickup => Some(OrderStatus::AtDropoff),
            (StopKind::Return, OrderStatus::Failed | OrderStatus::Cancelled) => Some(OrderStatus::Returned),
            _ => None,
        }
    }

    /// Whether the courier has arrived at the stop.
    pub fn is_there(&self) -> bool {
        let is_pickup = self.stop.kind == StopKind::Pickup;
        self.status == if is_pickup { OrderStatus::AtPickup } else { OrderStatus::AtDropoff }
    }

    /// This order and the others at the same place.
    pub fn orders(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }

    /// How many orders the stop has.
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// Whether dispatch fixed its place in the plan.
    pub fn is_locked(&self) -> bool {
        self.orders().any(|card| card.stop.locked == Some(true))
    }
}

/// The courier waits at a pickup for goods that are not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Since when, Unix epoch milliseconds.
    pub since_ms: i64,
    /// Whether it takes longer than usual there.
    pub is_long: bool,
    /// Whether the server has the report.
    pub is_told: bool,
}

/// What was pressed last and is held back for a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// What was pressed, on which order.
    pub text: String,
    /// How many seconds are left to take it back.
    pub left_s: u32,
}

/// A notice that wants to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// For [`super::intent::Intent::Dismiss`].
    pub id: u32,
    /// How much it matters.
    pub tone: Tone,
    /// The reason before the remedy.
    pub text: String,
    /// The screen that helps: background tracking, after the position stood still while the page was hidden.
    pub offer: Option<Screen>,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know: "Order A-1042 was taken off your list".
    Quiet,
    /// Something did not go as pressed.
    Warn,
    /// Something was refused.
    Bad,
}

/// The proofs of one drop-off while they are collected.
#[derive(Clone, Debug, PartialEq)]
pub struct ProofDraft {
    /// Which order.
    pub order_id: OrderId,
    /// Its reference, for the heading.
    pub reference: String,
    /// Who takes it.
    pub customer: Option<String>,
    /// What is asked for; anything else may be added.
    pub wanted: Vec<ProofKind>,
    /// The photo, as an object URL of the made-smaller picture.
    pub photo_url: Option<String>,
    /// A photo is being made smaller.
    pub is_shrinking: bool,
    /// Who signed.
    pub signed_by: Option<String>,
    /// How far the customer's PIN is.
    pub pin: Pin,
    /// The remark for the customer, as far as it is written.
    pub note: String,
    /// What is wrong with the last entry.
    pub problem: Option<String>,
}

/// How far the customer's PIN is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// It was not entered.
    Missing,
    /// It was; whether it was right shows when it is sent.
    Entered,
    /// The server says that it was right.
    Confirmed,
}

impl ProofDraft {
    /// Whether everything asked for is there.
    pub fn is_complete(&self) -> bool {
        self.wanted.iter().all(|kind| match kind {
            ProofKind::Photo => self.photo_url.is_some(),
            ProofKind::Signature => self.signed_by.is_some(),
            ProofKind::Pin => self.pin != Pin::Missing,
        })
    }
}

/// Setting up another app.
#[derive(Clone, Debug, PartialEq)]
pub enum TrackerSetup {
    /// Nothing chosen.
    Choose,
    /// Asking the server.
    Preparing(TrackerApp),
    /// Everything the app needs.
    Ready(Box<TrackerCreated>),
    /// The server could not be asked.
    Failed(String),
}

/// How the app gets to the home screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Install {
    /// It is there, or the browser has no such thing.
    NotOffered,
    /// The browser offers it.
    Offered,
    /// iOS: by the share sheet.
    ByShareSheet,
}
