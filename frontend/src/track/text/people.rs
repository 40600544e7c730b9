//! Who brings the order, from where and to where.

use doorstep_shared::{OrderStatus, Vehicle};

use crate::{track::page::Page, ui::text::join};

/// The courier's name, or what stands for it.
pub fn courier_name(page: &Page) -> String {
    match &page.snapshot().courier {
        Some(courier) => courier.name.clone(),
        None => "Your courier".to_owned(),
    }
}

/// The heading of the courier's card.
pub fn courier_heading(page: &Page) -> String {
    match (&page.snapshot().courier, page.status().is_final()) {
        (Some(courier), _) => courier.name.clone(),
        (None, false) => "No courier yet".to_owned(),
        (None, true) => "No courier".to_owned(),
    }
}

/// The first letter of the courier's name, for the disc; empty without a name. The style sheet makes it a capital.
pub fn courier_initial(page: &Page) -> String {
    let name = page.snapshot().courier.as_ref().map_or("", |courier| courier.name.trim());
    name.chars().next().map_or(String::new(), String::from)
}

/// Below the courier's name.
pub fn courier_detail(page: &Page) -> String {
    let Some(courier) = &page.snapshot().courier else {
        return if page.status().is_final() { "Nobody was on the way." } else { "You will see here who brings it." }
            .to_owned();
    };
    let by = riding(courier.vehicle);
    if !page.status().is_active() || page.is_for_later() {
        return by.to_owned();
    }
    join(&[by, " · ", &turn(page)])
}

/// Below the address of the door: the merchant's instructions for the courier, and after delivery the courier's note.
pub fn dropoff_detail(page: &Page) -> String {
    let over = page.status().is_final();
    match (&page.order.note, &page.order.instructions) {
        (Some(note), _) if over && page.status() == OrderStatus::Delivered => join(&["Note: ", note]),
        (_, Some(instructions)) if !over => instructions.clone(),
        _ => String::new(),
    }
}

/// Below the pickup.
pub fn pickup_detail(page: &Page) -> String {
    let reference = join(&["Order ", &page.snapshot().order.reference]);
    match page.reached_at_ms(OrderStatus::PickedUp) {
        Some(at_ms) => join(&[&reference, " · picked up ", &page.at(at_ms)]),
        None => reference,
    }
}

fn riding(vehicle: Vehicle) -> &'static str {
    match vehicle {
        Vehicle::Foot => "on foot",
        Vehicle::Bicycle => "by bicycle",
        Vehicle::Scooter => "by scooter",
        Vehicle::Motorcycle => "by motorcycle",
        Vehicle::Car => "by car",
        Vehicle::Van => "by van",
    }
}

fn turn(page: &Page) -> String {
    match page.snapshot().order.stops_before {
        0 => "you are next".to_owned(),
        count => stops(count),
    }
}

/// How many stops the courier makes first.
pub fn stops(count: u32) -> String {
    join(&[&count.to_string(), if count == 1 { " stop before you" } else { " stops before you" }])
}
