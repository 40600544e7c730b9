//! The dialog for the next attempt at an order: its new window, and who is to bring it.

use doorstep_shared::CourierId;
use leptos::{ev, prelude::*};
use uuid::Uuid;

use crate::{
    dispatch::{
        console::{Dialog, DialogIntent, OrderIntent, Subject, TypedAttempt},
        store::use_store,
        view::{parts::Input, picker::Picker},
    },
    ui::bind::live_text,
};

#[component]
pub fn NextAttempt() -> impl IntoView {
    let store = use_store();
    let present = store.peek(|console| match &*console.dialog {
        Some(Dialog::Attempt { order, .. }) => console.fleet.orders.get(order).and_then(|order| order.courier_id),
        _ => None,
    });
    let ends = [(); 4].map(|()| RwSignal::new(String::new()));
    let chosen = RwSignal::new(present.map_or(Uuid::nil(), |id| *id.as_uuid()));
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    let with = store.memo(Subject::Fleet, move |console| {
        let courier = console.fleet.couriers.get(&CourierId::from_uuid(chosen.get()));
        courier.map_or_else(|| "the present courier".to_owned(), |courier| courier.name.clone())
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let [from, from_date, until, until_date] = ends.map(|end| end.get_untracked());
        let courier = Some(CourierId::from_uuid(chosen.get_untracked())).filter(|id| Some(*id) != present);
        let courier = courier.filter(|id| !id.as_uuid().is_nil());
        store.send(OrderIntent::Attempt(Box::new(TypedAttempt { from_date, from, until_date, until, courier })));
    };
    view! {
        <form novalidate on:submit=submit>
            <p class="note">
                "The reference, the tracking link and the PIN stay. Without a new window the order is promised for no time."
            </p>
            <div class="pair">
                <Input label="Promised from" kind="time" value=ends[0] />
                <Input label="on the day" kind="date" value=ends[1] />
            </div>
            <div class="pair">
                <Input label="Promised until" kind="time" value=ends[2] />
                <Input label="on that or another day" kind="date" value=ends[3] />
            </div>
            <Picker label="Choose" chosen />
            <div class="actions">
                <button
                    type="submit"
                    class="primary"
                    disabled=is_busy
                    inner_html=live_text(move || format!("Try again with {}", with.get()))
                ></button>
                <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::Close)>"Not yet"</button>
            </div>
        </form>
    }
}
