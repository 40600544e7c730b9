//! What the rows of a plan say, and where they stand.

use doorstep_shared::{
    api::plan::{PlanStop, PlanView, PlannedStop},
    protocol::courier::StopKind,
};

use crate::{
    dispatch::{
        console::{Console, Grab, Movable},
        fleet::Order,
        plan::{self, Arrangement},
        text,
        view::keyed::Entry,
    },
    ui::time,
};

/// What stands where in [`Entry::more`].
pub const NUMBER: usize = 0;
pub const SEEN: usize = 1;
/// Where the row is drawn.
pub const TRANSFORM: usize = 2;
/// Words by which the style sheet knows how the row fares.
pub const STATE: usize = 3;
/// Whether the stop is the first or the last already, as `aria-disabled` says it.
pub const IS_FIRST: usize = 4;
pub const IS_LAST: usize = 5;
/// Whether it is in the dispatcher's hand, as `aria-pressed` says it.
pub const IS_HELD: usize = 6;

/// Whether there is a plan with stops.
pub fn is_shown(console: &Console) -> bool {
    console.planning.view.as_ref().is_some_and(|view| !view.stops.is_empty())
}

/// The rows, in the order of the plan without what is held: the title is the order, the line where, the badge the load.
pub fn rows(console: &Console) -> Vec<Entry> {
    let Some(view) = &console.planning.view else { return Vec::new() };
    let (base, shown) = (console.planning.arrangement(), console.shown_plan());
    let size = |order| {
        let details = console.fleet.orders.get(&order).and_then(|order| order.details.as_ref());
        details.and_then(|details| details.size).unwrap_or(1)
    };
    let loads = plan::loads(view, &shown, size);
    let drawing = Drawing { console, view, base: &base, shown: &shown, loads };
    base.stops.iter().enumerate().map(|(index, stop)| drawing.row(index, *stop)).collect()
}

struct Drawing<'a> {
    console: &'a Console,
    view: &'a PlanView,
    base: &'a Arrangement,
    shown: &'a Arrangement,
    loads: Vec<u32>,
}

impl Drawing<'_> {
    fn row(&self, index: usize, stop: PlanStop) -> Entry {
        let place = self.shown.position(stop).unwrap_or(index);
        let order = self.console.fleet.orders.get(&stop.order_id);
        let planned = self.view.stops.iter().find(|planned| plan::stop_of(planned) == stop);
        let is_held = self.console.planning.grab.is_some_and(|grab| grab.what == Movable::Stop(stop));
        let is_stuck = |is_down| self.base.next_index(stop, index, is_down).is_none().to_string();
        Entry {
            key: plan::key(stop),
            title: order.map_or_else(|| "Order".to_owned(), |order| order.reference.clone()),
            line: order.and_then(|order| address(order, stop.kind)).unwrap_or_default(),
            aside: self.times(planned, order),
            badge: self.load(place),
            more: vec![
                (place + 1).to_string(),
                order.map(|order| self.seen(order)).unwrap_or_default(),
                self.transform(index, place, is_held),
                self.state(place, stop, planned, order),
                is_stuck(false),
                is_stuck(true),
                is_held.to_string(),
            ],
            ..Entry::default()
        }
    }

    fn state(&self, place: usize, stop: PlanStop, planned: Option<&PlannedStop>, order: Option<&Order>) -> String {
        let grab = self.console.planning.grab;
        let load = self.loads.get(place).copied().unwrap_or(0);
        let is_unseen = order.is_some_and(|order| order.version.is_some() && order.seen_at_ms.is_none());
        let is_old = self.view.stops.get(place).is_none_or(|planned| plan::stop_of(planned) != stop);
        let words = [
            (grab.is_some_and(|grab| grab.what == Movable::Stop(stop)), "held"),
            (place < self.shown.locked, "locked"),
            (planned.is_some_and(|planned| planned.late), "late"),
            (is_old, "old"),
            (is_unseen, "unseen"),
            (self.view.capacity.is_some_and(|capacity| load > capacity), "full"),
        ];
        let words = words.into_iter().filter_map(|(is, word)| is.then_some(word));
        words.chain(self.partner(stop)).collect::<Vec<_>>().join(" ")
    }

    /// When the courier should be there, and what was promised, or by how much it will be late.
    fn times(&self, planned: Option<&PlannedStop>, order: Option<&Order>) -> String {
        let Some(planned) = planned else { return String::new() };
        let locale = &self.console.locale;
        let arrival = planned.arrival.as_ref().map(|arrival| {
            let ends = [arrival.earliest_at, arrival.latest_at].map(|at| Some(at.timestamp_millis()));
            time::window(ends.into(), self.console.at_ms, locale)
        });
        let more = if planned.late {
            Some(late(planned, order))
        } else {
            order
                .filter(|_| planned.kind == StopKind::Dropoff)
                .and_then(|order| text::promise(order, self.console.at_ms, locale))
        };
        arrival.into_iter().chain(more).collect::<Vec<_>>().join(" · ")
    }

    fn load(&self, place: usize) -> String {
        let load = self.loads.get(place).copied().unwrap_or(0);
        match self.view.capacity {
            Some(capacity) => format!("carries {load} of {capacity}"),
            None if self.view.load.is_empty() => String::new(),
            None => format!("carries {load}"),
        }
    }

    /// When the courier saw the order as it is now; empty from servers that do not say.
    fn seen(&self, order: &Order) -> String {
        match order.seen_at_ms {
            Some(at_ms) => format!("seen {}", time::moment(at_ms, self.console.at_ms, &self.console.locale)),
            None if order.version.is_some() => "not seen yet".to_owned(),
            None => String::new(),
        }
    }

    /// Beside the held pickup or drop-off: `limit` where it cannot pass alone, `along` when it comes along.
    fn partner(&self, stop: PlanStop) -> Option<&'static str> {
        let Some(Grab { what: Movable::Stop(held), .. }) = self.console.planning.grab else { return None };
        let is_partner = self.base.partner(held) == Some(stop);
        let others = |plan: &Arrangement| plan.stops.iter().copied().filter(|one| *one != held).collect::<Vec<_>>();
        is_partner.then(|| if others(self.base) == others(self.shown) { "limit" } else { "along" })
    }

    /// From where the row's element is to where it is shown.
    fn transform(&self, index: usize, place: usize, is_held: bool) -> String {
        let pointer_px = self.console.planning.grab.filter(|_| is_held).and_then(|grab| grab.pointer_px);
        if let Some(px) = pointer_px {
            let line = usize::from(index >= self.base.locked);
            return format!("translateY(calc(var(--lock) * {line} + {}px))", px as i32);
        }
        let rows = place as i32 - index as i32;
        let line = usize::from(place >= self.shown.locked);
        format!("translateY(calc(var(--stop) * {rows} + var(--lock) * {line}))")
    }
}

fn address(order: &Order, kind: StopKind) -> Option<String> {
    let details = order.details.as_ref()?;
    let place = if kind == StopKind::Dropoff { &details.dropoff } else { &details.pickup };
    Some(place.address.clone())
}

/// By how much a stop will be late.
fn late(planned: &PlannedStop, order: Option<&Order>) -> String {
    let until_ms = order.filter(|_| planned.kind == StopKind::Dropoff).and_then(Order::promised_until_ms);
    let expected_ms = planned.arrival.as_ref().map(|arrival| arrival.expected_at.timestamp_millis());
    match expected_ms.zip(until_ms).map(|(expected_ms, until_ms)| expected_ms - until_ms) {
        Some(by_ms) if by_ms >= time::MINUTE_MS => format!("{} late", time::span(by_ms)),
        _ => "late".to_owned(),
    }
}
