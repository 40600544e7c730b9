//! What can be done with the selected orders, and how far it is.

use leptos::prelude::*;

use crate::{
    dispatch::{
        bulk::{Action, Phase, Run},
        console::{BulkIntent, Console, Subject, Wanted},
        store::use_store,
        text,
        view::icon::Icon,
    },
    ui::bind::{live_text, live_value},
};

fn run_of(console: &Console) -> Option<&Run> {
    console.selection.bulk.run.as_ref()
}

#[component]
pub fn BulkBar() -> impl IntoView {
    let store = use_store();
    let count = store.memo(Subject::Selection, |console| console.selection.bulk.picked.len());
    let run = store.memo(Subject::Selection, |console| run_of(console).map(text::run).unwrap_or_default());
    let failed =
        store.memo(Subject::Selection, |console| run_of(console).map(|run| run.failed.join("\n")).unwrap_or_default());
    let is_busy = store.memo(Subject::Selection, |console| run_of(console).is_some_and(Run::is_busy));
    let is_paused =
        store.memo(Subject::Selection, |console| run_of(console).is_some_and(|run| run.phase == Phase::Paused));
    let total = store.memo(Subject::Selection, |console| run_of(console).map_or(1, |run| run.total).to_string());
    let done =
        store.memo(Subject::Selection, |console| run_of(console).map_or(0, |run| run.total - run.left()).to_string());
    let has_nothing = move || count.get() == 0 && run.with(String::is_empty);
    let button = move |name: &'static str, key: &'static str, intent: BulkIntent| {
        view! {
            <button
                type="button"
                class="quiet small"
                data-tone=(name == "Cancel").then_some("bad")
                aria-keyshortcuts=key
                disabled=move || is_busy.get() || count.get() == 0
                on:click=move |_| store.send(intent.clone())
            >
                {name}
            </button>
        }
    };
    view! {
        <section class="bulk" aria-label="Selected orders" hidden=has_nothing>
            <div class="bulk-head">
                <strong inner_html=live_text(move || format!("{} selected", text::orders(count.get())))></strong>
                <button
                    type="button"
                    class="round"
                    aria-label="Select none"
                    on:click=move |_| store.send(BulkIntent::Clear)
                >
                    <Icon name="close" />
                </button>
            </div>
            <div class="actions">
                {button("Assign…", "A", BulkIntent::Ask(Wanted::Assign))}
                {button("Move…", "M", BulkIntent::Ask(Wanted::Move))}
                {button("Unassign", "U", BulkIntent::Start(Action::Unassign))}
                {button("Cancel", "C", BulkIntent::Ask(Wanted::Cancel))}
            </div>
            <div class="bulk-run" hidden=move || run.with(String::is_empty)>
                <p inner_html=live_value(run)></p>
                <progress max=total value=done hidden=move || !is_busy.get() aria-label="Orders done"></progress>
                <button
                    type="button"
                    class="primary"
                    hidden=move || !is_paused.get()
                    on:click=move |_| store.send(BulkIntent::Resume)
                >
                    "Go on"
                </button>
            </div>
            <p
                class="problem lines"
                role="alert"
                hidden=move || failed.with(String::is_empty)
                inner_html=live_value(failed)
            ></p>
        </section>
    }
}
