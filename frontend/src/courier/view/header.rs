//! On duty or not, how much is left, and the way to the account; below it what works and what does not.

use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{
        intent::{Intent, Screen},
        state::{Duty, Shift},
        text::{account, fixed, status, stops},
    },
    ui::bind::{flag, live, live_word, word},
};

/// The switch, the summary and the account.
#[component]
pub(super) fn Header(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let turn = move |_| {
        desk.raise(shift.with_untracked(|shift| match shift.duty {
            Duty::Off => Intent::GoOnline,
            _ if is_on(shift) => Intent::GoOffline,
            _ => Intent::Retry,
        }));
    };
    view! {
        <header class="head">
            <button
                type="button"
                role="switch"
                class="switch"
                aria-checked=word(shift, |shift| if is_on(shift) { "true" } else { "false" })
                on:click=turn
            >
                <span class="rail" aria-hidden="true"></span>
                {fixed::ONLINE}
            </button>
            <p class="summary">
                <span inner_html=live(shift, stops::summary_count)></span>
                <span class="done" hidden=flag(shift, |shift| stops::summary_done(shift).is_empty())>
                    " · "
                    <span class="whole" inner_html=live(shift, stops::summary_done)></span>
                </span>
            </p>
            <button
                type="button"
                class="avatar"
                aria-label=stops::fixed::ACCOUNT
                on:click=desk.press(Intent::Show(Screen::Account))
            >
                <span aria-hidden="true" translate="no" inner_html=live(shift, account::initial)></span>
            </button>
        </header>
    }
    .into_any()
}

/// Whether the position is shared, or is about to be: not while the phone does not give it.
fn is_on(shift: &Shift) -> bool {
    shift.duty != Duty::Off && status::position_problem(shift).is_none()
}

/// Position, network, screen, pace.
#[component]
pub(super) fn Chips(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        <ul class="chips" aria-label=stops::fixed::STATE>
            <li
                class="chip dot"
                data-chip="gps"
                data-tone=word(shift, |shift| status::gps_tone(shift).name())
                hidden=flag(shift, |shift| status::gps(shift).is_empty())
                inner_html=live(shift, status::gps)
            ></li>
            <li
                class="chip"
                data-chip="network"
                data-tone=word(shift, |shift| status::network_tone(shift).name())
                hidden=flag(shift, |shift| status::network(shift).is_empty())
                inner_html=live(shift, status::network)
            ></li>
            <li
                class="chip"
                data-chip="wake"
                data-tone=word(shift, |shift| status::wake_tone(shift).name())
                hidden=flag(shift, |shift| status::wake(shift).is_empty())
                inner_html=live_word(shift, status::wake)
            ></li>
            <li
                class="chip"
                data-chip="pace"
                data-tone="quiet"
                hidden=flag(shift, |shift| status::pace(shift).is_empty())
                inner_html=live(shift, status::pace)
            ></li>
        </ul>
    }
    .into_any()
}
