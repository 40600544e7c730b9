//! How much a courier carries after each stop, in an order of stops that the server has not computed yet.

use doorstep_shared::{OrderId, api::plan::PlanView, protocol::courier::StopKind};

use super::Arrangement;

/// The load after each stop of `plan`, from the server's for its own order and the sizes of the orders.
pub fn loads(view: &PlanView, plan: &Arrangement, size: impl Fn(OrderId) -> u32) -> Vec<u32> {
    let change = |kind, order| match kind {
        StopKind::Pickup => i64::from(size(order)),
        StopKind::Dropoff | StopKind::Return => -i64::from(size(order)),
    };
    let (Some(first), Some(after_first)) = (view.stops.first(), view.load.first()) else { return Vec::new() };
    let mut load = i64::from(*after_first) - change(first.kind, first.order_id);
    let after = |stop: &doorstep_shared::api::plan::PlanStop| {
        load += change(stop.kind, stop.order_id);
        u32::try_from(load).unwrap_or(0)
    };
    plan.stops.iter().map(after).collect()
}

#[cfg(test)]
mod tests {
    use doorstep_shared::api::plan::{PlanStop, PlannedStop};

    use super::*;

    #[test]
    fn another_order_of_the_stops_carries_the_same_goods() {
        let [loaded, waiting] = [OrderId::new(), OrderId::new()];
        let stop = |order_id, kind| PlanStop { order_id, kind };
        let stops =
            [stop(loaded, StopKind::Dropoff), stop(waiting, StopKind::Pickup), stop(waiting, StopKind::Dropoff)];
        let planned = |stop: &PlanStop| PlannedStop {
            order_id: stop.order_id,
            kind: stop.kind,
            sequence: 1,
            locked: false,
            arrival: None,
            late: false,
        };
        let view = PlanView {
            version: 1,
            stops: stops.iter().map(planned).collect(),
            shift: None,
            capacity: Some(4),
            load: vec![0, 3, 0],
            metres: None,
            seconds: None,
            line: None,
        };
        let size = |order| if order == loaded { 2 } else { 3 };
        let seen = Arrangement::of(&view);
        assert_eq!(loads(&view, &seen, size), [0, 3, 0]);
        assert_eq!(loads(&view, &seen.moved(stops[0], 2), size), [5, 2, 0]);
    }
}
