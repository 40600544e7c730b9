//! The replay of a courier's day, or of a part of it: fetched page by page, played, and exported.

use doorstep_shared::{CourierId, RawFix, api::ListPage};

use super::{ApiCall, ApiError, Console, Effect, Format};
use crate::{
    dispatch::{
        replay::Replay,
        route::{Open, Span},
        text,
    },
    ui::time,
};

/// What the dispatcher does with a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplayIntent {
    /// Go to a moment, Unix epoch milliseconds.
    Seek(i64),
    /// Play, or pause.
    Play,
    /// Play so many times faster than life.
    Speed(u32),
    /// Replay another day, counted from 1 January 1970.
    Day(i64),
    /// Save it as a file.
    Export(Format),
}

/// The replay that is open, and the clock that drives it.
#[derive(Clone, Debug)]
pub struct Player {
    pub current: Option<Replay>,
    /// The moment up to which it has been played, by the clock that never goes back.
    played_ms: f64,
}

impl Player {
    pub(super) const fn new(now_ms: f64) -> Self {
        Self { current: None, played_ms: now_ms }
    }

    /// Whether the replay moves on by itself.
    pub fn is_playing(&self) -> bool {
        self.current.as_ref().is_some_and(|replay| replay.is_playing)
    }
}

impl Console {
    pub(super) fn act_on_replay(&mut self, intent: ReplayIntent, effects: &mut Vec<Effect>) {
        match (intent, self.route.open) {
            (ReplayIntent::Day(day), Open::Replay(courier, _)) => {
                return self.open(Open::Replay(courier, Span::Day(day)), effects);
            }
            (ReplayIntent::Export(format), _) => return self.export(format, effects),
            _ => {}
        }
        let Some(replay) = &mut self.replay.current else { return };
        match intent {
            ReplayIntent::Seek(at_ms) => replay.seek(at_ms),
            ReplayIntent::Play => replay.toggle(),
            ReplayIntent::Speed(speed) => replay.speed = speed,
            ReplayIntent::Day(_) | ReplayIntent::Export(_) => {}
        }
    }

    pub(super) fn begin_replay(&mut self, courier: CourierId, span: Span, effects: &mut Vec<Effect>) {
        let day = |at_ms| time::day(at_ms, &self.locale);
        let replay = match span {
            Span::Today => Replay::new(courier, day(self.at_ms), None),
            Span::Day(day) => Replay::new(courier, day, None),
            Span::Between(from_ms, until_ms) => Replay::new(courier, day(from_ms), Some((from_ms, until_ms))),
        };
        let (from_ms, until_ms) = replay.bounds(&self.locale);
        self.replay.current = Some(replay);
        effects.push(Effect::Call(ApiCall::Day { courier, from_ms, until_ms, cursor: None }));
    }

    pub(super) fn end_replay(&mut self) {
        if self.replay.current.is_some() {
            self.replay.current = None;
        }
    }

    /// Plays on for the time since the last step.
    pub(super) fn advance_replay(&mut self, now_ms: f64) {
        let elapsed_ms = now_ms - std::mem::replace(&mut self.replay.untracked_mut().played_ms, now_ms);
        if self.replay.is_playing()
            && let Some(replay) = &mut self.replay.current
        {
            replay.advance(elapsed_ms);
        }
    }

    /// A page of the day came.
    pub(super) fn day_fetched(
        &mut self,
        (courier, from_ms, until_ms): (CourierId, i64, i64),
        page: ListPage<RawFix>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(replay) = self.replay.current.as_mut().filter(|replay| replay.courier == courier) else { return };
        let was_empty = replay.len() == 0;
        replay.take(&page.items, page.next_cursor.is_none());
        if was_empty {
            let points = replay.whole().into_iter().flatten().collect();
            effects.push(Effect::Fit { points });
        }
        if let Some(cursor) = page.next_cursor {
            effects.push(Effect::Call(ApiCall::Day { courier, from_ms, until_ms, cursor: Some(cursor) }));
        }
    }

    pub(super) fn day_failed(&mut self, error: &ApiError) {
        self.drawer.problem = Some(error.text());
        if let Some(replay) = &mut self.replay.current {
            replay.is_complete = true;
        }
    }

    fn export(&self, format: Format, effects: &mut Vec<Effect>) {
        let Some(replay) = &self.replay.current else { return };
        let (from_ms, until_ms) = replay.bounds(&self.locale);
        let name = self.fleet.couriers.get(&replay.courier).map_or("courier", |courier| &courier.name);
        let name: String = name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
        let date = text::date_code(replay.day);
        let name = format!("{name}-{date}.{}", format.extension());
        effects.push(Effect::Export { courier: replay.courier, from_ms, until_ms, format, name });
    }
}
