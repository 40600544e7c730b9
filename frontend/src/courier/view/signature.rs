//! The signature: a name, and mostly a drawing on a pad three times as wide as high.

use doorstep_shared::api::proof::{MAX_SIGNATURE_POINTS, ProofKind};
use leptos::{ev::PointerEvent, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

use super::Desk;
use crate::{
    courier::{
        intent::Intent,
        state::ProofDraft,
        text::proof::{fixed, signed},
    },
    ui::bind::live_text,
};

/// The longest name, in characters.
const MAX_NAME: &str = "100";

/// Points nearer to the one before, in shares of the pad, add nothing to the drawing.
const LEAST_STEP: f32 = 0.004;

/// The drawing's width and height in its own units: so many that whole ones are finer than a finger.
const WIDTH: u32 = 3_000;
const HEIGHT: u32 = 1_000;

/// A point of the pad: right and down from its corner, between 0 and 1.
type Point = [f32; 2];

/// What was drawn so far.
#[derive(Clone, Debug, Default, PartialEq)]
struct Drawing {
    strokes: Vec<Vec<Point>>,
    is_down: bool,
}

impl Drawing {
    fn put(&mut self, at: Point) {
        self.is_down = true;
        if self.has_room() {
            self.strokes.push(vec![at]);
        }
    }

    fn pull(&mut self, at: Point) {
        let has_room = self.has_room();
        let Some(stroke) = self.strokes.last_mut().filter(|_| self.is_down && has_room) else { return };
        let is_new = stroke.last().is_none_or(|last| (last[0] - at[0]).abs() + (last[1] - at[1]).abs() >= LEAST_STEP);
        if is_new {
            stroke.push(at);
        }
    }

    fn lift(&mut self) {
        self.is_down = false;
    }

    fn has_room(&self) -> bool {
        self.strokes.iter().map(Vec::len).sum::<usize>() < MAX_SIGNATURE_POINTS
    }

    /// The `d` of a path; a single tap becomes a dot.
    fn path(&self) -> String {
        let mut path = String::new();
        for stroke in &self.strokes {
            for (index, [x, y]) in stroke.iter().enumerate() {
                let command = if index == 0 { 'M' } else { 'L' };
                let [x, y] = [(x * WIDTH as f32) as u32, (y * HEIGHT as f32) as u32];
                path += &format!("{command}{x} {y}");
            }
            if stroke.len() == 1 {
                path += "h0";
            }
        }
        path
    }
}

/// What stands in the signature's section.
#[component]
pub(super) fn Signature(desk: Desk) -> AnyView {
    let customer = desk.proof_text(customer);
    let drawing = RwSignal::new(Drawing::default());
    let name = RwSignal::new(String::new());
    let keep = move |_| {
        let Some(order_id) = desk.proof_order_now() else { return };
        let strokes = drawing.with_untracked(|drawing| drawing.strokes.clone());
        desk.raise(Intent::Sign { order_id, name: name.get_untracked().trim().to_owned(), strokes });
    };
    let change = move |_| {
        if let Some(order_id) = desk.proof_order_now() {
            drawing.set(Drawing::default());
            desk.raise(Intent::DropProof { order_id, kind: ProofKind::Signature });
        }
    };
    view! {
        <div class="sign" hidden=desk.proof_flag(|draft| draft.signed_by.is_some())>
            <Pad drawing />
            <label class="field">
                {fixed::NAME}
                <input
                    autocomplete="off"
                    autocapitalize="words"
                    maxlength=MAX_NAME
                    prop:value=move || name.get()
                    on:input=move |event| name.set(event_target_value(&event))
                />
            </label>
            <div class="ways">
                <button
                    type="button"
                    class="button"
                    hidden=desk.proof_flag(|draft| draft.customer.as_ref().is_none_or(String::is_empty))
                    on:click=move |_| name.set(untrack(customer))
                    inner_html=live_text(customer)
                ></button>
                <button
                    type="button"
                    class="button primary"
                    disabled=move || name.with(|name| name.trim().is_empty())
                    on:click=keep
                >
                    {fixed::KEEP}
                </button>
            </div>
        </div>
        <div class="kept" hidden=desk.proof_flag(|draft| draft.signed_by.is_none())>
            <p inner_html=desk.live_proof(signed)></p>
            <button type="button" class="button" on:click=change>
                {fixed::CHANGE}
            </button>
        </div>
    }
    .into_any()
}

/// Where the finger draws.
#[component]
fn Pad(drawing: RwSignal<Drawing>) -> AnyView {
    let put = move |event: PointerEvent| {
        if let Some(pad) = pad_of(&event) {
            // A finger that slips over the edge goes on drawing along it.
            let _ = pad.set_pointer_capture(event.pointer_id());
            drawing.update(|drawing| drawing.put(place(&event, &pad)));
        }
    };
    let pull = move |event: PointerEvent| {
        if let Some(pad) = pad_of(&event).filter(|_| drawing.with_untracked(|drawing| drawing.is_down)) {
            drawing.update(|drawing| drawing.pull(place(&event, &pad)));
        }
    };
    let lift = move |_: PointerEvent| drawing.update(Drawing::lift);
    let is_empty = move || drawing.with(|drawing| drawing.strokes.is_empty());
    view! {
        <div class="pad">
            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") role="img" aria-label=fixed::PAD>
                <path class="rule" d="M200 780H2800" />
                <path class="ink" d=move || drawing.with(Drawing::path) />
            </svg>
            <span class="hint" aria-hidden="true" hidden=move || !is_empty()>{fixed::SIGN_HERE}</span>
            // Above the picture, because places are measured from the corner of the element that is touched.
            <div
                class="touch"
                on:pointerdown=put
                on:pointermove=pull
                on:pointerup=lift
                on:pointercancel=lift
            ></div>
            <button
                type="button"
                class="button clear"
                hidden=is_empty
                on:click=move |_| drawing.set(Drawing::default())
            >
                {fixed::CLEAR}
            </button>
        </div>
    }
    .into_any()
}

fn pad_of(event: &PointerEvent) -> Option<HtmlElement> {
    event.current_target()?.dyn_into().ok()
}

fn place(event: &PointerEvent, pad: &HtmlElement) -> Point {
    let share = |at: i32, side: i32| (at as f32 / side.max(1) as f32).clamp(0.0, 1.0);
    [share(event.offset_x(), pad.offset_width()), share(event.offset_y(), pad.offset_height())]
}

fn customer(draft: &ProofDraft) -> String {
    draft.customer.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_are_what_the_finger_drew_while_it_was_down() {
        let mut drawing = Drawing::default();
        drawing.pull([0.9, 0.9]);
        drawing.put([0.1, 0.5]);
        drawing.pull([0.1, 0.501]);
        drawing.pull([0.2, 0.5]);
        drawing.lift();
        drawing.pull([0.9, 0.9]);
        drawing.put([0.5, 1.0]);
        assert_eq!(drawing.strokes, [vec![[0.1, 0.5], [0.2, 0.5]], vec![[0.5, 1.0]]]);
        assert_eq!(drawing.path(), "M300 500L600 500M1500 1000h0");
    }

    #[test]
    fn a_scribble_ends_where_the_server_would_refuse_it() {
        let mut drawing = Drawing::default();
        for index in 0..3 * MAX_SIGNATURE_POINTS {
            let at = [(index % 100) as f32 / 100.0, 0.5];
            if index % 50 == 0 { drawing.put(at) } else { drawing.pull(at) }
        }
        assert_eq!(drawing.strokes.iter().map(Vec::len).sum::<usize>(), MAX_SIGNATURE_POINTS);
    }
}
