//! Doors for an import: what the area is not certain of is asked of the geocoder, within a time that a person waits.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use doorstep_area::places::Found;
use doorstep_shared::{LatLon, api::area::AreaId};
use futures_util::{StreamExt, stream};

use super::{Directory, Places};
use crate::service::geocoder::Wanted;

/// A file of orders is looked at first and then taken: both may take as long as this to ask.
const MOST_TIME: Duration = Duration::from_secs(20);

/// Addresses that are asked at once; the geocoder's own manners may allow less.
const AT_ONCE: usize = 4;

/// Answers of one question that are looked at: the door that is meant may be behind a shop of its name.
const MOST_ANSWERS: usize = 5;

/// How many first parts of an address may be left out, each for a question of its own.
const MOST_PARTS_LEFT_OUT: usize = 3;

/// Answers that are kept so that a file which was looked at is taken as it was shown.
const MOST_REMEMBERED: usize = 4_096;

/// Addresses change seldom, and a geocoder is corrected at once.
const REMEMBERED_FOR: Duration = Duration::from_secs(3_600);

/// What the geocoder answered lately. When it is full, all of it is forgotten.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<HashMap<(AreaId, String), (Instant, Found)>>);

impl Remembered {
    fn of(&self, directory: &Directory, text: &str) -> Option<Found> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, found) = answers.get(&(directory.area.id().clone(), text.to_owned()))?;
        (at.elapsed() < REMEMBERED_FOR).then(|| found.clone())
    }

    fn keep(&self, directory: &Directory, text: &str, found: &Found) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST_REMEMBERED {
            answers.clear();
        }
        answers.insert((directory.area.id().clone(), text.to_owned()), (Instant::now(), found.clone()));
    }
}

impl Places {
    /// Whether an address that the area does not know may be asked elsewhere.
    pub fn asks_elsewhere(&self) -> bool {
        self.geocoder.is_some()
    }

    /// The geocoder's doors for addresses of which the area is not certain, each with the point that it should be near.
    /// Those that were not answered in time are left out.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn doors_elsewhere(
        &self,
        directory: &Directory,
        addresses: HashMap<String, Option<LatLon>>,
    ) -> HashMap<String, Found> {
        let until = tokio::time::Instant::now() + MOST_TIME;
        let answers = stream::iter(addresses)
            .map(async |(text, near)| {
                let found = self.door_elsewhere(directory, &text, near).await?;
                Some((text, found))
            })
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready);
        let mut answers = std::pin::pin!(answers);
        let mut doors = HashMap::new();
        while let Ok(Some((text, found))) = tokio::time::timeout_at(until, answers.next()).await {
            doors.insert(text, found);
        }
        doors
    }

    async fn door_elsewhere(&self, directory: &Directory, text: &str, near: Option<LatLon>) -> Option<Found> {
        if let Some(found) = self.remembered.of(directory, text) {
            return Some(found);
        }
        let found = self.likeliest_elsewhere(directory, text, near).await?;
        let found = directory.pins.corrected(found, near, |point| directory.is_here(point)).found;
        self.remembered.keep(directory, text, &found);
        Some(found)
    }

    /// The first door of which the geocoder is certain, asked for the whole address and then without its first parts, where
    /// people write flats, names of houses and companies that hide the street from it. Answers are judged by the whole.
    async fn likeliest_elsewhere(&self, directory: &Directory, text: &str, near: Option<LatLon>) -> Option<Found> {
        let geocoder = self.geocoder.as_ref()?;
        let mut best = None;
        for question in questions(text) {
            let wanted = Wanted { question, ..directory.wanted(text, near, MOST_ANSWERS) };
            for found in geocoder.search(&wanted, MOST_TIME).await.unwrap_or_default() {
                if found.doubt.is_none() {
                    return Some(found);
                }
                best.get_or_insert(found);
            }
        }
        best
    }
}

/// An address, and what is left of it without its first parts as long as a street and a town may be left.
fn questions(text: &str) -> impl Iterator<Item = String> {
    let parts: Vec<&str> =
        text.split([',', '\n', ';']).map(str::trim).filter(|part| part.chars().any(char::is_alphanumeric)).collect();
    let fewer = parts.len().saturating_sub(2).min(MOST_PARTS_LEFT_OUT);
    let shorter: Vec<String> = (1..=fewer).map(|left_out| parts[left_out..].join(", ")).collect();
    std::iter::once(text.to_owned()).chain(shorter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_without_its_first_parts_and_never_without_its_street() {
        let asked = |text: &str| questions(text).collect::<Vec<_>>();
        assert_eq!(asked("12 Merchants Street, Valletta"), ["12 Merchants Street, Valletta"]);
        assert_eq!(
            asked("Flat 3, Casa Rosa\n12 Merchants Street, Valletta"),
            [
                "Flat 3, Casa Rosa\n12 Merchants Street, Valletta",
                "Casa Rosa, 12 Merchants Street, Valletta",
                "12 Merchants Street, Valletta"
            ]
        );
        assert_eq!(asked("a, b, c, d, e, f").len(), 1 + MOST_PARTS_LEFT_OUT);
        assert_eq!(asked(""), [""]);
    }
}
