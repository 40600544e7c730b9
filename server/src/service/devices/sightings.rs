//! When each device was last seen, and with which client: kept in memory, written down once a minute.
//!
//! Noting a sighting costs a short lock and no query, so every report may do it. When the process dies, sightings of at
//! most a minute are lost.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use doorstep_shared::{CourierId, DeviceId};

use crate::store::devices::{DeviceClient, Sighting};

/// A tracker that reported this recently counts as one that still reports.
const LATELY: TimeDelta = TimeDelta::minutes(2);

/// A sighting stays in memory this much longer after it was written down, for [`Sightings::has_other_tracker`].
const KEPT: TimeDelta = TimeDelta::minutes(10);

#[derive(Clone, Copy, Debug)]
struct Noted {
    courier: CourierId,
    sighting: Sighting,
    at: DateTime<Utc>,
    is_written: bool,
}

/// The latest sighting of each device. Shared by reference.
///
/// Holds only devices of the last minutes, each at most once, so their number bounds it.
#[derive(Debug, Default)]
pub struct Sightings {
    noted: Mutex<HashMap<DeviceId, Noted>>,
}

impl Sightings {
    /// Notes that a courier's device was seen.
    pub fn note(&self, courier: CourierId, device: DeviceId, client: DeviceClient, now: DateTime<Utc>) {
        let seen_at = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        let sighting = Sighting { device, client, seen_at };
        let mut noted = self.lock();
        let is_written = noted.get(&device).is_some_and(|known| known.is_written && known.sighting == sighting);
        noted.insert(device, Noted { courier, sighting, at: now, is_written });
    }

    /// The latest sighting of a device, if it is a few minutes old at most.
    pub fn last(&self, device: DeviceId) -> Option<Sighting> {
        self.lock().get(&device).map(|noted| noted.sighting)
    }

    /// Whether a courier reported lately without a socket, with another device than `device`.
    pub fn has_other_tracker(&self, courier: CourierId, device: DeviceId, now: DateTime<Utc>) -> bool {
        let is_other = |noted: &Noted| noted.courier == courier && noted.sighting.device != device;
        let is_tracker = |noted: &Noted| !matches!(noted.sighting.client, DeviceClient::Web | DeviceClient::Native);
        self.lock().values().any(|noted| is_other(noted) && is_tracker(noted) && now - noted.at < LATELY)
    }

    /// The sightings to write down.
    pub fn unwritten(&self) -> Vec<Sighting> {
        self.lock().values().filter(|noted| !noted.is_written).map(|noted| noted.sighting).collect()
    }

    /// Notes that `written` are in the database, and drops old sightings.
    pub fn written(&self, written: &[Sighting], now: DateTime<Utc>) {
        let mut noted = self.lock();
        for sighting in written {
            if let Some(known) = noted.get_mut(&sighting.device).filter(|known| known.sighting == *sighting) {
                known.is_written = true;
            }
        }
        noted.retain(|_, known| !known.is_written || now - known.at < KEPT);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceId, Noted>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clock::from_ms;

    const START_MS: i64 = 1_795_219_200_000;

    #[test]
    fn a_device_is_written_down_at_most_once_a_minute() {
        let (sightings, ana, phone) = (Sightings::default(), CourierId::new(), DeviceId::new());
        let mut rows = 0;
        for second in 0..180 {
            let now = from_ms(START_MS + second * 1_000);
            sightings.note(ana, phone, DeviceClient::Web, now);
            let unwritten = sightings.unwritten();
            rows += unwritten.len();
            sightings.written(&unwritten, now);
        }
        assert_eq!(rows, 3);
    }

    #[test]
    fn sightings_while_the_database_was_away_are_written_later() {
        let (sightings, ana, phone) = (Sightings::default(), CourierId::new(), DeviceId::new());
        sightings.note(ana, phone, DeviceClient::Web, from_ms(START_MS));
        let before = sightings.unwritten();
        sightings.note(ana, phone, DeviceClient::Traccar, from_ms(START_MS));
        sightings.written(&before, from_ms(START_MS + 3_600_000));
        let after = sightings.unwritten();
        assert_eq!(after.iter().map(|sighting| sighting.client).collect::<Vec<_>>(), [DeviceClient::Traccar]);
    }

    #[test]
    fn only_another_tracker_of_the_same_courier_that_reported_lately_counts() {
        let sightings = Sightings::default();
        let (ana, ben) = (CourierId::new(), CourierId::new());
        let (phone, tracker) = (DeviceId::new(), DeviceId::new());
        let now = from_ms(START_MS);
        sightings.note(ana, phone, DeviceClient::Web, now);
        sightings.note(ana, DeviceId::new(), DeviceClient::Web, now);
        assert!(!sightings.has_other_tracker(ana, phone, now));
        sightings.note(ben, tracker, DeviceClient::Traccar, now);
        assert!(!sightings.has_other_tracker(ana, phone, now));
        sightings.note(ana, tracker, DeviceClient::Traccar, now);
        assert!(sightings.has_other_tracker(ana, phone, now));
        assert!(!sightings.has_other_tracker(ana, phone, now + TimeDelta::minutes(2)));
    }
}
