//! The console's route, which the address bar keeps: the chosen list, its search and filter, and what is open. A reload, a
//! bookmark and the back button all lead to the same screen.

use std::fmt::Write;

use doorstep_shared::{CourierId, OrderId, api::exception::ExceptionState};

use crate::{data::Locale, ui::time};

/// The page's own path.
pub const PATH: &str = "/dispatch";

/// The longest search that is kept; the server takes no longer one either.
pub const MAX_QUERY_CHARS: usize = 100;

/// The days of the lists begin at this time on the clock: a delivery after midnight belongs to its evening. By then
/// kitchens are closed, and the first bakery has not begun.
const LIST_DAY_FROM_MS: i64 = 4 * 60 * time::MINUTE_MS;

/// Days after 31 December 9999 are none that a calendar offers.
const LAST_DAY: i64 = 2_932_897;

/// A replay around a moment begins this long before it and ends this long after it.
const AROUND_MS: i64 = 300_000;

/// A list on the left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// Orders without a courier.
    Unassigned,
    /// Orders with a courier, and failed ones.
    #[default]
    Active,
    /// Orders that are over.
    Done,
    /// All couriers.
    Couriers,
}

impl Tab {
    /// In their order on the screen.
    pub const ALL: [Self; 4] = [Self::Unassigned, Self::Active, Self::Done, Self::Couriers];

    /// The word in the address and in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Active => "active",
            Self::Done => "done",
            Self::Couriers => "couriers",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.word() == word)
    }
}

/// A filter of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// What needs attention.
    Attention,
    /// Couriers with an order.
    Delivering,
    /// Couriers without one.
    Free,
    /// Couriers off duty.
    Away,
}

impl Filter {
    /// Every filter, as offered for couriers.
    pub const ALL: [Self; 4] = [Self::Attention, Self::Delivering, Self::Free, Self::Away];

    const fn word(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Delivering => "delivering",
            Self::Free => "free",
            Self::Away => "away",
        }
    }
}

/// What is open beside the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Open {
    /// Nothing; the drawer shows the inbox.
    #[default]
    Nothing,
    /// An order.
    Order(OrderId),
    /// A courier.
    Courier(CourierId),
    /// Where a courier was.
    Replay(CourierId, Span),
    /// The form for a new order.
    NewOrder,
}

/// The time that a replay covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// Today.
    #[default]
    Today,
    /// A day, counted from 1 January 1970 at the place of work.
    Day(i64),
    /// From one moment to another, Unix epoch milliseconds: a trip, or the minutes around an exception.
    Between(i64, i64),
}

impl Span {
    /// The ten minutes around a moment.
    pub const fn around(at_ms: i64) -> Self {
        Self::Between(at_ms - AROUND_MS, at_ms + AROUND_MS)
    }
}

/// The days of which a list shows orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    Today,
    Yesterday,
    /// Today and the six days before.
    Week,
    /// From one day to another and both, counted from 1 January 1970 at the place of work.
    Between(i64, i64),
}

impl Days {
    /// The beginning of the first and the end of the last, Unix epoch milliseconds.
    pub fn span(self, at_ms: i64, locale: &Locale) -> (i64, i64) {
        let today = (locale.zone.local_ms(at_ms) - LIST_DAY_FROM_MS).div_euclid(time::DAY_MS);
        let (first, last) = match self {
            Self::Today => (today, today),
            Self::Yesterday => (today - 1, today - 1),
            Self::Week => (today - 6, today),
            Self::Between(first, last) => (first, last),
        };
        let from_ms = |day: i64| locale.zone.utc_ms(day * time::DAY_MS + LIST_DAY_FROM_MS);
        (from_ms(first), from_ms(last + 1))
    }

    /// The word in the address.
    pub fn word(self) -> String {
        match self {
            Self::Today => "today".to_owned(),
            Self::Yesterday => "yesterday".to_owned(),
            Self::Week => "week".to_owned(),
            Self::Between(first, last) => format!("{first}-{last}"),
        }
    }

    /// The days of a word; `None` for any other text.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "today" => Some(Self::Today),
            "yesterday" => Some(Self::Yesterday),
            "week" => Some(Self::Week),
            _ => {
                let (first, last) = word.split_once('-')?;
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (0..LAST_DAY).contains(&first).then_some(())?;
                (first..LAST_DAY).contains(&last).then_some(Self::Between(first, last))
            }
        }
    }
}

/// Where the console is, as its address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    pub tab: Tab,
    pub query: String,
    pub filter: Option<Filter>,
    /// The days of which the list shows orders; all when left out.
    pub days: Option<Days>,
    /// Which exceptions the inbox shows.
    pub inbox: ExceptionState,
    pub open: Open,
}

impl Route {
    /// Reads the part of an address after `?`. Unknown names and unreadable values are ignored.
    pub fn from_query(query: &str) -> Self {
        let mut route = Self::default();
        let mut span = Span::Today;
        for (name, value) in query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('=')) {
            let value = decode(value);
            match name {
                "tab" => route.tab = Tab::from_word(&value).unwrap_or_default(),
                "q" => route.query = value.chars().take(MAX_QUERY_CHARS).collect(),
                "only" => route.filter = Filter::ALL.into_iter().find(|filter| filter.word() == value),
                "days" => route.days = Days::from_word(&value),
                "order" => route.open = value.parse().map_or(route.open, Open::Order),
                "courier" => route.open = value.parse().map_or(route.open, Open::Courier),
                "replay" => route.open = value.parse().map_or(route.open, |id| Open::Replay(id, Span::Today)),
                "day" => span = value.parse().map_or(span, Span::Day),
                "between" => span = between(&value).unwrap_or(span),
                "inbox" if value == "all" => route.inbox = ExceptionState::All,
                "new" => route.open = Open::NewOrder,
                _ => {}
            }
        }
        if let Open::Replay(courier, _) = route.open {
            route.open = Open::Replay(courier, span);
        }
        route
    }

    /// The address of this route.
    pub fn url(&self) -> String {
        let mut pairs = Vec::new();
        if self.tab != Tab::default() {
            pairs.push(("tab", self.tab.word().to_owned()));
        }
        if !self.query.is_empty() {
            pairs.push(("q", self.query.clone()));
        }
        if let Some(filter) = self.filter {
            pairs.push(("only", filter.word().to_owned()));
        }
        if let Some(days) = self.days {
            pairs.push(("days", days.word()));
        }
        if self.inbox == ExceptionState::All {
            pairs.push(("inbox", "all".to_owned()));
        }
        match self.open {
            Open::Nothing => {}
            Open::Order(id) => pairs.push(("order", id.to_string())),
            Open::Courier(id) => pairs.push(("courier", id.to_string())),
            Open::Replay(id, span) => {
                pairs.push(("replay", id.to_string()));
                match span {
                    Span::Today => {}
                    Span::Day(day) => pairs.push(("day", day.to_string())),
                    Span::Between(from_ms, until_ms) => pairs.push(("between", format!("{from_ms}-{until_ms}"))),
                }
            }
            Open::NewOrder => pairs.push(("new", "1".to_owned())),
        }
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        if pairs.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", pairs.join("&")) }
    }
}

fn between(value: &str) -> Option<Span> {
    let (from, until) = value.split_once('-')?;
    let (from_ms, until_ms) = (from.parse().ok()?, until.parse().ok()?);
    (from_ms < until_ms).then_some(Span::Between(from_ms, until_ms))
}

/// Text as it may stand in an address (RFC 3986, unreserved characters as they are).
pub fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| byte == b'%');
        bytes.push(escaped.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::ui::zone::tests::{locale, zones};

    fn any_open() -> impl Strategy<Value = Open> {
        prop_oneof![
            Just(Open::Nothing),
            Just(Open::NewOrder),
            any::<u128>().prop_map(|bits| Open::Order(uuid_text(bits).parse().expect("a UUID"))),
            any::<u128>().prop_map(|bits| Open::Courier(uuid_text(bits).parse().expect("a UUID"))),
            (any::<u128>(), any_span())
                .prop_map(|(bits, span)| Open::Replay(uuid_text(bits).parse().expect("a UUID"), span)),
        ]
    }

    fn any_span() -> impl Strategy<Value = Span> {
        prop_oneof![
            Just(Span::Today),
            (-1_000i64..50_000).prop_map(Span::Day),
            (300_000i64..4_000_000_000_000).prop_map(Span::around),
        ]
    }

    fn any_days() -> impl Strategy<Value = Days> {
        prop_oneof![
            Just(Days::Today),
            Just(Days::Yesterday),
            Just(Days::Week),
            (0i64..50_000, 0i64..60).prop_map(|(first, more)| Days::Between(first, first + more)),
        ]
    }

    fn uuid_text(bits: u128) -> String {
        let hex = format!("{bits:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    proptest! {
        #[test]
        fn every_route_is_found_again(
            tab in select(Tab::ALL.to_vec()), query in "\\PC{0,40}", filter in prop::option::of(select(Filter::ALL.to_vec())),
            days in prop::option::of(any_days()), open in any_open(), inbox in select(vec![ExceptionState::Open, ExceptionState::All]),
        ) {
            let route = Route { tab, query, filter, days, inbox, open };
            let url = route.url();
            prop_assert!(url.is_ascii());
            prop_assert_eq!(Route::from_query(url.split_once('?').map_or("", |(_, query)| query)), route);
        }

        #[test]
        fn no_address_is_refused(query in "\\PC{0,80}") {
            Route::from_query(&query);
        }
    }

    #[test]
    fn days_begin_and_end_in_the_night_at_the_place_of_work() {
        let locale = locale(60.into());
        // 21 November 2026, 18:42 in Valletta.
        let (at_ms, hour_ms) = (1_795_282_920_000, 3_600_000);
        let (from_ms, until_ms) = Days::Today.span(at_ms, &locale);
        assert_eq!((at_ms - from_ms) / hour_ms, 14);
        assert_eq!(until_ms - from_ms, time::DAY_MS);
        assert_eq!(Days::Yesterday.span(at_ms, &locale), (from_ms - time::DAY_MS, from_ms));
        assert_eq!(Days::Week.span(at_ms, &locale), (from_ms - 6 * time::DAY_MS, until_ms));
        let today = time::day(at_ms, &locale);
        assert_eq!(Days::Between(today, today).span(at_ms, &locale), (from_ms, until_ms));
        for nonsense in ["", "5", "7-5", "-1-5", "0-9999999999"] {
            assert_eq!(Days::from_word(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_delivery_after_midnight_belongs_to_its_evening() {
        let locale = locale(60.into());
        // 22 November 2026, 00:42, 03:59 and 04:00 in Valletta.
        let (night_ms, before_ms, morning_ms) = (1_795_304_520_000, 1_795_316_399_999, 1_795_316_400_000);
        let evening = Days::Today.span(1_795_282_920_000, &locale);
        assert!(evening.0 < night_ms && before_ms < evening.1);
        assert_eq!(Days::Today.span(night_ms, &locale), evening);
        assert_eq!(Days::Today.span(before_ms, &locale), evening);
        assert_eq!(Days::Yesterday.span(morning_ms, &locale), evening);
    }

    #[test]
    fn the_lists_of_a_day_on_which_the_clocks_are_changed_miss_no_hour() {
        for zone in zones() {
            let locale = locale(zone);
            for day in 20_454..21_184 {
                let (from_ms, until_ms) = Days::Between(day, day).span(0, &locale);
                assert_eq!(Days::Between(day + 1, day + 1).span(0, &locale).0, until_ms);
                assert!((23 * 3_600_000..=25 * 3_600_000).contains(&(until_ms - from_ms)));
                assert_eq!(Days::Today.span(from_ms, &locale), (from_ms, until_ms));
                assert_eq!(Days::Today.span(until_ms - 1, &locale), (from_ms, until_ms));
            }
        }
    }

    #[test]
    fn an_address_that_says_nothing_is_the_active_orders() {
        assert_eq!(Route::from_query(""), Route::default());
        assert_eq!(Route::default().url(), "/dispatch");
        assert_eq!(Route::from_query("?tab=nonsense&order=7&x"), Route::default());
    }
}
