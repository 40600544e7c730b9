//! How lists and exports of orders are asked for.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Query};
use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, OrderStatus, api::console::OrderSort};
use utoipa::{IntoParams, ToSchema, openapi::path::ParameterIn};

use crate::{
    error::ApiError,
    http::describe::{Describe, Description},
    platform::clock::is_usable,
    store::order_lists::{Dated, OrderFilter, Period},
};

/// The longest text that is searched for.
const MAX_SEARCH_CHARACTERS: usize = 200;

/// How the list of orders is asked for. Read by hand, because `status` may be repeated.
#[derive(Debug, Default, IntoParams)]
pub struct OrderListQuery {
    /// Orders with any of these statuses; repeated, or with commas between them.
    #[param(inline, style = Form, explode)]
    status: Vec<OrderStatus>,
    /// Orders that this courier brings.
    #[param(value_type = Option<uuid::Uuid>)]
    courier_id: Option<CourierId>,
    /// Words that must all occur, as pieces of words, in the reference, the customer's name, number or e-mail address, or
    /// an address; case and accents do not matter. A phone number is found by its last digits, however it is written.
    /// E-mail addresses are looked through for words with an `@` or a dot.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Not before this time.
    from: Option<DateTime<Utc>>,
    /// Before this time.
    until: Option<DateTime<Utc>>,
    /// What `from` and `until` are about: when the order was `created`, otherwise; until when it was `promised`; or when
    /// it `changed` to its present status.
    #[param(inline, value_type = Option<DatedWord>)]
    dated: Dated,
    /// `newest` first, otherwise; `late_risk` lists open orders only, the most urgent first.
    #[param(inline, value_type = Option<OrderSort>)]
    pub(super) sort: OrderSort,
    /// Where the page begins: the last page's `next_cursor`.
    #[param(min_length = 1, max_length = 500)]
    pub(super) cursor: Option<String>,
    /// The most items on the page; 100 otherwise.
    #[param(minimum = 1, maximum = 1000)]
    pub(super) limit: Option<u32>,
}

/// The words of [`Dated`], for the description.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "only its shape is described")]
enum DatedWord {
    Created,
    Promised,
    Changed,
}

impl FromRequest for OrderListQuery {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request.query_string()))
    }
}

impl Describe for OrderListQuery {
    fn describe(description: &mut Description) {
        let parameters = Self::into_params(|| Some(ParameterIn::Query));
        parameters.into_iter().for_each(|parameter| description.takes(parameter));
        description.fails(400, "The query could not be read");
    }
}

impl OrderListQuery {
    /// Reads a query string, in which `status` may be repeated or hold several with commas between them.
    fn read(text: &str) -> Result<Self, ApiError> {
        let pairs = Query::<Vec<(String, String)>>::from_query(text);
        let pairs = pairs.map_err(|error| ApiError::bad_request(error.to_string()))?.into_inner();
        let mut query = Self::default();
        for (name, value) in pairs {
            query.take(&name, value)?;
        }
        Ok(query)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), ApiError> {
        let wrong = |what: &str| ApiError::bad_request(format!("{name}: {what}"));
        match name {
            "status" => self.take_statuses(&value).ok_or_else(|| wrong("no such status"))?,
            "courier_id" => self.courier_id = Some(value.parse().map_err(|_| wrong("not a courier's id"))?),
            "q" if value.chars().count() > MAX_SEARCH_CHARACTERS => return Err(wrong("at most 200 characters")),
            "q" => self.q = Some(value),
            "from" => self.from = Some(time(&value).ok_or_else(|| wrong(NO_TIME))?),
            "until" => self.until = Some(time(&value).ok_or_else(|| wrong(NO_TIME))?),
            "dated" => self.dated = dated(&value).ok_or_else(|| wrong("created, promised or changed"))?,
            "sort" => self.sort = sort(&value).ok_or_else(|| wrong("newest or late_risk"))?,
            "cursor" => self.cursor = Some(value),
            "limit" => self.limit = Some(value.parse().map_err(|_| wrong("a whole number"))?),
            // Like unknown fields of a body.
            _ => {}
        }
        Ok(())
    }

    fn take_statuses(&mut self, words: &str) -> Option<()> {
        for word in words.split(',').filter(|word| !word.is_empty()) {
            let status: OrderStatus = word.parse().ok()?;
            if !self.status.contains(&status) {
                self.status.push(status);
            }
        }
        Some(())
    }

    /// Which orders are meant.
    pub(super) fn filter(&self) -> OrderFilter {
        let mut filter = OrderFilter::default();
        filter.statuses.clone_from(&self.status);
        filter.courier = self.courier_id;
        let is_limited = self.from.is_some() || self.until.is_some();
        filter.period = is_limited.then_some(Period { of: self.dated, from: self.from, until: self.until });
        match &self.q {
            Some(words) => filter.search(words),
            None => filter,
        }
    }
}

const NO_TIME: &str = "a time as RFC 3339, with a year of four digits";

fn time(text: &str) -> Option<DateTime<Utc>> {
    // In a query a plus sign means a space, and people forget to write it as %2B.
    let exact = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok()?.to_utc();
    Some(exact).filter(|time| is_usable(*time))
}

fn dated(word: &str) -> Option<Dated> {
    match word {
        "created" => Some(Dated::Created),
        "promised" => Some(Dated::Promised),
        "changed" => Some(Dated::Changed),
        _ => None,
    }
}

fn sort(word: &str) -> Option<OrderSort> {
    match word {
        "newest" => Some(OrderSort::Newest),
        "late_risk" => Some(OrderSort::LateRisk),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_repeated_or_listed() {
        let statuses = |text: &str| OrderListQuery::read(text).map(|query| query.filter().statuses).ok();
        let both = Some(vec![OrderStatus::Created, OrderStatus::PickedUp]);
        assert_eq!(statuses("status=created&status=picked_up"), both);
        assert_eq!(statuses("status=created,picked_up,created&other=1"), both);
        assert_eq!(statuses("status="), Some(Vec::new()));
        assert_eq!(statuses("status=lost"), None);
        assert!(OrderListQuery::read(&format!("q={}", "x".repeat(201))).is_err());
        assert!(OrderListQuery::read("sort=oldest").is_err() && OrderListQuery::read("courier_id=1").is_err());
    }

    #[test]
    fn a_period_has_times_with_a_zone_even_when_its_sign_was_not_escaped() {
        let from = |text: &str| OrderListQuery::read(text).ok().and_then(|query| query.filter().period?.from);
        let noon = "2026-11-21T12:00:00Z".parse().ok();
        assert_eq!(from("from=2026-11-21T12:00:00Z"), noon);
        assert_eq!(from("from=2026-11-21T13:00:00%2B01:00"), noon);
        assert_eq!(from("from=2026-11-21T13:00:00+01:00"), noon);
        for wrong in ["from=today", "until=2026-11-21", "dated=later", "from=%2B12026-01-01T00:00:00Z"] {
            assert!(OrderListQuery::read(wrong).is_err(), "{wrong}");
        }
        assert!(OrderListQuery::read("dated=promised").is_ok_and(|query| query.filter().period.is_none()));
    }
}
