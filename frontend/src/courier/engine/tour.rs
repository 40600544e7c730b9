//! The tour: arrival times, distances and the way to the next stop, which the phone asks for by plain HTTP.

use doorstep_shared::api::{courier::Tour, plan::PlanStop};

use super::{Effect, Engine, Moment};
use crate::{
    courier::{plan, state::StopCard, stops},
    map::plane::{LonLat, between, distance_m, nearest_share},
};

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
    /// The stop to which it leads.
    leads_to: Option<PlanStop>,
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
        self.tour.leads_to = tour.stops.first().map(|first| PlanStop { order_id: first.order_id, kind: first.kind });
        self.tour.way = tour.line;
    }

    /// How far each stop is from where the courier is now, along the way where one is known and as the crow flies
    /// otherwise: what the tour says was true when it was asked for.
    pub(super) fn measure(&self, cards: &mut [StopCard]) {
        let Some(here) = self.positions.here.map(|here| [here.lon, here.lat]) else { return };
        for card in cards.iter_mut().filter(|card| !card.is_there()) {
            let is_on_the_way = self.tour.leads_to == Some(plan::name(&card.stop));
            let along_m = is_on_the_way.then(|| along_m(&self.tour.way, here)).flatten();
            let metres = along_m.unwrap_or_else(|| distance_m(here, [card.stop.lon, card.stop.lat]));
            card.distance_m = Some(metres as u32);
        }
    }

    /// The server knows now where the courier is; without that, the tour it sent had no way and no times.
    pub(super) fn want_way(&mut self, at: Moment) {
        let has_stops = self.storage.memory.stops.as_ref().is_some_and(|stops| !stops.is_empty());
        if self.tour.way.is_empty() && has_stops {
            self.tour.ask_soon(at.now_ms);
        }
    }
}

/// How far it is from `here` to the way and along it to its end, in metres; `None` without a way. Of two parts that are as
/// near the later one counts.
fn along_m(way: &[LonLat], here: LonLat) -> Option<f64> {
    let (mut nearest, mut behind_m) = (None, 0.0);
    for pair in way.windows(2).rev() {
        let point = between(pair[0], pair[1], nearest_share(pair[0], pair[1], here));
        let beside_m = distance_m(here, point);
        if nearest.is_none_or(|(least_m, _)| beside_m < least_m) {
            nearest = Some((beside_m, beside_m + distance_m(point, pair[1]) + behind_m));
        }
        behind_m += distance_m(pair[0], pair[1]);
    }
    nearest.map(|(_, left_m)| left_m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_gets_shorter_as_the_courier_goes_and_longer_beside_the_way() {
        // East, then north: 1 000.8 m at the equator each.
        let way = [[0.0, 0.0], [0.009, 0.0], [0.009, 0.009]];
        for (here, expected_m) in [
            ([0.0, 0.0], 2_001.5),
            ([0.0045, 0.0], 1_501.1),
            ([0.009, 0.0045], 500.4),
            ([0.010, 0.0045], 611.6),
            ([0.009, 0.009], 0.0),
        ] {
            let left_m = along_m(&way, here).expect("a way");
            assert!((left_m - expected_m).abs() < 0.5, "{left_m} at {here:?}");
        }
        assert_eq!(along_m(&way[..1], [0.0, 0.0]), None, "one point is no way");
    }
}
