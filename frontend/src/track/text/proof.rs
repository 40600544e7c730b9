//! The texts about the PIN, and about the proofs of delivery.

use crate::{
    track::{
        page::Page,
        proof::{Pin, photo, signature},
    },
    ui::text::join,
};

/// The heading of the PIN's card.
pub fn pin_heading(page: &Page) -> String {
    match Pin::of(page) {
        Pin::Unasked => "",
        Pin::Later => "A PIN at the door",
        Pin::Now(_) => "Your PIN",
        Pin::Confirmed { .. } => "PIN confirmed",
    }
    .to_owned()
}

/// What to do with the PIN, or what was done.
pub fn pin_detail(page: &Page) -> String {
    match Pin::of(page) {
        Pin::Unasked => String::new(),
        Pin::Later => "Shown here once your order is on the way".to_owned(),
        Pin::Now(_) => join(&["Tell it to ", &named(page), " at the door"]),
        Pin::Confirmed { at_ms } => capital(page.at(at_ms)),
    }
}

/// The PIN while the customer needs it, else empty.
pub fn pin_digits(page: &Page) -> String {
    match Pin::of(page) {
        Pin::Now(digits) => digits.to_owned(),
        _ => String::new(),
    }
}

/// The PIN for screen readers: digit by digit, not as a number in the thousands.
pub fn pin_spoken(page: &Page) -> String {
    spelled(&pin_digits(page))
}

/// Characters one by one.
pub fn spelled(text: &str) -> String {
    let mut spelled = String::new();
    for character in text.chars() {
        if !spelled.is_empty() {
            spelled.push(' ');
        }
        spelled.push(character);
    }
    spelled
}

/// Whether the courier entered the right PIN.
pub fn is_pin_confirmed(page: &Page) -> bool {
    matches!(Pin::of(page), Pin::Confirmed { .. })
}

/// Where photo `index` is.
pub fn photo_url(page: &Page, index: usize) -> Option<String> {
    photo(page, index).and_then(|photo| photo.image_url.clone())
}

/// What photo `index` is, for people who do not see it; also where its link leads.
pub fn photo_alt(page: &Page, index: usize) -> String {
    match photo(page, index) {
        Some(photo) => join(&["Photo from the door, taken ", &page.at(photo.taken_ms), ". Opens larger."]),
        None => String::new(),
    }
}

/// Below photo `index`.
pub fn photo_caption(page: &Page, index: usize) -> String {
    match photo(page, index) {
        Some(photo) => join(&["Photo by ", &named(page), " ", &page.at(photo.taken_ms)]),
        None => String::new(),
    }
}

/// The heading of the signature's card.
pub fn signature_heading(page: &Page) -> String {
    let name = signature(page).and_then(|signature| signature.name.as_deref());
    name.map_or("Signed".to_owned(), |name| join(&["Signed by ", name]))
}

/// When it was signed.
pub fn signature_detail(page: &Page) -> String {
    signature(page).map_or(String::new(), |signature| capital(page.at(signature.taken_ms)))
}

/// Where the drawn signature is; `None` when a name was typed alone.
pub fn signature_url(page: &Page, _: usize) -> Option<String> {
    signature(page).and_then(|signature| signature.image_url.clone())
}

/// What the drawing is, for people who do not see it.
pub fn signature_alt(page: &Page) -> String {
    match signature(page).and_then(|signature| signature.name.as_deref()) {
        Some(name) => join(&["Signature of ", name, ". Opens larger."]),
        None => "Signature. Opens larger.".to_owned(),
    }
}

/// A text of plain letters as the beginning of a line.
fn capital(mut text: String) -> String {
    text[..1].make_ascii_uppercase();
    text
}

/// The courier's name inside a sentence.
fn named(page: &Page) -> String {
    match &page.snapshot().courier {
        Some(courier) => courier.name.clone(),
        None => "your courier".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{OrderStatus, api::proof::ProofKind};

    use super::*;
    use crate::track::{
        page::tests::in_status,
        proof::tests::proof,
        text::{headline::title, spoken::spoken_status},
    };

    fn asked(status: OrderStatus) -> Page {
        let mut page = in_status(status);
        page.order.pin = Some("0821".into());
        page
    }

    #[test]
    fn a_pin_is_told_at_the_door_and_before_that_announced() {
        let before = asked(OrderStatus::Assigned);
        assert_eq!(pin_heading(&before), "A PIN at the door");
        assert_eq!(pin_detail(&before), "Shown here once your order is on the way");
        assert_eq!(pin_digits(&before), "");
        let now = asked(OrderStatus::PickedUp);
        assert_eq!((pin_heading(&now).as_str(), pin_digits(&now).as_str()), ("Your PIN", "0821"));
        assert_eq!(pin_detail(&now), "Tell it to Ana at the door");
    }

    #[test]
    fn the_pin_is_heard_digit_by_digit_when_it_is_needed() {
        assert_eq!(pin_spoken(&asked(OrderStatus::AtDropoff)), "0 8 2 1");
        assert_eq!(spoken_status(&asked(OrderStatus::AtDropoff)), "Ana is outside. Your PIN is 0 8 2 1.");
        assert!(!spoken_status(&asked(OrderStatus::Delivered)).contains("PIN"));
    }

    #[test]
    fn no_title_tells_the_pin() {
        for status in OrderStatus::ALL {
            assert!(!title(&asked(status)).contains("0821"));
        }
    }

    #[test]
    fn what_was_brought_back_has_words_of_its_own() {
        let mut page = in_status(OrderStatus::Delivered);
        page.order.proofs = vec![
            proof(ProofKind::Photo, None, Some("photo")),
            proof(ProofKind::Signature, Some("Kim"), Some("drawing")),
            proof(ProofKind::Pin, None, None),
        ];
        assert_eq!(photo_caption(&page, 0), "Photo by Ana at 18:31");
        assert_eq!(photo_alt(&page, 0), "Photo from the door, taken at 18:31. Opens larger.");
        assert_eq!(photo_url(&page, 0).as_deref(), Some("/api/v1/track/token/proofs/photo/image"));
        assert_eq!((photo_caption(&page, 1), photo_url(&page, 1)), (String::new(), None));
        assert_eq!(
            (signature_heading(&page), signature_detail(&page)),
            ("Signed by Kim".to_owned(), "At 18:31".to_owned())
        );
        assert_eq!(signature_alt(&page), "Signature of Kim. Opens larger.");
        assert_eq!((pin_heading(&page), pin_detail(&page)), ("PIN confirmed".to_owned(), "At 18:31".to_owned()));
        assert!(is_pin_confirmed(&page));
    }

    #[test]
    fn a_courier_without_a_name_is_still_somebody() {
        let mut page = asked(OrderStatus::PickedUp);
        page.order.snapshot.courier = None;
        assert_eq!(pin_detail(&page), "Tell it to your courier at the door");
    }
}
