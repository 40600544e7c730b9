//! Texts about work on many orders at once.

use crate::dispatch::bulk::{Action, Phase, Run};

/// How far a run is, or how it ended.
pub fn run(run: &Run) -> String {
    let Run { done, total, .. } = run;
    let answered = total - run.left();
    match run.phase {
        Phase::Paused => {
            format!("The page was loaded again before {} of {total} were {}.", run.left(), participle(run))
        }
        Phase::Reading => "Reading the plans…".to_owned(),
        Phase::Working => format!("{answered} of {total}…"),
        Phase::Arranging => "Keeping the sequence…".to_owned(),
        Phase::Over if run.failed.is_empty() => format!("{done} {}.", participle(run)),
        Phase::Over => format!("{done} of {total} {}.", participle(run)),
    }
}

const fn participle(run: &Run) -> &'static str {
    match run.action {
        Action::Assign(_) => "assigned",
        Action::Move(_) => "moved",
        Action::Unassign => "unassigned",
        Action::Cancel { .. } => "cancelled",
    }
}

/// A number of orders.
pub fn orders(count: usize) -> String {
    if count == 1 { "1 order".to_owned() } else { format!("{count} orders") }
}
