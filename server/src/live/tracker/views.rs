//! What others may know of a courier: one type for each question, copied out under the shard's lock.

use std::{collections::HashMap, sync::Arc};

use doorstep_shared::{
    CourierId, OrderId, Position, Vehicle,
    geo::distance::haversine_m,
    protocol::customer::{Eta, Presence},
};

use super::courier_state::{CourierState, shown_from_ms};
use crate::domain::{
    order::{Order, visibility},
    plan::{Planned, StopAhead},
    track::progress::PlannedRoute,
};

/// What a customer may see of their courier.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// How many of the courier's orders come before this one.
    pub stops_before: u32,
    /// Where the courier is.
    pub position: Option<Position>,
    /// Where they came along on this leg, `[lon, lat]`.
    pub trail: Vec<[f64; 2]>,
    /// When they arrive.
    pub eta: Option<Eta>,
}

impl Sight {
    pub(super) fn of(courier: &CourierState, order: OrderId, trail_since_ms: Option<i64>) -> Self {
        let Some(before) = courier.planned.orders_before(order) else { return Self::default() };
        let stops_before = before as u32;
        let visible = courier.visible().filter(|visible| visible.id == order);
        let Some(visible) = visible else {
            return Self { stops_before, eta: courier.any_eta_of(order), ..Self::default() };
        };
        Self {
            stops_before,
            position: shown_position(courier, visible),
            trail: trail(courier, visible, trail_since_ms),
            eta: courier.eta_of(order),
        }
    }
}

fn shown_position(courier: &CourierState, visible: &Order) -> Option<Position> {
    courier.track.position().filter(|position| position.time_ms >= shown_from_ms(visible))
}

fn trail(courier: &CourierState, visible: &Order, since_ms: Option<i64>) -> Vec<[f64; 2]> {
    let Some(from) = visibility::trail_from(visible) else { return Vec::new() };
    let since_ms = since_ms.map_or(i64::MIN, |since| since.saturating_add(1));
    courier.track.trail_since(from.timestamp_millis().max(since_ms))
}

/// What a tour is worked out from.
#[derive(Clone, Debug, Default)]
pub struct OnTour {
    /// The courier's plan.
    pub planned: Planned,
    /// What they ride.
    pub vehicle: Option<Vehicle>,
    /// Where they are.
    pub position: Option<Position>,
    /// The way planned last.
    pub route: Option<Arc<PlannedRoute>>,
    /// The newest estimate that a customer was told, with their order.
    pub eta: Option<(OrderId, Eta)>,
}

impl From<&CourierState> for OnTour {
    fn from(courier: &CourierState) -> Self {
        Self {
            planned: courier.planned.clone(),
            vehicle: courier.vehicle,
            position: courier.track.position(),
            route: courier.route.clone(),
            eta: courier.eta,
        }
    }
}

/// What a courier's pace depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// The order whose customer sees them.
    pub shown_to: Option<OrderId>,
    /// Metres to their next stop as the crow flies.
    pub to_next_stop_m: Option<f64>,
    /// They have not moved for a while.
    pub is_stationary: bool,
    /// Charge of their device, 0 to 1.
    pub battery: Option<f32>,
}

impl From<&CourierState> for Standing {
    fn from(courier: &CourierState) -> Self {
        let here = courier.track.position().and_then(|position| position.point());
        let next = courier.planned.next_place();
        Self {
            shown_to: courier.visible().map(|order| order.id),
            to_next_stop_m: here.zip(next).map(|(here, next)| haversine_m(here, next)),
            is_stationary: courier.track.stationary_since_ms().is_some(),
            battery: courier.track.battery(),
        }
    }
}

/// Where a courier is and what they have to do, for dispatchers.
#[derive(Clone, Debug)]
pub struct Whereabouts {
    /// Where they are.
    pub position: Option<Position>,
    /// Whether they share their position.
    pub presence: Option<Presence>,
    /// What they ride.
    pub vehicle: Vehicle,
    /// Their open orders, by the place of their next stop.
    pub open: Vec<Order>,
    /// The stops of their plan.
    pub ahead: Vec<StopAhead>,
    /// When the order of the first stop should be handed over by the newest estimate, Unix epoch milliseconds.
    pub first_handover: Option<(OrderId, i64)>,
}

impl Whereabouts {
    pub(super) fn of(courier: &CourierState) -> Option<Self> {
        let eta = courier.eta.filter(|(order, _)| courier.is_visible_to(*order));
        Some(Self {
            position: courier.track.position(),
            presence: courier.presence,
            vehicle: courier.vehicle?,
            open: courier.planned.open(),
            ahead: courier.planned.ahead().to_vec(),
            first_handover: eta.map(|(order, eta)| (order, i64::midpoint(eta.earliest_ms, eta.latest_ms))),
        })
    }
}

/// A courier who has orders, as the checks for exceptions see them.
#[derive(Clone, Debug)]
pub struct AtWork {
    /// Who.
    pub courier: CourierId,
    /// What they ride.
    pub vehicle: Option<Vehicle>,
    /// Whether they share their position.
    pub presence: Option<Presence>,
    /// Where they are.
    pub position: Option<Position>,
    /// When a fix of theirs last came in, here or elsewhere, Unix epoch milliseconds.
    pub heard_ms: Option<i64>,
    /// Since when they stand still, if they do.
    pub still_since_ms: Option<i64>,
    /// The way planned last.
    pub route: Option<Arc<PlannedRoute>>,
    /// Their open orders, by the place of their next stop; never empty.
    pub open: Vec<Order>,
    /// The stops of their plan; never empty.
    pub ahead: Vec<StopAhead>,
    /// The newest estimates that customers were told.
    pub told: HashMap<OrderId, Eta>,
}

impl AtWork {
    /// `None` for a courier without orders.
    pub(super) fn of(id: CourierId, courier: &CourierState) -> Option<Self> {
        let open = courier.planned.open();
        (!open.is_empty()).then(|| Self {
            courier: id,
            vehicle: courier.vehicle,
            presence: courier.presence,
            position: courier.track.position(),
            heard_ms: courier.marks.heard_ms(),
            still_since_ms: courier.track.stationary_since_ms(),
            route: courier.route.clone(),
            open,
            ahead: courier.planned.ahead().to_vec(),
            told: courier.later_etas.clone().into_iter().chain(courier.eta).collect(),
        })
    }
}

/// What dispatchers see of a courier, beyond who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LastSeen {
    /// Where they are.
    pub position: Option<Position>,
    /// Charge of their device, 0 to 1.
    pub battery: Option<f32>,
    /// Whether they share their position.
    pub presence: Option<Presence>,
}

impl From<&CourierState> for LastSeen {
    fn from(courier: &CourierState) -> Self {
        let track = &courier.track;
        Self { position: track.position(), battery: track.battery(), presence: courier.presence }
    }
}

/// What an arrival estimate needs.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The order being served.
    pub order: Order,
    /// The stops of the courier's plan.
    pub ahead: Vec<StopAhead>,
    /// What the courier rides.
    pub vehicle: Vehicle,
    /// Where they are.
    pub position: Position,
    /// The way planned last.
    pub route: Option<Arc<PlannedRoute>>,
    /// The newest estimate for this order.
    pub eta: Option<Eta>,
}

impl Heading {
    /// `None` while no customer sees the courier, or nobody knows where they are.
    pub(super) fn of(courier: &CourierState) -> Option<Self> {
        let order = courier.visible()?;
        Some(Self {
            vehicle: courier.vehicle?,
            position: shown_position(courier, order)?,
            route: courier.route.clone(),
            eta: courier.eta_of(order.id),
            ahead: courier.planned.ahead().to_vec(),
            order: order.clone(),
        })
    }
}
