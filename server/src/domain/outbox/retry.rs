//! What an answer to a message means, and when the message is sent again.
//!
//! The schedule is that of Standard Webhooks 1.0. Pure: the caller brings the answer, the time and the jitter.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How long after each failed try the next one follows. With the first, ten tries in a little over three days.
const DELAYS_S: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The share by which a delay is drawn longer or shorter, so that what failed together does not come back together.
const JITTER: f64 = 0.1;

/// The longest time that an endpoint may ask to be left alone.
const LONGEST_HOLD: TimeDelta = TimeDelta::hours(24);

/// An endpoint that fails for as long as this is disabled.
pub const PATIENCE: TimeDelta = TimeDelta::days(5);

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The endpoint took the message: 2xx.
    Delivered,
    /// It answered with another status.
    Refused,
    /// It wants no message any more: 410.
    Gone,
    /// It sent us elsewhere, where no message goes.
    Redirected,
    /// No answer came in time.
    TimedOut,
    /// Nothing listens there, or the connection broke.
    Unreachable,
    /// Its certificate is not trusted.
    Untrusted,
    /// Its name has no address.
    Unresolved,
    /// Its address is one that messages never go to.
    Blocked,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Delivered,
        Self::Refused,
        Self::Gone,
        Self::Redirected,
        Self::TimedOut,
        Self::Unreachable,
        Self::Untrusted,
        Self::Unresolved,
        Self::Blocked,
    ];

    /// The word in JSON, metrics and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Gone => "gone",
            Self::Redirected => "redirected",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
            Self::Unresolved => "unresolved",
            Self::Blocked => "blocked",
        }
    }

    /// What a status means.
    pub const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Delivered,
            300..=399 => Self::Redirected,
            410 => Self::Gone,
            _ => Self::Refused,
        }
    }
}

/// A try that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// How long it took.
    pub took: Duration,
    /// How long the endpoint asks to be left alone.
    pub retry_after: Option<TimeDelta>,
}

/// What becomes of a delivery after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is done.
    Done,
    /// It is tried again then.
    Again(DateTime<Utc>),
    /// That was the last try.
    GivenUp,
}

/// What becomes of a delivery after its `tries`th try ended with `answer` at `now`. `jitter` is drawn from −1 to 1.
pub fn next(answer: &Answer, tries: u32, now: DateTime<Utc>, jitter: f64) -> Next {
    match answer.outcome {
        Outcome::Delivered => return Next::Done,
        Outcome::Gone => return Next::GivenUp,
        _ => {}
    }
    let Some(delay_s) = (tries.max(1) as usize).checked_sub(1).and_then(|failed| DELAYS_S.get(failed)) else {
        return Next::GivenUp;
    };
    let spread_ms = (*delay_s as f64 * 1_000.0 * (1.0 + JITTER * jitter.clamp(-1.0, 1.0))).round();
    let delay = TimeDelta::milliseconds(spread_ms as i64);
    let asked = answer.retry_after.unwrap_or_default().min(LONGEST_HOLD);
    Next::Again(now + delay.max(asked))
}

/// Until when the endpoint as a whole is left alone: when it asks for that because it has too much to do.
pub fn held_until(answer: &Answer, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let is_busy = matches!(answer.status, Some(429 | 503));
    answer.retry_after.filter(|_| is_busy).map(|asked| now + asked.clamp(TimeDelta::zero(), LONGEST_HOLD))
}

/// How long a `Retry-After` asks for, in seconds or as a date.
pub fn retry_after(header: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(TimeDelta::seconds(i64::from(seconds)));
    }
    let at = DateTime::parse_from_rfc2822(header).ok()?;
    Some((at.with_timezone(&Utc) - now).max(TimeDelta::zero()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clock::from_ms;
    use proptest::prelude::*;

    fn refused(status: u16) -> Answer {
        Answer {
            outcome: Outcome::of_status(status),
            status: Some(status),
            took: Duration::from_millis(3),
            retry_after: None,
        }
    }

    fn delay_s(answer: &Answer, tries: u32) -> Option<i64> {
        match next(answer, tries, from_ms(0), 0.0) {
            Next::Again(at) => Some(at.timestamp()),
            _ => None,
        }
    }

    #[test]
    fn ten_tries_follow_the_schedule_and_the_eleventh_never_comes() {
        let waits: Vec<_> = (1..=10).map(|tries| delay_s(&refused(500), tries)).collect();
        let hour = 3_600;
        let scheduled =
            [5, 300, 1_800, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour].map(Some).to_vec();
        assert_eq!(waits, [scheduled, vec![None]].concat());
        assert_eq!(next(&refused(500), 10, from_ms(0), 0.0), Next::GivenUp);
        assert_eq!(next(&refused(410), 1, from_ms(0), 0.0), Next::GivenUp, "nothing more is wanted");
    }

    #[test]
    fn only_2xx_is_delivered() {
        for (status, outcome) in [
            (200, Outcome::Delivered),
            (204, Outcome::Delivered),
            (301, Outcome::Redirected),
            (307, Outcome::Redirected),
            (400, Outcome::Refused),
            (410, Outcome::Gone),
            (503, Outcome::Refused),
            (199, Outcome::Refused),
        ] {
            assert_eq!(Outcome::of_status(status), outcome, "{status}");
            let is_done = next(&refused(status), 1, from_ms(0), 0.0) == Next::Done;
            assert_eq!(is_done, outcome == Outcome::Delivered, "{status}");
        }
    }

    #[test]
    fn an_endpoint_that_asks_for_time_gets_it_and_not_more_than_a_day() {
        let asking = |seconds| Answer { retry_after: Some(TimeDelta::seconds(seconds)), ..refused(429) };
        assert_eq!(delay_s(&asking(120), 1), Some(120));
        assert_eq!(delay_s(&asking(2), 1), Some(5), "never before the schedule");
        assert_eq!(delay_s(&asking(10_000_000), 1), Some(86_400));
        assert_eq!(held_until(&asking(120), from_ms(0)), Some(from_ms(120_000)));
        assert_eq!(held_until(&refused(429), from_ms(0)), None);
        let other = Answer { retry_after: Some(TimeDelta::seconds(60)), ..refused(400) };
        assert_eq!(held_until(&other, from_ms(0)), None, "that is about the message");
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = from_ms(1_445_412_480_000);
        assert_eq!(retry_after("120", now), Some(TimeDelta::seconds(120)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:29:00 GMT", now), Some(TimeDelta::seconds(60)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:27:00 GMT", now), Some(TimeDelta::zero()));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-5", now), None);
    }

    proptest! {
        #[test]
        fn jitter_moves_a_try_by_a_tenth_at_most(tries in 1_u32..10, jitter in -1.0..1.0_f64) {
            let plain = delay_s(&refused(500), tries).expect("it is tried again") as f64;
            let Next::Again(at) = next(&refused(500), tries, from_ms(0), jitter) else { panic!("it is tried again") };
            let drawn = at.timestamp_millis() as f64 / 1_000.0;
            prop_assert!((drawn - plain).abs() <= plain * 0.1 + 0.001, "{drawn} for {plain}");
        }
    }
}
