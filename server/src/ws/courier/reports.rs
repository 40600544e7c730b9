//! What a phone reports besides fixes: an order's new status, whether the courier shares their position, and what their
//! screen shows.

use std::sync::Arc;

use doorstep_shared::protocol::{
    ErrorMessage, PresenceState,
    courier::{Ack, CourierEvent, PresenceReport, Seen, StatusReport},
    customer::Presence,
};

use super::Session;
use crate::{
    domain::order::Actor,
    service::orders::lifecycle::{LifecycleError, Outcome},
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
        if note.is_some_and(|note| !is_acceptable(note)) {
            let message =
                format!("a note has at most {MAX_NOTE_CHARACTERS} characters, none of them control characters");
            return CourierEvent::Error(ErrorMessage::refusal(Some(report.id), "bad_message", message));
        }
        match sockets.orders.set_status(report.order_id, report.status, &by, Some(report.time_ms), note).await {
            Ok(outcome) => {
                let stored = u32::from(matches!(outcome, Outcome::Changed(_)));
                CourierEvent::Ack(Ack { id: report.id, stored, duplicates: 1 - stored, rejected: vec![] })
            }
            Err(error) => CourierEvent::Error(status_refused(report.id, &error)),
        }
    }
}

fn status_refused(id: u64, error: &LifecycleError) -> ErrorMessage {
    let code = match error {
        LifecycleError::InvalidTransition { .. } | LifecycleError::NotForCouriers { .. } => "invalid_transition",
        LifecycleError::UnknownOrder | LifecycleError::UnknownCourier => "not_found",
        LifecycleError::ProofRequired { .. } => "proof_required",
        LifecycleError::Store(error) => {
            tracing::warn!(error = %error, "a status report could not be stored");
            return unavailable(id);
        }
    };
    ErrorMessage { details: error.details(), ..ErrorMessage::refusal(Some(id), code, error.to_string()) }
}

/// A note that Postgres cannot hold, or that is too long to be read, is refused for good: after "unavailable" the phone
/// would send it again for ever.
fn is_acceptable(note: &str) -> bool {
    note.chars().count() <= MAX_NOTE_CHARACTERS && !note.chars().any(|c| c.is_control() && c != '\n')
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
