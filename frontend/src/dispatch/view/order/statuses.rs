//! The statuses that a dispatcher may set by hand.

use doorstep_shared::{OrderId, OrderStatus};
use leptos::prelude::*;

use crate::dispatch::{
    console::{OrderIntent, Subject},
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
pub fn Statuses(id: OrderId, status: Memo<Option<OrderStatus>>) -> impl IntoView {
    let is_over = move || status.get().is_none_or(OrderStatus::is_final);
    view! {
        <details class="statuses" hidden=is_over>
            <summary>"Change status"</summary>
            <div class="actions">
                {SETTABLE.map(|next| view! { <StatusButton id status next /> }).into_iter().collect_view()}
            </div>
        </details>
    }
}

#[component]
fn StatusButton(id: OrderId, status: Memo<Option<OrderStatus>>, next: OrderStatus) -> impl IntoView {
    let store = use_store();
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    view! {
        <button
            type="button"
            class="quiet"
            data-tone=matches!(next, OrderStatus::Failed | OrderStatus::Cancelled).then_some("bad")
            hidden=move || !status.get().is_some_and(|now| is_offered(now, next))
            disabled=is_busy
            on:click=move |_| store.send(OrderIntent::Status { order: id, status: next })
        >
            {text::action(next)}
        </button>
    }
}

/// An order without a courier can only be cancelled by hand.
fn is_offered(now: OrderStatus, next: OrderStatus) -> bool {
    now.can_become(next) && (now != OrderStatus::Created || next == OrderStatus::Cancelled)
}
