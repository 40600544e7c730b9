//! When a courier last reported, to which instance, and when this instance last had to do with them.
//!
//! Times are Unix epoch milliseconds by the server's clock, except that [`Marks::note_stored`] takes the time of a fix.

/// A courier who reported to an instance this lately is taken to report there still.
const HOME_MS: i64 = 2 * 60_000;

/// A courier whom nothing concerned for this long may be forgotten.
const IDLE_AFTER_MS: i64 = 30 * 60_000;

/// One courier's time marks.
#[derive(Debug)]
pub(super) struct Marks {
    /// When the last fix came in, to whichever instance and whatever it was good for.
    heard_ms: Option<i64>,
    /// When anything was last received or asked of them.
    touched_ms: i64,
    /// When they last reported to this instance.
    heard_here_ms: Option<i64>,
    /// When a report to this instance last moved them.
    moved_here_ms: Option<i64>,
    /// When a report to another instance last moved them.
    moved_elsewhere_ms: Option<i64>,
}

impl Marks {
    /// A courier of whom nothing was heard, and who became known at `now_ms`.
    pub(super) fn new(now_ms: i64) -> Self {
        Self { heard_ms: None, touched_ms: now_ms, heard_here_ms: None, moved_here_ms: None, moved_elsewhere_ms: None }
    }

    /// Something was received of the courier that is no fix.
    pub(super) fn note_touched(&mut self, now_ms: i64) {
        self.touched_ms = now_ms;
    }

    /// The courier must not be forgotten for a while from `now_ms` on.
    pub(super) fn keep(&mut self, now_ms: i64) {
        self.touched_ms = self.touched_ms.max(now_ms);
    }

    /// Fixes came in through this instance.
    pub(super) fn note_heard_here(&mut self, now_ms: i64) {
        self.note_touched(now_ms);
        self.note_heard(now_ms);
        self.heard_here_ms = Some(now_ms);
    }

    /// Fixes came in through another instance.
    pub(super) fn note_heard_elsewhere(&mut self, now_ms: i64) {
        self.note_touched(now_ms);
        self.note_heard(now_ms);
    }

    /// The database has a fix of `at_ms`.
    pub(super) fn note_stored(&mut self, at_ms: i64) {
        self.note_heard(at_ms);
    }

    fn note_heard(&mut self, at_ms: i64) {
        self.heard_ms = self.heard_ms.max(Some(at_ms));
    }

    /// Fixes that came in through this instance moved the courier.
    pub(super) fn note_moved_here(&mut self, now_ms: i64) {
        self.moved_here_ms = Some(now_ms);
    }

    /// Fixes that came in through another instance moved the courier.
    pub(super) fn note_moved_elsewhere(&mut self, now_ms: i64) {
        self.moved_elsewhere_ms = Some(now_ms);
    }

    /// When the last fix came in, here or elsewhere.
    pub(super) fn heard_ms(&self) -> Option<i64> {
        self.heard_ms
    }

    /// Whether the courier reported to this instance lately.
    pub(super) fn was_here_lately(&self, now_ms: i64) -> bool {
        self.heard_here_ms.is_some_and(|here_ms| now_ms - here_ms < HOME_MS)
    }

    /// Whether another instance moved the courier lately, and later than this one.
    pub(super) fn is_elsewhere(&self, now_ms: i64) -> bool {
        self.moved_elsewhere_ms.is_some_and(|elsewhere_ms| {
            now_ms - elsewhere_ms < HOME_MS && self.moved_here_ms.is_none_or(|here_ms| here_ms < elsewhere_ms)
        })
    }

    /// Whether nothing concerned the courier for half an hour.
    pub(super) fn is_idle(&self, now_ms: i64) -> bool {
        now_ms - self.touched_ms >= IDLE_AFTER_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_courier_is_where_a_report_moved_them_last() {
        let mut marks = Marks::new(0);
        assert!(!marks.is_elsewhere(0));
        marks.note_moved_elsewhere(1_000);
        assert!(marks.is_elsewhere(1_000));
        marks.note_moved_here(2_000);
        assert!(!marks.is_elsewhere(2_000));
        marks.note_moved_elsewhere(3_000);
        assert!(marks.is_elsewhere(3_000 + HOME_MS - 1));
        assert!(!marks.is_elsewhere(3_000 + HOME_MS), "by then they may be anywhere");
    }

    #[test]
    fn only_a_report_to_this_instance_makes_it_their_home() {
        let mut marks = Marks::new(0);
        marks.note_heard_elsewhere(1_000);
        assert_eq!((marks.heard_ms(), marks.was_here_lately(1_000)), (Some(1_000), false));
        marks.note_heard_here(2_000);
        assert!(marks.was_here_lately(2_000 + HOME_MS - 1) && !marks.was_here_lately(2_000 + HOME_MS));
        marks.note_stored(1_500);
        assert_eq!(marks.heard_ms(), Some(2_000), "an older fix is no later sign of life");
    }
}
