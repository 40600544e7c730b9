//! What the console hears of: the feed, the API, the browser and the dispatcher.

use doorstep_shared::protocol::fleet::FleetEvent;

use super::{ApiCall, ApiError, ApiReply, Intent};
use crate::dispatch::areas::{AreaInUse, Upload};

/// The time by two clocks, and a random number: the console itself has neither.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// A clock that never goes back.
    pub now_ms: f64,
    /// The server's clock, Unix epoch milliseconds.
    pub at_ms: i64,
    /// Uniform in `[0, 1)`.
    pub random: f64,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The page was opened.
    Start,
    /// A message of the feed; `None` for one that this build does not understand.
    Feed(Option<FleetEvent>),
    /// The feed's socket closed or never opened.
    FeedClosed(u16),
    /// The device found a network, or the page became visible again.
    Awake,
    /// The device lost its network.
    Offline,
    /// The REST API answered a call.
    Replied(ApiCall, Result<ApiReply, ApiError>),
    /// The dispatcher did something.
    Intent(Intent),
    /// The browser put a link on the clipboard, or refused to.
    Copied(bool),
    /// A file could not be fetched.
    NotSaved,
    /// The back button led to the address with this query.
    Popped(String),
    /// What [`Effect::Keep`](super::Effect::Keep) kept before the page was loaded.
    Kept(String),
    /// The map shows this box, `[west, south, east, north]`.
    Viewport([f64; 4]),
    /// So much of an extract has been sent.
    UploadProgress(Upload),
    /// The person stopped the upload of an extract.
    UploadStopped,
    /// The maps show another area.
    Area(AreaInUse),
    /// Time passed.
    Tick,
}
