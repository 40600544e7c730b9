//! Texts about couriers: what they do, where they were last seen, and their devices.

use doorstep_shared::{
    Vehicle,
    api::{DeviceRejection, DeviceView},
    protocol::{PresenceReason, PresenceState, customer::Presence},
};

use super::tone;
use crate::{
    data::Locale,
    dispatch::fleet::{Activity, Courier, Fleet, is_live},
    ui::time,
};

/// A rejection is news for this long.
const REJECTED_LATELY_MS: i64 = 15 * time::MINUTE_MS;

/// A courier's badge, as its tone and words.
pub fn courier_badge(fleet: &Fleet, courier: &Courier, at_ms: i64) -> (&'static str, &'static str) {
    match fleet.activity(courier, at_ms) {
        Activity::Attention => (tone::BAD, "Attention"),
        Activity::Delivering => (tone::ACCENT, "Delivering"),
        Activity::Free if is_live(courier, at_ms) => (tone::OK, "Free"),
        Activity::Free => (tone::QUIET, "Free"),
        Activity::Away => (tone::QUIET, "Off duty"),
    }
}

/// The second line of a courier in a list.
pub fn courier_line(courier: &Courier, at_ms: i64) -> String {
    let mut parts = vec![vehicle(courier.vehicle).to_owned()];
    match courier.orders.len() {
        0 => {}
        1 => parts.push("1 order".to_owned()),
        many => parts.push(format!("{many} orders")),
    }
    if let Some(presence) = courier.presence.filter(|presence| presence.state == PresenceState::Paused) {
        parts.push(pause_reason(presence.reason).to_owned());
    } else if let Some(position) = courier.position {
        parts.push(time::ago(at_ms - position.time_ms));
    } else {
        parts.push("never seen".to_owned());
    }
    parts.join(" · ")
}

/// What a courier rides.
pub const fn vehicle(vehicle: Vehicle) -> &'static str {
    match vehicle {
        Vehicle::Foot => "On foot",
        Vehicle::Bicycle => "Bicycle",
        Vehicle::Scooter => "Scooter",
        Vehicle::Motorcycle => "Motorcycle",
        Vehicle::Car => "Car",
        Vehicle::Van => "Van",
    }
}

/// Why sharing is paused, in a word or two.
pub const fn pause_reason(reason: Option<PresenceReason>) -> &'static str {
    match reason {
        Some(PresenceReason::ScreenLocked) => "phone locked",
        Some(PresenceReason::NoPermission) => "location not allowed",
        Some(PresenceReason::NoSignal) => "no GPS signal",
        Some(PresenceReason::LowBattery) => "battery low",
        Some(PresenceReason::User) => "paused by the courier",
        None => "sharing paused",
    }
}

/// Whether a courier shares their position, as a sentence, for one who never said so: a tracker reports and says nothing.
pub fn no_presence(has_reported: bool) -> &'static str {
    if has_reported { "Not in the courier app; another app reports" } else { "Has not gone online yet" }
}

/// Whether a courier shares their position, as a sentence.
pub fn presence(presence: Presence, at_ms: i64, locale: &Locale) -> String {
    let Presence { state, reason, since_ms } = presence;
    let since = time::moment(since_ms, at_ms, locale);
    match state {
        PresenceState::Tracking => format!("On duty since {since}"),
        PresenceState::Paused => format!("Paused since {since}: {}", pause_reason(reason)),
        PresenceState::OffDuty => format!("Off duty since {since}"),
    }
}

/// A reading of the battery.
pub fn battery(charge: f32) -> String {
    // A no-break space: the sign stays on the line of its number.
    format!("{:.0}\u{a0}%", (charge.clamp(0.0, 1.0) * 100.0).round())
}

/// What is wrong with a device, or is put right for it.
pub fn device_trouble(device: &DeviceView, at_ms: i64) -> Option<String> {
    let lately = |rejection: &&DeviceRejection| at_ms - rejection.at.timestamp_millis() < REJECTED_LATELY_MS;
    if let Some(rejection) = device.last_rejection.as_ref().filter(lately) {
        let ago = time::ago(at_ms - rejection.at.timestamp_millis());
        let count = device.rejected_count.unwrap_or(1);
        let points = if count == 1 { "1 position".to_owned() } else { format!("{count} positions") };
        return Some(format!("{}: {points} rejected, the last {ago}", rejection_reason(&rejection.code)));
    }
    device.clock_ahead_ms.map(|ahead_ms| {
        let way = if ahead_ms > 0 { "fast" } else { "slow" };
        format!("its clock is {} {way}, which is corrected", offset(ahead_ms.saturating_abs()))
    })
}

/// How far a clock is off; counters that overflowed are off by years.
fn offset(offset_ms: i64) -> String {
    let days = offset_ms / (24 * 60 * time::MINUTE_MS);
    if days < 2 { time::span(offset_ms) } else { format!("{days} days") }
}

fn rejection_reason(code: &str) -> &'static str {
    match code {
        "time_in_future" => "its clock is fast",
        "time_too_old" => "its clock is slow",
        "unreadable" => "what it sends cannot be read",
        _ => "its numbers make no sense",
    }
}

/// The app a device reports with.
pub fn client(word: &str) -> &str {
    match word {
        "web" => "Courier app in the browser",
        "native" => "Own client",
        "traccar" => "Traccar Client",
        "owntracks" => "OwnTracks",
        "overland" => "Overland",
        other => other,
    }
}
