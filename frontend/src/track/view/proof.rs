//! What matters at the door, right below the progress.
//!
//! The PIN's card keeps its place from the order's start to its end, so that a PIN that is shown or confirmed moves
//! nothing. Pictures have their box before they are loaded, and their link opens them alone.

use std::array;

use leptos::prelude::*;

use crate::{
    track::{
        page::Page,
        proof::{self, MAX_PHOTOS},
        text::{fixed, proof as sentences},
    },
    ui::bind::{flag, flag_of, live, live_of, text, text_of, value_of},
};

/// The PIN, the photos and the signature; nothing when there are none.
#[component]
pub fn Proof(page: RwSignal<Page>) -> impl IntoView {
    view! {
        <section class="proof" aria-label=fixed::DOOR hidden=flag(page, proof::is_empty)>
            <Pin page />
            <Photos page />
            <Signature page />
        </section>
    }
}

#[component]
fn Pin(page: RwSignal<Page>) -> impl IntoView {
    view! {
        <div class="fact" hidden=flag(page, |page| sentences::pin_heading(page).is_empty())>
            <div>
                <p class="name" inner_html=live(page, sentences::pin_heading)></p>
                <p class="detail" inner_html=live(page, sentences::pin_detail)></p>
            </div>
            <p class="digits" translate="no" hidden=flag(page, |page| sentences::pin_digits(page).is_empty())>
                <span aria-hidden="true" inner_html=live(page, sentences::pin_digits)></span>
                <span class="unseen" inner_html=live(page, sentences::pin_spoken)></span>
            </p>
            <svg class="icon done" aria-hidden="true" hidden=flag(page, |page| !sentences::is_pin_confirmed(page))>
                <use href="#check" />
            </svg>
        </div>
    }
}

#[component]
fn Photos(page: RwSignal<Page>) -> impl IntoView {
    let photos = array::from_fn::<_, MAX_PHOTOS, _>(|index| view! { <Photo page index /> });
    view! {
        <div class="photos" hidden=flag(page, |page| proof::photo(page, 0).is_none())>
            {photos}
        </div>
    }
}

#[component]
fn Photo(page: RwSignal<Page>, index: usize) -> impl IntoView {
    view! {
        <figure hidden=flag_of(page, index, |page, index| proof::photo(page, index).is_none())>
            <a class="picture" href=value_of(page, index, sentences::photo_url)>
                <img
                    src=value_of(page, index, sentences::photo_url)
                    alt=text_of(page, index, sentences::photo_alt)
                    decoding="async"
                />
            </a>
            <figcaption class="detail" inner_html=live_of(page, index, sentences::photo_caption)></figcaption>
        </figure>
    }
}

#[component]
fn Signature(page: RwSignal<Page>) -> impl IntoView {
    view! {
        <div class="fact" hidden=flag(page, |page| proof::signature(page).is_none())>
            <div>
                <p class="name" inner_html=live(page, sentences::signature_heading)></p>
                <p class="detail" inner_html=live(page, sentences::signature_detail)></p>
            </div>
            <a
                class="drawing"
                href=value_of(page, 0, sentences::signature_url)
                hidden=flag(page, |page| sentences::signature_url(page, 0).is_none())
            >
                <img
                    src=value_of(page, 0, sentences::signature_url)
                    alt=text(page, sentences::signature_alt)
                    decoding="async"
                />
            </a>
        </div>
    }
}
