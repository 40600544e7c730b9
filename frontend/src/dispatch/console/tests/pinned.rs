//! The pinned addresses in their dialog.

use doorstep_shared::{PinId, api::ListPage};
use uuid::Uuid;

use super::*;
use crate::dispatch::pinned::Pinned;

fn pin(number: u128) -> Pinned {
    Pinned { id: PinId::from_uuid(Uuid::from_u128(number)), address: format!("{number} High Street"), pinned_by: None }
}

fn page(numbers: &[u128], next: Option<&str>) -> Result<ApiReply, ApiError> {
    let items = numbers.iter().copied().map(pin).collect();
    Ok(ApiReply::Pinned(ListPage { items, next_cursor: next.map(str::to_owned) }))
}

fn shown(bench: &Bench) -> Vec<Pinned> {
    let Some(Dialog::Pinned(list)) = &*bench.console.dialog else { panic!("the dialog is open") };
    list.pins.clone().expect("a page")
}

#[test]
fn pins_come_in_pages_and_each_is_asked_for_once() {
    let mut bench = Bench::at("");
    let first = ApiCall::Pinned { cursor: None };
    assert_eq!(asks(&bench.act(PinnedIntent::Open)), [&first]);
    bench.step(Input::Replied(first, page(&[1, 2], Some("next"))));
    let second = ApiCall::Pinned { cursor: Some("next".into()) };
    assert_eq!(asks(&bench.act(PinnedIntent::More)), [&second]);
    assert_eq!(asks(&bench.act(PinnedIntent::More)), [] as [&ApiCall; 0], "it is on its way");
    bench.step(Input::Replied(second, page(&[3], None)));
    assert_eq!(shown(&bench), [pin(1), pin(2), pin(3)]);
}

#[test]
fn a_pin_goes_when_the_server_says_so() {
    let mut bench = Bench::at("");
    bench.act(PinnedIntent::Open);
    bench.step(Input::Replied(ApiCall::Pinned { cursor: None }, page(&[1, 2], None)));
    let leaving = pin(1).id;
    assert_eq!(asks(&bench.act(PinnedIntent::AskRemove(Some(leaving)))), [] as [&ApiCall; 0]);
    let call = ApiCall::RemovePinned(leaving);
    assert_eq!(asks(&bench.act(PinnedIntent::Remove(leaving))), [&call]);
    bench.step(Input::Replied(call.clone(), Err(ApiError::Unreachable)));
    assert!(bench.console.drawer.problem.is_some());
    assert_eq!(shown(&bench).len(), 2, "nothing was changed");
    bench.act(PinnedIntent::Remove(leaving));
    bench.step(Input::Replied(call, Ok(ApiReply::Done)));
    assert_eq!(shown(&bench), [pin(2)]);
}
