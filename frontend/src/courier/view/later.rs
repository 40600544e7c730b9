//! The stops after the next one. Any of them can be taken in hand: streets are closed and people call.

use std::sync::Arc;

use leptos::prelude::*;

use super::{Desk, desk::StopKey, list::stop_list};
use crate::{
    courier::{
        intent::{Intent, Screen},
        text::stops as text,
    },
    ui::bind::live_text,
};

/// The list.
#[component]
pub(super) fn Later(desk: Desk) -> AnyView {
    let keys = Memo::new(move |_| {
        let in_hand = desk.stop_in_hand();
        desk.stops.with(|stops| stops.iter().copied().filter(|stop| Some(*stop) != in_hand).collect::<Vec<_>>())
    });
    // A stop that was taken early leaves earlier ones behind.
    let heading = move || if desk.is_out_of_turn() { text::fixed::OTHERS } else { text::fixed::LATER };
    view! {
        <section class="later" aria-labelledby="later" hidden=move || keys.with(Vec::is_empty)>
            <div class="later-head">
                <h2 id="later" inner_html=live_text(heading)></h2>
                <button type="button" class="button quiet" on:click=desk.press(Intent::Show(Screen::Plan))>
                    {text::fixed::PLAN}
                </button>
            </div>
            <ol>
                {stop_list(keys, Arc::new(move |stop| view! { <LaterStop desk stop /> }.into_any()))}
            </ol>
        </section>
    }
    .into_any()
}

#[component]
fn LaterStop(desk: Desk, stop: StopKey) -> AnyView {
    let take = move |_| {
        desk.chosen.set(Some(stop));
        request_animation_frame(super::focus_heading);
    };
    view! {
        <li>
            <button type="button" class="later-stop" on:click=take>
                <span class="number" translate="no" inner_html=desk.live_of(stop, |_, card| card.stop.sequence.to_string())></span>
                <span class="what">
                    <span
                        class="place"
                        translate=desk.text_of(stop, text::translate)
                        inner_html=desk.live_of(stop, text::place)
                    ></span>
                    <span class="detail" inner_html=desk.live_of(stop, text::later_detail)></span>
                    <span
                        class="promise"
                        data-late=desk.flag_of(stop, |_, card| text::is_late(card))
                        inner_html=desk.live_of(stop, text::promise)
                    ></span>
                    <span class="pending" inner_html=desk.live_of(stop, text::changed)></span>
                    <span class="pending" inner_html=desk.live_of(stop, text::waiting)></span>
                </span>
                <span class="at" inner_html=desk.live_of(stop, text::about)></span>
            </button>
        </li>
    }
    .into_any()
}
