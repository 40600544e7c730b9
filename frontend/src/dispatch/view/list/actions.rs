//! What is done to the rows of the list, heard by the list.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event};

use crate::dispatch::{
    console::{BulkIntent, Console, Intent, Item, OrderIntent},
    store::Store,
    view::drag,
};

/// The listeners; copies are the same.
#[derive(Clone, Copy)]
pub struct Actions {
    store: Store,
    /// What the pointer was put down on. The list may be sorted before it is lifted, and then nothing is meant.
    pressed: StoredValue<Option<Item>>,
}

impl Actions {
    pub fn new(store: Store) -> Self {
        Self { store, pressed: StoredValue::new(None) }
    }

    /// What the row under an event shows.
    fn item(self, event: &Event) -> Option<Item> {
        let row = element(event)?.closest(".row").ok()??;
        let position: usize = row.get_attribute("aria-posinset")?.parse().ok()?;
        self.store.peek(|console: &Console| console.list.items.get(position.checked_sub(1)?).copied())
    }

    pub fn pressed(self, event: &Event) {
        self.pressed.set_value(self.item(event));
    }

    pub fn clicked(self, event: &ev::MouseEvent) {
        let pressed = self.pressed.try_update_value(Option::take).flatten();
        let Some(item) = self.item(event).filter(|item| pressed.is_none_or(|pressed| pressed == *item)) else { return };
        let is_pick = element(event).is_some_and(|element| element.class_list().contains("pick"));
        let has_modifier = event.shift_key() || event.ctrl_key() || event.meta_key();
        match item {
            Item::Order(order) if is_pick || has_modifier => {
                self.store.send(BulkIntent::Pick { order, is_range: event.shift_key() });
            }
            _ => self.store.send(Intent::Open(item.opens())),
        }
    }

    pub fn pointed(self, event: &Event) {
        let item = self.item(event);
        if item.is_some() && self.store.peek(|console| console.selection.hover != item) {
            self.store.send(Intent::Hover(item));
        }
    }

    pub fn drag_begun(self, event: &ev::DragEvent) {
        if let Some(Item::Order(order)) = self.item(event) {
            drag::begin(event, order);
        }
    }

    pub fn dragged_over(self, event: &ev::DragEvent) {
        if matches!(self.item(event), Some(Item::Courier(_))) {
            drag::allow_drop(event);
        }
    }

    pub fn dropped(self, event: &ev::DragEvent) {
        if let Some(Item::Courier(courier)) = self.item(event)
            && let Some(order) = drag::dropped_order(event)
        {
            self.store.send(OrderIntent::Assign { order, courier });
        }
    }
}

fn element(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}
