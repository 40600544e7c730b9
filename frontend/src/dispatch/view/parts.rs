//! What the drawer's screens are made of: a heading with a way back, a problem, and lines of facts.

use leptos::prelude::*;

use super::icon::Icon;
use crate::{
    dispatch::{
        console::{Intent, Subject},
        route::Open,
        store::use_store,
    },
    ui::bind::live_value,
};

/// The drawer's first line: what is open, and a way back.
#[component]
pub fn DrawerHead(#[prop(into)] title: Signal<String>) -> impl IntoView {
    let store = use_store();
    view! {
        <div class="drawer-head">
            <h2 inner_html=live_value(title)></h2>
            <button
                type="button"
                class="round"
                aria-label="Close"
                on:click=move |_| store.send(Intent::Open(Open::Nothing))
            >
                <Icon name="close" />
            </button>
        </div>
    }
}

/// Why the last call failed.
#[component]
pub fn Problem() -> impl IntoView {
    let text = use_store().memo(Subject::Drawer, |console| console.drawer.problem.clone().unwrap_or_default());
    view! { <Alert text /> }
}

/// A problem; nothing while its text is empty.
#[component]
pub fn Alert(text: Memo<String>) -> impl IntoView {
    view! {
        <p class="problem" role="alert" hidden=move || text.with(String::is_empty) inner_html=live_value(text)></p>
    }
}

/// A line of facts: a name and its value. Hidden while the value is empty.
#[component]
pub fn Fact(
    name: &'static str,
    value: Memo<String>,
    /// It is an address or a name, which no page translator may change.
    #[prop(optional)]
    is_data: bool,
) -> impl IntoView {
    view! {
        <div class="fact" hidden=move || value.with(String::is_empty)>
            <dt>{name}</dt>
            <dd translate=if is_data { "no" } else { "yes" } inner_html=live_value(value)></dd>
        </div>
    }
}

/// A line of facts with a number to call. Hidden without one.
#[component]
pub fn PhoneFact(name: &'static str, value: Memo<String>) -> impl IntoView {
    view! {
        <div class="fact" hidden=move || value.with(String::is_empty)>
            <dt>{name}</dt>
            <dd>
                <a translate="no" href=move || format!("tel:{}", value.get()) inner_html=live_value(value)></a>
            </dd>
        </div>
    }
}

/// Grey rows until the first ones come.
#[component]
pub fn Skeleton(rows: usize, is_shown: Memo<bool>) -> impl IntoView {
    let bone = || view! { <div class="bone"><span></span><span></span></div> };
    view! {
        <div class="skeleton" aria-hidden="true" hidden=move || !is_shown.get()>
            {(0..rows).map(|_| bone()).collect_view()}
        </div>
    }
}

/// A field of a dialog, which keeps its text itself.
#[component]
pub fn Input(
    #[prop(into)] label: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "")] placeholder: &'static str,
    #[prop(optional)] id: Option<&'static str>,
    value: RwSignal<String>,
) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                id=id
                type=kind
                autocomplete="off"
                autofocus=id.is_some()
                placeholder=placeholder
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
            />
        </label>
    }
}
