//! A new order while a dispatcher fills in its form: plain fields as they are typed, and the request that they become.

use doorstep_shared::api::{CreateOrder, CustomerBody, OrderView, PlaceBody, proof::ProofKind};

use super::text::rfc3339;
use crate::{data::Locale, ui::time};

const DAY_MS: i64 = 86_400_000;

/// A clock time further in the past than this means tomorrow.
const SURELY_PAST_MS: i64 = 6 * 3_600_000;

/// A stop of the delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StopKind {
    /// Where the courier collects the goods.
    #[default]
    Pickup,
    /// Where the courier delivers them.
    Dropoff,
}

impl StopKind {
    /// Both, in driving order.
    pub const ALL: [Self; 2] = [Self::Pickup, Self::Dropoff];

    /// The word in the API's field names.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pickup => "pickup",
            Self::Dropoff => "dropoff",
        }
    }
}

/// One stop as it is typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftStop {
    pub address: String,
    /// `[lon, lat]`, from the map or the address search.
    pub at: Option<[f64; 2]>,
    pub instructions: String,
}

/// The order as it is typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub reference: String,
    pub pickup: DraftStop,
    pub dropoff: DraftStop,
    pub customer: String,
    pub phone: String,
    pub email: String,
    /// `18:55`, at the place of work; empty when nothing is promised.
    pub from: String,
    pub until: String,
    pub proof: Vec<ProofKind>,
    /// Where the next click on the map goes.
    pub placing: StopKind,
}

/// Fields that are wrong, by the API's name for them, and why.
pub type Problems = Vec<(String, String)>;

impl Draft {
    /// The next order after one that was created: the same pickup, the next number.
    pub fn after(made: Option<&OrderView>) -> Self {
        let Some(made) = made else { return Self::default() };
        let pickup = DraftStop {
            address: made.pickup.address.clone(),
            at: Some([made.pickup.lon, made.pickup.lat]),
            instructions: made.pickup.instructions.clone().unwrap_or_default(),
        };
        Self { reference: next_reference(&made.reference), pickup, placing: StopKind::Dropoff, ..Self::default() }
    }

    /// One stop.
    pub fn stop(&self, kind: StopKind) -> &DraftStop {
        match kind {
            StopKind::Pickup => &self.pickup,
            StopKind::Dropoff => &self.dropoff,
        }
    }

    /// One stop, to change.
    pub fn stop_mut(&mut self, kind: StopKind) -> &mut DraftStop {
        match kind {
            StopKind::Pickup => &mut self.pickup,
            StopKind::Dropoff => &mut self.dropoff,
        }
    }

    /// Puts a pin for the stop that is being placed; the next click is for a stop that has none. `address` replaces what was
    /// typed.
    pub fn pin(&mut self, at: [f64; 2], address: Option<&str>) {
        let kind = self.placing;
        let place = self.stop_mut(kind);
        place.at = Some(at.map(|degrees| (degrees * 1e6).round() / 1e6));
        if let Some(address) = address {
            place.address = address.to_owned();
        }
        let missing = StopKind::ALL.into_iter().find(|kind| self.stop(*kind).at.is_none());
        self.placing = missing.unwrap_or(kind);
    }

    /// The order as the API takes it.
    ///
    /// # Errors
    /// The missing and unreadable fields.
    pub fn order(&self, at_ms: i64, locale: &Locale) -> Result<CreateOrder, Problems> {
        let mut problems = Problems::new();
        let mut check = |is_right: bool, field: &str, why: &str| {
            if !is_right {
                problems.push((field.to_owned(), why.to_owned()));
            }
        };
        check(!self.reference.trim().is_empty(), "reference", "Give the order a reference");
        check(!self.customer.trim().is_empty(), "customer.name", "Say who gets it");
        for kind in StopKind::ALL {
            let place = self.stop(kind);
            let is_placed = place.at.is_some();
            check(is_placed, kind.word(), "Click on the map, or choose an address that the search finds");
            check(
                !place.address.trim().is_empty() || !is_placed,
                &format!("{}.address", kind.word()),
                "Write the address",
            );
        }
        let from_ms = moment(&self.from, at_ms, locale);
        let until_ms = moment(&self.until, at_ms, locale);
        check(self.from.is_empty() || from_ms.is_some(), "promised_from", "Write a time such as 18:30");
        check(self.until.is_empty() || until_ms.is_some(), "promised_until", "Write a time such as 18:55");
        let is_in_order = from_ms.zip(until_ms).is_none_or(|(from_ms, until_ms)| from_ms <= until_ms);
        check(is_in_order, "promised_until", "The window ends before it begins");
        if !problems.is_empty() {
            return Err(problems);
        }
        let proof: Vec<_> = ProofKind::ALL.into_iter().filter(|kind| self.proof.contains(kind)).collect();
        Ok(CreateOrder {
            reference: self.reference.trim().to_owned(),
            pickup: body(&self.pickup),
            dropoff: body(&self.dropoff),
            customer: CustomerBody {
                name: self.customer.trim().to_owned(),
                phone: filled(&self.phone),
                email: filled(&self.email),
            },
            promised_from: from_ms.and_then(|ms| rfc3339(ms).parse().ok()),
            promised_until: until_ms.and_then(|ms| rfc3339(ms).parse().ok()),
            proof: (!proof.is_empty()).then_some(proof),
            ..CreateOrder::default()
        })
    }
}

fn body(place: &DraftStop) -> PlaceBody {
    let [lon, lat] = place.at.unwrap_or_default();
    let address = place.address.trim().to_owned();
    PlaceBody { lat, lon, address, instructions: filled(&place.instructions), phone: None }
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The next moment at which a clock at the place of work shows this time; a time that has just passed is still today's.
fn moment(clock: &str, at_ms: i64, locale: &Locale) -> Option<i64> {
    let (hours, minutes) = clock.trim().split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.get(..2)?.parse().ok()?);
    if !(0..24).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    let midnight_ms = time::day(at_ms, locale) * DAY_MS - i64::from(locale.utc_offset_min) * time::MINUTE_MS;
    let today_ms = midnight_ms + (hours * 60 + minutes) * time::MINUTE_MS;
    Some(if at_ms - today_ms > SURELY_PAST_MS { today_ms + DAY_MS } else { today_ms })
}

/// `A-1042` → `A-1043`; a reference without a number at its end says nothing about the next.
fn next_reference(reference: &str) -> String {
    let digits = reference.len() - reference.trim_end_matches(|last: char| last.is_ascii_digit()).len();
    let (stem, number) = reference.split_at(reference.len() - digits);
    match number.parse::<u64>() {
        Ok(number) if digits < 18 => format!("{stem}{:0digits$}", number + 1),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dispatch::fleet::tests::NOW_MS;

    fn locale() -> Locale {
        Locale { lang: "en".into(), hour12: false, utc_offset_min: 60, miles: false }
    }

    fn written() -> Draft {
        let place =
            |address: &str| DraftStop { address: address.into(), at: Some([14.5, 35.9]), instructions: String::new() };
        Draft {
            reference: " A-1053 ".into(),
            pickup: place("Harbour Kitchen"),
            dropoff: place("12 Triq il-Merkanti"),
            customer: "Eve".into(),
            until: "18:55".into(),
            ..Draft::default()
        }
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
    fn every_missing_field_is_named() {
        let problems = Draft::default().order(NOW_MS, &locale()).expect_err("everything is missing");
        let fields: Vec<_> = problems.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["reference", "customer.name", "pickup", "dropoff"]);
    }

    #[test]
    fn a_time_long_past_is_tomorrows() {
        assert_eq!(moment("18:00", NOW_MS, &locale()), Some(NOW_MS - 42 * 60_000));
        assert_eq!(moment("00:10", NOW_MS, &locale()), Some(NOW_MS + (5 * 60 + 28) * 60_000));
        for nonsense in ["", "24:00", "7", "7:6", "x:00"] {
            assert_eq!(moment(nonsense, NOW_MS, &locale()), None, "{nonsense}");
        }
    }

    #[test]
    fn clicks_fill_the_pickup_and_then_the_door() {
        let mut draft = Draft::default();
        draft.pin([14.5, 35.9], None);
        draft.pin([14.51, 35.91], Some("Strait Street"));
        assert_eq!((draft.pickup.at, draft.dropoff.at), (Some([14.5, 35.9]), Some([14.51, 35.91])));
        draft.pin([14.52, 35.92], None);
        assert_eq!((draft.dropoff.at, draft.dropoff.address.as_str()), (Some([14.52, 35.92]), "Strait Street"));
    }

    #[test]
    fn references_count_on() {
        for (before, after) in [("A-1042", "A-1043"), ("9", "10"), ("A-099", "A-100"), ("web", ""), ("", "")] {
            assert_eq!(next_reference(before), after);
        }
    }

    proptest! {
        #[test]
        fn no_reference_and_no_clock_breaks_the_form(reference in "\\PC{0,30}", clock in "\\PC{0,8}") {
            next_reference(&reference);
            moment(&clock, NOW_MS, &locale());
        }
    }
}
