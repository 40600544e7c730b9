//! The scores of arrivals in their dialog.

use super::*;
use crate::dispatch::arrivals::{By, Score};

fn score(group: &str) -> Score {
    Score { group: group.into(), name: None, n: 40, inside: 0.8, early: 0.08, late: 0.12, width_s: 400.0 }
}

fn shown(bench: &Bench) -> Option<Vec<Score>> {
    let Some(Dialog::Arrivals(arrivals)) = &*bench.console.dialog else { panic!("the dialog is open") };
    arrivals.scores.clone()
}

#[test]
fn scores_of_what_was_chosen_last_are_shown_whatever_comes_first() {
    let mut bench = Bench::at("");
    let asked = bench.act(ArrivalIntent::Open { is_admin: false });
    assert_eq!(asks(&asked), [&ApiCall::Scores(By::Horizon), &ApiCall::Waits]);
    assert_eq!(asks(&bench.act(ArrivalIntent::By(By::Vehicle))), [&ApiCall::Scores(By::Vehicle)]);
    let vehicles = vec![score("car"), score("scooter")];
    bench.step(Input::Replied(ApiCall::Scores(By::Vehicle), Ok(ApiReply::Scores(vehicles.clone()))));
    bench.step(Input::Replied(ApiCall::Scores(By::Horizon), Ok(ApiReply::Scores(vec![score("10")]))));
    assert_eq!(shown(&bench), Some(vehicles));
    bench.act(DialogIntent::Close);
    bench.step(Input::Replied(ApiCall::Waits, Ok(ApiReply::Waits(vec![]))));
    assert_eq!(*bench.console.dialog, None);
}

#[test]
fn scores_that_cannot_be_fetched_are_told_in_words() {
    let mut bench = Bench::at("");
    bench.act(ArrivalIntent::Open { is_admin: true });
    bench.step(Input::Replied(ApiCall::Scores(By::Horizon), Err(ApiError::Unreachable)));
    assert!(bench.console.drawer.problem.is_some());
    bench.act(ArrivalIntent::By(By::Courier));
    assert_eq!(bench.console.drawer.problem, None);
}
