//! A file of orders in its dialog: chosen, previewed, and imported.

use doorstep_shared::{
    api::console::{ImportColumn, ImportNote, ImportPreview, ImportRow, MAX_IMPORT_BYTES},
    order_file::COLUMNS,
};
use js_sys::{Array, Uint8Array};
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

use super::parts::Alert;
use crate::{
    dispatch::{
        browser,
        console::{Console, Dialog, DialogIntent, ImportIntent, Subject},
        import::{Import, Step, column_name, encoding_note, sorted},
        store::{Store, use_store},
    },
    live::listen::spawn,
    ui::bind::{live_text, live_value},
};

/// At most so many rows are shown; the summary says how many there are.
const MAX_ROWS: usize = 200;

/// How far the import is, as far as what is mounted depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Choose,
    Mapping,
    Preview,
    Finished,
}

fn import_of(console: &Console) -> Option<&Import> {
    match &*console.dialog {
        Some(Dialog::Import(import)) => Some(import),
        _ => None,
    }
}

fn preview_of(console: &Console) -> Option<&ImportPreview> {
    match &import_of(console)?.step {
        Step::Preview(preview) | Step::Sending(preview) => Some(preview),
        _ => None,
    }
}

fn is_busy(store: Store) -> Memo<bool> {
    store.memo(Subject::Dialog, |console| import_of(console).is_some_and(Import::is_busy))
}

#[component]
pub fn ImportOrders() -> impl IntoView {
    let store = use_store();
    let shown = store.memo(Subject::Dialog, |console| match import_of(console).map(|import| &import.step) {
        Some(Step::Mapping(_)) => Shown::Mapping,
        Some(Step::Preview(_) | Step::Sending(_)) => Shown::Preview,
        Some(Step::Finished(_)) => Shown::Finished,
        _ => Shown::Choose,
    });
    let problem = store.memo(Subject::Dialog, |console| {
        import_of(console).and_then(|import| import.problem.clone()).unwrap_or_default()
    });
    view! {
        <Alert text=problem />
        {move || match shown.get() {
            Shown::Choose => view! { <Choose /> }.into_any(),
            Shown::Mapping => view! { <Mapping /> }.into_any(),
            Shown::Preview => view! { <Preview /> }.into_any(),
            Shown::Finished => view! { <Finished /> }.into_any(),
        }}
    }
}

#[component]
fn Choose() -> impl IntoView {
    let store = use_store();
    let is_busy = is_busy(store);
    let chosen = move |event: ev::Event| {
        let Some(input) = event.target() else { return };
        spawn(Box::pin(async move {
            // One byte too many says that the file is too large.
            let file: Array = browser::chosen_file(&input, MAX_IMPORT_BYTES as u32 + 1).await.unchecked_into();
            let name = file.get(0).as_string().unwrap_or_default();
            let csv = Uint8Array::new(&file.get(1)).to_vec();
            if !name.is_empty() {
                store.send(ImportIntent::File { name, csv });
            }
        }));
    };
    view! {
        <p class="note">
    "A CSV file with a header line. Each row needs a reference, a pickup address or the name of a saved pickup, a delivery address and the customer’s name; addresses are searched for where there are no coordinates. Nothing is created before you have seen every row."
        </p>
        <p>
            <a href="/api/v1/orders/import/template" download="">"Download a template"</a>
        </p>
        <label class="file">
            <span
                inner_html=live_text(move || if is_busy.get() { "Reading the file…" } else { "Choose a file" })
            ></span>
            <input type="file" id="import-file" accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values" disabled=is_busy on:change=chosen />
        </label>
    }
}

/// What each column of the file holds, to be chosen where the headings do not say it.
#[component]
fn Mapping() -> impl IntoView {
    let store = use_store();
    let (columns, encoding) = store.peek(|console| match import_of(console).map(|import| &import.step) {
        Some(Step::Mapping(preview)) => (preview.columns.clone(), encoding_note(preview)),
        _ => Default::default(),
    });
    let missing =
        store.memo(Subject::Dialog, |console| import_of(console).map(Import::missing).unwrap_or_default().join(", "));
    let rows = columns.into_iter().enumerate().map(|(place, column)| view! { <MappedColumn place column /> });
    view! {
        <p>"What does each column hold?"</p>
        <p class="note">{encoding}</p>
        <div class="table mapping" tabindex="0" role="region" aria-label="Columns of the file">
            <table>
                <thead>
                    <tr><th scope="col">"Heading"</th><th scope="col">"For example"</th><th scope="col">"Holds"</th></tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
        <p
            class="problem"
            data-tone="warn"
            role="status"
            hidden=move || missing.with(String::is_empty)
            inner_html=live_text(move || format!("Still missing: {}", missing.get()))
        ></p>
        <div class="actions">
            <button
                type="button"
                class="primary"
                disabled=move || !missing.with(String::is_empty)
                on:click=move |_| store.send(ImportIntent::Mapped)
            >
                "Show the rows"
            </button>
            <button type="button" class="quiet" on:click=move |_| store.send(ImportIntent::Open)>
                "Choose another file"
            </button>
        </div>
    }
}

#[component]
fn MappedColumn(place: usize, column: ImportColumn) -> impl IntoView {
    let store = use_store();
    let chosen = store.memo(Subject::Dialog, move |console| match import_of(console).map(|import| &import.step) {
        Some(Step::Mapping(preview)) => {
            preview.columns.get(place).and_then(|column| column.column.clone()).unwrap_or_default()
        }
        _ => String::new(),
    });
    let map = move |event: ev::Event| store.send(ImportIntent::Map { place, name: event_target_value(&event) });
    let option = move |(name, text): (&'static str, &'static str)| {
        view! { <option value=name selected=move || chosen.with(|chosen| chosen == name)>{text}</option> }
    };
    view! {
        <tr>
            <td translate="no">{column.heading.clone()}</td>
            <td translate="no">{column.samples.join(" · ")}</td>
            <td>
                <select aria-label=format!("What “{}” holds", column.heading) prop:value=chosen on:change=map>
                    {option(("", "Leave it out"))}
                    {COLUMNS.map(|column| option((column.name, column.heading))).into_iter().collect_view()}
                </select>
            </td>
        </tr>
    }
}

/// A text about the preview; empty while there is none.
fn about(store: Store, text: fn(&ImportPreview) -> String) -> Memo<String> {
    store.memo(Subject::Dialog, move |console| preview_of(console).map(text).unwrap_or_default())
}

#[component]
fn Preview() -> impl IntoView {
    let store = use_store();
    let rows = store.peek(|console| {
        let rows = preview_of(console).map(sorted).unwrap_or_default();
        rows.into_iter().take(MAX_ROWS).cloned().collect::<Vec<_>>()
    });
    let is_busy = is_busy(store);
    let has_none = store.memo(Subject::Dialog, |console| preview_of(console).is_some_and(|preview| preview.valid == 0));
    let has_no_columns = store.peek(|console| preview_of(console).is_none_or(|preview| preview.columns.is_empty()));
    view! {
        <p inner_html=live_value(about(store, summary))></p>
        <p class="note" inner_html=live_value(about(store, ignored_columns))></p>
        <p class="note" inner_html=live_value(about(store, encoding_note))></p>
        <div class="table" tabindex="0" role="region" aria-label="Rows of the file">
            <table>
                <thead>
                    <tr><th scope="col">"Line"</th><th scope="col">"Reference"</th><th scope="col">"Door"</th><th scope="col">"What is wrong"</th></tr>
                </thead>
                <tbody>{rows.into_iter().map(|row| view! { <Row row /> }).collect_view()}</tbody>
            </table>
        </div>
        <div class="actions">
            <button
                type="button"
                class="primary"
                disabled=move || is_busy.get() || has_none.get()
                on:click=move |_| store.send(ImportIntent::Confirm)
                inner_html=live_value(about(store, |preview| match preview.valid {
                    1 => "Create 1 order".to_owned(),
                    many => format!("Create {many} orders"),
                }))
            ></button>
            <button
                type="button"
                class="quiet"
                disabled=is_busy
                hidden=has_no_columns
                on:click=move |_| store.send(ImportIntent::Remap)
            >
                "Change columns"
            </button>
            <button type="button" class="quiet" disabled=is_busy on:click=move |_| store.send(ImportIntent::Open)>
                "Choose another file"
            </button>
        </div>
    }
}

fn summary(preview: &ImportPreview) -> String {
    match (preview.valid, preview.invalid) {
        (1, 0) => "The only row is fine.".to_owned(),
        (valid, 0) => format!("All {valid} rows are fine."),
        (0, 1) => "The only row cannot become an order.".to_owned(),
        (0, invalid) => format!("None of the {invalid} rows can become an order."),
        (1, invalid) => format!("1 row is fine; {invalid} will be left out, for the reasons below."),
        (valid, invalid) => format!("{valid} rows are fine; {invalid} will be left out, for the reasons below."),
    }
}

fn ignored_columns(preview: &ImportPreview) -> String {
    match preview.ignored_columns.as_slice() {
        [] => String::new(),
        columns => format!("Left out: {}", columns.join(", ")),
    }
}

#[component]
fn Row(row: ImportRow) -> impl IntoView {
    let (tone, note) = judgement(&row);
    let door = row.order.as_ref().map(|order| order.dropoff.address.clone()).unwrap_or_default();
    view! {
        <tr data-tone=tone>
            <td>{row.line.to_string()}</td>
            <td translate="no">{row.reference}</td>
            <td translate="no">{door}</td>
            <td>{note}</td>
        </tr>
    }
}

/// The tone of a row, and what is wrong with it.
fn judgement(row: &ImportRow) -> (&'static str, String) {
    let text = |notes: &[ImportNote]| {
        let notes = notes.iter().map(|note| {
            let heading = note.heading.as_deref().unwrap_or_else(|| column_name(&note.column));
            format!("{heading}: {}", note.message)
        });
        notes.collect::<Vec<_>>().join("; ")
    };
    if !row.errors.is_empty() {
        ("bad", text(&row.errors))
    } else if !row.warnings.is_empty() {
        ("warn", text(&row.warnings))
    } else {
        ("ok", "Fine".to_owned())
    }
}

#[component]
fn Finished() -> impl IntoView {
    let store = use_store();
    let (created, skipped) = store.peek(|console| match import_of(console).map(|import| &import.step) {
        Some(Step::Finished(imported)) => (imported.created.len(), imported.skipped.len()),
        _ => (0, 0),
    });
    let text = match skipped {
        0 => format!("{created} orders created."),
        skipped => format!("{created} orders created, {skipped} rows left out."),
    };
    view! {
        <p>{text}</p>
        <p class="note">"The tracking links are told this once. Each order can be given another one later."</p>
        <div class="actions">
            <button type="button" class="primary" on:click=move |_| store.send(ImportIntent::Links)>"Download the links"</button>
            <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::Close)>"Close"</button>
        </div>
    }
}
