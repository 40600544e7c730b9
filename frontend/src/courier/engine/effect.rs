//! What [`super::Engine::step`] wants done. The driver does it in the browser, in order.

use doorstep_shared::{
    CourierId, OrderId,
    api::{courier::TrackerApp, plan::PlanStop},
    protocol::courier::CourierMessage,
};
use uuid::Uuid;

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
    /// Ask which area there is, and show it on the map.
    RenewArea,
    /// Read storage.
    Load,
    /// Change storage, all of it or nothing.
    Commit {
        /// Comes back in [`super::Input::Committed`].
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
    /// Ask the server which courier it takes this phone for.
    AskWhoAmI,
    /// End the session.
    EndSession,
    /// Ask for the tour.
    AskTour,
    /// Ask for another order of the stops.
    PutPlan {
        /// Whose.
        courier_id: CourierId,
        /// The plan's version that the courier saw.
        version: u64,
        /// Every open stop.
        stops: Vec<PlanStop>,
    },
    /// Ask for the day so far.
    AskDay,
    /// Draw the courier's attention by sound and vibration: dispatch changed something.
    Alert,
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
