//! When a courier was not working, pure: a fix recorded at such a time is refused, whenever it is sent.

use std::ops::Range;

/// Spans kept of one courier; the oldest is dropped first. A month of four breaks a day is as long as fixes are kept by
/// default.
const MAX_SPANS: usize = 128;

/// A courier's time off, in Unix epoch milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffDuty {
    since_ms: Option<i64>,
    spans: Vec<Range<i64>>,
}

impl OffDuty {
    /// Time off that is over: spans oldest first, their ends excluded.
    pub fn of_spans(spans: Vec<Range<i64>>) -> Self {
        let mut off_duty = Self { since_ms: None, spans };
        off_duty.forget_oldest();
        off_duty
    }

    /// Off duty since this time, and until further notice.
    pub fn begin(&mut self, since_ms: i64) {
        self.since_ms = Some(since_ms);
    }

    /// Back on duty since `until_ms`; what was off duty before stays so.
    pub fn end(&mut self, until_ms: i64) {
        if let Some(since_ms) = self.since_ms.take()
            && since_ms < until_ms
        {
            self.spans.push(since_ms..until_ms);
            self.forget_oldest();
        }
    }

    /// Whether the courier was off duty at a time.
    pub fn covers(&self, time_ms: i64) -> bool {
        self.since_ms.is_some_and(|since_ms| time_ms >= since_ms)
            || self.spans.iter().any(|span| span.contains(&time_ms))
    }

    /// The span that ended last.
    pub fn last_span(&self) -> Option<Range<i64>> {
        self.spans.last().cloned()
    }

    fn forget_oldest(&mut self) {
        let excess = self.spans.len().saturating_sub(MAX_SPANS);
        self.spans.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_off_stays_off_after_it_is_over() {
        let mut off_duty = OffDuty::of_spans(std::iter::once(10..20).collect());
        off_duty.begin(30);
        let covered = |off_duty: &OffDuty| [9, 10, 19, 20, 29, 30, 40].map(|time_ms| off_duty.covers(time_ms));
        assert_eq!(covered(&off_duty), [false, true, true, false, false, true, true]);
        off_duty.end(40);
        assert_eq!(covered(&off_duty), [false, true, true, false, false, true, false]);
        assert_eq!(off_duty.last_span(), Some(30..40));
        off_duty.end(50);
        assert_eq!(off_duty.last_span(), Some(30..40), "who is on duty cannot come back");
    }

    #[test]
    fn only_so_many_spans_are_kept() {
        let mut off_duty = OffDuty::default();
        for start in 0..1_000 {
            off_duty.begin(start * 10);
            off_duty.end(start * 10 + 5);
        }
        assert_eq!(off_duty.spans.len(), MAX_SPANS);
        assert!(off_duty.covers(9_990) && !off_duty.covers(0));
    }
}
