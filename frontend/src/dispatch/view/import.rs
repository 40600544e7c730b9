//! A file of orders in its dialog: choose, look, send.

use doorstep_shared::api::console::{ImportPreview, ImportRow};
use js_sys::Array;
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

use super::Desk;
use crate::{
    dispatch::{
        console::{Dialog, Intent},
        import::{Import, Step, sorted},
        map,
    },
    live::listen::spawn,
};

/// So many rows are shown; the count says how many there are.
const MAX_ROWS: usize = 200;

/// How far the import is, as far as what is mounted depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Choose,
    Preview,
    Finished,
}

pub fn import(desk: Desk) -> impl IntoView {
    let read = move |read: fn(&Import) -> String| {
        move || {
            desk.read(|console| match &console.dialog {
                Some(Dialog::Import(import)) => read(import),
                _ => String::new(),
            })
        }
    };
    let shown = Memo::new(move |_| {
        desk.read(|console| match &console.dialog {
            Some(Dialog::Import(Import { step: Step::Preview(_) | Step::Sending(_), .. })) => Shown::Preview,
            Some(Dialog::Import(Import { step: Step::Finished(_), .. })) => Shown::Finished,
            _ => Shown::Choose,
        })
    });
    let problem = read(|import| import.problem.clone().unwrap_or_default());
    let problem = StoredValue::new(problem);
    let problem = move || problem.with_value(|problem| problem());
    view! {
        <p class="problem" role="alert" hidden=move || problem().is_empty()>{problem}</p>
        {move || match shown.get() {
            Shown::Choose => choose(desk).into_any(),
            Shown::Preview => preview(desk).into_any(),
            Shown::Finished => finished(desk).into_any(),
        }}
    }
}

fn choose(desk: Desk) -> impl IntoView {
    let is_busy =
        move || desk.read(|console| matches!(&console.dialog, Some(Dialog::Import(import)) if import.is_busy()));
    let chosen = move |event: ev::Event| {
        let Some(input) = event.target() else { return };
        spawn(Box::pin(async move {
            let file: Array = map::chosen_file(&input).await.unchecked_into();
            let [name, csv] = [0, 1].map(|index| file.get(index).as_string().unwrap_or_default());
            if !name.is_empty() {
                desk.did(Intent::ImportFile { name, csv });
            }
        }));
    };
    view! {
        <p class="note">
            "A CSV file with a header line. It needs reference, pickup_address, pickup_lat, pickup_lon, dropoff_address, dropoff_lat, dropoff_lon and customer_name; nothing is created before you have seen every row."
        </p>
        <label class="file">
            <span>{move || if is_busy() { "Reading the file…" } else { "Choose a file" }}</span>
            <input type="file" id="import-file" accept=".csv,text/csv" disabled=is_busy on:change=chosen />
        </label>
    }
}

fn preview(desk: Desk) -> impl IntoView {
    let with = move |read: fn(&ImportPreview) -> String| {
        move || {
            desk.read(|console| match &console.dialog {
                Some(Dialog::Import(Import { step: Step::Preview(preview) | Step::Sending(preview), .. })) => {
                    read(preview)
                }
                _ => String::new(),
            })
        }
    };
    let rows = desk.peek(|console| match &console.dialog {
        Some(Dialog::Import(Import { step: Step::Preview(preview) | Step::Sending(preview), .. })) => {
            sorted(preview).into_iter().take(MAX_ROWS).cloned().collect::<Vec<_>>()
        }
        _ => Vec::new(),
    });
    let is_busy =
        move || desk.read(|console| matches!(&console.dialog, Some(Dialog::Import(import)) if import.is_busy()));
    let has_none = move || {
        desk.read(|console| {
            matches!(&console.dialog,
            Some(Dialog::Import(Import { step: Step::Preview(preview), .. })) if preview.valid == 0)
        })
    };
    let ignored = with(|preview| match preview.ignored_columns.as_slice() {
        [] => String::new(),
        columns => format!("Left out: {}", columns.join(", ")),
    });
    view! {
        <p>{with(summary)}</p>
        <p class="note">{ignored}</p>
        <div class="table" tabindex="0" role="region" aria-label="Rows of the file">
            <table>
                <thead>
                    <tr><th scope="col">"Line"</th><th scope="col">"Reference"</th><th scope="col">"Door"</th><th scope="col">"What is wrong"</th></tr>
                </thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        <div class="actions">
            <button
                type="button"
                class="primary"
                disabled=move || is_busy() || has_none()
                on:click=move |_| desk.did(Intent::ImportConfirm)
            >
                {with(|preview| match preview.valid {
                    1 => "Create 1 order".to_owned(),
                    many => format!("Create {many} orders"),
                })}
            </button>
            <button type="button" class="quiet" disabled=is_busy on:click=move |_| desk.did(Intent::Import)>
                "Choose another file"
            </button>
        </div>
    }
}

fn summary(preview: &ImportPreview) -> String {
    match (preview.valid, preview.invalid) {
        (valid, 0) => format!("All {valid} rows are fine."),
        (0, invalid) => format!("None of the {invalid} rows can become an order."),
        (valid, invalid) => format!("{valid} rows are fine; {invalid} will be left out, for the reasons below."),
    }
}

fn row(row: ImportRow) -> impl IntoView {
    let notes = |notes: &[doorstep_shared::api::console::ImportNote]| {
        let words = notes.iter().map(|note| format!("{}: {}", note.column, note.message));
        words.collect::<Vec<_>>().join("; ")
    };
    let (errors, warnings) = (notes(&row.errors), notes(&row.warnings));
    let tone = if !row.errors.is_empty() {
        "bad"
    } else if !row.warnings.is_empty() {
        "warn"
    } else {
        "ok"
    };
    let words = match (errors.is_empty(), warnings.is_empty()) {
        (false, _) => errors,
        (true, false) => warnings,
        (true, true) => "Fine".to_owned(),
    };
    let door = row.order.as_ref().map(|order| order.dropoff.address.clone()).unwrap_or_default();
    view! {
        <tr data-tone=tone>
            <td>{row.line.to_string()}</td>
            <td>{row.reference}</td>
            <td>{door}</td>
            <td>{words}</td>
        </tr>
    }
}

fn finished(desk: Desk) -> impl IntoView {
    let (created, skipped) = desk.peek(|console| match &console.dialog {
        Some(Dialog::Import(Import { step: Step::Finished(imported), .. })) => {
            (imported.created.len(), imported.skipped.len())
        }
        _ => (0, 0),
    });
    let words = match skipped {
        0 => format!("{created} orders created."),
        skipped => format!("{created} orders created, {skipped} rows left out."),
    };
    view! {
        <p>{words}</p>
        <p class="note">"The tracking links are told this once. Each order can be given another one later."</p>
        <div class="actions">
            <button type="button" class="primary" on:click=move |_| desk.did(Intent::ImportLinks)>"Download the links"</button>
            <button type="button" class="quiet" on:click=move |_| desk.did(Intent::CloseDialog)>"Close"</button>
        </div>
    }
}
