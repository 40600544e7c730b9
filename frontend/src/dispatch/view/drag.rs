//! An order that is dragged onto a courier.

use doorstep_shared::OrderId;
use web_sys::DragEvent;

/// The type under which a dragged order travels; the map's script knows it too.
const DRAGGED: &str = "application/x-doorstep-order";

/// Begins to drag an order.
pub fn begin(event: &DragEvent, order: OrderId) {
    if let Some(data) = event.data_transfer() {
        let _ = data.set_data(DRAGGED, &order.to_string());
        data.set_effect_allowed("move");
    }
}

/// Whether an order is being dragged.
pub fn carries_order(event: &DragEvent) -> bool {
    event
        .data_transfer()
        .is_some_and(|data| data.types().iter().any(|kind| kind.as_string().as_deref() == Some(DRAGGED)))
}

/// Lets an order be dropped here.
pub fn allow_drop(event: &DragEvent) {
    if carries_order(event) {
        event.prevent_default();
    }
}

/// The order that was dropped.
pub fn dropped_order(event: &DragEvent) -> Option<OrderId> {
    let order = event.data_transfer()?.get_data(DRAGGED).ok()?.parse().ok()?;
    event.prevent_default();
    Some(order)
}
