//! What the rows of a plan say, and where they stand.

use doorstep_shared::{
    api::plan::{PlanStop, PlanView, PlannedStop},
    protocol::courier::StopKind,
};
use uuid::Uuid;

use crate::{
    dispatch::{
        console::{Console, Grab, Movable},
        fleet::Order,
        plan::{self, Arrangement},
        text::{self, tone},
    },
    ui::time,
};

/// One stop as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct StopRow {
    pub key: Uuid,
    pub stop: PlanStop,
    /// Its number where it is shown, from 1.
    pub number: usize,
    pub reference: String,
    pub address: String,
    pub times: String,
    /// The times are of another order of the stops.
    pub is_old: bool,
    pub badge: String,
    pub load: String,
    pub is_overloaded: bool,
    pub seen: String,
    pub is_unseen: bool,
    pub is_locked: bool,
    pub is_held: bool,
    /// Beside the held pickup or drop-off: `limit` where it cannot pass, `along` when it comes along.
    pub partner: &'static str,
    pub transform: String,
    pub can_rise: bool,
    pub can_sink: bool,
}

/// Whether there is a plan with stops.
pub fn is_shown(console: &Console) -> bool {
    console.planning.view.as_ref().is_some_and(|view| !view.stops.is_empty())
}

/// The rows, in the order of the plan without what is held.
pub fn rows(console: &Console) -> Vec<StopRow> {
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
    fn row(&self, index: usize, stop: PlanStop) -> StopRow {
        let place = self.shown.position(stop).unwrap_or(index);
        let order = self.console.fleet.orders.get(&stop.order_id);
        let planned = self.view.stops.iter().find(|planned| plan::stop_of(planned) == stop);
        let load = self.loads.get(place).copied().unwrap_or(0);
        let seen = order.and_then(|order| self.seen(order));
        StopRow {
            key: plan::key(stop),
            stop,
            number: place + 1,
            reference: order.map_or_else(|| "Order".to_owned(), |order| order.reference.clone()),
            address: order.and_then(|order| address(order, stop.kind)).unwrap_or_default(),
            times: self.times(planned, order),
            is_old: self.view.stops.get(place).is_none_or(|planned| plan::stop_of(planned) != stop),
            badge: planned.map(|planned| late(planned, order)).unwrap_or_default(),
            load: self.load(load),
            is_overloaded: self.view.capacity.is_some_and(|capacity| load > capacity),
            is_unseen: seen == Some(None),
            seen: seen.map(|at| self.seen_text(at)).unwrap_or_default(),
            is_locked: place < self.shown.locked,
            is_held: self.console.planning.grab.is_some_and(|grab| grab.what == Movable::Stop(stop)),
            partner: self.partner(stop),
            transform: self.transform(index, place, stop),
            can_rise: self.base.next_index(stop, index, false).is_some(),
            can_sink: self.base.next_index(stop, index, true).is_some(),
        }
    }

    fn times(&self, planned: Option<&PlannedStop>, order: Option<&Order>) -> String {
        let locale = &self.console.locale;
        let arrival = planned.and_then(|planned| planned.arrival.as_ref()).map(|arrival| {
            time::range(arrival.earliest_at.timestamp_millis(), arrival.latest_at.timestamp_millis(), locale)
        });
        let is_pickup = planned.is_some_and(|planned| planned.kind != StopKind::Dropoff);
        let promise = order.filter(|_| !is_pickup).and_then(|order| text::promise(order, locale));
        let promise = promise.map(|promise| format!("promised {promise}"));
        arrival.into_iter().chain(promise).collect::<Vec<_>>().join(" · ")
    }

    fn load(&self, load: u32) -> String {
        match self.view.capacity {
            Some(capacity) => format!("carries {load} of {capacity}"),
            None if self.view.load.is_empty() => String::new(),
            None => format!("carries {load}"),
        }
    }

    /// When the courier saw the order as it is now; `None` from servers that do not say.
    fn seen(&self, order: &Order) -> Option<Option<i64>> {
        (order.version.is_some() || order.seen_at_ms.is_some()).then_some(order.seen_at_ms)
    }

    fn seen_text(&self, at_ms: Option<i64>) -> String {
        at_ms.map_or_else(
            || "not seen yet".to_owned(),
            |at_ms| format!("seen {}", time::clock(at_ms, &self.console.locale)),
        )
    }

    fn partner(&self, stop: PlanStop) -> &'static str {
        let Some(Grab { what: Movable::Stop(held), .. }) = self.console.planning.grab else { return "" };
        if self.base.partner(held) != Some(stop) {
            return "";
        }
        let others = |plan: &Arrangement| plan.stops.iter().copied().filter(|one| *one != held).collect::<Vec<_>>();
        if others(self.base) == others(self.shown) { "limit" } else { "along" }
    }

    /// From where the row's element is to where it is shown.
    fn transform(&self, index: usize, place: usize, stop: PlanStop) -> String {
        let grab = self.console.planning.grab.filter(|grab| grab.what == Movable::Stop(stop));
        if let Some(px) = grab.and_then(|grab| grab.pointer_px) {
            let line = usize::from(index >= self.base.locked);
            return format!("translateY(calc(var(--lock) * {line} + {px}px))");
        }
        let rows = place as i64 - index as i64;
        let line = usize::from(place >= self.shown.locked);
        format!("translateY(calc(var(--stop) * {rows} + var(--lock) * {line}))")
    }
}

fn address(order: &Order, kind: StopKind) -> Option<String> {
    let details = order.details.as_ref()?;
    let place = if kind == StopKind::Dropoff { &details.dropoff } else { &details.pickup };
    Some(place.address.clone())
}

/// By how much a stop will be late, if it will.
fn late(planned: &PlannedStop, order: Option<&Order>) -> String {
    if !planned.late {
        return String::new();
    }
    let until_ms = order.and_then(Order::promised_until_ms);
    let expected_ms = planned.arrival.as_ref().map(|arrival| arrival.expected_at.timestamp_millis());
    match expected_ms.zip(until_ms).map(|(expected_ms, until_ms)| expected_ms - until_ms) {
        Some(by_ms) if by_ms >= time::MINUTE_MS && planned.kind == StopKind::Dropoff => {
            format!("Late {}", time::span(by_ms))
        }
        _ => "Late".to_owned(),
    }
}

impl StopRow {
    /// The tone of the late mark.
    pub const TONE: &str = tone::BAD;

    /// The order and what is done, for buttons: `A-1044, drop off`.
    pub fn name(&self) -> String {
        format!("{}, {}", self.reference, text::stop_kind(self.stop.kind).to_lowercase())
    }
}
