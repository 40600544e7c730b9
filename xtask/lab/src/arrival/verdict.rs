//! The table, and whether the bounds are kept.

use super::ledger::{Entry, Ledger, Promised, Teller};
use anyhow::{Result, ensure};
use doorstep_arrival::score::{HORIZONS_MIN, Scored, Tally};

/// Deliveries before the ranges are judged: the first bound after ten, the second after fifty.
const AFTER_TEN: std::ops::Range<usize> = 10..50;
const AFTER_FIFTY: std::ops::Range<usize> = 50..usize::MAX;

/// A fleet whose estimates may take a tenth of a core.
const MOVING_COURIERS: f64 = 2_000.0;

/// Prints the table and refuses it when a bound is not kept.
///
/// # Errors
/// With every bound that is not kept.
pub(super) fn print_and_judge(ledgers: &[Ledger], recorded: bool, spent_s: f64) -> Result<()> {
    let all = Entries(ledgers.iter().flat_map(|ledger| ledger.entries.iter().copied()).collect());
    let mut judge = Judge::default();
    let estimates = ledgers.iter().map(|ledger| ledger.estimates).sum::<u64>();
    println!("{estimates} estimates in {} worlds or files", ledgers.len());
    for (name, after) in [("after 10 deliveries", AFTER_TEN), ("after 50 deliveries", AFTER_FIFTY)] {
        println!("\n{name}");
        println!(
            "{:36} {:>4} {:>6} {:>7} {:>6} {:>6} {:>8} {:>7} {:>7} {:>9}",
            "", "min", "n", "inside", "early", "late", "width s", "bias s", "mae s", "interval"
        );
        for teller in Teller::ALL {
            for horizon_min in HORIZONS_MIN {
                all.tally(teller, horizon_min, &after).print(teller.name(), horizon_min);
            }
        }
    }
    judge.coverage(&all);
    judge.against_baselines(&all);
    judge.cost(estimates, spent_s);
    if !recorded {
        judge.promises(ledgers);
        judge.rest(ledgers);
        print_spread(ledgers);
    }
    judge.finish()
}

struct Entries(Vec<Entry>);

impl Entries {
    fn of(&self, teller: Teller, horizon_min: Option<u32>, after: &std::ops::Range<usize>) -> Vec<Scored> {
        let wanted = |entry: &&Entry| {
            let is_horizon = horizon_min.is_none_or(|horizon| horizon == entry.scored.horizon_min);
            entry.teller == teller && is_horizon && after.contains(&entry.after)
        };
        self.0.iter().filter(wanted).map(|entry| entry.scored).collect()
    }

    fn tally(&self, teller: Teller, horizon_min: u32, after: &std::ops::Range<usize>) -> Row {
        Row(tally(&self.of(teller, Some(horizon_min), after)))
    }
}

fn tally(scored: &[Scored]) -> Tally {
    let mut tally = Tally::default();
    scored.iter().for_each(|scored| tally.add(scored));
    tally
}

struct Row(Tally);

impl Row {
    fn print(&self, name: &str, horizon_min: u32) {
        let Self(tally) = self;
        let share = |count: u64| count as f64 / tally.n.max(1) as f64 * 100.0;
        println!(
            "{name:36} {horizon_min:>4} {:>6} {:>6.1}% {:>5.1}% {:>5.1}% {:>8.0} {:>7.0} {:>7.0} {:>9.0}",
            tally.n,
            share(tally.inside),
            share(tally.early),
            share(tally.late),
            tally.mean_width_s(),
            tally.bias_s(),
            tally.mean_absolute_error_s(),
            tally.mean_interval_score_s()
        );
    }
}

/// By how much ranges must be stretched around what was expected to hold four of five, and how wide they are then, in
/// seconds on average.
fn width_at_equal_coverage_s(scored: &[Scored]) -> f64 {
    let stretch = |scored: &Scored| {
        let told = scored.told;
        let (error_ms, early_ms, late_ms) = (
            scored.arrived_ms - told.expected_ms,
            told.expected_ms - told.earliest_ms,
            told.latest_ms - told.expected_ms,
        );
        let side_ms = if error_ms < 0 { early_ms } else { late_ms };
        error_ms.abs() as f64 / side_ms.max(1_000) as f64
    };
    let mut stretches: Vec<f64> = scored.iter().map(stretch).collect();
    stretches.sort_by(f64::total_cmp);
    let needed = stretches.get(stretches.len() * 4 / 5).copied().unwrap_or(1.0);
    needed * tally(scored).mean_width_s()
}

#[derive(Default)]
struct Judge {
    broken: Vec<String>,
}

impl Judge {
    fn bound(&mut self, name: &str, value: f64, holds: bool, bound: &str) {
        println!("{} {name}: {value:.3} (bound {bound})", if holds { "kept  " } else { "BROKEN" });
        if !holds {
            self.broken.push(format!("{name}: {value:.3}, and the bound is {bound}"));
        }
    }

    fn coverage(&mut self, all: &Entries) {
        println!();
        for (name, after, low, high) in [("after 10", AFTER_TEN, 0.72, 0.88), ("after 50", AFTER_FIFTY, 0.77, 0.85)] {
            for horizon_min in HORIZONS_MIN {
                let Row(tally) = all.tally(Teller::Ours, horizon_min, &after);
                if tally.n < 30 {
                    continue;
                }
                let inside = tally.inside_ratio();
                let holds = (low..=high).contains(&inside);
                self.bound(&format!("inside, {name}, {horizon_min} min"), inside, holds, &format!("{low}–{high}"));
                let early = tally.early_ratio();
                self.bound(&format!("early, {name}, {horizon_min} min"), early, early <= 0.12, "≤ 0.12");
            }
        }
    }

    fn against_baselines(&mut self, all: &Entries) {
        let of = |teller, horizon| all.of(teller, horizon, &AFTER_FIFTY);
        for horizon_min in HORIZONS_MIN {
            let (ours, theirs) =
                (of(Teller::Ours, Some(horizon_min)), of(Teller::ConstantQuantiles, Some(horizon_min)));
            if ours.len() < 30 {
                continue;
            }
            let width = width_at_equal_coverage_s(&ours) / width_at_equal_coverage_s(&theirs);
            println!("       width at equal coverage, {horizon_min} min: {width:.3}");
            let score = tally(&ours).mean_interval_score_s() / tally(&theirs).mean_interval_score_s();
            self.bound(&format!("interval score, {horizon_min} min"), score, score <= 1.0, "≤ 1");
        }
        let (ours, theirs) = (of(Teller::Ours, None), of(Teller::ConstantQuantiles, None));
        let width = width_at_equal_coverage_s(&ours) / width_at_equal_coverage_s(&theirs);
        self.bound("width at equal coverage against quantiles", width, width <= 0.95, "≤ 0.95, stretch 0.80");
        let rule = tally(&of(Teller::ConstantRule, None));
        let error = tally(&ours).mean_absolute_error_s() / rule.mean_absolute_error_s();
        self.bound("mean absolute error against the constant rule", error, error <= 0.75, "≤ 0.75, stretch 0.65");
    }

    fn promises(&mut self, ledgers: &[Ledger]) {
        let promises = ledgers.iter().flat_map(|ledger| &ledger.promises);
        let promises: Vec<&Promised> = promises.filter(|promised| AFTER_FIFTY.contains(&promised.after)).collect();
        let late: Vec<_> = promises.iter().filter(|promised| promised.is_late).collect();
        let in_time = late.iter().filter(|promised| promised.said_before_s.is_some_and(|seconds| seconds >= 300.0));
        let said: Vec<_> = promises.iter().filter(|promised| promised.said_before_s.is_some()).collect();
        let wrong = said.iter().filter(|promised| !promised.is_late).count();
        let caught = in_time.count() as f64 / late.len().max(1) as f64;
        println!("       {} of {} promises were broken, {} breaks were said", late.len(), promises.len(), said.len());
        self.bound("late said five minutes before the promise", caught, caught >= 0.8, "≥ 0.80");
        let false_alarms = wrong as f64 / said.len().max(1) as f64;
        self.bound("false alarms among all alarms", false_alarms, false_alarms <= 0.1, "≤ 0.10");
    }

    fn rest(&mut self, ledgers: &[Ledger]) {
        let minutes: f64 = ledgers.iter().map(|ledger| ledger.rest.minutes).sum();
        let of = |count: fn(&Ledger) -> u32| ledgers.iter().map(count).sum::<u32>();
        let reversals = f64::from(of(|ledger| ledger.rest.reversals)) / minutes;
        println!(
            "       moves of a range in ten minutes: {:.2}",
            f64::from(of(|ledger| ledger.rest.moves)) / minutes * 10.0
        );
        self.bound("reversals a minute", reversals, reversals <= 0.1, "≤ 0.1");
        let restless = f64::from(of(|ledger| ledger.rest.restless));
        self.bound("more than two moves in ten minutes without a reason", restless, restless == 0.0, "none");
    }

    /// The server estimates once a second for each courier who moves. What the worlds themselves cost counts, too.
    fn cost(&mut self, estimates: u64, spent_s: f64) {
        let share = spent_s / estimates.max(1) as f64 * MOVING_COURIERS;
        self.bound("share of a core for 2 000 moving couriers", share, share <= 0.1, "≤ 0.10");
    }

    fn finish(self) -> Result<()> {
        ensure!(self.broken.is_empty(), "{} bounds are not kept:\n  {}", self.broken.len(), self.broken.join("\n  "));
        Ok(())
    }
}

/// How far apart the worlds are: no bound, a reader wants to know.
fn print_spread(ledgers: &[Ledger]) {
    let inside = |ledger: &Ledger| {
        let ours = Entries(ledger.entries.clone()).of(Teller::Ours, None, &AFTER_FIFTY);
        tally(&ours).inside_ratio()
    };
    let shares: Vec<f64> = ledgers.iter().map(inside).collect();
    let (least, most) = (shares.iter().copied().fold(1.0, f64::min), shares.iter().copied().fold(0.0, f64::max));
    println!("       inside by world, all horizons: {least:.3} to {most:.3}");
}
