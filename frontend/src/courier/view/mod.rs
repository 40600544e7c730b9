//! The courier's screens, drawn from [`Shift`].
//!
//! As on the customer's page each screen has one structure whose texts and attributes follow the state, so that nothing
//! jumps under a thumb. The stops stay in the page behind every other screen: a courier who comes back finds the map and
//! the place in the list where they were.
//!
//! Every component answers a view whose type is erased: left to themselves the types of a screen grow into each other,
//! until the compiler gives up.

mod account;
mod act;
mod bar;
mod desk;
mod door;
mod fail;
mod header;
mod later;
mod list;
mod map;
mod notices;
mod office;
mod orders;
mod page;
mod photo;
mod pin;
mod plan;
mod proof;
mod signature;
mod status;
mod stop;
mod stops;
mod trackers;
mod undo;

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

pub use act::Act;

use self::{
    account::Account,
    desk::{Desk, shown_screen},
    door::Closed,
    notices::Notices,
    proof::Proof,
    stops::Stops,
    trackers::Trackers,
    undo::UndoBar,
};
use super::{
    intent::Screen,
    state::{Door, Duty, Shift},
    text,
};
use crate::{
    live::connection::Health,
    ui::bind::{self, live_text, word},
};

/// All screens; one is shown, as the shift says. `act` takes what the courier does.
pub fn app(shift: RwSignal<Shift>, act: Act) -> impl IntoView {
    view! { <App shift act /> }
}

/// The root of the app.
#[component]
fn App(shift: RwSignal<Shift>, act: Act) -> AnyView {
    let desk = Desk::new(shift, act);
    let spoken = Memo::new(move |_| shift.with(text::spoken));
    follow(desk);
    view! {
        <div
            class="app"
            data-door=word(shift, |shift| door::name(shift.door))
            data-screen=word(shift, |shift| screen_name(shown_screen(shift)))
            data-duty=word(shift, duty_name)
            data-link=word(shift, health_name)
            data-waiting=bind::text(shift, |shift| shift.waiting().to_string())
        >
            // Not part of what the door shows: a screen reader reads a notice once, whichever screen follows.
            <Notices desk />
            {move || match desk.door.get() {
                Door::Open => view! { <SignedIn desk /> },
                door => view! { <Closed desk door /> },
            }}
            <p class="unseen" role="status" inner_html=live_text(move || spoken.get())></p>
        </div>
    }
    .into_any()
}

#[component]
fn SignedIn(desk: Desk) -> AnyView {
    view! {
        <Stops desk />
        {move || match desk.screen.get() {
            Screen::Stops | Screen::Plan => None,
            Screen::Proof => Some(view! { <Proof desk /> }),
            Screen::Trackers => Some(view! { <Trackers desk /> }),
            Screen::Account => Some(view! { <Account desk /> }),
        }}
        {move || (!matches!(desk.screen.get(), Screen::Stops | Screen::Plan)).then(|| view! { <UndoBar desk /> })}
    }
    .into_any()
}

/// Takes couriers along who do not see the change: the window gets a title, and a new screen's heading the focus.
fn follow(desk: Desk) {
    let title = Memo::new(move |_| desk.shift.with(text::title));
    Effect::new(move |_| document().set_title(&title.get()));
    Effect::new(move |shown: Option<(Door, Screen)>| {
        let next = (desk.door.get(), desk.screen.get());
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
        Screen::Plan => "plan",
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

/// The value of `data-link`.
fn health_name(shift: &Shift) -> &'static str {
    match shift.health {
        Health::Connecting => "connecting",
        Health::Live => "live",
        Health::Reconnecting => "reconnecting",
        Health::NoNetwork => "no-network",
    }
}

#[cfg(test)]
mod tests;
