//! Collects what is wrong with the fields of a body, so that one answer names all of it.

use std::fmt;

use doorstep_shared::{LatLon, contact, geo::coord::CoordError, problem::FieldError, text::is_plain};

use crate::error::ApiError;

/// Collects what is wrong with the fields of a body.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Notes that `field` is refused because of `message`, unless `ok`.
    pub fn check(&mut self, ok: bool, field: &str, message: &str) {
        if !ok {
            self.0.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        }
    }

    /// Notes that `text` must have between 1 and `max` characters, and no control characters, nor such as turn
    /// the direction of text.
    pub fn check_text(&mut self, text: &str, max: usize, field: &str) {
        let fits = (1..=max).contains(&text.trim().chars().count()) && text.chars().all(is_plain);
        self.check(fits, field, &format!("must have 1 to {max} characters, none of them control characters"));
    }

    /// Like [`FieldErrors::check_text`] for a field that may be absent.
    pub fn check_optional_text(&mut self, text: Option<&str>, max: usize, field: &str) {
        if let Some(text) = text {
            self.check_text(text, max, field);
        }
    }

    /// Notes that `phone`, if there is one, must be a number that somebody may be called at.
    pub fn check_phone(&mut self, phone: Option<&str>, field: &str) {
        self.check_contact(phone, 40, field, contact::check_phone);
    }

    /// Notes that `email`, if there is one, must be an address that somebody may be written to.
    pub fn check_email(&mut self, email: Option<&str>, field: &str) {
        self.check_contact(email, 254, field, contact::check_email);
    }

    fn check_contact<E: fmt::Display>(
        &mut self,
        text: Option<&str>,
        max: usize,
        field: &str,
        check: fn(&str) -> Result<(), E>,
    ) {
        let Some(text) = text else { return };
        let known = self.0.len();
        self.check_text(text, max, field);
        // One complaint about each field.
        if self.0.len() == known
            && let Err(fault) = check(text)
        {
            self.check(false, field, &fault.to_string());
        }
    }

    /// Notes that `words` must be at most 20 words such as `van` or `cold-chain`: letters, digits and hyphens.
    pub fn check_words(&mut self, words: &[String], field: &str) {
        let is_word = |word: &String| {
            (1..=40).contains(&word.chars().count())
                && word.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        };
        let fits = words.len() <= 20 && words.iter().all(is_word);
        self.check(fits, field, "must be at most 20 words of 1 to 40 letters, digits and hyphens");
    }

    /// The point at these degrees; notes which of the two is wrong. `field` is what holds them, empty for the body itself.
    pub fn check_point(&mut self, lat: f64, lon: f64, field: &str) -> Option<LatLon> {
        let point = LatLon::try_new(lat, lon);
        let coordinate = if point == Err(CoordError::LonOutOfRange) { "lon" } else { "lat" };
        let field = if field.is_empty() { coordinate.to_owned() } else { format!("{field}.{coordinate}") };
        self.check(point.is_ok(), &field, "lat must be −90 to 90 and lon −180 to 180");
        point.ok()
    }

    /// Every refused field.
    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    /// Ends the check.
    ///
    /// # Errors
    /// 422 with every refused field.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(ApiError::invalid_fields(self.0)) }
    }
}
