//! The form for a new order: what is typed, what the search finds, and pins on the map.

use leptos::{ev, prelude::*};

use super::{
    fields::{Fields, FormProblem},
    parts::DrawerHead,
};
use crate::{
    dispatch::{
        console::{DraftIntent, Subject},
        store::use_store,
    },
    ui::bind::live_text,
};

#[component]
pub fn CreateOrder() -> impl IntoView {
    let store = use_store();
    let is_busy = store.memo(Subject::Form, |console| console.form.is_busy);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        store.send(DraftIntent::Save);
    };
    view! {
        <form class="open create" novalidate on:submit=submit>
            <DrawerHead title=Signal::stored("New order".to_owned()) />
            <FormProblem />
            <Fields />
            <div class="actions">
                <button
                    type="submit"
                    class="primary"
                    disabled=is_busy
                    inner_html=live_text(move || if is_busy.get() { "Creating…" } else { "Create order" })
                ></button>
            </div>
        </form>
    }
}
