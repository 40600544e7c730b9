//! Tells how far an import is, and stops it.

use super::error::ImportError;

/// One part of the work, in the order of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Reading where everything is.
    Positions,
    /// Making the street graph.
    Streets,
    /// Collecting names and house numbers.
    Addresses,
    /// Drawing the tiles.
    Map,
    /// Putting the files in place.
    Files,
}

/// Who waits for an import. Both methods are called often, from the thread that imports, and must return at once.
pub trait Progress: Send {
    /// `share` of `stage` is done, from 0 to 1.
    fn reached(&mut self, stage: Stage, share: f64);

    /// Whether to give up: the import then ends soon with [`ImportError::Cancelled`] and leaves nothing behind.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Nobody waits.
impl Progress for () {
    fn reached(&mut self, _: Stage, _: f64) {}
}

/// A [`Progress`] together with the stage that the work is in.
pub struct Watch<'a> {
    progress: &'a mut dyn Progress,
    stage: Stage,
    /// The part of the stage that the work at hand is.
    part: [f64; 2],
    told: f64,
}

impl<'a> Watch<'a> {
    /// Begins with [`Stage::Positions`].
    pub fn new(progress: &'a mut dyn Progress) -> Self {
        Self { progress, stage: Stage::Positions, part: [0.0, 1.0], told: 0.0 }
    }

    /// Goes on to `stage`.
    ///
    /// # Errors
    /// [`ImportError::Cancelled`].
    pub fn enter(&mut self, stage: Stage) -> Result<(), ImportError> {
        (self.stage, self.part, self.told) = (stage, [0.0, 1.0], 0.0);
        self.progress.reached(stage, 0.0);
        self.go_on()
    }

    /// Says that the work at hand leads from one share of the stage to another: a stage of several passes.
    pub fn part(&mut self, from: f64, to: f64) {
        self.part = [from, to];
    }

    /// Notes that `share` of the work at hand is done. Cheap enough for every block of a file: it tells each hundredth once.
    ///
    /// # Errors
    /// [`ImportError::Cancelled`].
    pub fn reached(&mut self, share: f64) -> Result<(), ImportError> {
        let [from, to] = self.part;
        let share = from + (to - from) * share.clamp(0.0, 1.0);
        if share - self.told >= 0.01 || (share >= 1.0 && self.told < 1.0) {
            self.told = share;
            self.progress.reached(self.stage, share);
        }
        self.go_on()
    }

    /// # Errors
    /// [`ImportError::Cancelled`].
    pub fn go_on(&self) -> Result<(), ImportError> {
        if self.progress.is_cancelled() { Err(ImportError::Cancelled) } else { Ok(()) }
    }
}
