//! What a change of an order is to its courier: an order that is new to them, or fields that they should look at again.

use crate::domain::order::{Order, editing::words_for_courier};

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
    let changed = words_for_courier(before, after);
    (!changed.is_empty()).then_some(News::Changed(changed))
}
