//! What a courier does on the screens. The view raises these; the engine acts on them and changes the state.

use doorstep_shared::{
    OrderId,
    api::{courier::TrackerApp, plan::PlanStop, proof::ProofKind},
};

use super::plan::Place;

/// The id of the page's file input; see [`Intent::PhotoChosen`].
pub const PHOTO_INPUT_ID: &str = "photo";

/// Something the courier pressed or entered.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// "Go online": asks for the position and begins to share it.
    GoOnline,
    /// Ends the shift: nothing is shared or accepted any more.
    GoOffline,
    /// "Sign in", with the link that was opened.
    SignIn,
    /// "Try again", on a position that was refused or a failed start.
    Retry,
    /// The stop's action without anything to hand in: arrived, picked up, brought back, or delivered when no proof is
    /// asked. At a stop with several orders it is for all of them, but for the hand-over.
    Advance {
        /// Which order.
        order_id: OrderId,
    },
    /// The same for one of several orders.
    AdvanceOne {
        /// Which order.
        order_id: OrderId,
    },
    /// The goods are not ready: the courier waits.
    Wait {
        /// Which order.
        order_id: OrderId,
        /// Why, as the dispatcher reads it; empty when they are just not ready.
        reason: String,
    },
    /// The courier gives an order back before its goods are collected.
    GiveBack {
        /// Which order.
        order_id: OrderId,
        /// Why, as the dispatcher reads it.
        reason: String,
    },
    /// The door is where the courier stands, and not where the map has it.
    DoorHere {
        /// Which order.
        order_id: OrderId,
    },
    /// Takes back what was pressed last.
    Undo,
    /// Moves a stop within the plan.
    Move {
        /// Which.
        stop: PlanStop,
        /// Where to.
        to: Place,
    },
    /// The courier has read what changed at a stop.
    ReadChanges {
        /// Which.
        stop: PlanStop,
    },
    /// The stop could not be done: the customer is away, the address is wrong.
    Fail {
        /// Which order.
        order_id: OrderId,
        /// Why, as the customer and the dispatcher read it.
        reason: String,
    },
    /// Opens the screen that collects the proofs of a drop-off.
    BeginProof {
        /// Which order.
        order_id: OrderId,
    },
    /// Back to the stops; what was collected so far stays.
    LeaveProof,
    /// A photo was taken: the driver reads it from the page's file input ([`PHOTO_INPUT_ID`]), makes it smaller, keeps it
    /// and empties the input, so that the same picture can be chosen again.
    PhotoChosen {
        /// Which order.
        order_id: OrderId,
    },
    /// Takes a collected proof away again.
    DropProof {
        /// Which order.
        order_id: OrderId,
        /// Which of its proofs.
        kind: ProofKind,
    },
    /// The customer signed.
    Sign {
        /// Which order.
        order_id: OrderId,
        /// Their typed name.
        name: String,
        /// Strokes of `[x, y]` between 0 and 1; empty when only typed.
        strokes: Vec<Vec<[f32; 2]>>,
    },
    /// The customer said their PIN.
    EnterPin {
        /// Which order.
        order_id: OrderId,
        /// Four digits.
        pin: String,
    },
    /// The remark for the customer was written, and may be written on.
    WriteNote {
        /// Which order.
        order_id: OrderId,
        /// What stands there now.
        note: String,
    },
    /// Hands over with the proofs collected.
    Deliver {
        /// Which order.
        order_id: OrderId,
        /// A remark for the customer, "left with the neighbour"; may be empty.
        note: String,
    },
    /// A notice was read.
    Dismiss {
        /// Which.
        notice: u32,
    },
    /// Opens another screen.
    Show(Screen),
    /// Wants another app to report in the background.
    SetUpTracker(TrackerApp),
    /// Back to the choice of apps.
    LeaveTracker,
    /// The tab shall take over from another one.
    TakeOver,
    /// Installs the app, where the browser offers it.
    Install,
    /// Ends the session on this phone.
    SignOut,
}

/// Which screen is open, once signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// The next stop and the list.
    #[default]
    Stops,
    /// The whole tour, where stops are moved.
    Plan,
    /// Collecting the proofs of the order named in [`super::state::Shift::proof`].
    Proof,
    /// Background tracking by another app.
    Trackers,
    /// Who is signed in, what is shared, installing, signing out.
    Account,
}
