//! Where one console believes each courier to be, while it does not see everybody.
//!
//! The marker of a courier who left the box must not stay in it, so the console gets the position of every courier whom
//! it believes inside and who is elsewhere by now.

use doorstep_shared::LatLon;

use crate::live::fleet::{area::Area, board::Board};

/// Places as the console was shown them, by the couriers' numbers.
#[derive(Debug, Default)]
pub(super) struct Shown(Vec<Option<LatLon>>);

impl Shown {
    /// Everybody, where the board has them now.
    pub(super) fn everybody(board: &Board) -> Self {
        Self(board.places())
    }

    /// Notes that the console was shown a courier where the board has them now.
    pub(super) fn note(&mut self, number: u32, board: &Board) {
        let index = number as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, None);
        }
        self.0[index] = board.place(number);
    }

    /// The couriers whom the console believes inside `area`, and who are not where it believes them.
    pub(super) fn wrong_inside(&self, area: &Area, board: &Board) -> impl Iterator<Item = u32> {
        let inside = (0..).zip(&self.0).filter(|(_, shown)| shown.is_some_and(|shown| area.contains(shown)));
        inside.filter(|(number, shown)| board.place(*number) != **shown).map(|(number, _)| number)
    }
}
