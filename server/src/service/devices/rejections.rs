//! What was rejected of devices' reports: kept in memory, written down every few seconds.
//!
//! Noting a report that was taken costs a short lock; only one that was rejected, or the first one after that, has
//! something to write. When the process dies, the counts of a few seconds are lost.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use doorstep_shared::DeviceId;

use crate::store::{Store, StoreError, device_rejections::DeviceRejections};

/// The code of a report that no decoder could read.
pub const UNREADABLE: &str = "unreadable";

/// What came of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether a point of it was taken.
    pub is_taken: bool,
    /// Points that were rejected.
    pub rejected: u32,
    /// Why the last of them was.
    pub code: Option<&'static str>,
}

/// What is not written down yet. Shared by reference.
///
/// Holds devices that were rejected, each at most once, so their number bounds it.
#[derive(Debug, Default)]
pub struct Rejections(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    unwritten: HashMap<DeviceId, DeviceRejections>,
    /// Devices whose last report to this server was rejected.
    rejected: HashSet<DeviceId>,
}

impl Rejections {
    /// Notes what came of a device's report. `was_rejected` says whether the database has it as one that is rejected.
    pub fn note(&self, device: DeviceId, outcome: Outcome, was_rejected: bool, now: DateTime<Utc>) {
        let mut state = self.lock();
        let is_over = outcome.is_taken && (state.rejected.remove(&device) || was_rejected);
        if outcome.rejected == 0 && !is_over {
            return;
        }
        let unwritten = state.unwritten.remove(&device);
        let noted = then(unwritten.unwrap_or_else(|| nothing(device)), of_report(device, outcome, now));
        state.unwritten.insert(device, noted);
        if !outcome.is_taken {
            state.rejected.insert(device);
        }
    }

    /// Writes down what is not written yet.
    ///
    /// # Errors
    /// When the database is away; the next call writes it.
    pub async fn write_down(&self, store: &Store) -> Result<(), StoreError> {
        let taken = std::mem::take(&mut self.lock().unwritten);
        let noted: Vec<_> = taken.into_values().collect();
        let written = store.note_rejections(&noted).await;
        if written.is_err() {
            self.put_back(noted);
        }
        written
    }

    fn put_back(&self, noted: Vec<DeviceRejections>) {
        let mut state = self.lock();
        for before in noted {
            let later = state.unwritten.remove(&before.device);
            state.unwritten.insert(before.device, later.map_or(before, |later| then(before, later)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nothing(device: DeviceId) -> DeviceRejections {
    DeviceRejections { device, points: 0, last: None, was_taken: false, in_a_row: 0, since: None }
}

fn of_report(device: DeviceId, outcome: Outcome, now: DateTime<Utc>) -> DeviceRejections {
    let is_whole = !outcome.is_taken;
    DeviceRejections {
        device,
        points: i64::from(outcome.rejected),
        last: outcome.code.map(|code| (code, now)),
        was_taken: outcome.is_taken,
        in_a_row: i32::from(is_whole),
        since: is_whole.then_some(now),
    }
}

/// Both together, one after the other.
fn then(before: DeviceRejections, later: DeviceRejections) -> DeviceRejections {
    let (in_a_row, since) = match later.was_taken {
        true => (0, None),
        false => (before.in_a_row, before.since),
    };
    DeviceRejections {
        device: before.device,
        points: before.points.saturating_add(later.points),
        last: later.last.or(before.last),
        was_taken: before.was_taken || later.was_taken,
        in_a_row: in_a_row.saturating_add(later.in_a_row),
        since: since.or(later.since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clock::from_ms;

    const START_MS: i64 = 1_795_219_200_000;
    const REFUSED: Outcome = Outcome { is_taken: false, rejected: 2, code: Some("time_in_future") };
    const TAKEN: Outcome = Outcome { is_taken: true, rejected: 0, code: None };
    const BOTH: Outcome = Outcome { is_taken: true, rejected: 1, code: Some("lat_out_of_range") };

    fn at(second: i64) -> DateTime<Utc> {
        from_ms(START_MS + second * 1_000)
    }

    fn noted(reports: &[Outcome], was_rejected: bool) -> Option<DeviceRejections> {
        let (rejections, device) = (Rejections::default(), DeviceId::new());
        for (second, outcome) in (0..).zip(reports) {
            rejections.note(device, *outcome, was_rejected, at(second));
        }
        let state = rejections.lock();
        state.unwritten.values().next().copied()
    }

    #[test]
    fn reports_that_are_all_rejected_are_counted_from_the_first() {
        let noted = noted(&[REFUSED, REFUSED, REFUSED], false).expect("something to write");
        assert_eq!((noted.points, noted.in_a_row, noted.since), (6, 3, Some(at(0))));
        assert_eq!((noted.last, noted.was_taken), (Some(("time_in_future", at(2))), false));
    }

    #[test]
    fn a_report_that_is_taken_ends_it() {
        let ended = noted(&[REFUSED, REFUSED, TAKEN], false).expect("something to write");
        assert_eq!((ended.points, ended.in_a_row, ended.since, ended.was_taken), (4, 0, None, true));
        let again = noted(&[REFUSED, TAKEN, REFUSED], false).expect("something to write");
        assert_eq!((again.in_a_row, again.since, again.was_taken), (1, Some(at(2)), true));
        let partly = noted(&[REFUSED, BOTH], false).expect("something to write");
        assert_eq!((partly.points, partly.in_a_row, partly.last), (3, 0, Some(("lat_out_of_range", at(1)))));
    }

    #[test]
    fn a_device_that_was_never_rejected_has_nothing_to_write() {
        assert_eq!(noted(&[TAKEN, TAKEN], false), None);
        let ended = noted(&[TAKEN], true).expect("the database has it as rejected");
        assert_eq!((ended.points, ended.was_taken, ended.since), (0, true, None));
    }

    #[test]
    fn what_could_not_be_written_is_written_with_what_followed() {
        let (rejections, device) = (Rejections::default(), DeviceId::new());
        rejections.note(device, REFUSED, false, at(0));
        let lost: Vec<_> = std::mem::take(&mut rejections.lock().unwritten).into_values().collect();
        rejections.note(device, REFUSED, false, at(1));
        rejections.put_back(lost);
        let noted = rejections.lock().unwritten[&device];
        assert_eq!((noted.points, noted.in_a_row, noted.since), (4, 2, Some(at(0))));
    }
}
