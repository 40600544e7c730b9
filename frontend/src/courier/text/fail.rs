//! When a stop cannot be done: why, and what can be done about it.

use doorstep_shared::protocol::courier::StopKind;

/// Said by fixed spots of the sheet.
pub mod fixed {
    /// Over the reasons.
    pub const REASON: &str = "What happened";
    /// The field for another reason.
    pub const OTHER_REASON: &str = "In your own words";
    /// Over what can be done.
    pub const WAYS: &str = "What next";
    /// Calls the dispatch office.
    pub const CALL_DISPATCH: &str = "Call dispatch";
}

/// What a courier can do about a stop that cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Stay and wait for the goods.
    Wait,
    /// Give the order back to dispatch.
    GiveBack,
    /// Say that it failed.
    Fail,
}

/// The button for when it cannot be done.
pub fn failure(kind: StopKind) -> &'static str {
    match kind {
        StopKind::Pickup => "Could not pick up",
        StopKind::Dropoff => "Could not deliver",
        StopKind::Return => "Could not bring back",
    }
}

/// Goods that take longer.
pub const NOT_READY: &str = "Not ready";
const DAMAGED: &str = "Damaged";

/// The usual reasons, as the customer and the dispatcher read them; [`OTHER`] follows them.
pub fn reasons(kind: StopKind) -> &'static [&'static str] {
    match kind {
        StopKind::Pickup => &[NOT_READY, "Closed", "Order not known here", DAMAGED, "Cannot find it"],
        StopKind::Dropoff => &["Nobody answered", "Wrong address", "Refused", DAMAGED, "Cannot find it"],
        // Dispatch is called.
        StopKind::Return => &[],
    }
}

/// After the reasons.
pub const OTHER: &str = "Other";

/// What can be done, for a reason.
pub fn ways(kind: StopKind, reason: &str) -> &'static [Way] {
    match (kind, reason) {
        (StopKind::Return, _) => &[],
        (StopKind::Dropoff, _) => &[Way::Fail],
        (StopKind::Pickup, NOT_READY) => &[Way::Wait, Way::GiveBack],
        (StopKind::Pickup, DAMAGED) => &[Way::GiveBack, Way::Fail],
        (StopKind::Pickup, _) => &[Way::Wait, Way::GiveBack, Way::Fail],
    }
}

/// What the button says.
pub fn way(kind: StopKind, way: Way) -> &'static str {
    match (way, kind) {
        (Way::Wait, _) => "Wait here",
        (Way::GiveBack, _) => "Give the order back",
        (Way::Fail, StopKind::Pickup) => "Report as failed",
        (Way::Fail, _) => "Report",
    }
}

/// What follows from it.
pub fn follows(kind: StopKind, way: Way) -> &'static str {
    match (way, kind) {
        (Way::Wait, _) => "The order stays on your list. Dispatch hears of it when it takes longer than usual.",
        (Way::GiveBack, _) => "The order leaves your list. Dispatch decides who collects it, and when.",
        (Way::Fail, StopKind::Pickup) => "The order ends here. The customer reads that it could not be picked up.",
        (Way::Fail, _) => "Keep the goods. The way back is on your list until dispatch sends you again.",
    }
}
