//! Reads the fleet from the database, with the tracker's newer positions.

use std::collections::HashMap;

use chrono::DateTime;
use doorstep_shared::{CourierId, Fix, Position, protocol::fleet::FleetCourier};

use super::board::Board;
use crate::{
    domain::{
        courier::Courier,
        fleet::{OrderState, PlanPlaces},
        track::Track,
    },
    live::tracker::{LastSeen, Tracker},
    store::{Store, StoreError},
};

/// Couriers in one query.
const PAGE: i64 = 1_000;

/// Couriers whose plans are read in one query, with all their orders.
const PLANS_AT_ONCE: usize = 500;

/// Fixes that are read back for a courier whom the tracker does not know: enough to tell a jump from a place.
const FIXES: i64 = 8;

/// The whole fleet: couriers in the tracker as they are there, all others as they were last stored.
pub(super) async fn board(store: &Store, tracker: &Tracker) -> Result<Board, StoreError> {
    let Read { couriers, orders, plans } = fleet(store, tracker).await?;
    Ok(Board::new(couriers, orders, plans))
}

/// The fleet before it is put on a board.
pub(super) struct Read {
    /// Every courier who works here.
    pub(super) couriers: Vec<FleetCourier>,
    /// Every order that is not over.
    pub(super) orders: Vec<OrderState>,
    /// The plan of every courier who has stops to make.
    pub(super) plans: Vec<PlanPlaces>,
}

/// The same before it is put on a board.
pub(super) async fn fleet(store: &Store, tracker: &Tracker) -> Result<Read, StoreError> {
    let mut couriers: Vec<FleetCourier> = Vec::new();
    loop {
        let page = store.couriers_page(false, couriers.last().map(|courier| courier.id), PAGE).await?;
        let is_last = (page.len() as i64) < PAGE;
        couriers.extend(with_positions(page, store, tracker).await?);
        if is_last {
            break;
        }
    }
    let orders = store.orders_not_over().await?;
    Ok(Read { couriers, orders, plans: plans(store).await? })
}

async fn plans(store: &Store) -> Result<Vec<PlanPlaces>, StoreError> {
    let mut plans = Vec::new();
    for some in store.couriers_with_open_orders().await?.chunks(PLANS_AT_ONCE) {
        let planned = store.open_orders_of_each(some).await?;
        plans.extend(planned.into_iter().map(|(courier, planned)| PlanPlaces::of(courier, &planned)));
    }
    Ok(plans)
}

async fn with_positions(page: Vec<Courier>, store: &Store, tracker: &Tracker) -> Result<Vec<FleetCourier>, StoreError> {
    let mut seen: HashMap<CourierId, LastSeen> =
        page.iter().filter_map(|courier| Some((courier.id, tracker.last_seen(courier.id)?))).collect();
    let is_missing = |courier: &&Courier| seen.get(&courier.id).is_none_or(|seen| seen.position.is_none());
    let missing: Vec<_> = page.iter().filter(is_missing).map(|courier| (courier.id, DateTime::UNIX_EPOCH)).collect();
    let mut stored = store.newest_fixes_of_each(&missing, FIXES).await?;
    let fleet = page.into_iter().map(|courier| {
        let live = seen.remove(&courier.id).unwrap_or_default();
        let (position, battery) = match live.position {
            Some(position) => (Some(position), live.battery),
            None => stored.remove(&courier.id).map_or((None, None), |fixes| last_known(&fixes)),
        };
        let presence = live.presence.or(courier.presence);
        FleetCourier { id: courier.id, name: courier.name, vehicle: courier.vehicle, position, battery, presence }
    });
    Ok(fleet.collect())
}

/// The newest position fit for a map, and the newest charge.
fn last_known(fixes: &[Fix]) -> (Option<Position>, Option<f32>) {
    let mut track = Track::default();
    track.apply(fixes);
    (track.position(), fixes.iter().rev().find_map(Fix::battery))
}
