//! The courier's day so far, which the phone asks for by plain HTTP where it is shown.

use doorstep_shared::api::plan::CourierDay;

use super::{Effect, Engine, Moment};
use crate::courier::{intent::Screen, state::Door};

/// The least time between two questions.
const ASK_EVERY_MS: f64 = 30_000.0;

/// What the server said of the day.
#[derive(Clone, Debug, Default)]
pub(super) struct DayState {
    pub(super) day: Option<CourierDay>,
    asked_ms: Option<f64>,
}

impl DayState {
    /// The day went on, so the next question need not wait.
    pub(super) fn went_on(&mut self) {
        self.asked_ms = None;
    }
}

impl Engine {
    /// Asks while the day is on the screen: on the account, and on an empty list of stops.
    pub(super) fn ask_day(&mut self, at: Moment) {
        let is_empty = self.storage.memory.stops.as_ref().is_some_and(Vec::is_empty);
        let is_shown = match self.screens.open {
            Screen::Account => true,
            Screen::Stops => is_empty,
            Screen::Plan | Screen::Proof | Screen::Trackers => false,
        };
        let is_recent = self.day.asked_ms.is_some_and(|asked_ms| at.now_ms - asked_ms < ASK_EVERY_MS);
        let can_ask = self.session.door == Door::Open && self.connection.is_up() && !self.browser.is_hidden;
        if is_shown && can_ask && !is_recent {
            self.day.asked_ms = Some(at.now_ms);
            self.out.push(Effect::AskDay);
        }
    }

    pub(super) fn day_came(&mut self, day: Option<CourierDay>) {
        self.day.day = day.or(self.day.day);
    }
}
