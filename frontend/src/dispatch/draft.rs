//! An order while a dispatcher fills in its form: plain fields as they are typed, the request for a new order that they
//! become, and the changes of an order that exists.

mod field;
mod texts;
mod window;

use doorstep_shared::{
    PinId,
    api::{CreateOrder, CustomerBody, OrderView, PlaceBody, proof::ProofKind},
    contact::{self, PhoneFault},
};
use serde_json::{Map, Value};

pub use field::{Field, locked, name_of};
pub use texts::words;
use texts::{minutes_text, next_reference, seconds};
pub use window::{TypedWindow, Window, clock_of, date_of, moment_after};

use super::dates::rfc3339;
use crate::data::Locale;

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

    /// The field with its address.
    pub const fn address(self) -> Field {
        match self {
            Self::Pickup => Field::PickupAddress,
            Self::Dropoff => Field::DropoffAddress,
        }
    }

    /// The field with the note for the courier.
    pub const fn instructions(self) -> Field {
        match self {
            Self::Pickup => Field::PickupInstructions,
            Self::Dropoff => Field::DropoffInstructions,
        }
    }
}

/// The order as it is typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    texts: [String; Field::ALL.len()],
    /// `[lon, lat]`, from the map or the address search.
    pins: [Option<[f64; 2]>; 2],
    pub proof: Vec<ProofKind>,
    /// Where the next click on the map goes.
    pub placing: StopKind,
    /// Where each pin comes from.
    pub sources: [Source; 2],
}

/// Where the pin of a stop comes from, and so what can be said of its address for all orders to come.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Source {
    /// The map, or an order.
    #[default]
    Given,
    /// A click on the map. `name` is what the map calls that point.
    ByHand { name: String },
    /// What this address was pinned to.
    Pinned(PinId),
    /// That is being changed.
    Busy,
}

/// Fields that are wrong, by the API's name for them, and why.
pub type Problems = Vec<(String, String)>;

/// What the texts of a draft mean where they are more than texts.
struct Meaning {
    window: Window,
    size: Option<u32>,
    service_s: Option<u32>,
    requires: Vec<String>,
    proof: Vec<ProofKind>,
}

impl Draft {
    /// The next order after one that was created: the same pickup, the next number.
    pub fn after(made: Option<&OrderView>) -> Self {
        let Some(made) = made else { return Self::default() };
        let mut draft = Self { placing: StopKind::Dropoff, ..Self::default() };
        draft.set(Field::Reference, next_reference(&made.reference));
        draft.take_place(StopKind::Pickup, &made.pickup);
        draft
    }

    /// An order that exists, to be changed.
    pub fn of(view: &OrderView, locale: &Locale) -> Self {
        let mut draft = Self { placing: StopKind::Dropoff, ..Self::default() };
        draft.take_place(StopKind::Pickup, &view.pickup);
        draft.take_place(StopKind::Dropoff, &view.dropoff);
        let customer = &view.customer;
        draft.set(Field::Reference, view.reference.clone());
        draft.set(Field::Customer, customer.name.clone());
        draft.set(Field::Phone, customer.phone.clone().unwrap_or_default());
        draft.set(Field::Email, customer.email.clone().unwrap_or_default());
        let ends =
            [(view.promised_from, Field::FromDate, Field::From), (view.promised_until, Field::UntilDate, Field::Until)];
        for (at, date, clock) in ends {
            if let Some(at_ms) = at.map(|at| at.timestamp_millis()) {
                draft.set(date, date_of(at_ms, locale));
                draft.set(clock, clock_of(at_ms, locale));
            }
        }
        draft.set(Field::Size, view.size.map(|size| size.to_string()).unwrap_or_default());
        draft.set(Field::Service, view.service_s.map(minutes_text).unwrap_or_default());
        draft.set(Field::Requires, view.requires.iter().flatten().cloned().collect::<Vec<_>>().join(", "));
        draft.set(Field::Note, view.note.clone().unwrap_or_default());
        draft.proof = view.proof.clone().unwrap_or_default();
        draft
    }

    /// Takes a place as it is: its address, its pin, the note there, and for a pickup its phone.
    pub fn take_place(&mut self, kind: StopKind, place: &PlaceBody) {
        self.set(kind.address(), place.address.clone());
        self.set(kind.instructions(), place.instructions.clone().unwrap_or_default());
        self.pins[kind as usize] = Some([place.lon, place.lat]);
        self.sources[kind as usize] = Source::Given;
        if kind == StopKind::Pickup {
            self.set(Field::PickupPhone, place.phone.clone().unwrap_or_default());
        }
    }

    /// What a field holds.
    pub fn text(&self, field: Field) -> &str {
        &self.texts[field as usize]
    }

    /// Replaces what a field holds.
    pub fn set(&mut self, field: Field, text: String) {
        self.texts[field as usize] = text;
    }

    /// The pin of a stop, `[lon, lat]`.
    pub const fn at(&self, kind: StopKind) -> Option<[f64; 2]> {
        self.pins[kind as usize]
    }

    /// Puts a pin for the stop that is being placed; the next click is for a stop that has none. `address` replaces what was
    /// typed.
    pub fn pin(&mut self, at: [f64; 2], address: Option<&str>) {
        let kind = self.placing;
        self.pins[kind as usize] = Some(at.map(|degrees| (degrees * 1e6).round() / 1e6));
        self.sources[kind as usize] = Source::ByHand { name: String::new() };
        if let Some(address) = address {
            self.set(kind.address(), address.to_owned());
        }
        let missing = StopKind::ALL.into_iter().find(|kind| self.at(*kind).is_none());
        self.placing = missing.unwrap_or(kind);
    }

    /// What can be done about the address of a stop for all orders to come; empty when nothing can.
    pub fn pin_action(&self, kind: StopKind) -> &'static str {
        let address = self.text(kind.address()).trim();
        match &self.sources[kind as usize] {
            Source::ByHand { name } if !address.is_empty() && address != name => "Pin this address",
            Source::Pinned(_) => "Remove its pin",
            _ => "",
        }
    }

    /// Takes the pin of a stop from another draft.
    pub const fn take_pin(&mut self, kind: StopKind, from: &Self) {
        self.pins[kind as usize] = from.pins[kind as usize];
    }

    /// What looks mistyped in a field; a number may be saved all the same, unless nobody can call it.
    pub fn warning(&self, field: Field) -> Option<&'static str> {
        let text = self.text(field).trim();
        let is_odd = matches!(field, Field::Phone | Field::PickupPhone) && !contact::is_usual_phone(text);
        let odd = (is_odd && !text.is_empty()).then_some("This does not look like a phone number");
        self.contact_fault(field).or(odd)
    }

    /// Why nobody can be called at this number, or written to at this address.
    fn contact_fault(&self, field: Field) -> Option<&'static str> {
        let text = Some(self.text(field).trim()).filter(|text| !text.is_empty())?;
        match field {
            Field::Phone | Field::PickupPhone => contact::check_phone(text).err().map(|fault| phone_text(&fault)),
            Field::Email => contact::check_email(text).err().map(|_| "Write an email address, such as eve@example.com"),
            _ => None,
        }
    }

    /// The window as it is typed.
    pub fn typed_window(&self) -> TypedWindow<'_> {
        TypedWindow {
            from_date: self.text(Field::FromDate),
            from: self.text(Field::From),
            until_date: self.text(Field::UntilDate),
            until: self.text(Field::Until),
        }
    }

    /// The order as the API takes it.
    ///
    /// # Errors
    /// The missing and unreadable fields.
    pub fn order(&self, at_ms: i64, locale: &Locale) -> Result<CreateOrder, Problems> {
        let meaning = self.read(None, at_ms, locale)?;
        let (from_ms, until_ms) = meaning.window;
        let time = |at_ms: Option<i64>| at_ms.and_then(|at_ms| rfc3339(at_ms).parse().ok());
        Ok(CreateOrder {
            reference: self.trimmed(Field::Reference),
            pickup: PlaceBody { phone: self.filled(Field::PickupPhone), ..self.place(StopKind::Pickup) },
            dropoff: self.place(StopKind::Dropoff),
            customer: CustomerBody {
                name: self.trimmed(Field::Customer),
                phone: self.filled(Field::Phone),
                email: self.filled(Field::Email),
            },
            promised_from: time(from_ms),
            promised_until: time(until_ms),
            proof: (!meaning.proof.is_empty()).then_some(meaning.proof),
            size: meaning.size,
            service_s: meaning.service_s,
            requires: (!meaning.requires.is_empty()).then_some(meaning.requires),
            note: self.filled(Field::Note),
        })
    }

    /// What differs from `before`, as the body of a `PATCH` of the order; empty when nothing does.
    ///
    /// # Errors
    /// The missing and unreadable fields.
    pub fn changes(&self, before: &Self, at_ms: i64, locale: &Locale) -> Result<Map<String, Value>, Problems> {
        let meaning = self.read(Some(before), at_ms, locale)?;
        let mut changes = Map::new();
        for field in Field::ALL.into_iter().filter(|field| self.text(*field) != before.text(*field)) {
            let value = match field {
                Field::FromDate | Field::From => time_value(meaning.window.0),
                Field::UntilDate | Field::Until => time_value(meaning.window.1),
                Field::Size => meaning.size.unwrap_or(1).into(),
                Field::Service => meaning.service_s.map_or(Value::Null, Value::from),
                Field::Requires => meaning.requires.clone().into(),
                _ => self.filled(field).map_or(Value::Null, Value::from),
            };
            put(&mut changes, field.path(), value);
        }
        for kind in StopKind::ALL.into_iter().filter(|kind| self.at(*kind) != before.at(*kind)) {
            if let Some([lon, lat]) = self.at(kind) {
                put(&mut changes, &format!("{}.lat", kind.word()), lat.into());
                put(&mut changes, &format!("{}.lon", kind.word()), lon.into());
            }
        }
        if self.proof != before.proof {
            let words: Vec<_> = meaning.proof.iter().map(|kind| kind.as_str().to_owned()).collect();
            changes.insert("proof".to_owned(), words.into());
        }
        Ok(changes)
    }

    /// What was typed. A number that stood there `before` was taken once, and holds nothing up.
    fn read(&self, before: Option<&Self>, at_ms: i64, locale: &Locale) -> Result<Meaning, Problems> {
        let mut problems = Problems::new();
        let mut check = |is_right: bool, field: &str, why: &str| {
            if !is_right {
                problems.push((field.to_owned(), why.to_owned()));
            }
        };
        let is_filled = |field: Field| !self.text(field).trim().is_empty();
        check(is_filled(Field::Reference), Field::Reference.path(), "Give the order a reference");
        check(is_filled(Field::Customer), Field::Customer.path(), "Say who gets it");
        for kind in StopKind::ALL {
            let is_placed = self.at(kind).is_some();
            check(is_placed, kind.word(), "Click on the map, or choose an address that the search finds");
            check(is_filled(kind.address()) || !is_placed, kind.address().path(), "Write the address");
        }
        for field in [Field::PickupPhone, Field::Phone, Field::Email] {
            let is_new = before.is_none_or(|before| before.text(field) != self.text(field));
            if let Some(why) = self.contact_fault(field).filter(|_| is_new) {
                check(false, field.path(), why);
            }
        }
        let window = self.typed_window().read(at_ms, locale);
        if let Err((field, why)) = window {
            check(false, field, why);
        }
        let size = self.filled(Field::Size).map(|text| text.parse::<u32>().ok().filter(|size| *size > 0));
        check(size != Some(None), Field::Size.path(), "Write a whole number, 1 or more");
        let service_s = self.filled(Field::Service).map(|text| seconds(&text));
        check(service_s != Some(None), Field::Service.path(), "Write minutes, up to 240");
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Meaning {
            window: window.unwrap_or_default(),
            size: size.flatten(),
            service_s: service_s.flatten(),
            requires: words(self.text(Field::Requires)),
            proof: ProofKind::ALL.into_iter().filter(|kind| self.proof.contains(kind)).collect(),
        })
    }

    fn trimmed(&self, field: Field) -> String {
        self.text(field).trim().to_owned()
    }

    fn filled(&self, field: Field) -> Option<String> {
        Some(self.trimmed(field)).filter(|text| !text.is_empty())
    }

    /// One end of the delivery, as the API takes it.
    pub fn place(&self, kind: StopKind) -> PlaceBody {
        let [lon, lat] = self.at(kind).unwrap_or_default();
        let instructions = self.filled(kind.instructions());
        PlaceBody { lat, lon, address: self.trimmed(kind.address()), instructions, phone: None }
    }
}

/// Puts a value where the path says, such as `dropoff.address`.
fn put(changes: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => changes.insert(path.to_owned(), value),
        Some((part, name)) => {
            let inner = changes.entry(part).or_insert_with(|| Value::Object(Map::new()));
            inner.as_object_mut().and_then(|inner| inner.insert(name.to_owned(), value))
        }
    };
}

/// Why nobody can be called at a number, below its field.
const fn phone_text(fault: &PhoneFault) -> &'static str {
    match fault {
        PhoneFault::Rounded(_) => "A spreadsheet rounded this number: enter it again",
        PhoneFault::NoNumber => "Write a phone number, such as +44 20 7946 0000",
        PhoneFault::TooLong => "This has more digits than a phone number",
    }
}

fn time_value(at_ms: Option<i64>) -> Value {
    at_ms.map_or(Value::Null, |at_ms| rfc3339(at_ms).into())
}

#[cfg(test)]
mod tests;
