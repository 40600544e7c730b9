//! The courier's screens, drawn from [`Shift`].
//!
//! As on the customer's page each screen has one structure whose texts and attributes follow the state, so that nothing
//! jumps under a thumb. The stops stay in the page behind every other screen: coming back finds the map and the place
//! in the list where they were.
//!
//! Every part answers with a view whose type is erased: left to themselves the types of a screen grow into each other, until
//! the compiler gives up.

mod account;
mod act;
mod bar;
mod desk;
mod door;
mod fail;
mod header;
mod later;
mod map;
mod notices;
mod photo;
mod pin;
mod proof;
mod signature;
mod status;
mod stop;
mod stops;
mod trackers;

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

pub use act::Act;
use desk::Desk;

use super::{
    intent::Screen,
    state::{Door, Duty, Link, Shift},
    words,
};
use crate::ui::bind::{text, word};

/// All screens; one is shown, as the shift says.
pub fn app(shift: RwSignal<Shift>, act: Act) -> impl IntoView {
    let desk = Desk::new(shift, act);
    let door = Memo::new(move |_| shift.with(|shift| shift.door));
    let screen = Memo::new(move |_| shift.with(shown_screen));
    let spoken = Memo::new(move |_| shift.with(words::spoken));
    follow(shift, door, screen);
    view! {
        <div
            class="app"
            data-door=word(shift, |shift| door::name(shift.door))
            data-screen=word(shift, |shift| screen_name(shown_screen(shift)))
            data-duty=word(shift, duty_name)
            data-link=word(shift, link_name)
            data-waiting=text(shift, |shift| shift.waiting().to_string())
        >
            {move || match door.get() {
                Door::Open => signed_in(desk, screen),
                door => closed(desk, door),
            }}
            <p class="unseen" role="status">
                {move || spoken.get()}
            </p>
        </div>
    }
}

/// What was said as the door closed is read in front of it.
fn closed(desk: Desk, door: Door) -> AnyView {
    view! {
        {notices::notices(desk)}
        {door::door(desk, door)}
    }
    .into_any()
}

fn signed_in(desk: Desk, screen: Memo<Screen>) -> AnyView {
    view! {
        {notices::notices(desk)}
        {stops::stops(desk, screen)}
        {move || match screen.get() {
            Screen::Stops => ().into_any(),
            Screen::Proof => proof::proof(desk),
            Screen::Trackers => trackers::trackers(desk),
            Screen::Account => account::account(desk),
        }}
    }
    .into_any()
}

/// The screen that can be shown: there is nothing to prove without an order.
fn shown_screen(shift: &Shift) -> Screen {
    if shift.screen == Screen::Proof && shift.proof.is_none() { Screen::Stops } else { shift.screen }
}

/// Whoever does not look is taken along: the window gets a title, and a new screen the focus at its heading.
fn follow(shift: RwSignal<Shift>, door: Memo<Door>, screen: Memo<Screen>) {
    let title = Memo::new(move |_| shift.with(words::title));
    Effect::new(move |_| document().set_title(&title.get()));
    Effect::new(move |shown: Option<(Door, Screen)>| {
        let next = (door.get(), screen.get());
        // The first screen is where the browser begins anyway.
        if shown.is_some_and(|shown| shown != next && shown.0 != Door::Starting) {
            request_animation_frame(focus_heading);
        }
        next
    });
}

fn focus_heading() {
    let heading = document().query_selector("main:not([hidden]) h1").ok().flatten();
    if let Some(heading) = heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok()) {
        let _ = heading.focus();
        heading.scroll_into_view_with_bool(false);
    }
}

fn screen_name(screen: Screen) -> &'static str {
    match screen {
        Screen::Stops => "stops",
        Screen::Proof => "proof",
        Screen::Trackers => "trackers",
        Screen::Account => "account",
    }
}

fn duty_name(shift: &Shift) -> &'static str {
    match shift.duty {
        Duty::Off => "off",
        Duty::GoingOnline => "going-online",
        Duty::Online => "online",
    }
}

fn link_name(shift: &Shift) -> &'static str {
    match shift.link {
        Link::Connecting => "connecting",
        Link::Live => "live",
        Link::Reconnecting => "reconnecting",
        Link::NoNetwork => "no-network",
    }
}

#[cfg(test)]
mod tests;
