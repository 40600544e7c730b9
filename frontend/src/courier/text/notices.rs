//! What the app tells the courier by itself: what it noticed, and what did not go as pressed.
//!
//! The engine puts these texts into notices and into the problem of a proof. Like all texts of the app they give the
//! reason before the remedy. What the server refused is told by its error's code and details; only an error with a code
//! that this build does not know is shown in the server's own sentence.

use doorstep_shared::{
    OrderStatus,
    api::proof::ProofKind,
    problem::ErrorDetails,
    protocol::{
        ErrorMessage,
        courier::{ReportKind, Stop, StopKind},
    },
};

use crate::courier::{
    marks::Change,
    outbox::actions::{Action, Deed},
    stops::{follows, is_status},
};

/// "Sharing paused 4 min while this page was in the background."
pub fn paused(away_ms: i64) -> String {
    let lasted = duration(away_ms);
    format!("Sharing paused {lasted} while this page was in the background. Another app can share meanwhile.")
}

/// The most references in one sentence.
const MAX_NAMED: usize = 3;

/// Dispatch gave the courier these orders; `None` when there are none.
pub fn new_orders(new: &[Stop]) -> Option<String> {
    let named: Vec<&str> = new.iter().take(MAX_NAMED).map(|stop| &*stop.reference).collect();
    let named = named.join(", ");
    Some(match new {
        [] => return None,
        [stop] => format!("New on your list: order {}, {}.", stop.reference, stop.address),
        _ if new.len() <= MAX_NAMED => format!("New on your list: orders {named}."),
        _ => format!("New on your list: orders {named} and {} more.", new.len() - MAX_NAMED),
    })
}

/// Dispatch took an order away.
pub fn order_gone(stop: &Stop) -> String {
    format!("Order {}, {}, was taken off your list.", stop.reference, stop.address)
}

/// Dispatch changed what is to be done with an order: bring it back, or try again.
pub fn turned(stop: &Stop) -> String {
    let Stop { reference, address, .. } = stop;
    match (stop.kind, stop.status) {
        (StopKind::Return, OrderStatus::Cancelled) => {
            format!("Order {reference} was cancelled. Bring it back to {address}.")
        }
        (StopKind::Return, _) => format!("Order {reference} is not to be delivered now. Bring it back to {address}."),
        _ => format!("Try order {reference} again: {address}."),
    }
}

/// Dispatch changed something about a stop.
pub fn changed(stop: &Stop, changes: &[Change]) -> String {
    let words: Vec<&str> = changes.iter().map(|change| changed_thing(&change.what)).collect();
    let now = changes.iter().any(|change| change.what == "address").then(|| format!(" Now: {}.", stop.address));
    format!("Order {}: {} changed.{}", stop.reference, words.join(", "), now.unwrap_or_default())
}

/// What changed, within a sentence.
pub fn changed_thing(what: &str) -> &'static str {
    match what {
        "address" => "address",
        "instructions" => "instructions",
        "contact" => "contact",
        "window" => "promised time",
        "goods" => "goods",
        "note" => "merchant’s note",
        _ => "details",
    }
}

/// Dispatch put the stops into another order; `next` is the first of them.
pub fn reordered(next: &Stop) -> String {
    format!("Dispatch put your stops in another order. Next: {}.", next.address)
}

/// Dispatch changed the plan while the courier did.
pub fn plan_conflict() -> String {
    "Dispatch changed your plan at the same time. Theirs is shown; your change was not made.".to_owned()
}

/// The server refuses the order of stops that the courier wants.
pub fn plan_refused(code: &str) -> String {
    match code {
        "over_capacity" => "In that order you would carry too much at once. Your stops stay as they were.",
        "dropoff_before_pickup" => "An order is collected before it is delivered. Your stops stay as they were.",
        "stop_missing" | "stop_unknown" => "Your stops have just changed. Try again with the newest.",
        _ => "Dispatch does not allow that change. Your stops stay as they were.",
    }
    .to_owned()
}

/// The server was not reached.
pub fn plan_unreached() -> String {
    "The server was not reached, so your stops stay as they were.".to_owned()
}

/// What can be taken back; `None` when nothing can.
pub fn held(actions: &[&Action]) -> Option<String> {
    let last = actions.iter().rfind(|action| !matches!(action.deed, Deed::Proof { .. }))?;
    let reference = &last.reference;
    let picked_up = |action: &&&Action| is_status(action, OrderStatus::PickedUp);
    Some(match actions.iter().filter(picked_up).count() {
        0 => format!("{reference} {}", done(&last.deed)),
        count => format!("{count} orders picked up"),
    })
}

fn done(deed: &Deed) -> &'static str {
    match deed {
        Deed::Status { status: OrderStatus::Delivered, .. } => "delivered",
        Deed::Status { status: OrderStatus::Failed, .. } => "reported as failed",
        Deed::Status { status: OrderStatus::Returned, .. } => "brought back",
        Deed::Report { report: ReportKind::GiveBack, .. } => "given back",
        Deed::Status { .. } | Deed::Report { .. } | Deed::Proof { .. } => "reported",
    }
}

/// Another device of the courier reports in vain; `None` for an error about anything else.
pub fn device_rejected(error: &ErrorMessage) -> Option<String> {
    let device = error.details.as_ref().and_then(|details| details.device.as_deref()).unwrap_or("Your other device");
    match &*error.code {
        "clock_wrong" => Some(format!(
            "{device}: its clock is wrong, so its positions do not count. Let that phone set its date and time by itself."
        )),
        "reports_unreadable" => Some(format!(
            "{device}: what it sends cannot be read, so its positions do not count. Set that app up anew."
        )),
        _ => None,
    }
}

/// Something that the courier did and the server refused.
pub fn conflict(action: &Action, error: &ErrorMessage) -> String {
    let Action { reference, place, .. } = action;
    let details = error.details.clone().unwrap_or_default();
    let wanted = match &action.deed {
        Deed::Status { status, .. } => Some(*status),
        Deed::Report { .. } | Deed::Proof { .. } => None,
    };
    let told = wanted.map(|status| format!(" Your “{}” was passed on to dispatch.", pressed(status)));
    let told = told.unwrap_or_default();
    match (&*error.code, wanted) {
        ("order_withdrawn", _) => format!("Order {reference}, {place}, {}.{told}", withdrawn(&details)),
        ("invalid_transition", Some(status)) => match details.from.filter(|now| !follows(*now, status)) {
            Some(now) => format!("Order {reference}, {place}, was already {}.{told}", name(now)),
            None => format!("Order {reference}, {place}, could not be marked as {}; nothing changed.", did(status)),
        },
        ("invalid_transition", None) => {
            let now = details.from.or(details.status).map_or("changed".to_owned(), name);
            format!("Order {reference}, {place}, was already {now}; nothing changed.")
        }
        ("not_found", _) => format!("Order {reference}, {place}, is not yours any more; nothing was noted."),
        ("proof_required", _) => format!("Order {reference}, {place}, needs its proof before it can be delivered."),
        _ => format!("Order {reference}, {place}, was not changed. {}", sentence(&error.message)),
    }
}

fn withdrawn(details: &ErrorDetails) -> String {
    match (&details.courier_name, details.status) {
        (Some(courier), _) => format!("was given to {courier}"),
        (None, Some(status)) if status.is_final() || status == OrderStatus::Failed => format!("was {}", name(status)),
        (None, _) => "was taken off your list".to_owned(),
    }
}

/// What the button said.
fn pressed(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::AtPickup | OrderStatus::AtDropoff => "I have arrived",
        OrderStatus::PickedUp => "Picked up",
        OrderStatus::Delivered => "Delivered",
        OrderStatus::Failed => "Could not deliver",
        OrderStatus::Returned => "Brought back",
        other => other.as_str(),
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

/// Nothing can be kept in this browser, or its storage does not answer.
pub fn no_storage(is_silent: bool) -> String {
    let why = if is_silent {
        "This phone’s storage does not answer, so positions are not kept; restarting the browser may help."
    } else {
        "This browser keeps nothing for this page, perhaps because the window is private."
    };
    why.to_owned() + " What has not been sent is lost when the page closes."
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

/// The courier said where a door is.
pub fn door_told() -> String {
    "Thank you. Dispatch hears where this door is.".to_owned()
}

/// They said so while the phone does not know where it is.
pub fn no_position_for_door() -> String {
    "This phone’s position is too old to say where the door is. Try again in a moment.".to_owned()
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
    match status {
        OrderStatus::Failed => "reported as failed".to_owned(),
        OrderStatus::Returned => "brought back".to_owned(),
        other => other.as_str().replace('_', " "),
    }
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
    use super::*;
    use crate::courier::stops::tests::{order, stop};

    #[test]
    fn a_device_that_reports_in_vain_is_named_with_the_reason_and_the_remedy() {
        let say = |code: &str| {
            let details = ErrorDetails { device: Some("Traccar Client".to_owned()), ..ErrorDetails::default() };
            let error = ErrorMessage::refusal(None, code, "a sentence".to_owned());
            device_rejected(&ErrorMessage { details: Some(details), ..error })
        };
        let clock = "Traccar Client: its clock is wrong, so its positions do not count. \
                     Let that phone set its date and time by itself.";
        assert_eq!(say("clock_wrong").as_deref(), Some(clock));
        assert!(say("reports_unreadable").is_some_and(|text| text.starts_with("Traccar Client: what it sends")));
        assert_eq!(say("unavailable"), None);
    }

    #[test]
    fn a_conflict_names_the_order_the_place_and_what_is_true() {
        let action = Action {
            id: 1,
            order_id: order(1),
            reference: "A-1042".into(),
            place: "12 Triq il-Merkanti".into(),
            time_ms: 0,
            deed: Deed::Status { status: OrderStatus::AtDropoff, note: None },
            held_until_ms: None,
        };
        let say = |code: &str, reason: &str| {
            let error = ErrorMessage::refusal(Some(1), code, reason.to_owned());
            conflict(&action, &error)
        };
        let refused_in = |from| {
            let details = Some(ErrorDetails::invalid_transition(order(1), from, OrderStatus::AtDropoff));
            let error = ErrorMessage::refusal(Some(1), "invalid_transition", "a sentence".to_owned());
            conflict(&action, &ErrorMessage { details, ..error })
        };
        assert_eq!(
            refused_in(OrderStatus::Delivered),
            "Order A-1042, 12 Triq il-Merkanti, was already delivered. Your “I have arrived” was passed on to dispatch."
        );
        let not_marked = "Order A-1042, 12 Triq il-Merkanti, could not be marked as at the door; nothing changed.";
        assert_eq!(refused_in(OrderStatus::PickedUp), not_marked, "the order could take it, only not from a courier");
        let of_older_server = say("invalid_transition", "order A-1042 is already delivered");
        assert_eq!(of_older_server, not_marked, "no sentence is read");
        assert_eq!(
            say("not_found", "there is no such order"),
            "Order A-1042, 12 Triq il-Merkanti, is not yours any more; nothing was noted."
        );
        assert!(
            say("bad_message", "a note has at most 1000 characters").ends_with("A note has at most 1000 characters.")
        );
    }

    #[test]
    fn a_withdrawn_order_says_who_has_it_and_that_dispatch_heard() {
        let action = |deed| Action {
            id: 1,
            order_id: order(1),
            reference: "A-1042".into(),
            place: "12 Triq il-Merkanti".into(),
            time_ms: 0,
            deed,
            held_until_ms: None,
        };
        let delivered = action(Deed::Status { status: OrderStatus::Delivered, note: None });
        let waits = action(Deed::Report { report: ReportKind::NotReady, note: None, at: None });
        let say = |action: &Action, courier_name: Option<&str>, status| {
            let error = ErrorMessage::refusal(Some(1), "order_withdrawn", "a sentence".to_owned());
            let courier_name = courier_name.map(str::to_owned);
            let details = Some(ErrorDetails { courier_name, status, ..ErrorDetails::default() });
            conflict(action, &ErrorMessage { details, ..error })
        };
        let passed_on = "Your “Delivered” was passed on to dispatch.";
        for (courier_name, status, expected) in [
            (Some("Ben"), Some(OrderStatus::Assigned), "was given to Ben"),
            (None, Some(OrderStatus::Created), "was taken off your list"),
            (None, Some(OrderStatus::Cancelled), "was cancelled"),
            (None, None, "was taken off your list"),
        ] {
            let expected = format!("Order A-1042, 12 Triq il-Merkanti, {expected}. {passed_on}");
            assert_eq!(say(&delivered, courier_name, status), expected);
        }
        assert_eq!(say(&waits, Some("Ben"), None), "Order A-1042, 12 Triq il-Merkanti, was given to Ben.");
    }

    #[test]
    fn a_change_is_named_and_a_new_address_said() {
        let change = |what: &str| Change { what: what.into(), was: None };
        let stop = stop(1, StopKind::Dropoff, OrderStatus::PickedUp);
        let told = changed(&stop, &[change("address"), change("window")]);
        assert_eq!(told, "Order A-1: address, promised time changed. Now: 1 Strait Street.");
        assert_eq!(changed(&stop, &[change("note")]), "Order A-1: merchant’s note changed.");
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
