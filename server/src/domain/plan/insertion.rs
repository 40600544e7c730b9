//! Where the stops of a new order go in a plan: where they cost the least.
//!
//! The cost of a place is the way that it adds, guessed along the streets, and the lateness that it causes to this order
//! and to all that come after it. The first stop and those with fixed places stay where they are: the customer who sees
//! the courier keeps them. No place exceeds the capacity while another keeps it, be it before these: goods that come back
//! leave before more are collected. Among equals the latest place wins.

use std::{cmp::Reverse, collections::HashMap};

use doorstep_shared::{LatLon, OrderId, Vehicle, api::plan::PlanStop, protocol::courier::StopKind};

use super::{Limits, Plan, Planned};
use crate::{
    domain::track::{eta::town_speed_mps, progress::estimated_street_m, tour::stay_ms},
    platform::config::NewStops,
};

/// How many metres of detour a second of lateness is worth: about three times what a courier rides in it, because a late
/// customer costs more than a longer tour.
const LATE_COST_M_PER_S: f64 = 20.0;

/// Gaps that are considered for each of the two stops, the shortest detours first; the last gap comes on top. A tour has
/// a few dozen stops, so this is all of them.
const MAX_GAPS: usize = 150;

/// Steps that reckoning lateness may take: 10 ms. Each place takes as many as there are stops; the places with the
/// longest detours are left out.
const MAX_STEPS: usize = 4_000_000;

/// What a place for new stops depends on besides the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placing {
    /// What the operator wants.
    pub new_stops: NewStops,
    /// Where the courier is, if that is known.
    pub here: Option<LatLon>,
    /// What they ride.
    pub vehicle: Vehicle,
    /// How much they can carry at once; `None` without a limit.
    pub capacity: Option<u32>,
    /// Now, Unix epoch milliseconds.
    pub now_ms: i64,
}

impl Planned {
    /// The same with the stops of `order` where they belong, unless `before`, the plan as it was, had one of them.
    pub fn placing(self, order: OrderId, before: &Plan, placing: &Placing) -> Self {
        let is_new = |stop: &&PlanStop| stop.order_id == order;
        let new: Vec<_> = self.plan.stops.iter().filter(is_new).copied().collect();
        if new.is_empty() || new.iter().any(|stop| before.stops.contains(stop)) {
            return self;
        }
        let limits = self.limits(placing.capacity);
        let mut plan = self.plan.clone();
        plan.stops.retain(|stop| stop.order_id != order);
        let (first, last) = match placing.new_stops {
            NewStops::Last => (plan.stops.len(), plan.stops.len()),
            NewStops::Cheapest => Search::new(&self, &plan, &new, &limits, placing).cheapest(),
        };
        if let [only] = new[..] {
            plan.stops.insert(first, only);
        } else {
            plan.stops.insert(last, new[1]);
            plan.stops.insert(first, new[0]);
        }
        self.with_plan(plan)
    }
}

/// A stop as far as its place in the tour matters.
#[derive(Clone, Copy, Debug)]
struct Visit {
    at: LatLon,
    stay_ms: f64,
    /// When it is late, Unix epoch milliseconds; of a drop-off with a promise.
    until_ms: Option<i64>,
}

/// The gaps before which two stops go. Of a single stop both are the same.
#[derive(Clone, Copy, Debug)]
struct Gaps {
    first: usize,
    last: usize,
    added_m: f64,
    excess: u32,
}

struct Search<'a> {
    stops: Vec<Visit>,
    new: Vec<Visit>,
    /// What is carried when the courier gets to each stop, and after the last.
    loads: Vec<u32>,
    /// What the new order adds between its stops.
    size: u32,
    /// The first gap that may be used.
    from: usize,
    placing: &'a Placing,
}

impl<'a> Search<'a> {
    fn new(planned: &Planned, plan: &Plan, new: &[PlanStop], limits: &Limits, placing: &'a Placing) -> Self {
        let visits: HashMap<_, _> = planned.stops().map(|(stop, order)| (stop, visit(stop, order))).collect();
        let of = |stops: &[PlanStop]| stops.iter().filter_map(|stop| visits.get(stop).copied()).collect();
        // Goods on board weigh wherever their stop goes.
        let carried = new.iter().filter(|_| new.len() == 1).map(|stop| limits.size(stop.order_id)).sum::<u32>();
        let loads = [limits.on_board(&plan.stops)].into_iter().chain(limits.loads(&plan.stops));
        Self {
            stops: of(&plan.stops),
            new: of(new),
            loads: loads.map(|load| load.saturating_add(carried)).collect(),
            size: new.first().map_or(0, |stop| limits.size(stop.order_id)),
            from: plan.locked.max(1).min(plan.stops.len()),
            placing,
        }
    }

    fn cheapest(&mut self) -> (usize, usize) {
        let mut best = self.best();
        if best.is_none_or(|gaps| gaps.excess > 0) && self.from > 0 {
            self.from = 0;
            let before_all = self.best();
            let keeps_more = |gaps: &Gaps| best.is_none_or(|best| gaps.excess < best.excess);
            best = before_all.filter(keeps_more).or(best);
        }
        best.map_or((self.stops.len(), self.stops.len()), |gaps| (gaps.first, gaps.last))
    }

    fn best(&self) -> Option<Gaps> {
        let mut places = if self.new.len() == 1 { self.single_places() } else { self.pair_places() };
        let affordable = (MAX_STEPS / (self.stops.len() + 2)).max(1);
        if places.len() > affordable {
            let cost = |gaps: &Gaps| (gaps.excess, gaps.added_m as i64);
            places.select_nth_unstable_by_key(affordable, cost);
            places.truncate(affordable);
        }
        places.into_iter().min_by_key(|gaps| {
            let cost_m = gaps.added_m + self.lateness_s(gaps) * LATE_COST_M_PER_S;
            (gaps.excess, cost_m as i64, Reverse(gaps.first), Reverse(gaps.last))
        })
    }

    fn single_places(&self) -> Vec<Gaps> {
        let places = (self.from..=self.stops.len()).map(|gap| {
            let excess = self.excess(0, gap, 0);
            Gaps { first: gap, last: gap, added_m: self.detour_m(gap, &self.new), excess }
        });
        places.collect()
    }

    fn pair_places(&self) -> Vec<Gaps> {
        let (firsts, lasts) = (self.gaps(&self.new[..1]), self.gaps(&self.new[1..]));
        let mut places = Vec::with_capacity(firsts.len() * lasts.len() / 2 + 1);
        for (first, first_m) in &firsts {
            for (last, last_m) in lasts.iter().filter(|(last, _)| last >= first) {
                let added_m = if first == last { self.detour_m(*first, &self.new) } else { first_m + last_m };
                let excess = self.excess(*first, *last, self.size);
                places.push(Gaps { first: *first, last: *last, added_m, excess });
            }
        }
        places
    }

    /// The gaps with the shortest detours to a stop, and the last.
    fn gaps(&self, new: &[Visit]) -> Vec<(usize, f64)> {
        let mut gaps: Vec<_> = (self.from..self.stops.len()).map(|gap| (gap, self.detour_m(gap, new))).collect();
        gaps.sort_by(|a, b| a.1.total_cmp(&b.1));
        gaps.truncate(MAX_GAPS);
        gaps.push((self.stops.len(), self.detour_m(self.stops.len(), new)));
        gaps
    }

    /// The way that these stops add before the stop at `gap`.
    fn detour_m(&self, gap: usize, new: &[Visit]) -> f64 {
        let before = gap.checked_sub(1).and_then(|at| self.stops.get(at)).map(|visit| visit.at);
        let before = before.or(self.placing.here.filter(|_| gap == 0));
        let after = self.stops.get(gap).map(|visit| visit.at);
        let through = before.into_iter().chain(new.iter().map(|visit| visit.at)).chain(after);
        let straight_m = before.zip(after).map_or(0.0, |(before, after)| estimated_street_m(before, after));
        length_m(through) - straight_m
    }

    /// By how much the courier exceeds their capacity when they carry `size` more from one gap to another.
    fn excess(&self, first: usize, last: usize, size: u32) -> u32 {
        let Some(capacity) = self.placing.capacity else { return 0 };
        let carried = self.loads[first..=last].iter().max().map_or(0, |load| load.saturating_add(size));
        carried.saturating_sub(capacity)
    }

    /// How late all orders would be together, in seconds.
    fn lateness_s(&self, gaps: &Gaps) -> f64 {
        let speed_mps = town_speed_mps(self.placing.vehicle);
        let (mut here, mut at_ms, mut late_ms) = (self.placing.here, self.placing.now_ms as f64, 0.0);
        let mut go = |visit: &Visit| {
            at_ms += here.map_or(0.0, |here| estimated_street_m(here, visit.at)) / speed_mps * 1_000.0;
            late_ms += visit.until_ms.map_or(0.0, |until_ms| (at_ms - until_ms as f64).max(0.0));
            at_ms += visit.stay_ms;
            here = Some(visit.at);
        };
        for at in 0..=self.stops.len() {
            if at == gaps.first {
                self.new.first().into_iter().for_each(&mut go);
            }
            if at == gaps.last {
                self.new.get(1).into_iter().for_each(&mut go);
            }
            self.stops.get(at).into_iter().for_each(&mut go);
        }
        late_ms / 1_000.0
    }
}

fn visit(stop: PlanStop, order: &crate::domain::order::Order) -> Visit {
    let promised = order.promised_until.filter(|_| stop.kind == StopKind::Dropoff);
    Visit {
        at: super::place_of(order, stop.kind).point,
        stay_ms: stay_ms(stop.kind, order.demands.service_s),
        until_ms: promised.map(|until| until.timestamp_millis()),
    }
}

fn length_m(points: impl Iterator<Item = LatLon>) -> f64 {
    let mut before: Option<LatLon> = None;
    points.fold(0.0, |metres, point| metres + before.replace(point).map_or(0.0, |from| estimated_street_m(from, point)))
}
