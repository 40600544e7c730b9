//! The open orders as pins on the map: which of them differ from what the map has.
//!
//! The map knows orders by small numbers, which are given again when an order is over; so a console that stays open for
//! weeks does not grow. Nothing is told twice: a change of one order among two thousand is one row.

use std::collections::HashMap;

use doorstep_shared::{OrderId, OrderStatus};

use super::fleet::{Fleet, Order};

/// What a pin says. The map's script reads the number of the variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinState {
    /// No courier has it.
    Unassigned,
    /// A courier will collect it.
    ToCollect,
    /// It is on its way to the door.
    Loaded,
    /// It failed, and a dispatcher must decide.
    Failed,
}

impl PinState {
    const fn of(status: OrderStatus) -> Option<Self> {
        match status {
            OrderStatus::Created => Some(Self::Unassigned),
            OrderStatus::Assigned | OrderStatus::AtPickup => Some(Self::ToCollect),
            OrderStatus::PickedUp | OrderStatus::AtDropoff => Some(Self::Loaded),
            OrderStatus::Failed => Some(Self::Failed),
            OrderStatus::Delivered | OrderStatus::Returned | OrderStatus::Cancelled => None,
        }
    }
}

/// One order as the map draws it: state, pickup and door.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pin {
    state: PinState,
    pickup: [f64; 2],
    door: [f64; 2],
}

impl Pin {
    /// None for an order that is over or whose places are not known yet.
    fn of(order: &Order) -> Option<Self> {
        let state = PinState::of(order.status)?;
        let details = order.details.as_ref()?;
        let pickup = [details.pickup.lon, details.pickup.lat];
        Some(Self { state, pickup, door: [details.dropoff.lon, details.dropoff.lat] })
    }
}

/// What the map has.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    drawn: HashMap<OrderId, (u32, Pin)>,
    orders: Vec<Option<OrderId>>,
    free: Vec<u32>,
}

impl Pins {
    /// Rows for what changed: number, state (negative: not drawn any more), longitude and latitude of pickup and door.
    pub fn update(&mut self, fleet: &Fleet) -> Vec<f64> {
        let mut rows = Vec::new();
        self.remove_gone(fleet, &mut rows);
        for (id, order) in &fleet.orders {
            let Some(pin) = Pin::of(order) else { continue };
            if self.drawn.get(id).is_some_and(|(_, drawn)| *drawn == pin) {
                continue;
            }
            let number = self.number(*id);
            self.drawn.insert(*id, (number, pin));
            let Pin { state, pickup, door } = pin;
            rows.extend([f64::from(number), f64::from(state as u8), pickup[0], pickup[1], door[0], door[1]]);
        }
        rows
    }

    /// The order behind a number.
    pub fn numbered(&self, number: u32) -> Option<OrderId> {
        *self.orders.get(number as usize)?
    }

    fn remove_gone(&mut self, fleet: &Fleet, rows: &mut Vec<f64>) {
        let (orders, free) = (&mut self.orders, &mut self.free);
        self.drawn.retain(|id, (number, _)| {
            let is_open = fleet.orders.get(id).and_then(Pin::of).is_some();
            if !is_open {
                orders[*number as usize] = None;
                free.push(*number);
                rows.extend([f64::from(*number), -1.0, 0.0, 0.0, 0.0, 0.0]);
            }
            is_open
        });
    }

    fn number(&mut self, id: OrderId) -> u32 {
        if let Some((number, _)) = self.drawn.get(&id) {
            return *number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.orders.push(None);
            self.orders.len() as u32 - 1
        });
        self.orders[number as usize] = Some(id);
        number
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::protocol::fleet::FleetOrder;

    use super::*;
    use crate::dispatch::fleet::tests::{details, order};

    fn take(fleet: &mut Fleet, order: &FleetOrder) {
        fleet.take_order(order.clone());
        fleet.take_details(details(order, None));
    }

    #[test]
    fn only_what_changed_is_told_and_what_is_over_leaves_the_map() {
        let (mut fleet, mut pins) = (Fleet::default(), Pins::default());
        let made = order("A-1", OrderStatus::Created, None);
        fleet.take_order(made.clone());
        assert_eq!(pins.update(&fleet), Vec::<f64>::new(), "its places are not known yet");
        take(&mut fleet, &made);
        let rows = pins.update(&fleet);
        assert_eq!((rows.len(), rows[0], rows[1]), (6, 0.0, f64::from(PinState::Unassigned as u8)));
        assert_eq!(pins.numbered(0), Some(made.id));
        assert_eq!(pins.update(&fleet), Vec::<f64>::new());
        take(&mut fleet, &FleetOrder { status: OrderStatus::PickedUp, ..made.clone() });
        assert_eq!(pins.update(&fleet)[1], f64::from(PinState::Loaded as u8));
        take(&mut fleet, &FleetOrder { status: OrderStatus::Delivered, ..made });
        assert_eq!(pins.update(&fleet), [0.0, -1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(pins.numbered(0), None);
    }

    #[test]
    fn numbers_are_given_again() {
        let (mut fleet, mut pins) = (Fleet::default(), Pins::default());
        for round in 0..50 {
            let made = order(&round.to_string(), OrderStatus::Created, None);
            take(&mut fleet, &made);
            pins.update(&fleet);
            take(&mut fleet, &FleetOrder { status: OrderStatus::Cancelled, ..made });
            pins.update(&fleet);
        }
        assert_eq!(pins.orders.len(), 1);
    }
}
