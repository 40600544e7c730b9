//! What a change of an order's fields amounts to, and whether its status allows it.
//!
//! Which field may change in which status stands in [`doorstep_shared::editing`], which the console reads, too; the API's
//! refusals list it. A field that is sent with the value it has is no change, so a form that sends everything is not
//! refused for what its user left alone. The use case in [`crate::service::orders`] calls [`edit`] under the order's lock.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use doorstep_shared::{
    LatLon, OrderStatus,
    api::{
        change::{EditOrder, EditPlace, FieldChange},
        proof::ProofKind,
    },
    editing::is_editable,
    problem::FieldError,
};

use super::{Order, Waypoint};

/// What was changed, by the field's dotted path in the order.
pub type Changes = BTreeMap<String, FieldChange>;

/// Fields with the word by which a courier's screen marks them, as [`Stop::changed`] has it. The courier reads nothing of
/// the other fields.
///
/// [`Stop::changed`]: doorstep_shared::protocol::courier::Stop::changed
const WORDS: [(&str, &str); 17] = [
    ("pickup.lat", "address"),
    ("pickup.lon", "address"),
    ("pickup.address", "address"),
    ("dropoff.lat", "address"),
    ("dropoff.lon", "address"),
    ("dropoff.address", "address"),
    ("pickup.instructions", "instructions"),
    ("dropoff.instructions", "instructions"),
    ("pickup.phone", "contact"),
    ("customer.name", "contact"),
    ("customer.phone", "contact"),
    ("promised_from", "window"),
    ("promised_until", "window"),
    ("reference", "goods"),
    ("size", "goods"),
    ("requires", "goods"),
    ("note", "note"),
];

/// An order after its fields were changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// The order.
    pub order: Order,
    /// The proofs that it asks for.
    pub proof: Vec<ProofKind>,
    /// What is different; empty when nothing is.
    pub changes: Changes,
}

/// Why fields were not changed.
#[derive(Clone, Debug, PartialEq)]
pub enum EditRefusal {
    /// The order's status does not allow it: why, by the dotted path of each refused field.
    NotEditable(BTreeMap<String, String>),
    /// The order would contradict itself.
    Invalid(Vec<FieldError>),
}

/// Changes the fields of an order that asks for the proofs `proof`. The caller has checked each text and number of
/// `wanted` by itself.
///
/// # Errors
/// [`EditRefusal`], which names every refused field.
pub fn edit(before: &Order, proof: &[ProofKind], wanted: &EditOrder) -> Result<Edited, EditRefusal> {
    let order = applied(before, wanted);
    let asked = wanted.proof.as_ref().map_or_else(|| proof.to_vec(), |asked| in_order(asked));
    let changes = differences(&fields(before, proof), &fields(&order, &asked));
    check_status(before.status, &changes)?;
    check_window(&order, &changes)?;
    check_pin(proof, &asked)?;
    Ok(Edited { order, proof: asked, changes })
}

fn applied(before: &Order, wanted: &EditOrder) -> Order {
    let mut order = before.clone();
    set_trimmed(&mut order.reference, wanted.reference.as_deref());
    apply_place(&mut order.pickup, wanted.pickup.as_ref());
    apply_place(&mut order.dropoff, wanted.dropoff.as_ref());
    if let Some(customer) = &wanted.customer {
        if let Some(name) = &customer.name {
            order.customer.name.clone_from(name);
        }
        set_or_remove(&mut order.customer.phone, &customer.phone);
        set_or_remove(&mut order.customer.email, &customer.email);
    }
    order.promised_from = wanted.promised_from.unwrap_or(order.promised_from);
    order.promised_until = wanted.promised_until.unwrap_or(order.promised_until);
    order.demands.size = wanted.size.unwrap_or(order.demands.size);
    order.demands.service_s = wanted.service_s.unwrap_or(order.demands.service_s);
    if let Some(requires) = &wanted.requires {
        order.demands.requires.clone_from(requires);
    }
    set_or_remove(&mut order.demands.note, &wanted.note);
    order
}

fn apply_place(place: &mut Waypoint, wanted: Option<&EditPlace>) {
    let Some(wanted) = wanted else { return };
    let point = wanted.lat.zip(wanted.lon).and_then(|(lat, lon)| LatLon::try_new(lat, lon).ok());
    place.point = point.unwrap_or(place.point);
    set_trimmed(&mut place.address, wanted.address.as_deref());
    set_or_remove(&mut place.instructions, &wanted.instructions);
    set_or_remove(&mut place.phone, &wanted.phone);
}

fn set_trimmed(field: &mut String, wanted: Option<&str>) {
    if let Some(text) = wanted {
        text.trim().clone_into(field);
    }
}

fn set_or_remove(field: &mut Option<String>, wanted: &Option<Option<String>>) {
    if let Some(wanted) = wanted {
        *field = wanted.clone().filter(|text| !text.trim().is_empty());
    }
}

/// Each kind once, in the order in which every answer lists them.
fn in_order(asked: &[ProofKind]) -> Vec<ProofKind> {
    ProofKind::ALL.into_iter().filter(|kind| asked.contains(kind)).collect()
}

/// A field's dotted path and its value as text.
type Field = (&'static str, Option<String>);

/// Every field that may be edited, as text. Numbers are written so that different ones never look the same.
fn fields(order: &Order, proof: &[ProofKind]) -> [Field; 20] {
    let place = |place: &Waypoint| (place.point.lat().to_string(), place.point.lon().to_string());
    let ((pickup_lat, pickup_lon), (dropoff_lat, dropoff_lon)) = (place(&order.pickup), place(&order.dropoff));
    let demands = &order.demands;
    [
        ("reference", Some(order.reference.clone())),
        ("pickup.lat", Some(pickup_lat)),
        ("pickup.lon", Some(pickup_lon)),
        ("pickup.address", Some(order.pickup.address.clone())),
        ("pickup.instructions", order.pickup.instructions.clone()),
        ("pickup.phone", order.pickup.phone.clone()),
        ("dropoff.lat", Some(dropoff_lat)),
        ("dropoff.lon", Some(dropoff_lon)),
        ("dropoff.address", Some(order.dropoff.address.clone())),
        ("dropoff.instructions", order.dropoff.instructions.clone()),
        ("customer.name", Some(order.customer.name.clone())),
        ("customer.phone", order.customer.phone.clone()),
        ("customer.email", order.customer.email.clone()),
        ("promised_from", order.promised_from.map(time)),
        ("promised_until", order.promised_until.map(time)),
        ("proof", list(proof.iter().map(|kind| kind.as_str()))),
        ("size", Some(demands.size.to_string())),
        ("service_s", demands.service_s.map(|seconds| seconds.to_string())),
        ("requires", list(demands.requires.iter().map(String::as_str))),
        ("note", demands.note.clone()),
    ]
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    let words: Vec<_> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn differences(before: &[Field], after: &[Field]) -> Changes {
    let pairs = before.iter().zip(after).filter(|((_, from), (_, to))| from != to);
    let changes =
        pairs.map(|((path, from), (_, to))| ((*path).to_owned(), FieldChange { from: from.clone(), to: to.clone() }));
    changes.collect()
}

fn check_status(status: OrderStatus, changes: &Changes) -> Result<(), EditRefusal> {
    let why = match status {
        OrderStatus::Failed => "the order has left its pickup",
        _ if status.is_final() => "the order is over",
        _ => "the goods are collected already",
    };
    let refused = changes.keys().filter(|path| !is_editable(path, status)).map(|path| (path.clone(), why.to_owned()));
    let refused: BTreeMap<_, _> = refused.collect();
    if refused.is_empty() { Ok(()) } else { Err(EditRefusal::NotEditable(refused)) }
}

fn check_window(order: &Order, changes: &Changes) -> Result<(), EditRefusal> {
    let is_touched = ["promised_from", "promised_until"].iter().any(|field| changes.contains_key(*field));
    let in_order = order.promised_from.zip(order.promised_until).is_none_or(|(from, until)| from <= until);
    if in_order || !is_touched { Ok(()) } else { Err(invalid("promised_until", "must not be before promised_from")) }
}

/// The PIN follows from the secret of the first tracking link, which is shown once, when the order is created.
fn check_pin(proof: &[ProofKind], asked: &[ProofKind]) -> Result<(), EditRefusal> {
    let is_new = asked.contains(&ProofKind::Pin) && !proof.contains(&ProofKind::Pin);
    if is_new { Err(invalid("proof", "a PIN can only be asked for when the order is created")) } else { Ok(()) }
}

fn invalid(field: &str, message: &str) -> EditRefusal {
    EditRefusal::Invalid(vec![FieldError { field: field.to_owned(), message: message.to_owned() }])
}

/// The words for what is different between two states of an order, of what its courier reads, each once.
pub fn words_for_courier(before: &Order, after: &Order) -> Vec<&'static str> {
    words_for(&differences(&fields(before, &[]), &fields(after, &[])))
}

fn words_for(changes: &Changes) -> Vec<&'static str> {
    let mut words: Vec<&str> = Vec::new();
    for (path, word) in WORDS {
        if changes.contains_key(path) && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use doorstep_shared::api::change::EditCustomer;
    use proptest::{option, prelude::*, sample::select};

    use super::*;
    use crate::domain::order::visibility::tests::order;

    fn place() -> impl Strategy<Value = EditPlace> {
        (option::of((-90.0..90.0, -180.0..180.0)), option::of("[a-z]{1,5}"), option::of(option::of("[a-z]{0,5}")))
            .prop_map(|(point, address, instructions)| EditPlace {
                lat: point.map(|(lat, _)| lat),
                lon: point.map(|(_, lon)| lon),
                address,
                instructions,
                phone: None,
            })
    }

    fn edits() -> impl Strategy<Value = EditOrder> {
        let customer = (option::of("[A-Z][a-z]{1,5}"), option::of(option::of("[0-9]{0,5}")))
            .prop_map(|(name, phone)| EditCustomer { name, phone, email: None });
        let proof = prop::collection::vec(select(vec![ProofKind::Photo, ProofKind::Signature]), 0..3);
        let rest = (option::of(1..9_u32), option::of(option::of(0..900_u32)), option::of(option::of("[a-z]{0,5}")));
        (
            option::of("[A-Z]{1,3}"),
            option::of(place()),
            option::of(place()),
            option::of(customer),
            option::of(proof),
            rest,
        )
            .prop_map(|(reference, pickup, dropoff, customer, proof, (size, service_s, note))| EditOrder {
                reference,
                pickup,
                dropoff,
                customer,
                proof,
                size,
                service_s,
                note,
                ..EditOrder::default()
            })
    }

    fn all_statuses() -> impl Strategy<Value = OrderStatus> {
        select(OrderStatus::ALL.to_vec())
    }

    #[test]
    fn the_table_has_a_rule_for_every_field_and_every_courier_s_word() {
        let order = order(OrderStatus::Created, 0);
        let paths: Vec<_> = fields(&order, &[]).into_iter().map(|(path, _)| path).collect();
        assert!(
            paths.iter().all(|path| is_editable(path, OrderStatus::Created)),
            "a new order may change in everything"
        );
        assert!(WORDS.iter().all(|(path, _)| paths.contains(path)));
    }

    #[test]
    fn a_change_names_the_field_and_both_values_and_null_or_nothing_removes_it() {
        let mut before = order(OrderStatus::Assigned, 0);
        before.demands.note = Some("two bags".into());
        before.dropoff.instructions = Some("ring twice".into());
        let wanted = EditOrder {
            dropoff: Some(EditPlace {
                address: Some("  14 Triq  ".into()),
                instructions: Some(Some(" ".into())),
                ..EditPlace::default()
            }),
            note: Some(None),
            ..EditOrder::default()
        };
        let edited = edit(&before, &[], &wanted).expect("may change");
        assert_eq!(edited.order.dropoff.address, "14 Triq", "as creation trims it");
        let change = |from: &str, to: Option<&str>| FieldChange { from: Some(from.into()), to: to.map(str::to_owned) };
        let expected = [
            ("dropoff.address", change("somewhere", Some("14 Triq"))),
            ("dropoff.instructions", change("ring twice", None)),
            ("note", change("two bags", None)),
        ];
        assert_eq!(edited.changes, expected.map(|(path, change)| (path.to_owned(), change)).into());
        assert_eq!(words_for_courier(&before, &edited.order), ["address", "instructions", "note"]);
    }

    #[test]
    fn a_pin_is_dropped_and_never_asked_for_anew() {
        let before = order(OrderStatus::Created, 0);
        let ask = |proof: &[ProofKind]| EditOrder { proof: Some(proof.to_vec()), ..EditOrder::default() };
        let with_pin = [ProofKind::Photo, ProofKind::Pin];
        let dropped = edit(&before, &with_pin, &ask(&[ProofKind::Photo])).expect("may be dropped");
        assert_eq!(dropped.proof, [ProofKind::Photo]);
        assert!(edit(&before, &with_pin, &ask(&with_pin)).expect("nothing new").changes.is_empty());
        let refused = edit(&before, &[], &ask(&with_pin)).expect_err("has no PIN");
        assert!(matches!(refused, EditRefusal::Invalid(errors) if errors[0].field == "proof"));
    }

    #[test]
    fn a_window_never_ends_before_it_begins_whichever_end_moves() {
        let mut before = order(OrderStatus::Created, 0);
        let at = |hour: i64| DateTime::from_timestamp(hour * 3_600, 0);
        (before.promised_from, before.promised_until) = (at(10), at(12));
        let until = |hour| EditOrder { promised_until: Some(at(hour)), ..EditOrder::default() };
        assert!(edit(&before, &[], &until(10)).is_ok());
        assert!(matches!(edit(&before, &[], &until(9)), Err(EditRefusal::Invalid(_))));
        let open = EditOrder { promised_from: Some(None), ..until(9) };
        assert!(edit(&before, &[], &open).is_ok(), "a window with an end only");
    }

    proptest! {
        #[test]
        fn what_is_refused_is_what_the_table_refuses(status in all_statuses(), wanted in edits()) {
            let before = order(status, 0);
            match edit(&before, &[], &wanted) {
                Ok(edited) => prop_assert!(edited.changes.keys().all(|path| is_editable(path, status))),
                Err(EditRefusal::NotEditable(refused)) => {
                    prop_assert!(!refused.is_empty());
                    prop_assert!(refused.keys().all(|path| !is_editable(path, status)));
                }
                Err(EditRefusal::Invalid(errors)) => prop_assert!(false, "{errors:?}"),
            }
        }

        #[test]
        fn the_same_change_again_changes_nothing(status in all_statuses(), wanted in edits()) {
            let before = order(status, 0);
            if let Ok(edited) = edit(&before, &[], &wanted) {
                let again = edit(&edited.order, &edited.proof, &wanted).expect("as before");
                prop_assert!(again.changes.is_empty(), "{:?}", again.changes);
                prop_assert_eq!(again.order, edited.order);
            }
        }

        #[test]
        fn an_edit_moves_no_order_on(status in all_statuses(), wanted in edits()) {
            let before = order(status, 0);
            if let Ok(Edited { order, .. }) = edit(&before, &[], &wanted) {
                prop_assert_eq!((order.id, order.status, order.status_at), (before.id, before.status, before.status_at));
                prop_assert_eq!((order.courier_id, order.carried_by, order.attempt), (before.courier_id, before.carried_by, before.attempt));
            }
        }

        #[test]
        fn couriers_have_to_see_what_concerns_them_and_nothing_else(status in all_statuses(), wanted in edits()) {
            let before = order(status, 0);
            if let Ok(edited) = edit(&before, &[], &wanted) {
                let words = words_for_courier(&before, &edited.order);
                let concerns = |path: &String| WORDS.iter().any(|(known, _)| known == path);
                prop_assert_eq!(words.is_empty(), !edited.changes.keys().any(concerns), "{:?}", edited.changes);
                let has_other_door = edited.changes.keys().any(|path| path.starts_with("dropoff.") && path != "dropoff.instructions");
                prop_assert!(!has_other_door || words.contains(&"address"));
            }
        }
    }
}
