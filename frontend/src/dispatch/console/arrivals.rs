//! How good the told arrivals are, and where couriers wait: a dialog that is read, and nothing is changed in it.

use super::{ApiCall, ApiReply, Console, Dialog, Effect};
use crate::dispatch::arrivals::{By, Score, Wait};

/// What the dialog shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrivals {
    /// Whether the person may see single couriers.
    pub is_admin: bool,
    pub by: By,
    /// The scores of the last seven days; `None` until they are fetched.
    pub scores: Option<Vec<Score>>,
    /// The waits at pickups, the longest first; `None` until they are fetched.
    pub waits: Option<Vec<Wait>>,
}

/// What the dispatcher does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrivalIntent {
    /// Open the dialog.
    Open { is_admin: bool },
    /// Tell the arrivals apart by something else.
    By(By),
}

impl Console {
    pub(super) fn act_on_arrivals(&mut self, intent: ArrivalIntent, effects: &mut Vec<Effect>) {
        self.drawer.problem = None;
        match intent {
            ArrivalIntent::Open { is_admin } => {
                *self.dialog = Some(Dialog::Arrivals(Arrivals { is_admin, ..Arrivals::default() }));
                effects.extend([Effect::Call(ApiCall::Scores(By::default())), Effect::Call(ApiCall::Waits)]);
            }
            ArrivalIntent::By(by) => {
                if let Some(Dialog::Arrivals(arrivals)) = &mut *self.dialog {
                    (arrivals.by, arrivals.scores) = (by, None);
                    effects.push(Effect::Call(ApiCall::Scores(by)));
                }
            }
        }
    }

    /// The API answered. Scores that nobody wants any more are left out.
    pub(super) fn arrivals_replied(&mut self, call: &ApiCall, reply: ApiReply) {
        let Some(Dialog::Arrivals(arrivals)) = &mut *self.dialog else { return };
        match (call, reply) {
            (ApiCall::Scores(by), ApiReply::Scores(scores)) if *by == arrivals.by => arrivals.scores = Some(scores),
            (_, ApiReply::Waits(waits)) => arrivals.waits = Some(waits),
            _ => {}
        }
    }
}
