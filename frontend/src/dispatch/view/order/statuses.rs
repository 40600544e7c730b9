//! The statuses that a dispatcher may set by hand.

use doorstep_shared::{OrderId, OrderStatus};
use leptos::prelude::*;

use crate::dispatch::{
    console::{Console, Deed, OrderIntent, Subject},
    store::use_store,
    text,
};

/// In the order of a delivery's life.
const SETTABLE: [OrderStatus; 7] = [
    OrderStatus::AtPickup,
    OrderStatus::PickedUp,
    OrderStatus::AtDropoff,
    OrderStatus::Delivered,
    OrderStatus::Failed,
    OrderStatus::Returned,
    OrderStatus::Cancelled,
];

#[component]
pub fn Statuses(id: OrderId) -> impl IntoView {
    let is_over =
        use_store().memo(Subject::Fleet, move |console| status(console, id).is_none_or(OrderStatus::is_final));
    view! {
        <details class="statuses" hidden=is_over>
            <summary>"Change status"</summary>
            <div class="actions">
                {SETTABLE.map(|next| view! { <StatusButton id next /> }).into_iter().collect_view()}
            </div>
        </details>
    }
}

#[component]
fn StatusButton(id: OrderId, next: OrderStatus) -> impl IntoView {
    let store = use_store();
    let is_offered = store
        .memo(Subject::Fleet, move |console| status(console, id).is_some_and(|now| Deed::Status(next).is_offered(now)));
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    view! {
        <button
            type="button"
            class="quiet"
            data-tone=matches!(next, OrderStatus::Failed | OrderStatus::Cancelled).then_some("bad")
            hidden=move || !is_offered.get()
            disabled=is_busy
            on:click=move |_| store.send(OrderIntent::Status { order: id, status: next })
        >
            {text::action(next)}
        </button>
    }
}

fn status(console: &Console, id: OrderId) -> Option<OrderStatus> {
    console.fleet.orders.get(&id).map(|order| order.status)
}
