//! The stops after the next one. Any of them can be taken in hand: streets are closed and people call.

use leptos::prelude::*;

use super::{
    Desk,
    desk::{StopKey, key},
};
use crate::courier::words::stops as words;

/// The list.
pub fn later(desk: Desk) -> AnyView {
    let keys = Memo::new(move |_| {
        let in_hand = desk.with_stop(|_, card| key(card));
        desk.shift.with(|shift| shift.stops.iter().map(key).filter(|stop| Some(*stop) != in_hand).collect::<Vec<_>>())
    });
    // A stop that was taken early leaves earlier ones behind.
    let heading = move || if desk.is_out_of_turn() { words::fixed::OTHERS } else { words::fixed::LATER };
    view! {
        <section class="later" aria-labelledby="later" hidden=move || keys.with(Vec::is_empty)>
            <h2 id="later">{heading}</h2>
            <ol>
                <For each=move || keys.get() key=|stop| *stop children=move |stop| row(desk, stop) />
            </ol>
        </section>
    }
    .into_any()
}

fn row(desk: Desk, stop: StopKey) -> AnyView {
    let take = move |_| {
        desk.chosen.set(Some(stop));
        request_animation_frame(super::focus_heading);
    };
    view! {
        <li>
            <button type="button" class="later-stop" on:click=take>
                <span class="number">{desk.text_of(stop, |_, card| card.stop.sequence.to_string())}</span>
                <span class="what">
                    <span class="place">{desk.text_of(stop, |_, card| card.stop.address.clone())}</span>
                    <span class="detail">{desk.text_of(stop, words::later_detail)}</span>
                    <span class="pending">{desk.text_of(stop, words::waiting)}</span>
                </span>
                <span class="at">{desk.text_of(stop, words::about)}</span>
            </button>
        </li>
    }
    .into_any()
}
