use doorstep_shared::{OrderStatus, api::change::EditOrder};
use proptest::prelude::*;

use super::*;
use crate::dispatch::fleet::tests::{NOW_MS, details, order};

fn locale() -> Locale {
    Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false }
}

fn written() -> Draft {
    let mut draft = Draft::default();
    for (field, text) in [
        (Field::Reference, " A-1053 "),
        (Field::PickupAddress, "Harbour Kitchen"),
        (Field::DropoffAddress, "12 Triq il-Merkanti"),
        (Field::Customer, "Eve"),
        (Field::Until, "18:55"),
    ] {
        draft.set(field, text.to_owned());
    }
    draft.pins = [Some([14.5, 35.9]); 2];
    draft
}

/// A draft of an order that exists, and the order.
fn existing() -> (OrderView, Draft) {
    let mut view = details(&order("A-1042", OrderStatus::Assigned, None), Some(NOW_MS + 13 * 60_000));
    view.customer.phone = Some("+356 9912 3456".into());
    let draft = Draft::of(&view, &locale());
    (view, draft)
}

#[test]
fn a_written_order_is_what_the_api_takes() {
    let order = written().order(NOW_MS, &locale()).expect("nothing is missing");
    assert_eq!(order.reference, "A-1053");
    assert_eq!((order.customer.phone, order.promised_from, order.proof), (None, None, None));
    let until_ms = order.promised_until.map(|until| until.timestamp_millis());
    assert_eq!(until_ms, Some(NOW_MS + 13 * 60_000), "18:55 in Valletta, 13 minutes from now");
}

#[test]
fn what_the_order_asks_of_its_courier_is_written_in_plain_units() {
    let mut draft = written();
    for (field, text) in [
        (Field::Size, "3"),
        (Field::Service, "2.5"),
        (Field::Requires, "van, cold ,"),
        (Field::PickupPhone, "+356 2100 0002"),
    ] {
        draft.set(field, text.to_owned());
    }
    let order = draft.order(NOW_MS, &locale()).expect("nothing is missing");
    assert_eq!((order.size, order.service_s), (Some(3), Some(150)));
    assert_eq!(order.requires, Some(vec!["van".to_owned(), "cold".to_owned()]));
    assert_eq!((order.pickup.phone.as_deref(), order.dropoff.phone), (Some("+356 2100 0002"), None));
    draft.set(Field::Size, "0".into());
    draft.set(Field::Service, "all day".into());
    let problems = draft.order(NOW_MS, &locale()).expect_err("both are nonsense");
    assert_eq!(problems.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["size", "service_s"]);
}

#[test]
fn every_missing_field_is_named() {
    let problems = Draft::default().order(NOW_MS, &locale()).expect_err("everything is missing");
    let fields: Vec<_> = problems.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["reference", "customer.name", "pickup", "dropoff"]);
}

#[test]
fn an_order_that_nobody_changed_has_no_changes() {
    let (_, draft) = existing();
    assert_eq!(draft.changes(&draft, NOW_MS, &locale()), Ok(Map::new()));
}

#[test]
fn only_what_was_changed_is_sent_and_the_api_reads_it() {
    let (_, before) = existing();
    let mut draft = before.clone();
    draft.set(Field::DropoffAddress, "9 Strait Street".into());
    draft.set(Field::DropoffInstructions, "ring twice".into());
    draft.set(Field::Phone, String::new());
    draft.set(Field::Until, "19:30".into());
    draft.set(Field::Size, "2".into());
    draft.placing = StopKind::Dropoff;
    draft.pin([14.52, 35.89], None);
    draft.proof = vec![ProofKind::Photo];
    let changes = draft.changes(&before, NOW_MS, &locale()).expect("all fields are right");
    let edit: EditOrder = serde_json::from_value(Value::Object(changes)).expect("the body of a PATCH");
    let dropoff = edit.dropoff.expect("the door changed");
    assert_eq!((dropoff.lat, dropoff.lon), (Some(35.89), Some(14.52)));
    assert_eq!(dropoff.address.as_deref(), Some("9 Strait Street"));
    assert_eq!(dropoff.instructions, Some(Some("ring twice".into())));
    let customer = edit.customer.expect("the customer changed");
    assert_eq!((customer.phone, customer.name), (Some(None), None), "the number is removed");
    let until_ms = edit.promised_until.flatten().map(|until| until.timestamp_millis());
    assert_eq!(until_ms, Some(NOW_MS + 48 * 60_000));
    assert_eq!((edit.reference, edit.pickup, edit.promised_from), (None, None, None));
    assert_eq!((edit.size, edit.proof), (Some(2), Some(vec![ProofKind::Photo])));
}

#[test]
fn a_mistyped_number_or_address_is_pointed_out() {
    let mut draft = Draft::default();
    for (field, text, is_odd) in [
        (Field::Phone, "", false),
        (Field::Phone, "+356 9912 3456", false),
        (Field::Phone, "(0356) 99-12.34/56", false),
        (Field::Phone, "12345", true),
        (Field::Phone, "1234567890123456", true),
        (Field::Phone, "9912 345O", true),
        (Field::Email, "eve@example.org", false),
        (Field::Email, "eve@example", true),
        (Field::Email, "eve.example.org", true),
        (Field::Email, "@example.org", true),
        (Field::Email, "eve @example.org", true),
    ] {
        draft.set(field, text.to_owned());
        assert_eq!(draft.warning(field).is_some(), is_odd, "{text}");
    }
}

#[test]
fn a_number_that_nobody_can_call_is_not_saved_and_an_unusual_one_is() {
    let with = |field: Field, text: &str| {
        let mut draft = written();
        draft.set(field, text.to_owned());
        draft
    };
    let problems = |draft: &Draft| draft.order(NOW_MS, &locale()).err().unwrap_or_default();
    for (field, text, path) in [
        (Field::Phone, "none", "customer.phone"),
        (Field::PickupPhone, "3.5E+11", "pickup.phone"),
        (Field::Email, "eve", "customer.email"),
    ] {
        let draft = with(field, text);
        assert_eq!(problems(&draft).first().map(|(field, _)| field.as_str()), Some(path), "{text}");
        assert_eq!(draft.changes(&draft, NOW_MS, &locale()), Ok(Map::new()), "it was taken before");
    }
    assert_eq!(problems(&with(Field::Phone, "9912 3456 (Paul)")), []);
}

#[test]
fn clicks_fill_the_pickup_and_then_the_door() {
    let mut draft = Draft::default();
    draft.pin([14.5, 35.9], None);
    draft.pin([14.51, 35.91], Some("Strait Street"));
    assert_eq!(draft.pins, [Some([14.5, 35.9]), Some([14.51, 35.91])]);
    draft.pin([14.52, 35.92], None);
    let door = (draft.at(StopKind::Dropoff), draft.text(Field::DropoffAddress));
    assert_eq!(door, (Some([14.52, 35.92]), "Strait Street"));
}

#[test]
fn references_count_on() {
    for (before, after) in [("A-1042", "A-1043"), ("9", "10"), ("A-099", "A-100"), ("web", ""), ("", "")] {
        assert_eq!(next_reference(before), after);
    }
}

proptest! {
    #[test]
    fn seconds_survive_as_minutes(seconds_before in 0u32..14_400) {
        prop_assert_eq!(seconds(&minutes_text(seconds_before)), Some(seconds_before));
    }

    #[test]
    fn no_text_breaks_the_form(text in "\\PC{0,30}") {
        next_reference(&text);
        let mut draft = written();
        for field in Field::ALL {
            draft.set(field, text.clone());
            draft.warning(field);
        }
        let _ = draft.order(NOW_MS, &locale());
    }
}
