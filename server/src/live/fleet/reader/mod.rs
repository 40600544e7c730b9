//! What one console has been told, and what it has to be told next.
//!
//! A reader holds versions and no messages: whenever its connection can take more, it gets everything that
//! is new to it, in its newest state. `seq` is given out here, so it never has a gap whatever was conflated.
//! It is also where consoles are counted as watching a courier. The time and the board are arguments.

mod shown;
#[cfg(test)]
mod tests;
mod watching;

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use doorstep_shared::protocol::fleet::FleetFix;

use self::{shown::Shown, watching::Watching};
use super::{
    area::Area,
    board::{Board, ticks_until_next},
    message::{Content, Message},
    news::News,
    view::View,
};
use crate::live::audience::Audience;

/// Batches to one console are at least this far apart. A little less than a tick, so that a tick that comes a few
/// milliseconds early does not cost a whole one.
const BATCH_DISTANCE: Duration = Duration::from_millis(235);

/// Changes written at once; a connection that can take more is asked again at once.
const MAX_NEWS: usize = 256;

/// The reader is so far behind that a change it has not heard of is forgotten: it must begin again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooFarBehind;

/// One console's place in what happens.
#[derive(Debug)]
pub(super) struct Reader {
    next_seq: u64,
    view: View,
    view_changed: bool,
    /// Everything that concerns the view was told up to this version.
    moves_told: u64,
    /// Every movement of everybody was told up to this version.
    complete_until: u64,
    changes_told: u64,
    /// The version at which a courier's state was told last, with the position it had then.
    courier_told: u64,
    watching: Watching,
    shown: Shown,
    /// The tick at which the next batch of its own may follow.
    next_tick: u64,
    batch_at: Option<Instant>,
}

impl Reader {
    /// A reader that has been told nothing.
    pub(super) fn new(audience: Arc<Audience>) -> Self {
        Self {
            next_seq: 0,
            view: View::default(),
            view_changed: false,
            moves_told: 0,
            complete_until: 0,
            changes_told: 0,
            courier_told: 0,
            watching: Watching::nobody(audience),
            shown: Shown::default(),
            next_tick: 0,
            batch_at: None,
        }
    }

    /// Looks elsewhere from now on. The next batch has everybody who is in the new view.
    pub(super) fn look_at(&mut self, view: View) {
        if self.view != view {
            self.view = view;
            self.view_changed = true;
        }
    }

    /// Takes every message that may be written now.
    ///
    /// # Errors
    /// [`TooFarBehind`]; close the connection.
    pub(super) fn take(&mut self, board: &Board, now: Instant) -> Result<Vec<Message>, TooFarBehind> {
        if self.next_seq == 0 {
            return Ok(vec![self.greet(board)]);
        }
        if self.changes_told < board.forgotten() {
            return Err(TooFarBehind);
        }
        let mut messages = self.take_news(board);
        let has_more_news = messages.len() == MAX_NEWS;
        if !has_more_news
            && self.may_batch(now)
            && let Some(batch) = self.batch(board)
        {
            self.batch_at = Some(now);
            messages.push(self.numbered(batch));
        }
        Ok(messages)
    }

    fn greet(&mut self, board: &Board) -> Message {
        let version = board.version();
        (self.moves_told, self.complete_until, self.changes_told) = (version, version, version);
        self.next_tick = board.ticks() + 1;
        self.watching.watch_everybody();
        let (couriers, orders) = board.everything();
        self.numbered(Content::Snapshot { couriers, orders })
    }

    fn numbered(&mut self, content: Content) -> Message {
        let seq = self.next_seq;
        self.next_seq += 1;
        Message { seq, content }
    }

    /// At most [`MAX_NEWS`] changes.
    fn take_news(&mut self, board: &Board) -> Vec<Message> {
        let news = board.news_since(self.changes_told, MAX_NEWS);
        self.changes_told = if news.len() == MAX_NEWS { news[MAX_NEWS - 1].0 } else { board.version() };
        // With room for the batch that may follow.
        let mut messages = Vec::with_capacity(news.len() + 1);
        for (_, news) in news {
            self.note_told(&news, board);
            messages.push(self.numbered(Content::News(news)));
        }
        messages
    }

    fn note_told(&mut self, news: &News, board: &Board) {
        let News::Courier(courier) = news else { return };
        self.courier_told = board.version();
        if let Some(number) = board.number_of(courier.id).filter(|_| !self.watching.is_everybody()) {
            self.shown.note(number, board);
        }
    }

    fn may_batch(&self, now: Instant) -> bool {
        self.batch_at.is_none_or(|before| now.duration_since(before) >= BATCH_DISTANCE)
    }

    fn batch(&mut self, board: &Board) -> Option<Content> {
        match self.view.area {
            None if self.view_changed => self.first_whole_batch(board),
            None => self.whole_batch(board),
            Some(area) => self.area_batch(board, &area),
        }
    }

    /// A console that turns from an area to everything gets all that moved outside of the area meanwhile.
    fn first_whole_batch(&mut self, board: &Board) -> Option<Content> {
        if board.ticks() < self.next_tick {
            return None;
        }
        self.view_changed = false;
        if !self.watching.is_everybody() {
            self.watching.watch_everybody();
            self.shown = Shown::default();
        }
        let fixes = board.moves_in(self.complete_until + 1..=board.version());
        (self.moves_told, self.complete_until) = (board.version(), board.version());
        self.own_batch(board, fixes)
    }

    /// A console that sees everything gets the common batch, and catches up alone when it missed one.
    fn whole_batch(&mut self, board: &Board) -> Option<Content> {
        let broadcast = board.broadcast();
        if broadcast.to() <= self.moves_told {
            return None;
        }
        let told = std::mem::replace(&mut self.moves_told, broadcast.to());
        self.complete_until = broadcast.to();
        // A courier's own message may have shown a newer position than the common batch has.
        if broadcast.from() <= told && self.courier_told <= broadcast.to() {
            return (!broadcast.fixes().is_empty()).then(|| Content::Shared(Arc::clone(broadcast)));
        }
        let fixes = board.moves_in(told + 1..=broadcast.to());
        self.own_batch(board, fixes)
    }

    /// A console that looks at a box gets the couriers inside it and the first position outside of those who left.
    fn area_batch(&mut self, board: &Board, area: &Area) -> Option<Content> {
        if board.ticks() < self.next_tick {
            return None;
        }
        let followed = self.view.follow.and_then(|courier| board.number_of(courier));
        let shown = match std::mem::take(&mut self.view_changed) {
            true => self.turn_to(board, area, followed),
            false => self.go_on_watching(board, area, followed),
        };
        self.moves_told = board.version();
        shown.iter().for_each(|number| self.shown.note(*number, board));
        self.own_batch(board, shown.into_iter().filter_map(|number| board.fix(number)).collect())
    }

    /// Everybody inside, and everybody whom the console would otherwise believe to be where they are no longer.
    fn turn_to(&mut self, board: &Board, area: &Area, followed: Option<u32>) -> HashSet<u32> {
        let inside = board.inside(area);
        let mut shown: HashSet<u32> = inside.iter().copied().chain(followed).collect();
        if self.watching.is_everybody() {
            shown.extend(board.movers(self.complete_until + 1..=board.version()));
            self.complete_until = board.version();
            self.shown = Shown::everybody(board);
        } else {
            shown.extend(self.shown.wrong_inside(area, board));
        }
        self.watching.watch_only(inside, followed, |number| board.id_of(number));
        shown
    }

    /// The couriers who moved and are inside, were inside, or are followed.
    fn go_on_watching(&mut self, board: &Board, area: &Area, followed: Option<u32>) -> HashSet<u32> {
        if self.watching.is_everybody() {
            return HashSet::new();
        }
        let id_of = |number| board.id_of(number);
        let mut shown = HashSet::new();
        for number in board.movers(self.moves_told + 1..=board.version()) {
            let is_inside = board.place(number).is_some_and(|place| area.contains(place));
            if self.watching.moved(number, is_inside, id_of) || followed == Some(number) {
                shown.insert(number);
            }
        }
        self.watching.follow(followed, id_of);
        shown
    }

    fn own_batch(&mut self, board: &Board, fixes: Vec<FleetFix>) -> Option<Content> {
        self.next_tick = board.ticks() + ticks_until_next(fixes.len());
        (!fixes.is_empty()).then_some(Content::Positions(fixes))
    }
}
