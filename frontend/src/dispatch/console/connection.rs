//! The console's side of its feed: opened and closed as [`FleetFeed`] decides, and asked for the couriers that matter.

use doorstep_shared::CourierId;

use super::{ApiCall, Console, Effect, Moment};
use crate::{
    dispatch::feed::{self, FleetFeed, WORLD},
    live::connection::Health,
};

/// Of a fleet up to this size every position is wanted, wherever the map is.
const SMALL_FLEET: usize = 1_000;

/// Of a larger fleet the couriers outside the map are asked for this often: well within the three minutes after which a
/// courier counts as silent.
const WHOLE_FLEET_EVERY_MS: f64 = 60_000.0;

/// How long the whole fleet is asked for then: the map's rest, and a few of the feed's ticks.
const WHOLE_FLEET_FOR_MS: f64 = 3_000.0;

/// The feed and how it fares.
#[derive(Clone, Debug)]
pub struct Connection {
    feed: FleetFeed,
    pub health: Health,
    /// When the whole of a large fleet was last asked for.
    whole_fleet_ms: f64,
}

impl Connection {
    /// Not connected yet.
    pub(super) fn new(now_ms: f64) -> Self {
        Self { feed: FleetFeed::new(now_ms), health: Health::Connecting, whole_fleet_ms: f64::MIN }
    }

    pub(super) fn next_wake_ms(&self, now_ms: f64) -> Option<f64> {
        self.feed.next_wake_ms(now_ms)
    }

    /// Whether what the console shows is the present, as far as it can be.
    pub fn is_current(&self) -> bool {
        matches!(self.health, Health::Live | Health::Connecting)
    }

    /// The box whose couriers are wanted, for a map that shows `bbox`.
    fn wanted_box(&mut self, now_ms: f64, couriers: usize, bbox: [f64; 4]) -> [f64; 4] {
        if now_ms >= self.whole_fleet_ms + WHOLE_FLEET_EVERY_MS {
            self.whole_fleet_ms = now_ms;
        }
        let is_whole = couriers <= SMALL_FLEET || now_ms < self.whole_fleet_ms + WHOLE_FLEET_FOR_MS;
        if is_whole { WORLD } else { widened(bbox) }
    }
}

/// A little more than what is seen, so that the edge is not empty after a small move.
fn widened([west, south, east, north]: [f64; 4]) -> [f64; 4] {
    let (across, up) = ((east - west) * 0.15, (north - south) * 0.15);
    [(west - across).max(-180.0), (south - up).max(-90.0), (east + across).min(180.0), (north + up).min(90.0)]
}

impl Console {
    pub(super) fn connect(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        self.step_feed(moment, feed::Input::Connect, effects);
    }

    /// The network is back, or the page is seen again: the whole fleet may have moved since.
    pub(super) fn wake(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        self.connection.untracked_mut().whole_fleet_ms = f64::MIN;
        self.connect(moment, effects);
    }

    pub(super) fn network_lost(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        self.step_feed(moment, feed::Input::Offline, effects);
    }

    pub(super) fn feed_closed(&mut self, moment: Moment, code: u16, effects: &mut Vec<Effect>) {
        self.step_feed(moment, feed::Input::Closed(code), effects);
    }

    /// A message came; answers whether it fits the sequence.
    pub(super) fn feed_message(&mut self, moment: Moment, seq: Option<u64>, effects: &mut Vec<Effect>) -> bool {
        self.step_feed(moment, feed::Input::Message { seq }, effects)
    }

    /// Does what the connection has to do by now, and takes note of how it fares.
    pub(super) fn connection_due(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        self.step_feed(moment, feed::Input::Tick, effects);
        self.follow_couriers(moment, self.courier_of_open(), effects);
        let health = self.connection.feed.health(moment.now_ms);
        if self.connection.health != health {
            self.connection.health = health;
        }
    }

    /// Lists show the distance and the silence of couriers outside the map, so everybody's positions are wanted; of a
    /// large fleet only those on the map and of the courier who is open, and once a minute those of all.
    fn follow_couriers(&mut self, moment: Moment, open: Option<CourierId>, effects: &mut Vec<Effect>) {
        self.step_feed(moment, feed::Input::Follow(open), effects);
        let Some(bbox) = self.map_view.bbox else { return };
        let couriers = self.fleet.couriers.len();
        let wanted = self.connection.untracked_mut().wanted_box(moment.now_ms, couriers, bbox);
        self.step_feed(moment, feed::Input::Viewport(wanted), effects);
    }

    fn step_feed(&mut self, moment: Moment, input: feed::Input, effects: &mut Vec<Effect>) -> bool {
        let feed = &mut self.connection.untracked_mut().feed;
        let (decided, is_in_sequence) = feed.step(moment.now_ms, moment.random, input);
        effects.extend(decided.into_iter().map(|effect| match effect {
            feed::Effect::Connect => Effect::Connect,
            feed::Effect::Disconnect => Effect::Disconnect,
            feed::Effect::Send(message) => Effect::Send(message),
            feed::Effect::CheckSession => Effect::Call(ApiCall::Session),
            feed::Effect::SignIn => Effect::SignIn,
        }));
        is_in_sequence
    }
}
