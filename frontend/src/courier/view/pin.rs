//! The customer's PIN: four digits in one field, taken as soon as the fourth is there.

use doorstep_shared::api::proof::{PIN_DIGITS, ProofKind};
use leptos::prelude::*;

use super::Desk;
use crate::courier::{intent::Intent, state, text::proof as text};

/// What stands in the PIN's section.
#[component]
pub(super) fn Pin(desk: Desk) -> AnyView {
    let digits = RwSignal::new(String::new());
    let enter = move |event| {
        digits.set(only_digits(&event_target_value(&event)));
        let pin = digits.get_untracked();
        if let (PIN_DIGITS, Some(order_id)) = (pin.len(), desk.proof_order_now()) {
            desk.raise(Intent::EnterPin { order_id, pin });
            digits.set(String::new());
        }
    };
    let change = move |_| {
        if let Some(order_id) = desk.proof_order_now() {
            desk.raise(Intent::DropProof { order_id, kind: ProofKind::Pin });
        }
    };
    view! {
        <label class="field" hidden=desk.proof_flag(|draft| draft.pin != state::Pin::Missing)>
            {text::fixed::PIN}
            <input
                class="digits"
                inputmode="numeric"
                autocomplete="one-time-code"
                pattern="[0-9]*"
                maxlength=PIN_DIGITS.to_string()
                aria-describedby="pin-hint"
                prop:value=move || digits.get()
                on:input=enter
            />
            <span class="detail" id="pin-hint">{text::fixed::PIN_HINT}</span>
        </label>
        <div class="kept" hidden=desk.proof_flag(|draft| draft.pin == state::Pin::Missing)>
            <p inner_html=desk.live_proof(text::pin)></p>
            <button
                type="button"
                class="button"
                hidden=desk.proof_flag(|draft| draft.pin == state::Pin::Confirmed)
                on:click=change
            >
                {text::fixed::CHANGE}
            </button>
        </div>
    }
    .into_any()
}

/// What of an entry can be part of a PIN.
fn only_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(PIN_DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::only_digits;

    #[test]
    fn a_pin_is_four_digits_however_it_is_typed() {
        for (text, expected) in [("1 2 3 4", "1234"), ("12345", "1234"), ("1a<2>", "12"), ("١٢٣٤", ""), ("", "")] {
            assert_eq!(only_digits(text), expected);
        }
    }
}
