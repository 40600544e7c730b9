//! The map's box: the sketch, the street map over it, and the pins that the street map borrows.
//!
//! The box has its size before anything is in it. It takes no gestures: a thumb that lands on it scrolls the page, and
//! the maps app is one button away. Before the phone knows where it is there is no way to show, and no box.

use doorstep_shared::{Vehicle, protocol::courier::StopKind};
use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{
        intent::Screen,
        sketch::{self, Frame, SIZE},
        state::{Shift, StopCard},
        text::{plan, stops as text},
    },
    map::{base::Drawn, plane::LonLat},
    ui::bind::{flag, live_word, word},
};

/// The box.
#[component]
pub(super) fn Stage(desk: Desk) -> AnyView {
    let drawn = RwSignal::new(Drawn::default());
    open(desk, drawn);
    view! {
        <div
            class="stage"
            data-map=word(drawn, |drawn| if drawn.is_map() { "streets" } else { "sketch" })
            hidden=flag(desk.shift, |shift| shift.position.is_none())
        >
            <Sketch desk drawn />
            <div class="map" data-title=text::fixed::MAP data-still=""></div>
            <p
                class="map-note"
                hidden=flag(drawn, |drawn| drawn.note().is_empty())
                inner_html=live_word(drawn, |drawn| drawn.note())
            ></p>
            <Pins desk />
        </div>
    }
    .into_any()
}

/// Opens the street map behind what is shown already, where the browser can draw it.
#[cfg(feature = "courier")]
fn open(desk: Desk, drawn: RwSignal<Drawn>) {
    let target = Memo::new(move |_| desk.with_stop(|_, card| (card.stop.kind, [card.stop.lon, card.stop.lat])));
    crate::courier::map::open_when_idle(desk.shift, target, drawn);
}

#[cfg(not(feature = "courier"))]
fn open(_: Desk, _: RwSignal<Drawn>) {}

#[component]
fn Sketch(desk: Desk, drawn: RwSignal<Drawn>) -> AnyView {
    let shift = desk.shift;
    let [width, height] = SIZE;
    let is_tour_shown = Memo::new(move |_| shift.with(is_tour));
    view! {
        <svg
            class="sketch"
            viewBox=format!("0 0 {width} {height}")
            role="img"
            aria-label=word(shift, |shift| if is_tour(shift) { plan::fixed::SKETCH } else { text::fixed::SKETCH })
            hidden=flag(drawn, |drawn| drawn.is_map())
        >
            <polyline class="later-way" points=desk.stop_text(sketch::tour_line) />
            <polyline class="way" points=desk.stop_text(sketch::line) />
            <g transform=desk.stop_text(stop_place) hidden=flag(shift, is_tour)>
                <rect class=desk.stop_text(|_, card| pin_class(card).to_owned()) x="-17" y="-17" width="34" height="34" rx="8" />
                <use href=desk.stop_text(|_, card| pin_icon(card).to_owned()) x="-9" y="-9" width="18" height="18" />
            </g>
            {move || is_tour_shown.get().then(|| view! { <TourPins desk /> })}
            <g class="courier" transform=desk.stop_text(courier_place) hidden=desk.stop_flag(|shift, _| shift.position.is_none())>
                <circle r="20" />
                <use href=word(shift, vehicle_icon) x="-11" y="-11" width="22" height="22" />
            </g>
        </svg>
    }
    .into_any()
}

/// Every stop of the tour by its number; the next one lies on top.
#[component]
fn TourPins(desk: Desk) -> AnyView {
    let pins = move || {
        desk.shift.with(|shift| {
            let Some(first) = shift.stops.first() else { return Vec::new() };
            let frame = Frame::of(shift, first);
            let tour = sketch::tour(shift);
            let pin = |(place, point): (usize, &LonLat)| (place + 1, sketch::transform(&frame, *point));
            tour.iter().enumerate().map(pin).rev().collect::<Vec<_>>()
        })
    };
    let pin = |(number, transform): (usize, String)| {
        view! {
            <g class="tour" transform=transform>
                <circle r="14" />
                <text text-anchor="middle" dominant-baseline="central">
                    {number}
                </text>
            </g>
        }
    };
    (move || pins().into_iter().map(pin).collect_view()).into_any()
}

fn is_tour(shift: &Shift) -> bool {
    shift.screen == Screen::Plan
}

fn stop_place(shift: &Shift, card: &StopCard) -> String {
    sketch::transform(&Frame::of(shift, card), [card.stop.lon, card.stop.lat])
}

fn courier_place(shift: &Shift, card: &StopCard) -> String {
    shift.position.map_or(String::new(), |here| sketch::transform(&Frame::of(shift, card), [here.lon, here.lat]))
}

fn pin_class(card: &StopCard) -> &'static str {
    match card.stop.kind {
        StopKind::Pickup | StopKind::Return => "box pickup",
        StopKind::Dropoff => "box door",
    }
}

fn pin_icon(card: &StopCard) -> &'static str {
    match card.stop.kind {
        StopKind::Pickup | StopKind::Return => "#bag",
        StopKind::Dropoff => "#house",
    }
}

#[component]
fn Pins(desk: Desk) -> AnyView {
    let numbers = (1..=sketch::MAX_PINS).map(|number| {
        view! {
            <div class="pin tour" data-marker=["tour-", &number.to_string()].concat() aria-hidden="true">
                {number}
            </div>
        }
    });
    view! {
        <div class="pins" hidden>
            {numbers.collect_view()}
            <div class="pin box pickup" data-marker="pickup" aria-hidden="true">
                <svg class="icon">
                    <use href="#bag" />
                </svg>
            </div>
            <div class="pin box door" data-marker="door" aria-hidden="true">
                <svg class="icon">
                    <use href="#house" />
                </svg>
            </div>
            <div class="pin courier" data-marker="courier" aria-hidden="true">
                <svg class="notch" viewBox="-32 -32 64 64">
                    <path d="M-9-20 0-30 9-20Z" />
                </svg>
                <svg class="icon">
                    <use href=word(desk.shift, vehicle_icon) />
                </svg>
            </div>
        </div>
    }
    .into_any()
}

fn vehicle_icon(shift: &Shift) -> &'static str {
    match shift.courier.as_ref().map(|who| who.vehicle) {
        Some(Vehicle::Foot) | None => "#foot",
        Some(Vehicle::Bicycle) => "#bicycle",
        Some(Vehicle::Scooter) => "#scooter",
        Some(Vehicle::Motorcycle) => "#motorcycle",
        Some(Vehicle::Car) => "#car",
        Some(Vehicle::Van) => "#van",
    }
}
