use chrono::TimeDelta;
use doorstep_shared::{LatLon, Vehicle};
use proptest::{prelude::*, sample::select};

use super::*;
use crate::{domain::order::visibility::tests::order, platform::clock::from_ms};

fn stop(order_id: OrderId, kind: StopKind) -> PlanStop {
    PlanStop { order_id, kind }
}

fn pickup(order: &Order) -> PlanStop {
    stop(order.id, StopKind::Pickup)
}

fn dropoff(order: &Order) -> PlanStop {
    stop(order.id, StopKind::Dropoff)
}

fn of(courier: CourierId, status: OrderStatus, assigned_s: i64) -> Order {
    Order { courier_id: Some(courier), ..order(status, assigned_s) }
}

fn at(order: Order, pickup: (f64, f64), dropoff: (f64, f64)) -> Order {
    let point = |(lat, lon)| LatLon::try_new(lat, lon).expect("on earth");
    let pickup = Waypoint { point: point(pickup), ..order.pickup };
    Order { dropoff: Waypoint { point: point(dropoff), ..order.dropoff }, pickup, ..order }
}

fn placing(capacity: Option<u32>) -> Placing {
    Placing { new_stops: NewStops::Cheapest, here: None, vehicle: Vehicle::Scooter, capacity, now_ms: 0 }
}

#[test]
fn goods_on_board_are_handed_over_or_brought_back() {
    use StopKind::{Dropoff, Pickup, Return};
    let (ana, ben) = (CourierId::new(), CourierId::new());
    let with = |status, has_goods: bool| Order { carried_by: has_goods.then_some(ana), ..of(ana, status, 0) };
    for (status, has_goods, expected) in [
        (OrderStatus::Assigned, false, &[Pickup, Dropoff][..]),
        (OrderStatus::AtPickup, false, &[Pickup, Dropoff]),
        (OrderStatus::Assigned, true, &[Dropoff]),
        (OrderStatus::PickedUp, true, &[Dropoff]),
        (OrderStatus::AtDropoff, true, &[Dropoff]),
        (OrderStatus::Failed, true, &[Return]),
        (OrderStatus::Cancelled, true, &[Return]),
        (OrderStatus::Failed, false, &[]),
        (OrderStatus::Cancelled, false, &[]),
        (OrderStatus::Delivered, false, &[]),
        (OrderStatus::Returned, false, &[]),
    ] {
        assert_eq!(open_stops(&with(status, has_goods), ana), expected, "{status} {has_goods}");
        assert_eq!(open_stops(&with(status, has_goods), ben), &[][..], "{status} is none of Ben's");
    }
}

#[test]
fn without_a_stored_plan_the_order_is_that_of_servers_without_plans() {
    let ana = CourierId::new();
    let (first, second) = (of(ana, OrderStatus::Assigned, 1), of(ana, OrderStatus::Assigned, 2));
    let on_board = of(ana, OrderStatus::PickedUp, 3);
    let planned = Planned::new(ana, None, vec![second.clone(), first.clone(), on_board.clone()]);
    let expected = [dropoff(&on_board), pickup(&first), dropoff(&first), pickup(&second), dropoff(&second)];
    assert_eq!(planned.plan.stops, expected);
    assert_eq!(planned.visible().map(|order| order.id), Some(on_board.id));
    assert_eq!(planned.orders_before(second.id), Some(2));
    assert_eq!(planned.sequences()[&second.id], 4);
}

#[test]
fn no_customer_sees_a_courier_who_brings_goods_back() {
    let ana = CourierId::new();
    let back = Order { carried_by: Some(ana), ..of(ana, OrderStatus::Failed, 0) };
    let next = of(ana, OrderStatus::Assigned, 1);
    let stored = Plan { stops: vec![stop(back.id, StopKind::Return)], ..Plan::default() };
    let planned = Planned::new(ana, Some(stored), vec![next.clone(), back.clone()]);
    assert_eq!(planned.visible(), None);
    assert_eq!(planned.orders_before(next.id), Some(1));
}

#[test]
fn a_stop_that_the_courier_makes_now_comes_first_and_an_unbroken_delivery_with_it() {
    let ana = CourierId::new();
    let (a, b) = (of(ana, OrderStatus::Assigned, 1), of(ana, OrderStatus::Assigned, 2));
    let limits = Limits::default();
    let mut apart = Plan { stops: vec![pickup(&a), dropoff(&a), pickup(&b), dropoff(&b)], ..Plan::default() };
    apart.move_to_front(pickup(&b), &limits, false);
    assert_eq!(apart.stops, [pickup(&b), dropoff(&b), pickup(&a), dropoff(&a)]);
    let mut together = Plan { stops: vec![pickup(&a), pickup(&b), dropoff(&a), dropoff(&b)], ..Plan::default() };
    together.move_to_front(pickup(&b), &limits, false);
    assert_eq!(together.stops, [pickup(&b), pickup(&a), dropoff(&a), dropoff(&b)]);
    let mut on_board = Plan { stops: vec![dropoff(&a), pickup(&b), dropoff(&b)], ..Plan::default() };
    on_board.move_to_front(pickup(&b), &limits, false);
    assert_eq!(on_board.stops, [pickup(&b), dropoff(&a), dropoff(&b)], "what is on board is handed over first");
    let small = Limits { capacity: Some(1), ..Limits::default() };
    let mut small_bag = Plan { stops: vec![pickup(&a), dropoff(&a), pickup(&b), dropoff(&b)], ..Plan::default() };
    small_bag.move_to_front(pickup(&b), &small, false);
    assert_eq!(small.excess(&small_bag.stops), 0);
}

#[test]
fn orders_that_are_collected_at_one_kitchen_stay_together() {
    let ana = CourierId::new();
    let (a, b) = (of(ana, OrderStatus::Assigned, 1), of(ana, OrderStatus::Assigned, 2));
    let stops = vec![pickup(&a), pickup(&b), dropoff(&b), dropoff(&a)];
    let plan = Plan { stops, ..Plan::default() };
    let mut planned = Planned::new(ana, Some(plan.clone()), vec![a.clone(), b.clone()]);
    planned.turn_to(pickup(&b), &Limits::default());
    assert_eq!(planned.plan.stops, [pickup(&b), pickup(&a), dropoff(&b), dropoff(&a)]);
    let far = at(a.clone(), (35.95, 14.40), (35.89, 14.51));
    let mut apart = Planned::new(ana, Some(plan), vec![far, b.clone()]);
    apart.turn_to(pickup(&b), &Limits::default());
    assert_eq!(apart.plan.stops, [pickup(&b), dropoff(&b), pickup(&a), dropoff(&a)], "of two kitchens they do not");
}

#[test]
fn fixed_stops_keep_their_places_beside_those_that_come_and_go() {
    let ana = CourierId::new();
    let orders: Vec<_> = (0..3).map(|second| of(ana, OrderStatus::PickedUp, second)).collect();
    let stops: Vec<_> = orders.iter().map(dropoff).collect();
    let plan = Plan { version: 1, locked: 2, stops: stops.clone() };
    let done = plan.clone().reconcile(&stops[1..]);
    assert_eq!((done.locked, &done.stops[..]), (1, &stops[1..]));
    let mut overtaken = plan.clone();
    overtaken.move_to_front(stops[2], &Limits::default(), false);
    assert_eq!((overtaken.locked, overtaken.stops), (3, vec![stops[2], stops[0], stops[1]]));
    assert_eq!(plan.first_unlocked(&[stops[0], stops[2], stops[1]]), Some(stops[1]));
    assert_eq!(plan.first_unlocked(&stops), None);
}

#[test]
fn a_refused_order_of_stops_names_its_reason() {
    let ana = CourierId::new();
    let (a, b) = (of(ana, OrderStatus::Assigned, 1), of(ana, OrderStatus::Assigned, 2));
    let stops = [pickup(&a), dropoff(&a), pickup(&b), dropoff(&b)];
    let plan = Plan { version: 3, locked: 1, stops: stops.to_vec() };
    let limits = Limits { capacity: Some(1), ..Limits::default() };
    let reorder = |wanted: &[PlanStop]| plan.reorder(wanted, None, &limits);
    assert_eq!(reorder(&stops[..3]), Err(Refusal::Missing(dropoff(&b))));
    let stranger = stop(OrderId::new(), StopKind::Pickup);
    assert_eq!(reorder(&[&stops[..], &[stranger]].concat()), Err(Refusal::Unknown(stranger)));
    assert_eq!(reorder(&[&stops[..], &stops[..1]].concat()), Err(Refusal::Unknown(stops[0])));
    assert_eq!(reorder(&[stops[1], stops[0], stops[2], stops[3]]), Err(Refusal::DropoffBeforePickup(a.id)));
    assert_eq!(reorder(&[stops[0], stops[2], stops[1], stops[3]]), Err(Refusal::OverCapacity(b.id)));
    let turned = [stops[2], stops[3], stops[0], stops[1]];
    assert_eq!(reorder(&turned), Ok(Plan { version: 3, locked: 1, stops: turned.to_vec() }));
    assert_eq!(plan.reorder(&turned, Some(9), &limits).map(|plan| plan.locked), Ok(4));
    let overfull = Plan { stops: vec![stops[0], stops[2], stops[1], stops[3]], ..plan };
    let no_fuller = [stops[2], stops[0], stops[1], stops[3]];
    assert!(overfull.reorder(&no_fuller, None, &limits).is_ok(), "it cannot be put right by refusing every order");
}

/// The stops of `orders` after the last of them was assigned to a courier with `capacity`.
fn after_assigning(capacity: Option<u32>, orders: &[Order]) -> Planned {
    let courier = orders[0].courier_id.expect("it has one");
    let mut planned = Planned::default();
    for (index, order) in orders.iter().enumerate() {
        let before = planned.plan.clone();
        planned = Planned::new(courier, Some(before.clone()), orders[..=index].to_vec());
        planned = planned.placing(order.id, &before, &placing(capacity));
    }
    planned
}

#[test]
fn two_orders_from_one_kitchen_are_one_trip() {
    let ana = CourierId::new();
    let kitchen = (35.90, 14.50);
    let a = at(of(ana, OrderStatus::Assigned, 1), kitchen, (35.92, 14.50));
    let b = at(of(ana, OrderStatus::Assigned, 2), kitchen, (35.93, 14.50));
    assert_eq!(
        after_assigning(None, &[a.clone(), b.clone()]).plan.stops,
        [pickup(&a), pickup(&b), dropoff(&a), dropoff(&b)]
    );
    let small = after_assigning(Some(1), &[a.clone(), b.clone()]);
    assert_eq!(small.plan.stops, [pickup(&a), dropoff(&a), pickup(&b), dropoff(&b)], "two do not fit into the bag");
}

#[test]
fn an_order_on_the_way_is_taken_along_but_not_past_its_promise() {
    let ana = CourierId::new();
    let far = at(of(ana, OrderStatus::PickedUp, 1), (35.90, 14.50), (35.95, 14.50));
    let farther = at(of(ana, OrderStatus::PickedUp, 2), (35.90, 14.50), (35.99, 14.50));
    let between = at(of(ana, OrderStatus::Assigned, 3), (35.96, 14.50), (35.97, 14.50));
    let taken_along = after_assigning(None, &[far.clone(), farther.clone(), between.clone()]);
    assert_eq!(taken_along.plan.stops, [dropoff(&far), pickup(&between), dropoff(&between), dropoff(&farther)]);
    let here = LatLon::try_new(35.90, 14.50).expect("on earth");
    let soon = Order { promised_until: Some(from_ms(0) + TimeDelta::minutes(35)), ..farther.clone() };
    let orders = vec![far.clone(), soon, between.clone()];
    let before = Plan { stops: vec![dropoff(&far), dropoff(&farther)], ..Plan::default() };
    let planned = Planned::new(ana, Some(before.clone()), orders);
    let hurried = planned.placing(between.id, &before, &Placing { here: Some(here), ..placing(None) });
    assert_eq!(hurried.plan.stops.last(), Some(&dropoff(&between)), "the other customer would be late");
}

#[test]
fn a_new_order_never_moves_fixed_stops_or_the_first() {
    let ana = CourierId::new();
    let kitchen = (35.90, 14.50);
    let orders: Vec<_> =
        (0..4).map(|n| at(of(ana, OrderStatus::Assigned, n), kitchen, (35.92, 14.50 + 0.01 * n as f64))).collect();
    let before = after_assigning(None, &orders[..3]).plan;
    for locked in 0..=before.stops.len() {
        let before = Plan { locked, ..before.clone() };
        let planned = Planned::new(ana, Some(before.clone()), orders.clone());
        let planned = planned.placing(orders[3].id, &before, &placing(None));
        let kept = locked.max(1);
        assert_eq!(planned.plan.stops[..kept], before.stops[..kept]);
        assert_eq!(planned.plan.locked, locked);
    }
}

#[test]
fn a_courier_learns_what_is_new_to_them() {
    let (ana, ben) = (CourierId::new(), CourierId::new());
    let before = of(ana, OrderStatus::Assigned, 0);
    assert_eq!(news_for_courier(&before, &before), None);
    assert_eq!(news_for_courier(&before, &Order { status: OrderStatus::PickedUp, ..before.clone() }), None);
    assert_eq!(news_for_courier(&before, &Order { courier_id: None, ..before.clone() }), None);
    assert_eq!(news_for_courier(&before, &Order { courier_id: Some(ben), ..before.clone() }), Some(News::New));
    assert_eq!(news_for_courier(&before, &Order { attempt: 2, ..before.clone() }), Some(News::New));
    let mut edited = before.clone();
    edited.dropoff.address = "elsewhere".into();
    edited.promised_until = Some(from_ms(1));
    edited.demands.note = Some("fragile".into());
    assert_eq!(news_for_courier(&before, &edited), Some(News::Changed(vec!["address", "window", "note"])));
}

/// What may happen to a courier's orders and plan.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// An order is assigned; its place is near the number.
    Assign(u8, u32),
    /// An order takes the status that follows, from the courier or from dispatch.
    Report(usize),
    /// The same, and the goods stay on board.
    Fail(usize),
    /// An order goes away.
    Unassign(usize),
    /// An older server assigns an order, and writes no plan.
    AssignByOlderServer(u8),
    /// Dispatch or the courier moves a stop.
    Move(usize, usize),
    /// The first stops are fixed.
    Lock(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (any::<u8>(), 1..4u32).prop_map(|(place, size)| Step::Assign(place, size)),
        4 => any::<usize>().prop_map(Step::Report),
        1 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::Unassign),
        1 => any::<u8>().prop_map(Step::AssignByOlderServer),
        3 => any::<(usize, usize)>().prop_map(|(from, to)| Step::Move(from, to)),
        1 => any::<usize>().prop_map(Step::Lock),
    ];
    prop::collection::vec(step, 1..40)
}

/// The reports that may come next.
fn reports(status: OrderStatus) -> Vec<OrderStatus> {
    use OrderStatus::{AtDropoff, AtPickup, Delivered, PickedUp};
    [AtPickup, PickedUp, AtDropoff, Delivered].into_iter().filter(|to| status.can_become(*to)).collect()
}

struct World {
    courier: CourierId,
    capacity: Option<u32>,
    orders: Vec<Order>,
    plan: Plan,
}

impl World {
    fn planned(&self) -> Planned {
        Planned::new(self.courier, Some(self.plan.clone()), self.orders.clone())
    }

    fn pick(&self, index: usize) -> Option<usize> {
        let open: Vec<_> = (0..self.orders.len()).filter(|at| self.orders[*at].status.is_active()).collect();
        (!open.is_empty()).then(|| open[index % open.len()])
    }

    /// Does a step. Returns whether it may have exceeded the capacity because the courier took more than they can.
    fn step(&mut self, step: Step, assigned_s: i64) -> bool {
        match step {
            Step::Assign(place, size) => {
                let mut new = self.new_order(place, assigned_s);
                new.demands.size = size.min(self.capacity.unwrap_or(size));
                let (id, before) = (new.id, self.plan.clone());
                self.orders.push(new);
                self.plan = self.planned().placing(id, &before, &placing(self.capacity)).plan;
            }
            Step::AssignByOlderServer(place) => {
                let new = self.new_order(place, assigned_s);
                self.orders.push(new);
            }
            Step::Report(index) => return self.report(index),
            Step::Fail(index) => {
                let Some(at) = self.pick(index) else { return false };
                let has_goods = matches!(self.orders[at].status, OrderStatus::PickedUp | OrderStatus::AtDropoff);
                self.orders[at].status = OrderStatus::Failed;
                self.orders[at].carried_by = has_goods.then_some(self.courier);
                let before = self.plan.clone();
                self.plan = self.planned().placing(self.orders[at].id, &before, &placing(self.capacity)).plan;
            }
            Step::Unassign(index) => {
                let Some(at) = self.pick(index) else { return false };
                self.orders.remove(at);
                self.plan = self.planned().plan;
            }
            Step::Move(from, to) => self.move_stop(from, to),
            Step::Lock(count) => {
                self.plan = self.planned().plan;
                self.plan.locked = count % (self.plan.stops.len() + 1);
            }
        }
        false
    }

    fn new_order(&self, place: u8, assigned_s: i64) -> Order {
        let near = |n: u8| 35.85 + 0.001 * f64::from(n);
        at(of(self.courier, OrderStatus::Assigned, assigned_s), (near(place), 14.5), (near(place ^ 0x5a), 14.52))
    }

    fn report(&mut self, index: usize) -> bool {
        let Some(at) = self.pick(index) else { return false };
        let order = &self.orders[at];
        let choices = reports(order.status);
        let to = choices[index / 7 % choices.len()];
        let stop = visited(to).map(|kind| PlanStop { order_id: order.id, kind }).expect("these are visits");
        let mut planned = self.planned();
        let limits = planned.limits(self.capacity);
        let on_board = limits.on_board(&planned.plan.stops);
        planned.turn_to(stop, &limits);
        assert!(
            matches!(planned.plan.stops.first(), Some(first) if *first == stop) || !planned.plan.stops.contains(&stop)
        );
        let takes_too_much =
            !order.is_on_board() && self.capacity.is_some_and(|capacity| on_board + limits.size(order.id) > capacity);
        self.orders[at].status = to;
        self.plan = self.planned().with_plan(planned.plan).plan;
        self.plan = self.planned().plan;
        takes_too_much
    }

    fn move_stop(&mut self, from: usize, to: usize) {
        let planned = self.planned();
        let mut wanted = planned.plan.stops.clone();
        if wanted.is_empty() {
            return;
        }
        let stop = wanted.remove(from % wanted.len());
        wanted.insert(to % (wanted.len() + 1), stop);
        self.plan = match planned.plan.reorder(&wanted, None, &planned.limits(self.capacity)) {
            Ok(plan) => plan,
            Err(_) => planned.plan,
        };
    }
}

proptest! {
    #[test]
    fn whatever_happens_a_plan_has_each_open_stop_once_and_can_be_driven(
        steps in steps(), capacity in select(vec![None, Some(3), Some(5)]),
    ) {
        let courier = CourierId::new();
        let mut world = World { courier, capacity, orders: Vec::new(), plan: Plan::default() };
        let mut took_too_much = false;
        for (assigned_s, step) in (0..).zip(steps) {
            took_too_much |= world.step(step, assigned_s);
            let planned = world.planned();
            let stops = &planned.plan.stops;
            let mut expected: Vec<_> = world.orders.iter()
                .flat_map(|order| open_stops(order, courier).iter().map(|kind| stop(order.id, *kind))).collect();
            let mut held = stops.clone();
            let key = |stop: &PlanStop| (stop.order_id, stop.kind as u8);
            expected.sort_by_key(key);
            held.sort_by_key(key);
            prop_assert_eq!(held, expected, "each open stop exactly once");
            prop_assert_eq!(dropoff_before_pickup(stops), None);
            prop_assert!(planned.plan.locked <= stops.len());
            let limits = planned.limits(capacity);
            prop_assert!(took_too_much || limits.excess(stops) == 0, "{:?}", limits.loads(stops));
            prop_assert_eq!(limits.loads(stops).last().copied().unwrap_or(0), 0, "in the end the bag is empty");
            if let Some(visible) = planned.visible() {
                prop_assert!(visible.status.is_active());
                prop_assert_eq!(planned.orders_before(visible.id), Some(0));
                prop_assert_eq!(planned.sequences()[&visible.id], 1);
            }
            let again = planned.plan.clone().reconcile(stops);
            prop_assert_eq!(&again, &planned.plan, "a plan that is right stays as it is");
        }
    }
}
