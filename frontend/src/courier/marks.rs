//! What dispatch changed at a stop, marked until the courier has read it.
//!
//! The phone compares what came with the stops that it kept, so it knows what stood there before. The server names what
//! changed about an order, whichever of its stops that was; its word counts only for a stop that the phone did not have.

use doorstep_shared::{
    OrderId,
    api::plan::PlanStop,
    protocol::courier::{Contact, Stop, StopKind},
};

use super::plan::name;

/// The marks of one stop, as they are kept: which, what changed and what stood there before. A tuple, because the code that
/// reads a structure's names is kilobytes of program on a phone.
pub type Mark = (OrderId, StopKind, Vec<(String, Option<String>)>);

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What: a word of [`Stop::changed`].
    pub what: String,
    /// What stood there before; absent when the phone does not know it, or when it is no text.
    pub was: Option<String>,
}

/// The stops whose marks are new, with what is new about each.
pub type News<'a> = Vec<(&'a Stop, Vec<Change>)>;

/// What changed between the stops that the phone kept and those that came now.
pub fn news<'a>(before: &[Stop], after: &'a [Stop]) -> News<'a> {
    let changes = |stop: &'a Stop| {
        let before = before.iter().find(|before| name(before) == name(stop));
        (stop, changes(before, stop))
    };
    after.iter().map(changes).filter(|(_, changes)| !changes.is_empty()).collect()
}

/// Adds what is new; of two changes of one thing the first says what stood there before.
pub fn add(marks: &mut Vec<Mark>, news: &News<'_>) {
    for (stop, changes) in news {
        let place = marks.iter().position(|mark| is_of(mark, name(stop))).unwrap_or_else(|| {
            marks.push((stop.order_id, stop.kind, Vec::new()));
            marks.len() - 1
        });
        let known = &mut marks[place].2;
        for Change { what, was } in changes {
            if known.iter().all(|known| known.0 != *what) {
                known.push((what.clone(), was.clone()));
            }
        }
    }
}

/// The marks of a stop.
pub fn of(marks: &[Mark], stop: &Stop) -> Vec<Change> {
    let mark = marks.iter().find(|mark| is_of(mark, name(stop)));
    let changes = mark.into_iter().flat_map(|mark| &mark.2);
    changes.map(|(what, was)| Change { what: what.clone(), was: was.clone() }).collect()
}

/// Keeps the marks of the stops that are still ahead.
pub fn keep(marks: &mut Vec<Mark>, stops: &[Stop]) {
    marks.retain(|mark| stops.iter().any(|stop| is_of(mark, name(stop))));
}

/// The courier has read the marks of a stop.
pub fn read(marks: &mut Vec<Mark>, stop: PlanStop) {
    marks.retain(|mark| !is_of(mark, stop));
}

fn is_of(mark: &Mark, stop: PlanStop) -> bool {
    (mark.0, mark.1) == (stop.order_id, stop.kind)
}

/// What differs from what the phone kept, or else what the server says.
fn changes(before: Option<&Stop>, after: &Stop) -> Vec<Change> {
    match before {
        Some(before) => differences(before, after),
        None => {
            let said = after.changed.iter().flatten();
            said.map(|what| Change { what: what.clone(), was: None }).collect()
        }
    }
}

fn differences(before: &Stop, after: &Stop) -> Vec<Change> {
    let text = |what: &str, before: Option<&str>, after: Option<&str>| {
        (before != after).then(|| Change { what: what.to_owned(), was: before.map(str::to_owned) })
    };
    let silent = |what: &str, differs: bool| differs.then(|| Change { what: what.to_owned(), was: None });
    let name = |stop: &Stop| stop.contact.as_ref().map(|contact: &Contact| contact.name.clone());
    let window = |stop: &Stop| (stop.promised_from_ms, stop.promised_until_ms);
    let goods = |stop: &Stop| (stop.size, stop.requires.clone());
    let moved = (before.lat, before.lon) != (after.lat, after.lon) && before.address == after.address;
    let is_renamed = name(before) != name(after);
    [
        text("address", Some(&before.address), Some(&after.address)).or_else(|| silent("address", moved)),
        text("instructions", before.instructions.as_deref(), after.instructions.as_deref()),
        text("contact", name(before).as_deref(), name(after).as_deref())
            .or_else(|| silent("contact", !is_renamed && before.contact != after.contact)),
        silent("window", window(before) != window(after)),
        silent("goods", goods(before) != goods(after)),
        text("note", before.note.as_deref(), after.note.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{OrderStatus, protocol::courier::StopKind};

    use super::*;
    use crate::courier::stops::tests::stop;

    fn door(address: &str, changed: &[&str]) -> Stop {
        let mut stop = stop(1, StopKind::Dropoff, OrderStatus::PickedUp);
        stop.address = address.into();
        let changed: Vec<String> = changed.iter().map(|what| (*what).to_owned()).collect();
        stop.changed = (!changed.is_empty()).then_some(changed);
        stop
    }

    fn words(before: &[Stop], after: &[Stop]) -> Vec<(String, Option<String>)> {
        let changes = news(before, after).into_iter().flat_map(|(_, changes)| changes);
        changes.map(|change| (change.what, change.was)).collect()
    }

    #[test]
    fn a_changed_address_says_what_it_was() {
        let (before, after) = ([door("1 Strait Street", &[])], [door("9 Strait Street", &["address"])]);
        assert_eq!(words(&before, &after), [("address".into(), Some("1 Strait Street".into()))]);
        assert_eq!(words(&[], &after), [("address".into(), None)], "a phone that kept nothing");
        assert_eq!(words(&after, &after), [], "it is new only once");
        assert_eq!(words(&after, &[door("9 Strait Street", &[])]), [], "the server knows that it was seen");
        assert_eq!(words(&after, &[door("8 Strait Street", &["address"])]).len(), 1, "changed once more");
        let same = door("9 Strait Street", &["address", "note"]);
        assert_eq!(words(&after, &[same]), [], "that was the order's other stop");
    }

    #[test]
    fn everything_that_the_card_shows_can_change() {
        let before = door("1 Strait Street", &[]);
        let mut after = before.clone();
        (after.lat, after.instructions, after.promised_until_ms) = (35.91, Some("Ring".into()), Some(5));
        (after.size, after.note) = (Some(3), Some("Two boxes".into()));
        after.contact = Some(Contact { name: "Kim".into(), phone: None });
        let changed: Vec<_> = words(&[before], &[after]).into_iter().map(|(what, _)| what).collect();
        assert_eq!(changed, ["address", "instructions", "contact", "window", "goods", "note"]);
    }

    #[test]
    fn a_mark_stays_until_it_is_read_and_remembers_the_first_text() {
        let (first, second) = ([door("1", &[])], [door("2", &[])]);
        let third = [door("3", &[])];
        let mut marks = Vec::new();
        add(&mut marks, &news(&first, &second));
        add(&mut marks, &news(&second, &third));
        assert_eq!(of(&marks, &third[0]), [Change { what: "address".into(), was: Some("1".into()) }]);
        keep(&mut marks, &third);
        assert_eq!(marks.len(), 1);
        read(&mut marks, name(&third[0]));
        assert_eq!(marks, []);
    }
}
