//! What can happen to the courier's app, and when.
//!
//! The driver makes every [`Input`] from a browser event or an answer; tests make them by hand. The values are plain, so
//! [`super::Engine::step`] needs no browser.

use doorstep_shared::{
    OrderId,
    api::{
        courier::{CourierHome, Tour, TrackerCreated},
        plan::CourierDay,
    },
    protocol::courier::CourierEvent,
};
use uuid::Uuid;

use crate::courier::{
    intent::Intent,
    position::{Failure, Reading},
    state::{Install, Wake},
};

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
    /// Memory has to do.
    NoStorage(NoStorage),
    /// The writes with this number are kept, or could not be.
    Committed {
        /// Their number.
        number: u64,
        /// Whether they are in storage.
        is_kept: bool,
    },
    /// The server's answer to a sign-in link.
    SignedIn(Answer),
    /// Which courier the server takes this phone for.
    WhoAmI(Answer),
    /// The session was ended, if the server was reached.
    SignedOut {
        /// Whether it was.
        is_known: bool,
    },
    /// The tour, if the server answered.
    Tour(Option<Tour>),
    /// The server's answer to an order of the stops.
    PlanAnswered(PlanAnswer),
    /// The day so far, if the server answered.
    Day(Option<CourierDay>),
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
    /// The socket closed or never opened; 1006 when no code came.
    SocketClosed(u16),
    /// The device found a network.
    Online,
    /// The device lost its network, or believes so.
    Offline,
    /// The page is shown again.
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
    /// The time that [`super::Engine::next_wake_ms`] named has come.
    Tick,
}

/// Why nothing can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoStorage {
    /// The browser refuses.
    Refused,
    /// It does not answer in time.
    Silent,
}

/// How the page was opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    /// What stood behind the `#` of its address.
    pub code: Option<String>,
    /// Whether the browser may be asked for a position at all.
    pub can_locate: bool,
    /// Whether the page is hidden.
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
    /// This courier is.
    Home(CourierHome),
    /// No courier is, or the link is spent.
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
    /// No courier is signed in any more.
    SignedOut,
    /// Try again, not before this long from now.
    Again {
        /// In milliseconds.
        least_ms: f64,
    },
}

/// The server's answer to an order of the stops that the courier wants.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanAnswer {
    /// It holds from now on.
    Taken,
    /// Another change was faster; the stops come over the socket.
    Conflict,
    /// It refuses that order.
    Refused {
        /// What a program matches on.
        code: String,
    },
    /// It was not reached, or could not say.
    Unreachable,
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
