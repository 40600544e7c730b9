//! The areas in the dialog of an admin.

use doorstep_shared::api::area::AreaId;

use super::*;
use crate::dispatch::areas::{AreaInUse, AreaList, Upload};

const HERE: &str = "somewhere-0a1b2c3d";
const THERE: &str = "elsewhere-0a1b2c3d";

/// The area in use.
fn area() -> AreaInUse {
    AreaInUse { id: HERE.into(), bounds: [13.1, 53.5, 13.4, 53.6], streets: true, imperial: false }
}

fn id(text: &str) -> AreaId {
    text.parse().expect("an area's id")
}

/// Two areas, the first in use, and what the import does.
fn list(import: serde_json::Value) -> Result<ApiReply, ApiError> {
    let stored = |id: &str, current: bool| {
        serde_json::json!({
            "id": id, "name": id, "streets": true, "addresses": true, "basemap": true, "current": current, "built_in": current, "bytes": 12_000_000,
        })
    };
    let list = serde_json::json!({ "items": [stored(HERE, true), stored(THERE, false)], "import": import });
    let list: AreaList = serde_json::from_value(list).expect("a list of areas");
    Ok(ApiReply::Areas(Box::new(list)))
}

fn importing(share: f64) -> serde_json::Value {
    serde_json::json!({ "state": "importing", "stage": "streets", "share": share })
}

/// An admin's console in that area, with the dialog open and the list fetched.
fn admin() -> Bench {
    let mut bench = Bench::at("");
    bench.step(Input::Area(area()));
    assert_eq!(asks(&bench.act(AreaIntent::Open)), [&ApiCall::Areas]);
    let effects = bench.step(Input::Replied(ApiCall::Areas, list(serde_json::Value::Null)));
    assert!(!effects.contains(&Effect::RenewArea), "the map shows it already");
    bench
}

fn asks_for_areas(effects: &[Effect]) -> bool {
    asks(effects).contains(&&ApiCall::Areas)
}

#[test]
fn an_extract_is_sent_once_and_its_import_is_followed_until_it_ends() {
    let mut bench = admin();
    let upload = || AreaIntent::Upload { name: "Isle".into() };
    assert!(bench.act(upload()).contains(&Effect::UploadArea { name: "Isle".into() }));
    assert!(!bench.act(upload()).contains(&Effect::UploadArea { name: "Isle".into() }), "one goes on");
    bench.step(Input::UploadProgress(Upload { sent: 5, total: 20 }));
    assert_eq!(bench.console.areas.upload, Some(Upload { sent: 5, total: 20 }));
    let sent = ApiCall::UploadArea { name: "Isle".into() };
    assert!(asks_for_areas(&bench.step(Input::Replied(sent, Ok(ApiReply::Done)))));
    for share in [0.1, 0.6] {
        bench.step(Input::Replied(ApiCall::Areas, list(importing(share))));
        assert!(bench.console.areas.is_importing());
        assert!(!asks_for_areas(&bench.wait(500.0)));
        assert!(asks_for_areas(&bench.wait(600.0)), "every second");
        assert!(!asks_for_areas(&bench.wait(2_000.0)), "one question at a time");
    }
    let done = serde_json::json!({ "state": "done", "stage": "files", "share": 1.0, "id": THERE });
    bench.step(Input::Replied(ApiCall::Areas, list(done)));
    assert_eq!(*bench.console.announcement, "The area is imported");
    assert!(!asks_for_areas(&bench.wait(60_000.0)));
}

#[test]
fn nobody_asks_for_an_import_that_nobody_looks_at() {
    let mut bench = admin();
    bench.step(Input::Replied(ApiCall::Areas, list(importing(0.1))));
    bench.act(DialogIntent::Close);
    assert!(!asks_for_areas(&bench.wait(5_000.0)));
    assert!(asks_for_areas(&bench.act(AreaIntent::Open)));
}

#[test]
fn a_refused_extract_is_told_in_words_and_another_can_be_sent() {
    let mut bench = admin();
    bench.act(AreaIntent::Upload { name: String::new() });
    bench.step(Input::Replied(ApiCall::UploadArea { name: String::new() }, Err(ApiError::Unreachable)));
    assert_eq!(bench.console.areas.problem.as_deref(), Some("The server cannot be reached. Nothing was changed."));
    let effects = bench.act(AreaIntent::Upload { name: String::new() });
    assert!(effects.contains(&Effect::UploadArea { name: String::new() }));
    assert_eq!(bench.console.areas.problem, None);
}

#[test]
fn stopping_stops_the_upload_or_else_the_import() {
    let mut bench = admin();
    bench.act(AreaIntent::Upload { name: String::new() });
    assert!(bench.act(AreaIntent::Stop).contains(&Effect::StopUpload));
    bench.step(Input::UploadStopped);
    assert!(!bench.console.areas.is_importing());
    bench.step(Input::Replied(ApiCall::Areas, list(importing(0.1))));
    assert_eq!(asks(&bench.act(AreaIntent::Stop)), [&ApiCall::StopImport]);
}

#[test]
fn an_area_is_removed_after_a_question_and_pressed_twice_is_once() {
    let mut bench = admin();
    bench.act(AreaIntent::AskRemove(Some(id(THERE))));
    assert_eq!(bench.console.areas.removing, Some(id(THERE)));
    let remove = ApiCall::RemoveArea(id(THERE));
    assert_eq!(asks(&bench.act(AreaIntent::Remove(id(THERE)))), [&remove]);
    assert_eq!(asks(&bench.act(AreaIntent::Remove(id(THERE)))), Vec::<&ApiCall>::new());
    assert!(asks_for_areas(&bench.step(Input::Replied(remove, Ok(ApiReply::Done)))));
    assert_eq!(bench.console.areas.removing, None);
}

#[test]
fn a_map_of_another_area_than_the_one_in_use_is_renewed() {
    let mut bench = admin();
    bench.step(Input::Area(AreaInUse { id: THERE.into(), imperial: true, ..area() }));
    assert!(bench.console.locale.miles, "distances are written as on the signs there");
    let effects = bench.step(Input::Replied(ApiCall::Areas, list(serde_json::Value::Null)));
    assert!(effects.contains(&Effect::RenewArea));
}

#[test]
fn news_of_another_area_renew_the_map_and_the_open_list() {
    let mut bench = admin();
    bench.snapshot(vec![], vec![]);
    let news = || Input::Feed(Some(FleetEvent::Area(doorstep_shared::protocol::AreaChanged { id: id(THERE) })));
    let effects = bench.step(news());
    assert!(effects.contains(&Effect::RenewArea) && asks_for_areas(&effects));
    bench.act(DialogIntent::Close);
    let effects = bench.step(news());
    assert!(effects.contains(&Effect::RenewArea) && !asks_for_areas(&effects));
}

#[test]
fn an_order_beyond_the_streets_is_marked() {
    let mut bench = admin();
    let details = details(&order("A-1", OrderStatus::Created, None), None);
    assert!(bench.console.areas.is_outside(&details), "on an island far away");
    let bounds = [14.0, 35.0, 15.0, 37.0];
    bench.step(Input::Area(AreaInUse { bounds, ..area() }));
    assert!(!bench.console.areas.is_outside(&details));
    bench.step(Input::Area(AreaInUse { streets: false, bounds, ..area() }));
    assert!(bench.console.areas.is_outside(&details), "without streets everything is");
}
