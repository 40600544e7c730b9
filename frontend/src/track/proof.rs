//! What the page shows about the handover: the customer's PIN before, the courier's proofs of delivery after.

use doorstep_shared::{OrderStatus, api::proof::ProofKind};

use super::page::Page;
use crate::data::PageProof;

/// The most photos shown: the page has a place for each from the start, so that showing one changes nothing else.
pub const MAX_PHOTOS: usize = 4;

/// What the card for the PIN says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin<'a> {
    /// The courier asks for none, or did not need it.
    Unasked,
    /// The courier will ask for it. The customer does not need it before the order is on its way, and by then has not
    /// forgotten it.
    Later,
    /// The customer tells it at the door: the digits.
    Now(&'a str),
    /// The courier entered the right one.
    Confirmed {
        /// When, Unix epoch milliseconds.
        at_ms: i64,
    },
}

impl<'a> Pin<'a> {
    /// What the card says now.
    pub fn of(page: &'a Page) -> Self {
        if let Some(proof) = last(page, ProofKind::Pin) {
            return Self::Confirmed { at_ms: proof.taken_ms };
        }
        match (page.order.pin.as_deref(), page.status()) {
            (Some(pin), OrderStatus::PickedUp | OrderStatus::AtDropoff) => Self::Now(pin),
            (Some(_), OrderStatus::Created | OrderStatus::Assigned | OrderStatus::AtPickup) => Self::Later,
            _ => Self::Unasked,
        }
    }
}

/// The photo `index`, oldest first.
pub fn photo(page: &Page, index: usize) -> Option<&PageProof> {
    let has_picture = |proof: &&PageProof| proof.kind == ProofKind::Photo && proof.image_url.is_some();
    page.order.proofs.iter().filter(has_picture).nth(index)
}

/// Who signed, and what they drew; the last to sign counts.
pub fn signature(page: &Page) -> Option<&PageProof> {
    last(page, ProofKind::Signature)
}

/// Whether there is nothing to show at all.
pub fn is_empty(page: &Page) -> bool {
    Pin::of(page) == Pin::Unasked && photo(page, 0).is_none() && signature(page).is_none()
}

fn last(page: &Page, kind: ProofKind) -> Option<&PageProof> {
    page.order.proofs.iter().rev().find(|proof| proof.kind == kind)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::track::page::tests::{NOW_MS, in_status};

    /// A proof as the server hands it over.
    pub(crate) fn proof(kind: ProofKind, name: Option<&str>, image: Option<&str>) -> PageProof {
        let image_url = image.map(|name| format!("/api/v1/track/token/proofs/{name}/image"));
        PageProof { kind, taken_ms: NOW_MS, name: name.map(str::to_owned), image_url }
    }

    #[test]
    fn the_pin_shows_from_the_pickup_until_the_handover() {
        for status in OrderStatus::ALL {
            let mut page = in_status(status);
            assert_eq!(Pin::of(&page), Pin::Unasked, "{status} without a PIN");
            page.order.pin = Some("0821".into());
            let expected = match status {
                OrderStatus::Created | OrderStatus::Assigned | OrderStatus::AtPickup => Pin::Later,
                OrderStatus::PickedUp | OrderStatus::AtDropoff => Pin::Now("0821"),
                _ => Pin::Unasked,
            };
            assert_eq!(Pin::of(&page), expected, "{status}");
        }
    }

    #[test]
    fn a_confirmed_pin_is_not_shown_any_more() {
        let mut page = in_status(OrderStatus::Delivered);
        page.order.proofs = vec![proof(ProofKind::Pin, None, None)];
        assert_eq!(Pin::of(&page), Pin::Confirmed { at_ms: NOW_MS });
        page.order.pin = Some("0821".into());
        assert_eq!(Pin::of(&page), Pin::Confirmed { at_ms: NOW_MS });
    }

    #[test]
    fn photos_come_in_order_and_one_without_a_picture_takes_no_place() {
        let mut page = in_status(OrderStatus::Delivered);
        assert!(is_empty(&page));
        page.order.proofs = vec![
            proof(ProofKind::Photo, None, Some("first")),
            proof(ProofKind::Signature, Some("Kim"), None),
            proof(ProofKind::Photo, None, None),
            proof(ProofKind::Photo, None, Some("second")),
            proof(ProofKind::Signature, Some("Sam"), None),
        ];
        let shown: Vec<_> = (0..MAX_PHOTOS).map(|index| photo(&page, index)).collect();
        assert_eq!(shown, [Some(&page.order.proofs[0]), Some(&page.order.proofs[3]), None, None]);
        assert_eq!(signature(&page).and_then(|proof| proof.name.as_deref()), Some("Sam"));
        assert!(!is_empty(&page));
    }
}
