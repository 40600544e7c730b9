//! The mobile network between a courier's phone and the server: dead zones, bursts, duplicates, stragglers.
//!
//! Pure: it is given each reading when it is taken, and says what the phone tries to send now.

use doorstep_shared::RawFix;
use rand::{Rng, rngs::StdRng};

/// How badly the network behaves, per reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// Likelihood that a dead zone begins.
    pub gap: f64,
    /// How long dead zones last, in milliseconds.
    pub gap_ms: (i64, i64),
    /// Likelihood that the phone begins to save up readings for one message.
    pub burst: f64,
    /// Likelihood that a reading is sent twice.
    pub duplicate: f64,
    /// Likelihood that a reading is held back and sent late.
    pub straggler: f64,
}

impl Weather {
    /// Nothing goes wrong.
    pub const FAIR: Self = Self { gap: 0.0, gap_ms: (0, 0), burst: 0.0, duplicate: 0.0, straggler: 0.0 };

    /// An ordinary day in town: a dead zone every ten minutes or so, other trouble once a minute.
    pub const TOWN: Self = Self { gap: 0.002, gap_ms: (5_000, 35_000), burst: 0.01, duplicate: 0.01, straggler: 0.01 };
}

/// What the phone does now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sending {
    /// Whether the network can be reached.
    pub reachable: bool,
    /// Messages to be, each with its readings.
    pub messages: Vec<Vec<RawFix>>,
}

const BURST_READINGS: usize = 4;
const STRAGGLER_READINGS: usize = 8;

/// One phone's network.
#[derive(Clone, Debug)]
pub struct Uplink {
    weather: Weather,
    random: StdRng,
    gap_until_ms: Option<i64>,
    saving_up: Vec<RawFix>,
    burst_left: usize,
    /// A reading held back, and after how many more it is sent.
    straggler: Option<(RawFix, usize)>,
}

impl Uplink {
    /// A network that begins in good order.
    pub fn new(weather: Weather, random: StdRng) -> Self {
        Self { weather, random, gap_until_ms: None, saving_up: Vec::new(), burst_left: 0, straggler: None }
    }

    /// Takes a reading; `in_tunnel` makes a dead zone until it is out again.
    pub fn take(&mut self, fix: RawFix, in_tunnel: bool) -> Sending {
        let reachable = !in_tunnel && self.is_reachable(fix.time_ms);
        let mut messages = Vec::new();
        if let Some((late, left)) = self.straggler.take() {
            if left == 0 {
                messages.push(vec![late]);
            } else {
                self.straggler = Some((late, left - 1));
            }
        }
        if self.straggler.is_none() && self.random.random_bool(self.weather.straggler) {
            self.straggler = Some((fix, STRAGGLER_READINGS));
            return Sending { reachable, messages };
        }
        if self.random.random_bool(self.weather.duplicate) {
            messages.push(vec![fix.clone()]);
        }
        self.saving_up.push(fix);
        if self.burst_left == 0 && self.random.random_bool(self.weather.burst) {
            self.burst_left = BURST_READINGS;
        }
        self.burst_left = self.burst_left.saturating_sub(1);
        if self.burst_left == 0 {
            messages.push(std::mem::take(&mut self.saving_up));
        }
        Sending { reachable, messages }
    }

    /// Whatever is still held back, for the end.
    pub fn rest(&mut self) -> Vec<RawFix> {
        let late = self.straggler.take().map(|(fix, _)| fix);
        late.into_iter().chain(std::mem::take(&mut self.saving_up)).collect()
    }

    fn is_reachable(&mut self, now_ms: i64) -> bool {
        if let Some(until_ms) = self.gap_until_ms {
            if now_ms < until_ms {
                return false;
            }
            self.gap_until_ms = None;
        } else if self.random.random_bool(self.weather.gap) {
            let (shortest_ms, longest_ms) = self.weather.gap_ms;
            self.gap_until_ms = Some(now_ms + self.random.random_range(shortest_ms..=longest_ms));
            return false;
        }
        true
    }
}
