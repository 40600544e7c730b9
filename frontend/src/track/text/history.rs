//! The steps of the progress bar, and what happened so far.

use doorstep_shared::{OrderStatus, protocol::customer::TimelineEntry};

use super::people::courier_name;
use crate::{
    track::{page::Page, phase::Phase},
    ui::text::join,
};

/// The name of a step of the progress bar.
pub fn step(page: &Page, index: usize) -> &'static str {
    match (index, Phase::of(page)) {
        (0, _) => "Received",
        (1, _) => "Picked up",
        (2, _) => "On the way",
        (_, Phase::Failed) => "Not delivered",
        (_, Phase::Returned) => "Returned",
        (_, Phase::Cancelled) => "Cancelled",
        _ => "Delivered",
    }
}

/// The lines of the timeline that the page has room for; the newest are shown.
pub const LINES: usize = 16;

/// The event of a line.
fn entry(page: &Page, line: usize) -> Option<(usize, TimelineEntry)> {
    let timeline = &page.snapshot().order.timeline;
    let index = timeline.len().saturating_sub(LINES) + line;
    timeline.get(index).map(|entry| (index, *entry))
}

/// A line of the timeline; empty when nothing happened yet that would stand there.
pub fn happened(page: &Page, line: usize) -> String {
    let Some((index, TimelineEntry { status, .. })) = entry(page, line) else { return String::new() };
    let before = index.checked_sub(1).map(|before| page.snapshot().order.timeline[before].status);
    match (before, status) {
        (Some(OrderStatus::Failed), OrderStatus::Assigned) => join(&[&name_at(page, index), " tries again"]),
        (Some(OrderStatus::Assigned | OrderStatus::AtPickup), OrderStatus::Created) => {
            "Another courier is being found".to_owned()
        }
        _ => what(page, index, status),
    }
}

/// Who took the order: the page knows the name of the last courier alone.
fn name_at(page: &Page, index: usize) -> String {
    let later = page.snapshot().order.timeline.iter().skip(index + 1);
    let is_last = !later.clone().any(|entry| matches!(entry.status, OrderStatus::Assigned | OrderStatus::Created));
    if is_last { courier_name(page) } else { "A courier".to_owned() }
}

fn what(page: &Page, index: usize, status: OrderStatus) -> String {
    match status {
        OrderStatus::Created => "Order received".to_owned(),
        OrderStatus::Assigned => join(&[&name_at(page, index), " took the order"]),
        OrderStatus::AtPickup => join(&["At ", &page.snapshot().order.pickup.label]),
        OrderStatus::PickedUp => "Picked up".to_owned(),
        OrderStatus::AtDropoff => "At your door".to_owned(),
        OrderStatus::Delivered => "Delivered".to_owned(),
        OrderStatus::Failed if page.was_collected_before(index) => "Could not be delivered".to_owned(),
        OrderStatus::Failed => "Could not be picked up".to_owned(),
        OrderStatus::Returned => join(&["Returned to ", &page.snapshot().order.pickup.label]),
        OrderStatus::Cancelled => "Cancelled".to_owned(),
    }
}

/// When a line of the timeline was; empty when nothing stands there.
pub fn happened_at(page: &Page, line: usize) -> String {
    entry(page, line).map_or(String::new(), |(_, entry)| page.moment(entry.at_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::page::tests::on_the_way;

    /// The lines of an order with these events, a minute apart.
    fn lines(statuses: &[OrderStatus]) -> Vec<String> {
        let mut page = on_the_way();
        let order = &mut page.order.snapshot.order;
        order.timeline = (0..)
            .zip(statuses)
            .map(|(minute, status)| TimelineEntry { status: *status, at_ms: minute * 60_000 })
            .collect();
        order.status = *statuses.last().expect("an event");
        (0..LINES).map(|line| happened(&page, line)).filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn a_next_attempt_reads_in_the_order_in_which_it_happened() {
        use OrderStatus::{Assigned, AtDropoff, Created, Delivered, Failed, PickedUp};
        assert_eq!(
            lines(&[Created, Assigned, PickedUp, AtDropoff, Failed, Assigned, AtDropoff, Delivered]),
            [
                "Order received",
                "A courier took the order",
                "Picked up",
                "At your door",
                "Could not be delivered",
                "Ana tries again",
                "At your door",
                "Delivered"
            ]
        );
    }

    #[test]
    fn what_was_never_collected_was_not_picked_up() {
        use OrderStatus::{Assigned, AtPickup, Created, Failed};
        assert_eq!(lines(&[Created, Assigned, AtPickup, Failed])[3], "Could not be picked up");
    }

    #[test]
    fn an_order_that_lost_its_courier_says_so() {
        use OrderStatus::{Assigned, AtDropoff, Created, Delivered};
        assert_eq!(
            lines(&[Created, Assigned, Created, Assigned, AtDropoff, Delivered]),
            [
                "Order received",
                "A courier took the order",
                "Another courier is being found",
                "Ana took the order",
                "At your door",
                "Delivered"
            ]
        );
    }

    #[test]
    fn a_long_history_shows_its_newest_lines() {
        let statuses: Vec<_> =
            (0..40).map(|index| if index % 2 == 0 { OrderStatus::Created } else { OrderStatus::Assigned }).collect();
        let lines = lines(&statuses);
        assert_eq!((lines.len(), lines.last().map(String::as_str)), (LINES, Some("Ana took the order")));
    }
}
