//! The tour: arrival times, distances and the way to the next stop, which the phone asks for by plain HTTP.

use doorstep_shared::api::courier::Tour;

use super::{Effect, Engine, Moment};
use crate::courier::stops;

/// How often the phone asks while the courier looks at the page.
const ASK_EVERY_MS: f64 = 120_000.0;

/// The least time between two questions while something is missing: the server's answer, or a way that begins where the
/// courier is.
const ASK_AGAIN_MS: f64 = 15_000.0;

/// When to ask for the tour, and the way that the last answer held. Its times stand in the memory.
#[derive(Clone, Debug, Default)]
pub(super) struct TourState {
    /// When the next question is due.
    pub(super) due_ms: Option<f64>,
    asked_ms: Option<f64>,
    /// The way to the next stop, `[lon, lat]`.
    pub(super) way: Vec<[f64; 2]>,
}

impl TourState {
    /// Whether a question is due; it then counts as asked.
    fn should_ask(&mut self, now_ms: f64) -> bool {
        let is_due = self.due_ms.is_some_and(|due_ms| due_ms <= now_ms);
        if is_due {
            (self.due_ms, self.asked_ms) = (Some(now_ms + ASK_EVERY_MS), Some(now_ms));
        }
        is_due
    }

    /// Asks as soon as the pause between two questions allows it.
    fn ask_soon(&mut self, now_ms: f64) {
        let soon_ms = self.asked_ms.map_or(now_ms, |asked_ms| now_ms.max(asked_ms + ASK_AGAIN_MS));
        self.due_ms = Some(self.due_ms.map_or(soon_ms, |due_ms| due_ms.min(soon_ms)));
    }
}

impl Engine {
    /// Asks for the tour when it is due, the server is reached and the courier looks.
    pub(super) fn ask_tour(&mut self, at: Moment) {
        let is_wanted = self.connection.is_up() && !self.browser.is_hidden;
        if is_wanted && self.tour.should_ask(at.now_ms) {
            self.out.push(Effect::AskTour);
        }
    }

    pub(super) fn toured(&mut self, at: Moment, tour: Option<Tour>) {
        let Some(tour) = tour else {
            self.tour.due_ms = Some(at.now_ms + ASK_AGAIN_MS);
            return;
        };
        let memory = &self.storage.memory;
        let legs = stops::legs(&tour, &memory.legs, memory.stops.as_deref().unwrap_or_default());
        if self.storage.memory.legs != legs {
            self.storage.remember().legs = legs;
        }
        self.tour.way = tour.line;
    }

    /// The server knows now where the courier is; without that, the tour it sent had no way and no times.
    pub(super) fn want_way(&mut self, at: Moment) {
        let has_stops = self.storage.memory.stops.as_ref().is_some_and(|stops| !stops.is_empty());
        if self.tour.way.is_empty() && has_stops {
            self.tour.ask_soon(at.now_ms);
        }
    }
}
