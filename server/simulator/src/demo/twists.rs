//! What goes other than planned in a courier's day: dispatch changes an order or the sequence of the stops, the kitchen
//! is late, nobody answers the door.
//!
//! A dispatcher at the console works on the same orders, so any of this may be refused; then the day goes on as if it had
//! not been tried.

use std::time::Duration;

use anyhow::Result;
use doorstep_shared::{
    LatLon, OrderId, OrderStatus,
    api::{
        change::{EditOrder, EditPlace, NextAttempt},
        plan::{PlanStop, PutPlan},
    },
    protocol::courier::{ReportKind, Stop, StopKind},
};
use rand::{Rng, seq::IndexedRandom};

use super::{
    cast,
    shift::{Shift, Taken},
};
use crate::{api::ApiError, streets::Door};

const REORDERED: f64 = 0.4;
const MOVED: f64 = 0.08;
const NOT_READY: f64 = 0.08;
const TAKEN_AWAY: f64 = 0.03;
const TRIED_AGAIN: f64 = 0.5;
const UNTIL_TOLD: Duration = Duration::from_secs(3);

/// The answer, or `None` when the server refused: then somebody was quicker.
fn unless_refused<T>(what: &str, answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_refusal() => {
            tracing::debug!(error = %error, what, "the day goes on without it");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Shift {
    /// Now and then dispatch turns the sequence of two doors round. The courier follows the plan in any case.
    pub(super) async fn reorder_perhaps(&mut self, taken: &mut [Taken]) -> Result<()> {
        if taken.len() > 1 && self.random.random_bool(REORDERED) {
            // What the courier just reported changes the plan's version.
            self.phone.wait(UNTIL_TOLD).await;
            if self.turn_doors_round().await? {
                self.phone.wait(UNTIL_TOLD).await;
            }
        }
        let stops = self.phone.stops();
        taken.sort_by_key(|taken| place_in(&stops, taken.order));
        Ok(())
    }

    async fn turn_doors_round(&self) -> Result<bool, ApiError> {
        let Some(plan) = unless_refused("reading a plan", self.api.plan(self.courier).await)? else { return Ok(false) };
        let stops: Vec<_> =
            plan.stops.iter().map(|stop| PlanStop { order_id: stop.order_id, kind: stop.kind }).collect();
        let turned = PutPlan { version: plan.version, stops: doors_turned_round(stops), locked: None };
        Ok(unless_refused("a new order of stops", self.api.put_plan(self.courier, &turned).await)?.is_some())
    }

    /// Now and then a customer is somewhere else, and dispatch corrects the address under way.
    pub(super) async fn move_door_perhaps(&mut self, taken: &mut Taken) -> Result<()> {
        if !self.random.random_bool(MOVED) {
            return Ok(());
        }
        self.phone.wait(UNTIL_TOLD).await;
        let Some(order) = unless_refused("reading an order", self.api.order(taken.order).await)? else { return Ok(()) };
        let door = self.stage.door_near(taken.errand.dropoff.point, &mut self.random);
        let edit = EditOrder { dropoff: Some(at(&door)), ..EditOrder::default() };
        let edited = self.api.edit_order(taken.order, order.version, &edit).await;
        if unless_refused("another address", edited)?.is_some() {
            taken.errand.dropoff = door;
        }
        Ok(())
    }

    /// Now and then the kitchen is late: the courier says so and waits longer.
    pub(super) async fn wait_longer_perhaps(&mut self, order: OrderId) {
        if self.phone.has_plans() && self.random.random_bool(NOT_READY) {
            self.phone.hold_up(order, ReportKind::NotReady, Some("ten minutes, says the kitchen")).await;
            let longer_s = self.random.random_range(60.0..150.0);
            self.phone.wait(Duration::from_secs_f64(longer_s)).await;
        }
    }

    /// Now and then an order goes back to dispatch before it is collected, by the courier or by a dispatcher, who thinks
    /// better of it. `false` when it is somebody else's now.
    pub(super) async fn take_away_perhaps(&mut self, order: OrderId) -> Result<bool> {
        if !self.phone.has_plans() || !self.random.random_bool(TAKEN_AWAY) {
            return Ok(true);
        }
        if self.random.random_bool(0.5) {
            self.phone.hold_up(order, ReportKind::GiveBack, Some("a flat tyre, it seemed")).await;
        } else {
            unless_refused("taking an order away", self.api.unassign(order, Some("for another courier")).await)?;
        }
        let pause_s = self.random.random_range(15.0..40.0);
        self.phone.wait(Duration::from_secs_f64(pause_s)).await;
        let again = self.api.assign(order, self.courier).await;
        Ok(unless_refused("giving an order again", again)?.is_some())
    }

    /// Nobody answered. Dispatch tries again, or the goods go back.
    pub(super) async fn fail(&mut self, taken: &Taken) -> Result<()> {
        let note = cast::FAILURES.choose(&mut self.random).copied();
        self.phone.report(taken.order, OrderStatus::Failed, note).await;
        self.phone.wait(UNTIL_TOLD).await;
        if self.random.random_bool(TRIED_AGAIN) && self.try_again(taken.order).await? {
            self.ring(taken.order).await;
            self.hand_over(taken).await;
            return Ok(());
        }
        let stops = self.phone.stops();
        let back = stops.iter().find(|stop| stop.order_id == taken.order && stop.kind == StopKind::Return);
        let merchant = back.and_then(place_of).unwrap_or(taken.errand.pickup.point);
        self.bring_back(taken.order, merchant).await;
        Ok(())
    }

    async fn try_again(&mut self, order: OrderId) -> Result<bool> {
        let attempt = self.api.next_attempt(order, &NextAttempt::default()).await;
        if unless_refused("another attempt", attempt)?.is_none() {
            return Ok(false);
        }
        let pause_s = self.random.random_range(20.0..60.0);
        self.phone.wait(Duration::from_secs_f64(pause_s)).await;
        Ok(true)
    }

    pub(super) async fn bring_back(&mut self, order: OrderId, merchant: LatLon) {
        self.phone.ride_to(merchant).await;
        self.phone.report(order, OrderStatus::Returned, None).await;
        self.over(order);
    }

    /// Goods on board that nobody waits for any more: of an order that a dispatcher cancelled or failed.
    pub(super) fn to_bring_back(&self) -> Option<(OrderId, LatLon)> {
        let stops = self.phone.stops();
        let is_new = |stop: &&Stop| stop.kind == StopKind::Return && !self.lately.contains(&stop.order_id);
        let stop = stops.iter().find(is_new)?;
        Some((stop.order_id, place_of(stop)?))
    }
}

/// Where an order's door stands in the plan; orders that the phone does not know of come last.
fn place_in(stops: &[Stop], order: OrderId) -> usize {
    let door = stops.iter().position(|stop| stop.order_id == order && stop.kind == StopKind::Dropoff);
    door.unwrap_or(usize::MAX)
}

fn place_of(stop: &Stop) -> Option<LatLon> {
    LatLon::try_new(stop.lat, stop.lon).ok()
}

fn at(door: &Door) -> EditPlace {
    EditPlace {
        lat: Some(door.point.lat()),
        lon: Some(door.point.lon()),
        address: Some(door.address.clone()),
        ..EditPlace::default()
    }
}

/// The same stops with the doors in the opposite sequence, each in the place of a door. Pickups stay: doors that came
/// after every pickup still do, and the server refuses the rest.
fn doors_turned_round(mut stops: Vec<PlanStop>) -> Vec<PlanStop> {
    let places: Vec<_> = (0..stops.len()).filter(|place| stops[*place].kind == StopKind::Dropoff).collect();
    let doors: Vec<_> = places.iter().rev().map(|place| stops[*place]).collect();
    for (place, door) in places.into_iter().zip(doors) {
        stops[place] = door;
    }
    stops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_change_places_and_pickups_stay() {
        let [first, second] = [OrderId::new(), OrderId::new()];
        let stop = |order_id, kind| PlanStop { order_id, kind };
        let plan = vec![
            stop(first, StopKind::Pickup),
            stop(second, StopKind::Pickup),
            stop(first, StopKind::Dropoff),
            stop(second, StopKind::Dropoff),
        ];
        let turned = doors_turned_round(plan.clone());
        assert_eq!(turned[..2], plan[..2]);
        assert_eq!(turned[2..], [plan[3], plan[2]]);
        assert_eq!(doors_turned_round(turned), plan);
    }
}
