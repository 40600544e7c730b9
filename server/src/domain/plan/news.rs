//! What a change of an order is to its courier: an order that is new to them, or fields that they should look at again.

use crate::domain::order::Order;

/// What a courier has not seen yet of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The whole order.
    New,
    /// These parts of it, as `Stop::changed` of the courier's socket names them.
    Changed(Vec<&'static str>),
}

/// What a change from `before` to `after` is to the courier who has the order then; `None` when it is no news to them.
pub fn news_for_courier(before: &Order, after: &Order) -> Option<News> {
    after.courier_id?;
    let is_new = before.courier_id != after.courier_id
        || before.attempt != after.attempt
        || (!before.status.is_active() && after.status.is_active());
    if is_new {
        return Some(News::New);
    }
    let changed = changed_parts(before, after);
    (!changed.is_empty()).then_some(News::Changed(changed))
}

fn changed_parts(before: &Order, after: &Order) -> Vec<&'static str> {
    let place = |order: &Order| {
        let of = |waypoint: &crate::domain::order::Waypoint| (waypoint.point, waypoint.address.clone());
        (of(&order.pickup), of(&order.dropoff))
    };
    let instructions = |order: &Order| (order.pickup.instructions.clone(), order.dropoff.instructions.clone());
    let contact =
        |order: &Order| (order.customer.name.clone(), order.customer.phone.clone(), order.pickup.phone.clone());
    let window = |order: &Order| (order.promised_from, order.promised_until);
    let goods = |order: &Order| (order.reference.clone(), order.demands.size, order.demands.requires.clone());
    let parts = [
        ("address", place(before) != place(after)),
        ("instructions", instructions(before) != instructions(after)),
        ("contact", contact(before) != contact(after)),
        ("window", window(before) != window(after)),
        ("goods", goods(before) != goods(after)),
        ("note", before.demands.note != after.demands.note),
    ];
    parts.into_iter().filter(|(_, is_changed)| *is_changed).map(|(part, _)| part).collect()
}
