//! What matters at the door, where it is looked for: right below the progress.
//!
//! The PIN's card keeps its place from the order's start to its end, so that a PIN that is shown or confirmed moves
//! nothing. Pictures have their box before they are loaded, and their link opens them alone.

use leptos::prelude::*;

use crate::{
    track::proof::{self, MAX_PHOTOS},
    ui::{
        bind::{Shared, flag, flag_of, text, text_of, value_of},
        words::{fixed, proof as words},
    },
};

/// The PIN, the photos and the signature; nothing when there are none.
pub fn proof(page: Shared) -> impl IntoView {
    view! {
        <section class="proof" aria-label=fixed::DOOR hidden=flag(page, proof::is_empty)>
            {pin(page)}
            {photos(page)}
            {signature(page)}
        </section>
    }
}

fn pin(page: Shared) -> impl IntoView {
    view! {
        <div class="fact" hidden=flag(page, |page| words::pin_heading(page).is_empty())>
            <div>
                <p class="name">{text(page, words::pin_heading)}</p>
                <p class="detail">{text(page, words::pin_detail)}</p>
            </div>
            <p class="digits" hidden=flag(page, |page| words::pin_digits(page).is_empty())>
                <span aria-hidden="true">{text(page, words::pin_digits)}</span>
                <span class="unseen">{text(page, words::pin_spoken)}</span>
            </p>
            <svg class="icon done" aria-hidden="true" hidden=flag(page, |page| !words::is_pin_confirmed(page))>
                <use href="#check" />
            </svg>
        </div>
    }
}

fn photos(page: Shared) -> impl IntoView {
    let mut photos = Vec::with_capacity(MAX_PHOTOS);
    for index in 0..MAX_PHOTOS {
        photos.push(view! {
            <figure hidden=flag_of(page, index, |page, index| proof::photo(page, index).is_none())>
                <a class="picture" href=value_of(page, index, words::photo_url)>
                    <img
                        src=value_of(page, index, words::photo_url)
                        alt=text_of(page, index, words::photo_alt)
                        decoding="async"
                    />
                </a>
                <figcaption class="detail">{text_of(page, index, words::photo_caption)}</figcaption>
            </figure>
        });
    }
    view! {
        <div class="photos" hidden=flag(page, |page| proof::photo(page, 0).is_none())>
            {photos}
        </div>
    }
}

fn signature(page: Shared) -> impl IntoView {
    view! {
        <div class="fact" hidden=flag(page, |page| proof::signature(page).is_none())>
            <div>
                <p class="name">{text(page, words::signature_heading)}</p>
                <p class="detail">{text(page, words::signature_detail)}</p>
            </div>
            <a
                class="drawing"
                href=value_of(page, 0, words::signature_url)
                hidden=flag(page, |page| words::signature_url(page, 0).is_none())
            >
                <img
                    src=value_of(page, 0, words::signature_url)
                    alt=text(page, words::signature_alt)
                    decoding="async"
                />
            </a>
        </div>
    }
}
