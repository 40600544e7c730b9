//! Judges whether a courier who should report is silent.
//!
//! A phone that gives a reason for a pause is believed for a while: people lock their phones, and tunnels end. After
//! that its reason is what dispatchers read. Off duty is no silence, and neither is the time before a courier took up
//! the first of their orders.

use doorstep_shared::protocol::{PresenceReason, PresenceState, customer::Presence};

/// The slowest pace is a fix a minute; three missing fixes are no coincidence.
pub const APP_PATIENCE_MS: i64 = 3 * 60_000;

/// Other people's tracking apps send nothing while they are not moved, and never a reason.
pub const TRACKER_PATIENCE_MS: i64 = 15 * 60_000;

/// How long an announced pause explains itself. A permission that was taken away does not come back by itself, and
/// explains nothing.
pub const EXPLAINED_PATIENCE_MS: i64 = 10 * 60_000;

/// What reports a courier's position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reporter {
    /// The courier's app, or a program that keeps to its protocol.
    #[default]
    App,
    /// Another app, which reports only while it is moved.
    Tracker,
}

/// The state of a courier who has orders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signs {
    /// When the last fix came in; `None` when none ever did.
    pub heard_ms: Option<i64>,
    /// What sent it.
    pub reporter: Reporter,
    /// Whether they share their position, by their last report.
    pub presence: Option<Presence>,
    /// When they got the first of the orders they have.
    pub under_way_since_ms: i64,
    /// They have picked something up.
    pub has_goods: bool,
    /// When this server began to listen: before that, it received nothing.
    pub listening_since_ms: i64,
}

/// A courier is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silent {
    /// When their last fix came in, Unix epoch milliseconds.
    pub since_ms: i64,
    /// The reason, when their phone announced a pause.
    pub reason: Option<PresenceReason>,
}

/// Whether a courier is silent at `now_ms`, Unix epoch milliseconds. A courier who never reported is not.
pub fn silent(signs: &Signs, now_ms: i64) -> Option<Silent> {
    let heard_ms = signs.heard_ms?;
    let presence = signs.presence;
    if presence.is_some_and(|presence| presence.state == PresenceState::OffDuty) {
        return None;
    }
    let is_at_work = signs.has_goods || presence.is_some() || heard_ms >= signs.under_way_since_ms;
    let pause = presence.filter(|presence| presence.state == PresenceState::Paused);
    // Announcing a pause is a sign of life, too.
    let spoke_ms = pause.map_or(heard_ms, |pause| heard_ms.max(pause.since_ms));
    let quiet_from_ms = spoke_ms.max(signs.under_way_since_ms).max(signs.listening_since_ms);
    let reason = pause.and_then(|pause| pause.reason);
    let is_over = now_ms.saturating_sub(quiet_from_ms) >= patience_ms(signs.reporter, reason);
    (is_at_work && is_over).then_some(Silent { since_ms: heard_ms, reason })
}

fn patience_ms(reporter: Reporter, reason: Option<PresenceReason>) -> i64 {
    let patience_ms = match reporter {
        Reporter::App => APP_PATIENCE_MS,
        Reporter::Tracker => TRACKER_PATIENCE_MS,
    };
    match reason {
        None | Some(PresenceReason::NoPermission) => patience_ms,
        Some(_) => patience_ms.max(EXPLAINED_PATIENCE_MS),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{option, prelude::*, sample::select};

    use super::*;

    const NOW_MS: i64 = 1_795_219_200_000;
    const MINUTE_MS: i64 = 60_000;

    fn heard_before(minutes: i64) -> Signs {
        Signs {
            heard_ms: Some(NOW_MS - minutes * MINUTE_MS),
            reporter: Reporter::App,
            presence: None,
            under_way_since_ms: NOW_MS - 60 * MINUTE_MS,
            has_goods: false,
            listening_since_ms: 0,
        }
    }

    fn said(state: PresenceState, reason: Option<PresenceReason>, minutes_ago: i64) -> Option<Presence> {
        Some(Presence { state, reason, since_ms: NOW_MS - minutes_ago * MINUTE_MS })
    }

    #[test]
    fn each_courier_has_the_patience_that_fits_them() {
        let paused = |reason| said(PresenceState::Paused, Some(reason), 9);
        let app = heard_before(9);
        let cases = [
            ("heard just now", heard_before(2), false),
            ("an app that went quiet", app, true),
            ("a tracker standing still", Signs { reporter: Reporter::Tracker, ..app }, false),
            ("a tracker for long", Signs { reporter: Reporter::Tracker, ..heard_before(16) }, true),
            ("locked", Signs { presence: paused(PresenceReason::ScreenLocked), ..app }, false),
            ("a tunnel", Signs { presence: paused(PresenceReason::NoSignal), ..app }, false),
            ("not allowed any more", Signs { presence: paused(PresenceReason::NoPermission), ..app }, true),
            (
                "locked for too long",
                Signs { presence: said(PresenceState::Paused, None, 12), ..heard_before(12) },
                true,
            ),
            ("off duty", Signs { presence: said(PresenceState::OffDuty, None, 9), has_goods: true, ..app }, false),
            ("never heard of", Signs { heard_ms: None, has_goods: true, ..app }, false),
            ("the server was away", Signs { listening_since_ms: NOW_MS - MINUTE_MS, ..app }, false),
        ];
        for (what, signs, expected) in cases {
            assert_eq!(silent(&signs, NOW_MS).is_some(), expected, "{what}");
        }
    }

    #[test]
    fn a_courier_who_has_not_begun_yet_is_not_silent() {
        let yesterday = Signs { under_way_since_ms: NOW_MS - 20 * MINUTE_MS, ..heard_before(900) };
        assert_eq!(silent(&yesterday, NOW_MS), None, "the order waits for the shift to begin");
        let at_work = Signs { presence: said(PresenceState::Tracking, None, 900), ..yesterday };
        assert!(silent(&at_work, NOW_MS).is_some(), "says to be at work");
        assert!(silent(&Signs { has_goods: true, ..yesterday }, NOW_MS).is_some(), "has the goods");
        let new = Signs { under_way_since_ms: NOW_MS - MINUTE_MS, ..at_work };
        assert_eq!(silent(&new, NOW_MS), None, "has had it for a minute only");
    }

    #[test]
    fn an_announced_pause_keeps_its_reason() {
        let presence = said(PresenceState::Paused, Some(PresenceReason::LowBattery), 12);
        let found = silent(&Signs { presence, ..heard_before(14) }, NOW_MS).expect("it is over");
        let expected = Silent { since_ms: NOW_MS - 14 * MINUTE_MS, reason: Some(PresenceReason::LowBattery) };
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn silence_only_ends_by_a_sign(
            heard_min in 0i64..600, said_min in 0i64..600, under_way_min in 0i64..600, has_goods in any::<bool>(),
            state in option::of(select(PresenceState::ALL.to_vec())),
            reason in option::of(select(PresenceReason::ALL.to_vec())),
            tracker in any::<bool>(), later_min in 0i64..600,
        ) {
            let reporter = if tracker { Reporter::Tracker } else { Reporter::App };
            let presence = state.and_then(|state| said(state, reason, said_min));
            let under_way_since_ms = NOW_MS - under_way_min * MINUTE_MS;
            let signs = Signs { reporter, presence, has_goods, under_way_since_ms, ..heard_before(heard_min) };
            if let Some(found) = silent(&signs, NOW_MS) {
                prop_assert_eq!(silent(&signs, NOW_MS + later_min * MINUTE_MS), Some(found));
                prop_assert!(NOW_MS - found.since_ms >= APP_PATIENCE_MS);
                let heard = Signs { heard_ms: Some(NOW_MS), ..signs };
                prop_assert_eq!(silent(&heard, NOW_MS), None);
            }
        }
    }
}
