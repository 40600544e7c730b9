//! An order's fields in its drawer, while the dispatcher changes them. Enter saves, Escape leaves the order as it is.

use leptos::{ev, prelude::*};

use crate::{
    dispatch::{
        console::{DraftIntent, Subject},
        store::use_store,
        view::fields::{Fields, FormProblem},
    },
    ui::bind::live_text,
};

#[component]
pub fn EditOrder() -> impl IntoView {
    let store = use_store();
    let is_busy = store.memo(Subject::Form, |console| console.form.is_busy);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        store.send(DraftIntent::Save);
    };
    view! {
        <form class="create" novalidate aria-label="Edit the order" on:submit=submit>
            <FormProblem />
            <Fields />
            <div class="actions sticky">
                <button
                    type="submit"
                    class="primary"
                    disabled=is_busy
                    inner_html=live_text(move || if is_busy.get() { "Saving…" } else { "Save" })
                ></button>
                <button type="button" class="quiet" on:click=move |_| store.send(DraftIntent::Cancel)>"Cancel"</button>
            </div>
        </form>
    }
}
