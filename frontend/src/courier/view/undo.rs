//! What was pressed last, how long it can be taken back, and the button that does.

use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{intent::Intent, state::Shift, text::fixed},
    ui::bind::{flag, live},
};

/// The bar. A screen reader says once what was pressed, and not every second.
#[component]
pub(super) fn UndoBar(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        <div class="undo" hidden=flag(shift, |shift| shift.undo.is_none())>
            <p role="status" inner_html=live(shift, pressed)></p>
            <span class="left" aria-hidden="true" inner_html=live(shift, left)></span>
            <button type="button" class="button" on:click=desk.press(Intent::Undo)>
                {fixed::UNDO}
            </button>
        </div>
    }
    .into_any()
}

fn pressed(shift: &Shift) -> String {
    shift.undo.as_ref().map_or(String::new(), |undo| undo.text.clone())
}

fn left(shift: &Shift) -> String {
    shift.undo.as_ref().map_or(String::new(), |undo| undo.left_s.to_string() + " s")
}
