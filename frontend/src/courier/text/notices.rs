//! What the app tells the courier by itself: what it noticed, and what did not go as pressed.
//!
//! The engine puts these texts into notices and into the problem of a proof. Like all texts of the app they give the
//! reason before the remedy. What the server refused is told by its error's code and details; only an error with a code
//! that this build does not know is shown in the server's own sentence.

use doorstep_shared::{
    OrderStatus,
    api::proof::ProofKind,
    protocol::{ErrorMessage, courier::Stop},
};

use crate::courier::outbox::actions::Action;

/// "Sharing paused 4 min while this page was in the background."
pub fn paused(away_ms: i64) -> String {
    let lasted = duration(away_ms);
    format!("Sharing paused {lasted} while this page was in the background. Another app can share meanwhile.")
}

/// Dispatch gave the courier an order.
pub fn new_order(stop: &Stop) -> String {
    format!("New on your list: order {}, {}.", stop.reference, stop.address)
}

/// Dispatch took an order away.
pub fn order_gone(stop: &Stop) -> String {
    format!("Order {}, {}, was taken off your list.", stop.reference, stop.address)
}

/// A status that the server refused.
pub fn conflict(action: &Action, status: OrderStatus, error: &ErrorMessage) -> String {
    let Action { reference, place, .. } = action;
    let wanted = did(status);
    let now = error.details.as_ref().and_then(|details| details.from);
    match &*error.code {
        "invalid_transition" => match now.filter(|now| !now.can_become(status)) {
            Some(now) => format!("Order {reference}, {place}, was already {}; nothing changed.", name(now)),
            None => format!("Order {reference}, {place}, could not be marked as {wanted}; nothing changed."),
        },
        "not_found" => format!("Order {reference}, {place}, is not yours any more; “{wanted}” was not noted."),
        "proof_required" => format!("Order {reference}, {place}, needs its proof before it can be delivered."),
        _ => format!("Order {reference}, {place}: “{wanted}” was refused. {}", sentence(&error.message)),
    }
}

/// A proof that the server did not take; its hand-over was held back.
pub fn proof_refused(action: &Action, kind: ProofKind, code: &str) -> String {
    let Action { reference, place, .. } = action;
    let reason = match (kind, code) {
        (_, "not_found") => {
            return format!("Order {reference}, {place}, is not yours any more; its proof was not taken.");
        }
        (_, "not_at_the_door") => {
            return format!("Order {reference}, {place}, takes no proof any more; nothing changed.");
        }
        (_, "too_many_proofs") => "it has as many proofs as it takes",
        (ProofKind::Pin, "wrong_pin") => "the PIN was not the right one",
        (ProofKind::Pin, "too_many_attempts") => "there were too many wrong PINs",
        (ProofKind::Pin, _) => "the PIN could not be used",
        (ProofKind::Photo, _) => "the photo could not be used",
        (ProofKind::Signature, _) => "the signature could not be used",
    };
    format!("Order {reference}, {place}, is not delivered yet: {reason}.")
}

/// What is wrong with a proof, beside where it is entered.
pub fn proof_problem(kind: ProofKind, code: &str) -> String {
    let text = match (kind, code) {
        (ProofKind::Pin, "too_many_attempts") => "Too many wrong PINs. Call dispatch, or try again in a while.",
        (ProofKind::Pin, _) => "That was not the customer's PIN. Ask for it again.",
        (ProofKind::Photo, "too_large" | "image_too_large") => "That photo is too large. Take another one.",
        (ProofKind::Photo, _) => "That photo could not be read. Take another one.",
        (ProofKind::Signature, _) => "That signature could not be used. Sign again.",
    };
    text.to_owned()
}

/// The picture that was chosen is none.
pub fn photo_unreadable() -> String {
    "That picture could not be read. Take another one.".to_owned()
}

/// Something is missing for the hand-over.
pub fn proof_incomplete(missing: &[ProofKind]) -> String {
    let word = |kind: &ProofKind| match kind {
        ProofKind::Photo => "a photo",
        ProofKind::Signature => "a signature",
        ProofKind::Pin => "the customer's PIN",
    };
    let words: Vec<_> = missing.iter().map(word).collect();
    format!("Still needed: {}.", words.join(" and "))
}

/// Positions that the server refused because the courier was off duty.
pub fn off_duty(count: u32) -> String {
    let positions = positions(count);
    format!("{positions} from while you were off duty: the server did not take {}.", them(count))
}

/// Positions that the server refused because they were dated in the future.
pub fn in_future(count: u32) -> String {
    let positions = positions(count);
    format!("{positions} could not be used: this phone's clock was ahead. Set it to automatic.")
}

/// The phone's clock is wrong.
pub fn clock_ahead(ahead_ms: i64) -> String {
    let ahead = duration(ahead_ms);
    format!("This phone's clock is {ahead} ahead, so positions are dated by the server's. Set it to automatic.")
}

/// The phone's clock is wrong the other way.
pub fn clock_behind(behind_ms: i64) -> String {
    let behind = duration(behind_ms);
    format!("This phone's clock is {behind} behind, so positions are dated by the server's. Set it to automatic.")
}

/// Nothing can be kept in this browser.
pub fn no_storage() -> String {
    "This browser keeps nothing for this page, perhaps because the window is private. What has not been sent is lost \
     when the page closes."
        .to_owned()
}

/// The phone is full.
pub fn storage_full() -> String {
    "This phone could not save: it may be full. What has not been sent is lost when the page closes.".to_owned()
}

/// The largest thing of all did not fit.
pub fn photo_unkept() -> String {
    "This phone is too full to keep the photo. Leave this page open until it has been sent.".to_owned()
}

/// So many actions wait that no more are taken.
pub fn too_many_actions() -> String {
    "Too much waits on this phone already. Find a network first.".to_owned()
}

/// Dispatch signed the phone out while things waited.
pub fn kept_after_revoke(fixes: usize, actions: usize) -> String {
    let waiting = waiting(fixes, actions);
    format!("{waiting} could not be sent. This phone keeps them for a day, in case dispatch signs you in again.")
}

/// Another courier signs in on a phone on which things of the one before wait.
pub fn others_deleted(fixes: usize, actions: usize) -> String {
    let waiting = waiting(fixes, actions);
    format!("{waiting} of the courier who used this phone before could not be sent and were deleted.")
}

/// Signing out would delete what waits.
pub fn sign_out_loses(fixes: usize, actions: usize) -> String {
    let waiting = waiting(fixes, actions);
    format!("{waiting} not sent yet. Find a network first, or sign out once more to delete them.")
}

/// The session on the server could not be ended.
pub fn signed_out_here_only() -> String {
    "Everything was deleted from this phone. The server was not reached, so the session ends when this page is next \
     opened with a network, or when dispatch signs this phone out."
        .to_owned()
}

/// The server does not understand this build.
pub fn not_understood() -> String {
    "The server did not understand this app. Close it and open it again to get the current one.".to_owned()
}

/// A tracker could not be set up.
pub fn tracker_failed() -> String {
    "The server could not be asked. Try again when there is a network.".to_owned()
}

fn did(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::AtPickup => "at the pickup",
        OrderStatus::PickedUp => "picked up",
        OrderStatus::AtDropoff => "at the door",
        OrderStatus::Delivered => "delivered",
        OrderStatus::Failed => "failed",
        other => other.as_str(),
    }
}

/// The name of the status that an order has.
fn name(status: OrderStatus) -> String {
    status.as_str().replace('_', " ")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    [&first, letters.as_str(), end].concat()
}

fn duration(ms: i64) -> String {
    let minutes = (ms + 30_000) / 60_000;
    match minutes {
        0 => format!("{} s", ms / 1_000),
        1..60 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

fn positions(count: u32) -> String {
    if count == 1 { "1 position".to_owned() } else { format!("{count} positions") }
}

fn them(count: u32) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

fn waiting(fixes: usize, actions: usize) -> String {
    let positions = positions(fixes as u32);
    match (fixes, actions) {
        (0, 1) => "1 action".to_owned(),
        (0, _) => format!("{actions} actions"),
        (_, 0) => positions,
        (_, 1) => positions + " and 1 action",
        _ => format!("{positions} and {actions} actions"),
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::problem::ErrorDetails;

    use super::*;
    use crate::courier::{outbox::actions::Deed, stops::tests::order};

    #[test]
    fn a_conflict_names_the_order_the_place_and_what_is_true() {
        let action = Action {
            id: 1,
            order_id: order(1),
            reference: "A-1042".into(),
            place: "12 Triq il-Merkanti".into(),
            time_ms: 0,
            deed: Deed::Status { status: OrderStatus::AtDropoff, note: None },
        };
        let say = |code: &str, reason: &str| {
            let error = ErrorMessage::refusal(Some(1), code, reason.to_owned());
            conflict(&action, OrderStatus::AtDropoff, &error)
        };
        let refused_in = |from| {
            let details = Some(ErrorDetails::invalid_transition(order(1), from, OrderStatus::AtDropoff));
            let error = ErrorMessage::refusal(Some(1), "invalid_transition", "a sentence".to_owned());
            conflict(&action, OrderStatus::AtDropoff, &ErrorMessage { details, ..error })
        };
        assert_eq!(
            refused_in(OrderStatus::Delivered),
            "Order A-1042, 12 Triq il-Merkanti, was already delivered; nothing changed."
        );
        let not_marked = "Order A-1042, 12 Triq il-Merkanti, could not be marked as at the door; nothing changed.";
        assert_eq!(refused_in(OrderStatus::PickedUp), not_marked, "the order could take it, only not from a courier");
        let of_older_server = say("invalid_transition", "order A-1042 is already delivered");
        assert_eq!(of_older_server, not_marked, "no sentence is read");
        assert_eq!(
            say("not_found", "there is no such order"),
            "Order A-1042, 12 Triq il-Merkanti, is not yours any more; “at the door” was not noted."
        );
        assert!(
            say("bad_message", "a note has at most 1000 characters").ends_with("A note has at most 1000 characters.")
        );
    }

    #[test]
    fn times_away_are_told_in_minutes_and_hours() {
        assert!(paused(240_000).starts_with("Sharing paused 4 min while"));
        assert!(paused(61_000).contains(" 1 min "));
        assert!(paused(5_400_000).contains(" 1 h 30 min "));
    }

    #[test]
    fn what_waits_is_counted_in_words_that_fit() {
        let counts = [(1, 0), (180, 1), (0, 1), (0, 2), (2, 3)].map(|(fixes, actions)| waiting(fixes, actions));
        assert_eq!(
            counts,
            ["1 position", "180 positions and 1 action", "1 action", "2 actions", "2 positions and 3 actions"]
        );
    }
}
