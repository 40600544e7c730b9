//! Every text that the console shows about orders, couriers and exceptions.
//!
//! Sentence case, no exclamation marks, times as clock times, freshness as "4 s ago"; the reason before the remedy. A
//! badge is a tone and words: colour is never the only sign.

mod area;
mod arrival;
mod bulk;
mod courier;
mod exception;
mod history;
mod order;
mod plan;

use doorstep_shared::api::proof::ProofKind;

pub use super::dates::{date_code, day_of, rfc3339};
pub use crate::ui::time::{moment, window};
pub use area::{OUTSIDE, area_line, import, outside, percent, pinned_line, upload};
pub use arrival::{by, score_badge, score_line, score_title, wait_line};
pub use bulk::{orders, run};
pub use courier::{
    battery, client, courier_badge, courier_line, device_trouble, no_presence, pause_reason, presence, vehicle,
};
pub use exception::{acknowledgement, exception, exception_time, exception_tone, next_step};
pub use history::{HistoryLine, conflict, history, who_did};
pub use order::{action, badge, event, order_line, order_time, status};

pub use plan::{company, locked, plan_refusal, plan_sum, promise, shift, stop, stop_kind};

use super::route::Tab;
use crate::data::Locale;

/// The values of `data-tone`, by which the style sheet colours a text.
pub mod tone {
    /// Nothing to notice.
    pub const QUIET: &str = "quiet";
    /// In motion.
    pub const ACCENT: &str = "accent";
    /// All is well.
    pub const OK: &str = "ok";
    /// Something is uncertain.
    pub const WARN: &str = "warn";
    /// Something went wrong.
    pub const BAD: &str = "bad";
}

/// A distance: `350 m`, `1.2 km`, or miles.
pub fn distance(metres: f64, locale: &Locale) -> String {
    if locale.miles {
        return format!("{:.1} mi", metres / 1_609.344);
    }
    if metres < 995.0 {
        format!("{:.0} m", (metres / 10.0).round() * 10.0)
    } else {
        format!("{:.1} km", metres / 1_000.0)
    }
}

/// A speed: `28 km/h`, or miles per hour.
pub fn speed(speed_mps: f32, locale: &Locale) -> String {
    if locale.miles { format!("{:.0} mph", speed_mps * 2.237) } else { format!("{:.0} km/h", speed_mps * 3.6) }
}

/// What a proof of delivery is called.
pub const fn proof(kind: ProofKind) -> &'static str {
    match kind {
        ProofKind::Photo => "Photo",
        ProofKind::Signature => "Signature",
        ProofKind::Pin => "PIN",
    }
}

/// What an empty list says: what it means, and what to do.
pub const fn empty(tab: Tab, is_filtered: bool) -> (&'static str, &'static str) {
    if is_filtered {
        return ("Nothing found", "Try fewer letters, or leave the filter out.");
    }
    match tab {
        Tab::Unassigned => ("Every order has a courier", "New orders appear here. Press N to create one."),
        Tab::Active => ("Nothing on the way", "Orders appear here once a courier has them."),
        Tab::Done => ("Nothing delivered yet", "Orders appear here when they are over."),
        Tab::Couriers => ("No couriers yet", "Add the first one, and let them scan their QR code."),
    }
}

#[cfg(test)]
mod tests;
