//! Who is signed in, how the app looks, what is shared, and the way out.

use leptos::{html, prelude::*};

use super::{
    Desk,
    office::{Day, Office},
    page::{OfflineBar, Top},
};
use crate::{
    courier::{
        intent::{Intent, Screen},
        preferences::{self, Theme},
        state::Install,
        text::{account, fixed},
    },
    ui::bind::{flag, live, live_word},
};

/// The screen.
#[component]
pub(super) fn Account(desk: Desk) -> AnyView {
    let dialog = NodeRef::<html::Dialog>::new();
    let ask = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            let _ = dialog.show_modal();
        }
    };
    view! {
        <main class="page">
            <Top desk back=Intent::Show(Screen::Stops) heading=account::fixed::HEADING />
            <OfflineBar desk />
            <Identity desk />
            <Day desk />
            <Office desk />
            <Themes />
            <Sound />
            <InstallSection desk />
            <section>
                <h2>{account::fixed::TRACKERS}</h2>
                <p class="detail">{account::fixed::TRACKERS_WHY}</p>
                <button type="button" class="button" on:click=desk.press(Intent::Show(Screen::Trackers))>
                    {account::fixed::TRACKERS_ACTION}
                </button>
            </section>
            <section>
                <h2>{account::fixed::PRIVACY}</h2>
                <ul class="points">{account::PRIVACY.map(|line| view! { <li>{line}</li> }).into_iter().collect_view()}</ul>
            </section>
            <button type="button" class="button danger" on:click=ask>
                {account::fixed::SIGN_OUT}
            </button>
            <SignOutSheet desk dialog />
        </main>
    }
    .into_any()
}

#[component]
fn Identity(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        <div class="card">
            <p class="avatar" aria-hidden="true" translate="no" inner_html=live(shift, account::initial)></p>
            <div>
                <p class="name" translate="no" inner_html=live(shift, account::name)></p>
                <p class="detail" inner_html=live(shift, account::detail)></p>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn InstallSection(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        <section hidden=flag(shift, |shift| shift.install == Install::NotOffered)>
            <h2>{account::fixed::INSTALL}</h2>
            <p class="detail" inner_html=live_word(shift, account::install)></p>
            <button
                type="button"
                class="button"
                hidden=flag(shift, |shift| shift.install != Install::Offered)
                on:click=desk.press(Intent::Install)
            >
                {account::fixed::INSTALL_ACTION}
            </button>
        </section>
    }
    .into_any()
}

#[component]
fn Themes() -> AnyView {
    let chosen = RwSignal::new(preferences::theme());
    let choices = Theme::ALL.map(|theme| {
        let choose = move |_| {
            preferences::set_theme(theme);
            chosen.set(theme);
        };
        view! {
            <label>
                <input
                    type="radio"
                    name="theme"
                    checked=move || chosen.get() == theme
                    prop:checked=move || chosen.get() == theme
                    on:change=choose
                />
                <span>{account::theme(theme)}</span>
            </label>
        }
    });
    view! {
        <fieldset class="segments">
            <legend>{account::fixed::THEME}</legend>
            {choices.into_iter().collect_view()}
        </fieldset>
    }
    .into_any()
}

/// Whether news from dispatch are heard.
#[component]
fn Sound() -> AnyView {
    let is_on = RwSignal::new(preferences::is_sound_on());
    let turn = move |_| {
        is_on.update(|is_on| *is_on = !*is_on);
        preferences::set_sound(is_on.get_untracked());
    };
    view! {
        <section>
            <button type="button" role="switch" class="switch" aria-checked=move || is_on.get().to_string() on:click=turn>
                <span class="rail" aria-hidden="true"></span>
                {account::fixed::SOUND}
            </button>
            <p class="detail">{account::fixed::SOUND_WHY}</p>
        </section>
    }
    .into_any()
}

/// Asks once more, and says what would be lost.
#[component]
fn SignOutSheet(desk: Desk, dialog: NodeRef<html::Dialog>) -> AnyView {
    let shift = desk.shift;
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    view! {
        <dialog class="sheet" node_ref=dialog aria-labelledby="sign-out-heading">
            <h2 id="sign-out-heading">{account::fixed::SIGN_OUT_ASK}</h2>
            <p>{account::fixed::SIGN_OUT_TEXT}</p>
            <p
                class="panel"
                data-tone="warn"
                hidden=flag(shift, |shift| shift.waiting() == 0)
                inner_html=live(shift, account::unsent)
            ></p>
            <div class="ways">
                <button type="button" class="button" on:click=close>
                    {fixed::CANCEL}
                </button>
                <button type="button" class="button danger" on:click=desk.press(Intent::SignOut)>
                    {account::fixed::SIGN_OUT}
                </button>
            </div>
        </dialog>
    }
    .into_any()
}
