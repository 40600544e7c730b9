//! How often a courier's phone should report, pure: it depends on viewers, the distance to the next stop, and the
//! battery.
//!
//! Every threshold has a second one behind it, so that noise around it changes nothing: a phone that gets a new pace
//! every second saves no battery. A viewer counts at once and wears off slowly, because pages are reloaded. A fix is
//! expected `interval_ms` after the last one. The phone leaves out a fix nearer than `min_distance_m` to the last one
//! sent, but never for longer than [`courier::PACE_KEEP_ALIVE_MS`] (or the interval, where that is longer): a courier
//! who stands still must not look lost.

use doorstep_shared::protocol::courier;

/// No pace is quicker or slower than this.
pub const INTERVALS_MS: std::ops::RangeInclusive<u64> = 1_000..=60_000;

/// The next stop is near from the first distance on, until it is farther than the second. In metres, as the crow flies:
/// a block or two, where the customer begins to look out for the courier.
const NEAR_M: (f64, f64) = (500.0, 650.0);

/// The last minutes before that.
const APPROACHING_M: (f64, f64) = (1_500.0, 1_800.0);

/// The battery is low from the first charge down, until it is charged to the second. Phones warn at 0.20.
const LOW_BATTERY: (f32, f32) = (0.20, 0.25);

/// A low battery makes every interval this much longer.
const LOW_BATTERY_FACTOR: u64 = 2;

/// A viewer who left this lately may be about to come back.
const WATCHED_GRACE_MS: i64 = 20_000;

/// What a pace depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circumstances {
    /// A customer or a dispatcher is watching right now.
    pub is_watched: bool,
    /// Metres to the next stop; `None` when there is none, or no position.
    pub to_next_stop_m: Option<f64>,
    /// The courier has stood still for a while.
    pub is_stationary: bool,
    /// Charge of the phone, 0 to 1; `None` when it does not say.
    pub battery: Option<f32>,
}

/// Why a pace is as it is; stable words, which the courier reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaceReason {
    /// There are viewers.
    Watched,
    /// There are viewers and the next stop is near.
    Near,
    /// There are no viewers.
    Unwatched,
    /// The courier stands still.
    Stationary,
    /// The battery is low.
    LowBattery,
}

impl PaceReason {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watched => "watched",
            Self::Near => "near",
            Self::Unwatched => "unwatched",
            Self::Stationary => "stationary",
            Self::LowBattery => "low_battery",
        }
    }
}

/// How often to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Milliseconds between fixes.
    pub interval_ms: u64,
    /// Metres moved before another fix is worth sending within [`courier::PACE_KEEP_ALIVE_MS`].
    pub min_distance_m: u32,
    /// Why.
    pub reason: PaceReason,
}

impl Pace {
    const fn new(interval_ms: u64, min_distance_m: u32, reason: PaceReason) -> Self {
        Self { interval_ms, min_distance_m, reason }
    }

    /// The pace as a message.
    pub fn to_wire(self) -> courier::Pace {
        courier::Pace {
            interval_ms: self.interval_ms,
            min_distance_m: self.min_distance_m,
            reason: Some(self.reason.as_str().to_owned()),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    #[default]
    Far,
    Approaching,
    Near,
}

/// What one courier's pace depends on besides the present.
#[derive(Clone, Debug, Default)]
pub struct Pacer {
    watched_ms: Option<i64>,
    nearness: Nearness,
    is_low: bool,
}

impl Pacer {
    /// The pace at `now_ms`, Unix epoch milliseconds.
    pub fn decide(&mut self, now: &Circumstances, now_ms: i64) -> Pace {
        let is_watched = self.counts_as_watched(now.is_watched, now_ms);
        self.nearness = nearness(self.nearness, now.to_next_stop_m);
        self.is_low = now.battery.map_or(self.is_low, |charge| {
            charge <= if self.is_low { just_below(LOW_BATTERY.1) } else { LOW_BATTERY.0 }
        });
        let pace = match (is_watched, now.is_stationary) {
            (true, false) => moving(self.nearness),
            // Quick enough to show them leave, and hardly a fix while they stay.
            (true, true) if self.nearness > Nearness::Far => Pace::new(5_000, 20, PaceReason::Stationary),
            (true, true) => Pace::new(15_000, 25, PaceReason::Stationary),
            (false, false) => Pace::new(30_000, 30, PaceReason::Unwatched),
            (false, true) => Pace::new(60_000, 50, PaceReason::Stationary),
        };
        if self.is_low { save(pace) } else { pace }
    }

    fn counts_as_watched(&mut self, is_watched: bool, now_ms: i64) -> bool {
        if is_watched || self.watched_ms.is_some_and(|last_ms| last_ms > now_ms) {
            // A clock that was set back must not make the grace longer.
            self.watched_ms = Some(now_ms);
        }
        self.watched_ms.is_some_and(|last_ms| is_watched || now_ms - last_ms < WATCHED_GRACE_MS)
    }
}

fn just_below(charge: f32) -> f32 {
    charge.next_down()
}

fn nearness(before: Nearness, to_next_stop_m: Option<f64>) -> Nearness {
    let Some(metres) = to_next_stop_m else { return Nearness::Far };
    let within = |(enter_m, leave_m): (f64, f64), was_within| metres <= if was_within { leave_m } else { enter_m };
    if within(NEAR_M, before == Nearness::Near) {
        Nearness::Near
    } else if within(APPROACHING_M, before >= Nearness::Approaching) {
        Nearness::Approaching
    } else {
        Nearness::Far
    }
}

const fn moving(nearness: Nearness) -> Pace {
    match nearness {
        Nearness::Near => Pace::new(1_000, 0, PaceReason::Near),
        Nearness::Approaching => Pace::new(2_000, 5, PaceReason::Near),
        Nearness::Far => Pace::new(5_000, 10, PaceReason::Watched),
    }
}

fn save(pace: Pace) -> Pace {
    let interval_ms = (pace.interval_ms * LOW_BATTERY_FACTOR).min(*INTERVALS_MS.end());
    Pace { interval_ms, reason: PaceReason::LowBattery, ..pace }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT_THE_DOOR: Circumstances =
        Circumstances { is_watched: true, to_next_stop_m: Some(100.0), is_stationary: false, battery: Some(0.8) };

    fn fresh(now: Circumstances) -> Pace {
        Pacer::default().decide(&now, 0)
    }

    #[test]
    fn each_circumstance_has_its_pace() {
        let far = Some(3_000.0);
        let cases = [
            (AT_THE_DOOR, (1_000, 0, "near")),
            (Circumstances { to_next_stop_m: Some(1_200.0), ..AT_THE_DOOR }, (2_000, 5, "near")),
            (Circumstances { to_next_stop_m: far, ..AT_THE_DOOR }, (5_000, 10, "watched")),
            (Circumstances { to_next_stop_m: None, ..AT_THE_DOOR }, (5_000, 10, "watched")),
            (Circumstances { is_watched: false, ..AT_THE_DOOR }, (30_000, 30, "unwatched")),
            (Circumstances { is_stationary: true, ..AT_THE_DOOR }, (5_000, 20, "stationary")),
            (Circumstances { is_stationary: true, to_next_stop_m: far, ..AT_THE_DOOR }, (15_000, 25, "stationary")),
            (Circumstances { is_stationary: true, is_watched: false, ..AT_THE_DOOR }, (60_000, 50, "stationary")),
            (Circumstances { battery: Some(0.2), ..AT_THE_DOOR }, (2_000, 0, "low_battery")),
            (Circumstances { battery: None, ..AT_THE_DOOR }, (1_000, 0, "near")),
        ];
        for (now, (interval_ms, min_distance_m, reason)) in cases {
            let expected = courier::Pace { interval_ms, min_distance_m, reason: Some(reason.to_owned()) };
            assert_eq!(fresh(now).to_wire(), expected, "{now:?}");
        }
    }

    #[test]
    fn a_viewer_counts_at_once_and_wears_off_after_the_grace() {
        let unwatched = Circumstances { is_watched: false, ..AT_THE_DOOR };
        let mut pacer = Pacer::default();
        assert_eq!(pacer.decide(&unwatched, 0).reason, PaceReason::Unwatched);
        assert_eq!(pacer.decide(&AT_THE_DOOR, 1).reason, PaceReason::Near);
        assert_eq!(pacer.decide(&unwatched, 20_000).reason, PaceReason::Near, "a reload is no goodbye");
        assert_eq!(pacer.decide(&unwatched, 20_001).reason, PaceReason::Unwatched);
        assert_eq!(pacer.decide(&AT_THE_DOOR, 100_000).reason, PaceReason::Near);
        assert_eq!(pacer.decide(&unwatched, 5_000).reason, PaceReason::Near, "a clock set back starts the grace anew");
        assert_eq!(pacer.decide(&unwatched, 25_000).reason, PaceReason::Unwatched);
    }

    #[test]
    fn a_low_battery_is_low_until_it_is_charged_a_good_deal() {
        let mut pacer = Pacer::default();
        let charges = [(0.21, false), (0.20, true), (0.24, true), (0.25, false), (0.21, false), (0.0, true)];
        for (charge, is_low) in charges {
            let pace = pacer.decide(&Circumstances { battery: Some(charge), ..AT_THE_DOOR }, 0);
            assert_eq!(pace.reason == PaceReason::LowBattery, is_low, "at {charge}");
        }
        let unknown = pacer.decide(&Circumstances { battery: None, ..AT_THE_DOOR }, 0);
        assert_eq!(unknown.reason, PaceReason::LowBattery, "not saying is no charging");
    }

    fn circumstances() -> impl Strategy<Value = Circumstances> {
        let distance = prop_oneof![Just(None), (0.0f64..3_000.0).prop_map(Some), Just(Some(f64::INFINITY))];
        let battery = prop_oneof![Just(None), (0.0f32..=1.0).prop_map(Some)];
        (any::<bool>(), distance, any::<bool>(), battery).prop_map(
            |(is_watched, to_next_stop_m, is_stationary, battery)| Circumstances {
                is_watched,
                to_next_stop_m,
                is_stationary,
                battery,
            },
        )
    }

    proptest! {
        #[test]
        fn no_circumstance_leaves_the_bounds(times in prop::collection::vec((circumstances(), any::<i32>()), 1..50)) {
            let mut pacer = Pacer::default();
            for (now, now_s) in times {
                let pace = pacer.decide(&now, i64::from(now_s) * 1_000);
                prop_assert!(INTERVALS_MS.contains(&pace.interval_ms), "{pace:?}");
                prop_assert!(pace.min_distance_m <= 50);
            }
        }

        #[test]
        fn noise_around_a_distance_changes_the_pace_once_at_most(
            about_m in 0.0f64..2_500.0, noise in prop::collection::vec(-70.0f64..70.0, 1..200),
        ) {
            let mut pacer = Pacer::default();
            let at = |noise: f64| Circumstances { to_next_stop_m: Some((about_m + noise).max(0.0)), ..AT_THE_DOOR };
            let paces: Vec<_> = noise.iter().map(|noise| pacer.decide(&at(*noise), 0)).collect();
            let changes = paces.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert!(changes <= 1, "{changes} changes at {about_m} m");
        }

        #[test]
        fn noise_around_a_charge_changes_the_pace_once_at_most(
            about in 0.1f32..0.4, noise in prop::collection::vec(-0.02f32..0.02, 1..200),
        ) {
            let mut pacer = Pacer::default();
            let at = |noise: f32| Circumstances { battery: Some(about + noise), ..AT_THE_DOOR };
            let paces: Vec<_> = noise.iter().map(|noise| pacer.decide(&at(*noise), 0)).collect();
            prop_assert!(paces.windows(2).filter(|pair| pair[0] != pair[1]).count() <= 1);
        }

        #[test]
        fn viewers_who_come_and_go_within_the_grace_change_nothing(watched in prop::collection::vec(any::<bool>(), 1..100)) {
            let mut pacer = Pacer::default();
            pacer.decide(&AT_THE_DOOR, 0);
            let mut last_look_s = 0;
            for (second, is_watched) in (1..).zip(watched) {
                let is_watched = is_watched || second - last_look_s >= 19;
                if is_watched {
                    last_look_s = second;
                }
                let pace = pacer.decide(&Circumstances { is_watched, ..AT_THE_DOOR }, second * 1_000);
                prop_assert_eq!(pace.reason, PaceReason::Near);
            }
        }

        #[test]
        fn less_charge_never_means_more_fixes(
            times in prop::collection::vec((circumstances(), 0.0f32..=1.0, 0.0f32..=1.0), 1..50),
        ) {
            let (mut fuller, mut emptier) = (Pacer::default(), Pacer::default());
            for (second, (now, one, other)) in (0..).zip(times) {
                let at = |charge| Circumstances { battery: Some(charge), ..now };
                let full = fuller.decide(&at(one.max(other)), second * 1_000);
                let empty = emptier.decide(&at(one.min(other)), second * 1_000);
                prop_assert!(empty.interval_ms >= full.interval_ms);
                prop_assert!(empty.min_distance_m >= full.min_distance_m);
            }
        }
    }
}
