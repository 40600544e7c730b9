//! Whether it works: the position, the network, who looks, and what to do when it does not.

use crate::{
    courier::{
        platform::Browser,
        state::{Duty, Gps, Shift, Wake},
    },
    data::Locale,
    live::connection::Health,
    ui::{
        text::{Tone, distance},
        time,
    },
};

use super::count;

/// Positions this far apart in time are worth telling about.
const SLOW_PACE_MS: u64 = 10_000;

/// How exact the position is.
pub fn gps(shift: &Shift) -> String {
    if shift.duty == Duty::Off {
        return String::new();
    }
    match shift.gps {
        Gps::Idle => String::new(),
        Gps::Searching => "Searching for GPS".to_owned(),
        Gps::Good { accuracy_m } => "GPS ".to_owned() + &radius(accuracy_m, &shift.locale),
        Gps::Weak => "Weak GPS".to_owned(),
        Gps::Denied | Gps::Lost | Gps::Unavailable => "No GPS".to_owned(),
    }
}

/// What its chip looks like.
pub fn gps_tone(shift: &Shift) -> Tone {
    match shift.gps {
        Gps::Good { .. } => Tone::Ok,
        Gps::Idle | Gps::Searching => Tone::Quiet,
        Gps::Weak => Tone::Warn,
        Gps::Denied | Gps::Lost | Gps::Unavailable => Tone::Bad,
    }
}

/// A radius as finely as it matters at a door.
fn radius(accuracy_m: f32, locale: &Locale) -> String {
    let metres = accuracy_m.clamp(0.0, 100_000.0).round() as u32;
    match (metres, locale.miles) {
        (..100, false) => metres.max(1).to_string() + " m",
        (..100, true) => (metres * 3_281 / 1_000).max(1).to_string() + " ft",
        _ => distance(metres, locale),
    }
}

/// Whether the server is reached, and what waits on the phone.
pub fn network(shift: &Shift) -> String {
    let waiting = shift.waiting();
    let saved = if waiting == 0 { String::new() } else { " · ".to_owned() + &waiting.to_string() + " saved on phone" };
    match shift.health {
        Health::NoNetwork => "No network".to_owned() + &saved,
        Health::Reconnecting => "Reconnecting".to_owned() + &saved,
        // One or two are always on their way.
        Health::Live | Health::Connecting if waiting <= 3 => String::new(),
        Health::Live | Health::Connecting => "Sending ".to_owned() + &waiting.to_string() + " saved on phone",
    }
}

/// What its chip looks like.
pub fn network_tone(shift: &Shift) -> Tone {
    match shift.health {
        Health::NoNetwork | Health::Reconnecting => Tone::Warn,
        Health::Live | Health::Connecting => Tone::Quiet,
    }
}

/// Whether the screen is kept on.
pub fn wake(shift: &Shift) -> &'static str {
    match (shift.duty, shift.wake) {
        (Duty::Online, Wake::On) => "Screen stays on",
        (Duty::Online, Wake::Unavailable) => "Screen may lock",
        _ => "",
    }
}

/// What its chip looks like.
pub fn wake_tone(shift: &Shift) -> Tone {
    if shift.wake == Wake::Unavailable { Tone::Warn } else { Tone::Quiet }
}

/// How seldom the position is sent, when that saves battery.
pub fn pace(shift: &Shift) -> String {
    let interval_ms = shift.pace.interval_ms;
    if shift.duty != Duty::Online || shift.health != Health::Live || interval_ms < SLOW_PACE_MS {
        return String::new();
    }
    "Every ".to_owned() + &time::span(i64::try_from(interval_ms).unwrap_or(i64::MAX)) + " to save battery"
}

/// Who can see the courier.
pub fn audience(shift: &Shift) -> String {
    match (shift.duty, shift.audience) {
        (Duty::Off, _) => "Nothing is shared while you are offline".to_owned(),
        _ if position_problem(shift).is_some() => "Your location is not shared now".to_owned(),
        (Duty::GoingOnline, _) | (Duty::Online, None) => "Shared only while you are online".to_owned(),
        (Duty::Online, Some(audience)) => match (audience.customers, audience.dispatchers) {
            (0, 0) => "Nobody is looking right now".to_owned(),
            (customers, 0) => seen_by(count(customers, "customer", "customers")),
            (0, dispatchers) => seen_by(count(dispatchers, "dispatcher", "dispatchers")),
            (customers, dispatchers) => seen_by(
                count(customers, "customer", "customers") + " and " + &count(dispatchers, "dispatcher", "dispatchers"),
            ),
        },
    }
}

fn seen_by(who: String) -> String {
    who + " can see you now"
}

/// Over the screens beside the stops, which show no chips.
pub fn offline_bar(shift: &Shift) -> &'static str {
    match shift.health {
        Health::NoNetwork => "No network. What you enter is kept on this phone and sent later.",
        Health::Reconnecting => "The server cannot be reached. What you enter is kept on this phone and sent later.",
        Health::Live | Health::Connecting => "",
    }
}

/// Why there is no position, what to do about it step by step, and what the button says.
pub struct PositionProblem {
    /// What is the matter.
    pub heading: &'static str,
    /// What that means.
    pub text: &'static str,
    /// What to do, in order.
    pub steps: &'static [&'static str],
    /// Whether trying again can help.
    pub can_retry: bool,
}

/// What is wrong with the position, if anything that the courier can do something about.
pub fn position_problem(shift: &Shift) -> Option<PositionProblem> {
    match shift.gps {
        Gps::Denied => Some(PositionProblem {
            heading: "Location is not allowed",
            text: "The browser does not give your position to this app, so you cannot go online.",
            steps: how_to_allow(shift.platform.browser),
            can_retry: true,
        }),
        Gps::Lost => Some(PositionProblem {
            heading: "Location was switched off",
            text: "It was allowed before and is not any more, so customers do not see you.",
            steps: how_to_allow(shift.platform.browser),
            can_retry: true,
        }),
        Gps::Unavailable => Some(PositionProblem {
            heading: "This browser gives no position",
            text: "It has none, or this page was not opened with https.",
            steps: &["Open the address that begins with https://", "Or use a current Chrome, Firefox or Safari"],
            can_retry: false,
        }),
        Gps::Idle | Gps::Searching | Gps::Good { .. } | Gps::Weak => None,
    }
}

fn how_to_allow(browser: Browser) -> &'static [&'static str] {
    match browser {
        Browser::Chrome => &[
            "Tap the icon beside the address, then Permissions",
            "Set Location to Allow",
            "Switch on Location in the phone’s quick settings",
        ],
        Browser::Safari => &[
            "Open Settings, Privacy & Security, Location Services",
            "Switch it on, and allow Safari Websites while using the app",
            "In Safari open the page menu, Website Settings, and set Location to Allow",
        ],
        Browser::Firefox => &[
            "Tap the lock beside the address",
            "Set Location to Allowed",
            "Switch on Location in the phone’s quick settings",
        ],
        Browser::Other => &[
            "Open this site’s settings in the browser",
            "Set Location to Allow",
            "Switch on Location in the phone’s own settings",
        ],
    }
}
