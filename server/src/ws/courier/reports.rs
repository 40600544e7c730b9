//! What a phone reports besides fixes: an order's new status, what holds an order up or where its door is, whether the courier shares their
//! position, and what their screen shows.

use std::sync::Arc;

use doorstep_shared::{
    LatLon,
    protocol::{
        ErrorMessage, PresenceState,
        courier::{Ack, CourierEvent, OrderReport, PresenceReport, ReportKind, Seen, StatusReport},
        customer::Presence,
    },
    text::is_plain,
};

use super::Session;
use crate::{
    domain::order::Actor,
    service::orders::{
        lifecycle::{self, LifecycleError, Outcome},
        reports::CourierReport,
    },
};

/// The longest remark on a status, as over REST.
const MAX_NOTE_CHARACTERS: usize = 1_000;

/// What a phone should try when the database is away.
const RETRY_AFTER_MS: u64 = 2_000;

/// The answer to a message that could not be stored just now.
pub(super) fn unavailable(id: u64) -> ErrorMessage {
    let message = "this could not be stored just now; keep it and send it again".to_owned();
    ErrorMessage { retry_after_ms: Some(RETRY_AFTER_MS), ..ErrorMessage::refusal(Some(id), "unavailable", message) }
}

/// Moves an order on and answers like a batch of one: stored, or a duplicate when it had that status already.
pub(super) fn change_status(session: &Session, report: StatusReport) -> impl Future<Output = CourierEvent> + use<> {
    let (sockets, by) = (Arc::clone(&session.sockets), Actor::Courier(session.signed_in.courier.id));
    let turn = Arc::clone(&session.report_turn);
    async move {
        let _turn = turn.lock().await;
        let note = report.note.as_deref();
        if let Some(refusal) = refusal_of_note(report.id, note) {
            return refusal;
        }
        let happened_ms = Some(report.time_ms);
        let wanted = lifecycle::StatusReport { to: report.status, by: &by, happened_ms, note, version: None };
        answer(report.id, sockets.orders.set_status(report.order_id, &wanted).await)
    }
}

/// Notes what holds an order up, takes it back, or hears where its door is, and answers like [`change_status`].
pub(super) fn note_report(session: &Session, report: OrderReport) -> impl Future<Output = CourierEvent> + use<> {
    let (sockets, courier) = (Arc::clone(&session.sockets), session.signed_in.courier.id);
    let turn = Arc::clone(&session.report_turn);
    async move {
        let _turn = turn.lock().await;
        let note = report.note.as_deref();
        if let Some(refusal) = refusal_of_note(report.id, note) {
            return refusal;
        }
        let said = CourierReport { courier, happened_ms: report.time_ms, note };
        let door = report.lat.zip(report.lon).map(|(lat, lon)| LatLon::try_new(lat, lon));
        let done = match report.report {
            ReportKind::DoorHere => match door {
                Some(Ok(door)) => sockets.orders.propose_door(report.order_id, &said, door).await,
                _ => return CourierEvent::Error(no_door(report.id)),
            },
            ReportKind::NotReady => sockets.orders.report_not_ready(report.order_id, &said).await,
            ReportKind::GiveBack => sockets.orders.give_back(report.order_id, &said).await,
        };
        answer(report.id, done)
    }
}

fn no_door(id: u64) -> ErrorMessage {
    let message = "door_here needs lat and lon in degrees".to_owned();
    ErrorMessage::refusal(Some(id), "bad_message", message)
}

fn answer(id: u64, done: Result<Outcome, LifecycleError>) -> CourierEvent {
    match done {
        Ok(outcome) => {
            let stored = u32::from(matches!(outcome, Outcome::Changed(_)));
            CourierEvent::Ack(Ack { id, stored, duplicates: 1 - stored, rejected: vec![] })
        }
        Err(error) => CourierEvent::Error(refused(id, &error)),
    }
}

fn refused(id: u64, error: &LifecycleError) -> ErrorMessage {
    let code = match error {
        LifecycleError::InvalidTransition { .. } | LifecycleError::NotForCouriers { .. } => "invalid_transition",
        LifecycleError::UnknownOrder | LifecycleError::UnknownCourier => "not_found",
        LifecycleError::CourierArchived => "courier_archived",
        LifecycleError::ProofRequired { .. } => "proof_required",
        LifecycleError::Withdrawn { .. } => "order_withdrawn",
        LifecycleError::VersionConflict { .. } => "version_conflict",
        LifecycleError::NotEditable { .. } => "not_editable",
        LifecycleError::NotReopenable { .. } => "not_reopenable",
        LifecycleError::InvalidFields(_) => "bad_message",
        LifecycleError::Store(error) => {
            tracing::warn!(error = %error, "a courier's report could not be stored");
            return unavailable(id);
        }
    };
    ErrorMessage { details: error.details(), ..ErrorMessage::refusal(Some(id), code, error.to_string()) }
}

/// A note that Postgres cannot hold, or that is too long to be read, is refused for good: after "unavailable" the phone
/// would send it again for ever.
fn refusal_of_note(id: u64, note: Option<&str>) -> Option<CourierEvent> {
    let is_acceptable = |note: &str| note.chars().count() <= MAX_NOTE_CHARACTERS && note.chars().all(is_plain);
    if note.is_none_or(is_acceptable) {
        return None;
    }
    let message = format!("a note has at most {MAX_NOTE_CHARACTERS} characters, none of them control characters");
    Some(CourierEvent::Error(ErrorMessage::refusal(Some(id), "bad_message", message)))
}

/// Notes whether the courier shares their position: at once for viewers, then in the database. The protocol has no
/// answer to it.
pub(super) fn note_presence(session: &Session, report: PresenceReport) -> impl Future<Output = ()> + use<> {
    let (sockets, courier) = (&session.sockets, session.signed_in.courier.id);
    let since_ms = report.time_ms.unwrap_or_else(|| sockets.clock.now_ms());
    let reason = report.reason.filter(|_| report.state != PresenceState::Tracking);
    let storing = sockets.presences.set(courier, Presence { state: report.state, reason, since_ms });
    let turn = Arc::clone(&session.report_turn);
    async move {
        let _turn = turn.lock().await;
        if let Err(error) = storing.await {
            tracing::warn!(courier.id = %courier, error = %error, "a presence could not be stored");
        }
    }
}

/// Notes what the courier's screen shows of their plan. The protocol has no answer to it; a phone that comes back shows
/// its stops and says so again.
pub(super) fn note_seen(session: &Session, seen: Seen) -> impl Future<Output = ()> + use<> {
    let (plans, courier) = (Arc::clone(&session.sockets.plans), session.signed_in.courier.id);
    let turn = Arc::clone(&session.report_turn);
    async move {
        let _turn = turn.lock().await;
        if let Err(error) = plans.note_seen(courier, seen.version).await {
            tracing::warn!(courier.id = %courier, error = %error, "what a courier's screen shows could not be noted");
        }
    }
}
