//! What a dispatcher types about a courier: plain fields, and the requests that they become.

use doorstep_shared::{
    Vehicle,
    api::{
        CourierView, CreateCourier,
        console::EditCourier,
        plan::{CourierShift, Depot, Span},
    },
    contact,
};

use super::{
    draft::{TypedWindow, clock_of, date_of, moment_after, words},
    text::rfc3339,
};
use crate::data::Locale;

/// A courier as they are typed. Times are clock times at the place of work.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedCourier {
    pub name: String,
    pub phone: String,
    pub vehicle: Vehicle,
    /// Empty without a limit.
    pub capacity: String,
    /// Separated by commas.
    pub skills: String,
    /// `2026-11-28`; empty for the next day on which the clock shows the beginning.
    pub shift_date: String,
    pub shift_from: String,
    pub shift_until: String,
    pub break_from: String,
    pub break_until: String,
    pub depot: Option<Depot>,
}

impl Default for TypedCourier {
    fn default() -> Self {
        Self {
            name: String::new(),
            phone: String::new(),
            vehicle: Vehicle::Scooter,
            capacity: String::new(),
            skills: String::new(),
            shift_date: String::new(),
            shift_from: String::new(),
            shift_until: String::new(),
            break_from: String::new(),
            break_until: String::new(),
            depot: None,
        }
    }
}

impl TypedCourier {
    /// A courier as they are.
    pub fn of(view: &CourierView, locale: &Locale) -> Self {
        let ms = |at: chrono::DateTime<chrono::Utc>| at.timestamp_millis();
        let shift = view.shift.map(|shift| (ms(shift.from), ms(shift.until)));
        let pause = view.shift.and_then(|shift| shift.r#break).map(|pause| (ms(pause.from), ms(pause.until)));
        let [(shift_from, shift_until), (break_from, break_until)] = [shift, pause].map(|span| {
            let [from, until] = [span.map(|span| span.0), span.map(|span| span.1)];
            let clock = |at_ms: Option<i64>| at_ms.map(|at_ms| clock_of(at_ms, locale)).unwrap_or_default();
            (clock(from), clock(until))
        });
        Self {
            name: view.name.clone(),
            phone: view.phone.clone().unwrap_or_default(),
            vehicle: view.vehicle,
            capacity: view.capacity.map(|capacity| capacity.to_string()).unwrap_or_default(),
            skills: view.skills.iter().flatten().cloned().collect::<Vec<_>>().join(", "),
            shift_date: shift.map(|(from_ms, _)| date_of(from_ms, locale)).unwrap_or_default(),
            shift_from,
            shift_until,
            break_from,
            break_until,
            depot: view.depot.clone(),
        }
    }

    /// A new courier, as the API takes them.
    ///
    /// # Errors
    /// What is missing or cannot be read, as a sentence.
    pub fn create(&self, at_ms: i64, locale: &Locale) -> Result<CreateCourier, &'static str> {
        let skills = words(&self.skills);
        Ok(CreateCourier {
            name: self.name()?,
            phone: Some(self.phone()?).filter(|phone| !phone.is_empty()),
            vehicle: self.vehicle,
            capacity: self.capacity()?,
            skills: (!skills.is_empty()).then_some(skills),
            shift: self.shift(at_ms, locale)?,
            depot: self.depot.clone(),
        })
    }

    /// What differs from `before`, as the API takes it: what was not known when the form opened is not overwritten.
    ///
    /// # Errors
    /// What is missing or cannot be read, as a sentence.
    pub fn changes(&self, before: &Self, at_ms: i64, locale: &Locale) -> Result<EditCourier, &'static str> {
        let shift_of = |typed: &Self| {
            let Self { shift_date, shift_from, shift_until, break_from, break_until, .. } = typed;
            [shift_date, shift_from, shift_until, break_from, break_until].map(Clone::clone)
        };
        let (shift, capacity, name) = (self.shift(at_ms, locale)?, self.capacity()?, self.name()?);
        let phone = (self.phone != before.phone).then(|| self.phone()).transpose()?;
        Ok(EditCourier {
            name: (self.name != before.name).then_some(name),
            phone,
            vehicle: (self.vehicle != before.vehicle).then_some(self.vehicle),
            capacity: (self.capacity != before.capacity).then_some(capacity),
            skills: (self.skills != before.skills).then(|| words(&self.skills)),
            shift: (shift_of(self) != shift_of(before)).then_some(shift),
            depot: (self.depot != before.depot).then(|| self.depot.clone()),
            archived: None,
        })
    }

    fn name(&self) -> Result<String, &'static str> {
        Some(self.name.trim().to_owned()).filter(|name| !name.is_empty()).ok_or("Write the courier's name.")
    }

    fn phone(&self) -> Result<String, &'static str> {
        let phone = self.phone.trim();
        let is_right = phone.is_empty() || contact::check_phone(phone).is_ok();
        is_right.then(|| phone.to_owned()).ok_or("Write a phone number, such as +44 20 7946 0000.")
    }

    fn capacity(&self) -> Result<Option<u32>, &'static str> {
        let text = self.capacity.trim();
        let number = text.parse::<u32>().ok().filter(|capacity| *capacity > 0);
        if text.is_empty() || number.is_some() {
            Ok(number)
        } else {
            Err("Write the capacity as a whole number, 1 or more.")
        }
    }

    fn shift(&self, at_ms: i64, locale: &Locale) -> Result<Option<CourierShift>, &'static str> {
        let typed = TypedWindow {
            from_date: &self.shift_date,
            from: &self.shift_from,
            until_date: "",
            until: &self.shift_until,
        };
        let is_empty = self.shift_from.is_empty() && self.shift_until.is_empty();
        if is_empty {
            let has_break = !(self.break_from.is_empty() && self.break_until.is_empty());
            return if has_break { Err("A break needs a shift.") } else { Ok(None) };
        }
        let window = typed.read(at_ms, locale).map_err(|_| "Write the shift as two times, such as 09:00 and 17:00.")?;
        let (Some(from_ms), Some(until_ms)) = window else {
            return Err("A shift needs its beginning and its end.");
        };
        let r#break = self.pause((from_ms, until_ms), locale)?;
        Ok(Some(CourierShift { from: time(from_ms), until: time(until_ms), r#break }))
    }

    fn pause(&self, shift: (i64, i64), locale: &Locale) -> Result<Option<Span>, &'static str> {
        if self.break_from.is_empty() && self.break_until.is_empty() {
            return Ok(None);
        }
        // A night's break may be after midnight.
        let inside = |clock: &str| moment_after(shift.0, clock, locale);
        match (inside(&self.break_from), inside(&self.break_until)) {
            (Some(from_ms), Some(until_ms)) if from_ms < until_ms && until_ms <= shift.1 => {
                Ok(Some(Span { from: time(from_ms), until: time(until_ms) }))
            }
            _ => Err("Write the break as two times within the shift."),
        }
    }
}

fn time(at_ms: i64) -> chrono::DateTime<chrono::Utc> {
    rfc3339(at_ms).parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::fleet::tests::NOW_MS;

    fn locale() -> Locale {
        Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false }
    }

    fn typed() -> TypedCourier {
        TypedCourier {
            name: " Ana ".into(),
            capacity: "10".into(),
            skills: "van, cold".into(),
            shift_date: "2026-11-22".into(),
            shift_from: "20:00".into(),
            shift_until: "04:00".into(),
            break_from: "00:30".into(),
            break_until: "01:00".into(),
            ..TypedCourier::default()
        }
    }

    #[test]
    fn a_night_shift_with_its_break_after_midnight_is_read() {
        let made = typed().create(NOW_MS, &locale()).expect("all is right");
        assert_eq!((made.name.as_str(), made.capacity, made.phone), ("Ana", Some(10), None));
        assert_eq!(made.skills, Some(vec!["van".to_owned(), "cold".to_owned()]));
        let shift = made.shift.expect("a shift");
        let hours = |from: chrono::DateTime<chrono::Utc>, until: chrono::DateTime<chrono::Utc>| {
            (until.timestamp_millis() - from.timestamp_millis()) as f64 / 3_600_000.0
        };
        let pause = shift.r#break.expect("a break");
        assert_eq!((hours(shift.from, shift.until), hours(shift.from, pause.from)), (8.0, 4.5));
    }

    #[test]
    fn what_is_not_right_is_said() {
        for (wrong, why) in [
            (TypedCourier { name: " ".into(), ..typed() }, "Write the courier's name."),
            (TypedCourier { capacity: "0".into(), ..typed() }, "Write the capacity as a whole number, 1 or more."),
            (TypedCourier { shift_until: String::new(), ..typed() }, "A shift needs its beginning and its end."),
            (TypedCourier { break_until: "05:00".into(), ..typed() }, "Write the break as two times within the shift."),
            (
                TypedCourier { shift_from: String::new(), shift_until: String::new(), ..typed() },
                "A break needs a shift.",
            ),
        ] {
            assert_eq!(wrong.create(NOW_MS, &locale()), Err(why));
        }
    }

    #[test]
    fn only_what_was_changed_is_sent() {
        let before = typed();
        let edit = TypedCourier { phone: "+356 7712 3456".into(), capacity: String::new(), ..typed() };
        let changes = edit.changes(&before, NOW_MS, &locale()).expect("all is right");
        let expected =
            EditCourier { phone: Some("+356 7712 3456".into()), capacity: Some(None), ..EditCourier::default() };
        assert_eq!(changes, expected);
    }

    #[test]
    fn a_courier_is_typed_as_they_are() {
        let made = typed().create(NOW_MS, &locale()).expect("all is right");
        let view: CourierView = serde_json::from_value(serde_json::json!({
            "id": doorstep_shared::CourierId::new(), "name": made.name, "vehicle": made.vehicle,
            "created_at": rfc3339(NOW_MS), "capacity": made.capacity, "skills": made.skills, "shift": made.shift,
        }))
        .expect("a courier");
        assert_eq!(TypedCourier::of(&view, &locale()), TypedCourier { name: "Ana".into(), ..typed() });
    }
}
