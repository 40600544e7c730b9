//! What a console believes of the fleet, from nothing but the feed, and whether the feed made sense.
//!
//! Pure. A gap in `seq` is what the contract tells a client to come back for; everything else that is wrong is noted.

use std::collections::{HashMap, HashSet};

use doorstep_shared::{
    CourierId, OrderId,
    protocol::{
        Codec, encode_json, encode_postcard,
        fleet::{FleetAlert, FleetCourier, FleetEvent, FleetFix, FleetOrder, FleetPositions, FleetSnapshot},
    },
};

use crate::frame;

/// One console over all its connections.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Every courier as they were last told.
    pub couriers: HashMap<CourierId, FleetCourier>,
    /// Every order that is not over.
    pub orders: HashMap<OrderId, FleetOrder>,
    /// How many alerts came.
    pub alerts: Vec<FleetAlert>,
    /// Messages of type `positions`.
    pub batches: u64,
    /// Positions in them.
    pub positions: u64,
    /// Bytes that their positions would have taken with a message for each of them, frame headers included.
    pub one_by_one_bytes: u64,
    /// Gaps in `seq`: each of them made the console begin again.
    pub gaps: u64,
    /// Positions older than one told before on the same connection.
    pub went_back: u64,
    /// Where the server broke its contract otherwise.
    pub violations: Vec<String>,
    next_seq: u64,
}

/// The sequence has a hole: reconnect for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap;

impl Picture {
    /// A new connection begins.
    pub fn connected(&mut self) {
        self.next_seq = 0;
    }

    /// Takes a message in.
    ///
    /// # Errors
    /// [`Gap`] when messages before this one are missing; the picture stays as it was.
    pub fn take(&mut self, event: FleetEvent, codec: Codec) -> Result<(), Gap> {
        if let Some(seq) = event.seq() {
            if seq != self.next_seq {
                self.gaps += 1;
                return Err(Gap);
            }
            if (seq == 0) != matches!(event, FleetEvent::Snapshot(_)) {
                self.violations.push(format!("{} is number {seq}", event.kind()));
            }
            self.next_seq += 1;
        }
        match event {
            FleetEvent::Snapshot(FleetSnapshot { couriers, orders, .. }) => {
                self.couriers = couriers.into_iter().map(|courier| (courier.id, courier)).collect();
                self.orders = orders.into_iter().map(|order| (order.id, order)).collect();
            }
            FleetEvent::Positions(batch) => self.take_batch(&batch, codec),
            FleetEvent::Courier(change) => {
                let known = self.couriers.get(&change.courier.id).and_then(|known| known.position);
                let told = change.courier.position;
                self.went_back +=
                    u64::from(known.is_some_and(|known| told.is_none_or(|told| told.time_ms < known.time_ms)));
                self.couriers.insert(change.courier.id, change.courier);
            }
            FleetEvent::Order(change) if change.order.status.is_final() => {
                self.orders.remove(&change.order.id);
            }
            FleetEvent::Order(change) => {
                self.orders.insert(change.order.id, change.order);
            }
            FleetEvent::Alert(raised) => self.alerts.push(raised.alert),
            FleetEvent::Error(error) => self.violations.push(format!("an unexpected error: {}", error.message)),
            FleetEvent::Heartbeat(_) | FleetEvent::Pong(_) | FleetEvent::Area(_) => {}
        }
        Ok(())
    }

    fn take_batch(&mut self, batch: &FleetPositions, codec: Codec) {
        self.batches += 1;
        self.positions += batch.fixes.len() as u64;
        let mut once = HashSet::with_capacity(batch.fixes.len());
        for fix in &batch.fixes {
            if !once.insert(fix.courier_id) {
                self.violations.push("a courier is twice in a batch".to_owned());
            }
            self.one_by_one_bytes += bytes_alone(batch.seq, fix, codec);
            self.moved(fix);
        }
    }

    fn moved(&mut self, fix: &FleetFix) {
        let Some(courier) = self.couriers.get_mut(&fix.courier_id) else {
            self.violations.push("a position of an unknown courier".to_owned());
            return;
        };
        if courier.position.is_some_and(|known| fix.time_ms < known.time_ms) {
            self.went_back += 1;
            return;
        }
        courier.battery = fix.battery;
        courier.position = Some(doorstep_shared::Position {
            time_ms: fix.time_ms,
            lat: fix.lat,
            lon: fix.lon,
            accuracy_m: courier.position.and_then(|known| known.accuracy_m),
            speed_mps: fix.speed_mps,
            heading_deg: fix.heading_deg,
        });
    }
}

fn bytes_alone(seq: u64, fix: &FleetFix, codec: Codec) -> u64 {
    let message = FleetEvent::Positions(FleetPositions { seq, fixes: vec![*fix] });
    frame::bytes(match codec {
        Codec::Json => encode_json(&message).len(),
        Codec::Postcard => encode_postcard(&message).len(),
    })
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{
        OrderStatus, Vehicle,
        protocol::fleet::{FleetCourierChange, FleetOrderChange},
    };

    use super::*;

    fn ana(id: CourierId) -> FleetCourier {
        FleetCourier {
            id,
            name: "Ana".into(),
            vehicle: Vehicle::Scooter,
            position: None,
            battery: None,
            presence: None,
        }
    }

    fn snapshot(couriers: Vec<FleetCourier>) -> FleetEvent {
        FleetEvent::Snapshot(FleetSnapshot { seq: 0, server_time_ms: 0, couriers, orders: vec![] })
    }

    fn at(seq: u64, courier_id: CourierId, time_ms: i64) -> FleetEvent {
        let fix =
            FleetFix { courier_id, time_ms, lat: 35.9, lon: 14.5, speed_mps: None, heading_deg: None, battery: None };
        FleetEvent::Positions(FleetPositions { seq, fixes: vec![fix] })
    }

    fn order(seq: u64, id: OrderId, status: OrderStatus) -> FleetEvent {
        let order = FleetOrder {
            id,
            reference: "A-1".into(),
            status,
            status_at_ms: 0,
            courier_id: None,
            version: None,
            sequence: None,
            seen_at_ms: None,
        };
        FleetEvent::Order(FleetOrderChange { seq, order })
    }

    #[test]
    fn a_picture_is_the_snapshot_and_what_came_after_it() {
        let (id, first, second) = (CourierId::new(), OrderId::new(), OrderId::new());
        let mut picture = Picture::default();
        let events = [
            snapshot(vec![ana(id)]),
            at(1, id, 10),
            order(2, first, OrderStatus::Created),
            order(3, second, OrderStatus::Created),
            order(4, first, OrderStatus::Cancelled),
            FleetEvent::Heartbeat(doorstep_shared::protocol::ServerTime { server_time_ms: 0 }),
            at(5, id, 20),
        ];
        events.into_iter().for_each(|event| picture.take(event, Codec::Json).expect("no gap"));
        assert_eq!(picture.couriers[&id].position.map(|position| position.time_ms), Some(20));
        assert_eq!(picture.orders.keys().copied().collect::<Vec<_>>(), [second]);
        assert_eq!((picture.batches, picture.went_back, picture.violations), (2, 0, vec![]));
    }

    #[test]
    fn a_gap_going_back_and_a_stranger_are_noticed() {
        let id = CourierId::new();
        let mut picture = Picture::default();
        assert_eq!(picture.take(at(3, id, 1), Codec::Json), Err(Gap));
        picture.connected();
        assert_eq!(picture.take(snapshot(vec![ana(id)]), Codec::Json), Ok(()));
        assert_eq!(picture.take(at(1, id, 10), Codec::Json), Ok(()));
        assert_eq!(picture.take(at(2, id, 5), Codec::Json), Ok(()));
        let without = FleetEvent::Courier(FleetCourierChange { seq: 3, courier: ana(id), archived: None });
        assert_eq!(picture.take(without, Codec::Json), Ok(()));
        assert_eq!(picture.take(at(4, CourierId::new(), 5), Codec::Json), Ok(()));
        assert_eq!(picture.take(at(6, id, 30), Codec::Json), Err(Gap));
        assert_eq!((picture.gaps, picture.went_back, picture.violations.len()), (2, 2, 1));
    }
}
