mod areas;
mod arrivals;
mod bulk;
mod couriers;
mod deeds;
mod editing;
mod finding;
mod pinned;
mod planning;

use doorstep_shared::{
    ExceptionId, OrderId, OrderStatus,
    api::{
        ListPage, OrderCreated,
        console::{PlaceFound, PlaceKind, TrackingLink},
        exception::{ExceptionCode, ExceptionState, ExceptionView},
    },
    problem::{FieldError, Problem},
    protocol::{
        ServerTime,
        fleet::{FleetAlert, FleetAlertRaised, FleetMessage, FleetOrderChange, FleetPositions, FleetSnapshot, Follow},
    },
};

use super::*;
use crate::dispatch::{
    draft::{Field, StopKind},
    feed::WORLD,
    fleet::{
        Risk,
        tests::{NOW_MS, courier, details, order},
    },
    route::Span,
};

fn locale() -> Locale {
    Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false }
}

/// A console with a clock that only the test moves.
struct Bench {
    console: Console,
    now_ms: f64,
}

impl Bench {
    fn at(query: &str) -> Self {
        let moment = Moment { now_ms: 0.0, at_ms: NOW_MS, random: 0.5 };
        let mut bench = Self { console: Console::new(locale(), None, query, moment), now_ms: 0.0 };
        bench.step(Input::Start);
        bench
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        let at_ms = NOW_MS + self.now_ms as i64;
        self.console.step(Moment { now_ms: self.now_ms, at_ms, random: 0.5 }, input)
    }

    fn act(&mut self, intent: impl Into<Intent>) -> Vec<Effect> {
        self.step(Input::Intent(intent.into()))
    }

    fn wait(&mut self, ms: f64) -> Vec<Effect> {
        self.now_ms += ms;
        self.step(Input::Tick)
    }

    fn snapshot(
        &mut self,
        couriers: Vec<doorstep_shared::protocol::fleet::FleetCourier>,
        orders: Vec<doorstep_shared::protocol::fleet::FleetOrder>,
    ) -> Vec<Effect> {
        let snapshot = FleetSnapshot { seq: 0, server_time_ms: NOW_MS, couriers, orders };
        self.step(Input::Feed(Some(FleetEvent::Snapshot(snapshot))))
    }
}

fn asks(effects: &[Effect]) -> Vec<&ApiCall> {
    effects.iter().filter_map(|effect| if let Effect::Call(ask) = effect { Some(ask) } else { None }).collect()
}

fn exception(code: ExceptionCode, courier: CourierId) -> ExceptionView {
    serde_json::from_value(serde_json::json!({
        "id": ExceptionId::new(), "code": code, "since": "2026-11-21T17:36:00Z",
        "courier_id": courier, "courier_name": "Marco",
    }))
    .expect("an exception")
}

fn inbox(cursor: Option<&str>) -> ApiCall {
    ApiCall::Exceptions { state: ExceptionState::Open, cursor: cursor.map(str::to_owned) }
}

fn page(items: &[ExceptionView], next_cursor: Option<&str>) -> Result<ApiReply, ApiError> {
    Ok(ApiReply::Exceptions(ListPage { items: items.to_vec(), next_cursor: next_cursor.map(str::to_owned) }))
}

#[test]
fn news_of_exceptions_are_asked_for_once_however_many_come_at_once() {
    let mut bench = Bench::at("");
    let marco = courier("Marco");
    let effects = bench.snapshot(vec![marco.clone()], vec![]);
    assert!(asks(&effects).contains(&&inbox(None)), "with the snapshot");
    bench.step(Input::Replied(inbox(None), page(&[], None)));
    assert_eq!(bench.console.attention(), Some(0));
    for seq in 1..4 {
        let alert = FleetAlert { code: "late".into(), since_ms: NOW_MS, courier_id: Some(marco.id), order_id: None };
        let effects = bench.step(Input::Feed(Some(FleetEvent::Alert(FleetAlertRaised { seq, alert }))));
        assert_eq!(asks(&effects), Vec::<&ApiCall>::new(), "more may come");
        bench.now_ms += 100.0;
    }
    assert_eq!(asks(&bench.wait(200.0)), [&inbox(None)]);
    bench.step(Input::Replied(inbox(None), page(&[exception(ExceptionCode::Late, marco.id)], None)));
    assert_eq!(bench.console.totals().attention, Some(1));
    let activity = bench.console.fleet.activity(&bench.console.fleet.couriers[&marco.id], NOW_MS);
    assert_eq!(activity, crate::dispatch::fleet::Activity::Attention, "the map shows it too");
    assert!(asks(&bench.wait(30_000.0)).contains(&&inbox(None)), "an exception also ends by itself");
}

#[test]
fn an_exception_is_asked_for_anew_when_its_order_moves_on() {
    let mut bench = Bench::at("");
    let ana = courier("Ana");
    let (waiting, other) = (order("A-1", OrderStatus::Created, None), order("A-2", OrderStatus::Created, None));
    bench.snapshot(vec![ana.clone()], vec![waiting.clone(), other.clone()]);
    let given_back = ExceptionView { order_id: Some(waiting.id), ..exception(ExceptionCode::GivenBack, ana.id) };
    bench.step(Input::Replied(inbox(None), page(&[given_back], None)));
    let mut asks_after = |seq, order: &FleetOrder| {
        bench.step(Input::Feed(Some(FleetEvent::Order(FleetOrderChange { seq, order: order.clone() }))));
        asks(&bench.wait(1_000.0)).contains(&&inbox(None))
    };
    let to_ana =
        |order: &FleetOrder| FleetOrder { status: OrderStatus::Assigned, courier_id: Some(ana.id), ..order.clone() };
    assert!(!asks_after(1, &to_ana(&other)), "nothing is the matter with it");
    assert!(!asks_after(2, &waiting), "it is as it was");
    assert!(asks_after(3, &to_ana(&waiting)));
}

#[test]
fn who_acknowledged_is_told_and_the_card_leaves_the_open_ones() {
    let mut bench = Bench::at("");
    let marco = courier("Marco");
    bench.snapshot(vec![marco.clone()], vec![]);
    let found = [ExceptionCode::Silent, ExceptionCode::Stationary].map(|code| exception(code, marco.id));
    bench.step(Input::Replied(inbox(None), page(&found, None)));
    let effects = bench.act(InboxIntent::Acknowledge(found[1].id));
    let ask = ApiCall::Acknowledge { id: found[1].id, note: None };
    assert_eq!(asks(&effects), [&ask]);
    assert_eq!(
        asks(&bench.act(InboxIntent::Acknowledge(found[1].id))),
        Vec::<&ApiCall>::new(),
        "pressed twice is once"
    );
    let mut taken = found[1].clone();
    (taken.acknowledged_at, taken.acknowledged_by) = (Some(taken.since), Some("first@example.org".into()));
    let effects = bench.step(Input::Replied(ask, Ok(ApiReply::Exception(Box::new(taken)))));
    assert!(effects.contains(&Effect::Focus("inbox")), "its button is gone");
    assert_eq!(*bench.console.announcement, "Acknowledged by first@example.org: Marco has not moved for 6 min");
    assert_eq!(bench.console.inbox.shown.as_deref(), Some(&found[..1]));
    assert_eq!(bench.console.attention(), Some(1));
    let effects = bench.act(InboxIntent::State(ExceptionState::All));
    let all = ApiCall::Exceptions { state: ExceptionState::All, cursor: None };
    assert!(asks(&effects).contains(&&all));
    assert!(effects.contains(&Effect::Url { url: "/dispatch?inbox=all".into(), is_new: false }));
}

#[test]
fn a_door_that_a_courier_found_is_taken_with_one_press() {
    let mut bench = Bench::at("");
    let marco = courier("Marco");
    bench.snapshot(vec![marco.clone()], vec![]);
    let found = exception(ExceptionCode::DoorElsewhere, marco.id);
    bench.step(Input::Replied(inbox(None), page(std::slice::from_ref(&found), None)));
    let take = ApiCall::TakeDoor { id: found.id };
    assert_eq!(asks(&bench.act(InboxIntent::TakeDoor(found.id))), [&take]);
    bench.step(Input::Replied(take.clone(), Err(ApiError::Unreachable)));
    assert!(bench.console.inbox.problem.is_some());
    assert_eq!(asks(&bench.act(InboxIntent::TakeDoor(found.id))), [&take], "it can be tried again");
    let mut taken = found;
    (taken.acknowledged_at, taken.acknowledged_by) = (Some(taken.since), Some("dora@example.org".into()));
    bench.step(Input::Replied(take, Ok(ApiReply::Exception(Box::new(taken)))));
    assert_eq!(bench.console.attention(), Some(0));
}

#[test]
fn an_address_that_was_moved_by_hand_is_pinned_for_all_orders_to_come() {
    let mut bench = Bench::at("?open=new");
    bench.act(Intent::Open(Open::NewOrder));
    let kind = StopKind::Pickup;
    let action = |bench: &Bench| bench.console.form.draft.pin_action(kind);
    bench.act(DraftIntent::Change(Change::Address(kind, "12 New Quay, Gzira".into())));
    assert_eq!(action(&bench), "", "nothing was moved");
    bench.console.form.draft.pin([14.5, 35.9], None);
    assert_eq!(action(&bench), "Pin this address");
    let effects = bench.act(DraftIntent::Change(Change::Pin(kind)));
    let [ask @ ApiCall::PinAddress { id, pin, .. }] = asks(&effects)[..] else { panic!("a pin: {effects:?}") };
    assert_eq!((&*pin.address, pin.lat, pin.lon), ("12 New Quay, Gzira", 35.9, 14.5));
    assert_eq!(action(&bench), "", "it is on its way");
    let (ask, id) = (ask.clone(), *id);
    bench.step(Input::Replied(ask, Ok(ApiReply::Done)));
    assert_eq!(*bench.console.announcement, "Pinned for all orders to come");
    assert_eq!(action(&bench), "Remove its pin");
    let remove = ApiCall::UnpinAddress { kind, id };
    assert_eq!(asks(&bench.act(DraftIntent::Change(Change::Pin(kind)))), [&remove]);
    bench.step(Input::Replied(remove, Ok(ApiReply::Done)));
    assert_eq!(action(&bench), "");
}

#[test]
fn a_point_that_the_map_names_needs_no_pin_until_its_address_is_corrected() {
    let mut bench = Bench::at("");
    bench.act(Intent::Open(Open::NewOrder));
    let (kind, at) = (StopKind::Pickup, [14.5, 35.9]);
    bench.console.form.draft.pin(at, None);
    let place = PlaceFound {
        name: "Triq il-Kbira".into(),
        town: None,
        address: "Triq il-Kbira".into(),
        kind: PlaceKind::Street,
        lat: 35.9,
        lon: 14.5,
        distance_m: None,
        pin_id: None,
    };
    bench.step(Input::Replied(ApiCall::AddressAt { kind, at }, Ok(ApiReply::Places(vec![place]))));
    assert_eq!(bench.console.form.draft.pin_action(kind), "");
    bench.act(DraftIntent::Change(Change::Address(kind, "7 Triq il-Kbira".into())));
    assert_eq!(bench.console.form.draft.pin_action(kind), "Pin this address");
    let effects = bench.act(DraftIntent::Change(Change::Pin(kind)));
    let ask = asks(&effects)[0].clone();
    let problem = Problem {
        r#type: "about:blank".into(),
        title: "No".into(),
        status: 422,
        code: "invalid_fields".into(),
        detail: None,
        errors: vec![FieldError { field: "lat".into(), message: "it lies outside the area".into() }],
        details: None,
    };
    bench.step(Input::Replied(ask, Err(ApiError::Refused(Box::new(problem)))));
    assert_eq!(bench.console.form.problems, [("pickup".to_owned(), "it lies outside the area".to_owned())]);
}

#[test]
fn a_failed_acknowledgement_leaves_the_card_and_says_why() {
    let mut bench = Bench::at("");
    let marco = courier("Marco");
    bench.snapshot(vec![marco.clone()], vec![]);
    let found = exception(ExceptionCode::Silent, marco.id);
    bench.step(Input::Replied(inbox(None), page(std::slice::from_ref(&found), None)));
    bench.act(InboxIntent::WriteNote(found.id));
    let effects = bench.act(InboxIntent::Note { note: " called him ".into() });
    let ask = ApiCall::Acknowledge { id: found.id, note: Some("called him".into()) };
    assert_eq!(asks(&effects), [&ask]);
    bench.step(Input::Replied(ask.clone(), Err(ApiError::Unreachable)));
    assert!(bench.console.inbox.problem.is_some() && bench.console.dialog.is_some());
    assert_eq!(bench.console.inbox.shown.as_ref().map(Vec::len), Some(1));
    assert_eq!(asks(&bench.act(InboxIntent::Note { note: "called him".into() })), [&ask], "it can be tried again");
}

#[test]
fn further_pages_of_the_inbox_stay_when_its_head_is_asked_for_anew() {
    let mut bench = Bench::at("");
    let marco = courier("Marco");
    bench.snapshot(vec![marco.clone()], vec![]);
    let [first, second, third] = [0; 3].map(|_| exception(ExceptionCode::Late, marco.id));
    bench.step(Input::Replied(inbox(None), page(std::slice::from_ref(&first), Some("next"))));
    assert_eq!(asks(&bench.act(InboxIntent::More)), [&inbox(Some("next"))]);
    assert_eq!(asks(&bench.act(InboxIntent::More)), Vec::<&ApiCall>::new());
    bench.step(Input::Replied(inbox(Some("next")), page(&[first.clone(), second.clone()], None)));
    assert_eq!(bench.console.inbox.shown.as_deref(), Some(&[first.clone(), second.clone()][..]));
    bench.step(Input::Replied(inbox(None), page(std::slice::from_ref(&third), Some("next"))));
    assert_eq!(bench.console.inbox.shown.as_deref(), Some(&[third, first, second][..]));
}

#[test]
fn the_ten_minutes_around_something_are_asked_for_and_saved_as_such() {
    let mut bench = Bench::at("");
    let ana = courier("Ana");
    bench.snapshot(vec![ana.clone()], vec![]);
    let effects = bench.act(Intent::Open(Open::Replay(ana.id, Span::around(NOW_MS))));
    let (from_ms, until_ms) = (NOW_MS - 300_000, NOW_MS + 300_000);
    assert!(asks(&effects).contains(&&ApiCall::Day { courier: ana.id, from_ms, until_ms, cursor: None }));
    let effects = bench.act(ReplayIntent::Export(Format::Gpx));
    let name = "Ana-2026-11-21.gpx".to_owned();
    assert_eq!(effects, [Effect::Export { courier: ana.id, from_ms, until_ms, format: Format::Gpx, name }]);
    bench.step(Input::NotSaved);
    assert!(bench.console.drawer.problem.is_some(), "a file that did not come is told");
}

#[test]
fn orders_that_the_feed_tells_about_are_asked_for_and_listed() {
    let mut bench = Bench::at("tab=unassigned");
    let made = order("A-1", OrderStatus::Created, None);
    let effects = bench.snapshot(vec![], vec![made.clone()]);
    assert!(asks(&effects).contains(&&ApiCall::Order(made.id)));
    assert_eq!(bench.console.list.items, [Item::Order(made.id)]);
    bench.step(Input::Replied(ApiCall::Order(made.id), Ok(ApiReply::Order(Box::new(details(&made, None))))));
    let effects = bench.wait(2_000.0);
    assert!(!asks(&effects).contains(&&ApiCall::Order(made.id)), "once is enough");
    assert_eq!(bench.console.totals().unassigned, 1);
}

#[test]
fn many_unknown_orders_are_asked_for_in_pages() {
    let mut bench = Bench::at("");
    let orders: Vec<_> = (0..20).map(|index| order(&index.to_string(), OrderStatus::Created, None)).collect();
    let effects = bench.snapshot(vec![], orders.clone());
    let page = |tab| ApiCall::Orders { tab, query: String::new(), span: None, cursor: None };
    assert!(asks(&effects).contains(&&page(Tab::Unassigned)));
    assert!(!asks(&effects).iter().any(|ask| matches!(ask, ApiCall::Order(_))));
    let items = orders.iter().map(|order| details(order, None)).collect();
    let answer = ApiReply::Orders(ListPage { items, next_cursor: None });
    let effects = bench.step(Input::Replied(page(Tab::Unassigned), Ok(answer)));
    assert!(asks(&effects).contains(&&page(Tab::Active)));
    let answer = ApiReply::Orders(ListPage { items: vec![], next_cursor: None });
    bench.step(Input::Replied(page(Tab::Active), Ok(answer)));
    assert_eq!(asks(&bench.wait(2_000.0)), Vec::<&ApiCall>::new());
    assert!(bench.console.fleet.orders.values().all(|order| order.details.is_some()));
}

#[test]
fn a_search_is_asked_for_once_the_typing_rests() {
    let mut bench = Bench::at("");
    bench.snapshot(vec![], vec![]);
    for text in ["s", "st", "str"] {
        let effects = bench.act(ListIntent::Query(text.into()));
        assert!(!asks(&effects).iter().any(|ask| matches!(ask, ApiCall::Orders { .. })));
        bench.now_ms += 60.0;
    }
    let effects = bench.wait(200.0);
    let wanted = ApiCall::Orders { tab: Tab::Active, query: "str".into(), span: None, cursor: None };
    assert!(asks(&effects).contains(&&wanted));
    let late = ApiCall::Orders { tab: Tab::Active, query: "st".into(), span: None, cursor: None };
    let found = order("A-7", OrderStatus::Assigned, None);
    let page = |order| ApiReply::Orders(ListPage { items: vec![details(order, None)], next_cursor: None });
    bench.step(Input::Replied(late, Ok(page(&found))));
    assert_eq!(bench.console.list.items, [], "an answer to an earlier search is not shown");
    bench.step(Input::Replied(wanted, Ok(page(&found))));
    assert_eq!(bench.console.list.items, [Item::Order(found.id)]);
}

#[test]
fn the_keyboard_alone_assigns_an_order() {
    let mut bench = Bench::at("tab=unassigned");
    let (joe, made) = (courier("Joe"), order("A-1053", OrderStatus::Created, None));
    bench.snapshot(vec![joe.clone()], vec![made.clone()]);
    bench.act(Intent::Key(Command::Next));
    assert_eq!(bench.console.selection.cursor, Some(Item::Order(made.id)));
    let effects = bench.act(Intent::Key(Command::Assign));
    assert_eq!(bench.console.route.open, Open::Order(made.id));
    assert!(asks(&effects).contains(&&ApiCall::Suggestions(made.id)));
    assert!(effects.contains(&Effect::Focus("courier-search")));
    let effects = bench.act(OrderIntent::Assign { order: made.id, courier: joe.id });
    assert_eq!(asks(&effects), [&ApiCall::Assign { order: made.id, courier: joe.id, version: None }]);
    let mut given = details(&made, None);
    (given.status, given.courier_id) = (OrderStatus::Assigned, Some(joe.id));
    let ask = ApiCall::Assign { order: made.id, courier: joe.id, version: None };
    bench.step(Input::Replied(ask, Ok(ApiReply::Order(Box::new(given)))));
    assert_eq!(*bench.console.announcement, "A-1053 given to Joe");
    assert_eq!(bench.console.fleet.couriers[&joe.id].orders, [made.id]);
    bench.act(Intent::Key(Command::Leave));
    assert_eq!(bench.console.route.open, Open::Nothing);
}

#[test]
fn a_row_chosen_while_its_search_is_on_the_way_stays_chosen() {
    let mut bench = Bench::at("tab=unassigned");
    let made = order("A-1053", OrderStatus::Created, None);
    bench.snapshot(vec![], vec![made.clone()]);
    bench.act(ListIntent::Query("A-1053".into()));
    bench.act(Intent::Key(Command::Next));
    let effects = bench.wait(1_000.0);
    let ask = (*asks(&effects).iter().find(|ask| matches!(ask, ApiCall::Orders { .. })).expect("a search")).clone();
    bench.wait(1_000.0);
    assert_eq!(bench.console.list.items, []);
    let found = ListPage { items: vec![details(&made, None)], next_cursor: None };
    bench.step(Input::Replied(ask, Ok(ApiReply::Orders(found))));
    assert_eq!(bench.console.selection.cursor, Some(Item::Order(made.id)));
    bench.act(Intent::Key(Command::Assign));
    assert_eq!(bench.console.route.open, Open::Order(made.id));
}

fn says(effects: &[Effect]) -> Vec<&FleetMessage> {
    effects.iter().filter_map(|effect| if let Effect::Send(message) = effect { Some(message) } else { None }).collect()
}

#[test]
fn every_courier_of_a_small_fleet_is_listened_to_and_of_a_large_one_those_on_the_map_and_now_and_then_all() {
    const MAP: [f64; 4] = [14.4, 35.8, 14.5, 35.9];
    let boxes = |effects: Vec<Effect>| -> Vec<[f64; 4]> {
        let told = says(&effects).into_iter();
        told.filter_map(|message| if let FleetMessage::Viewport(told) = message { Some(told.bbox) } else { None })
            .collect()
    };
    let fleet = |count: usize| (0..count).map(|index| courier(&format!("Courier {index}"))).collect::<Vec<_>>();
    let mut bench = Bench::at("");
    bench.snapshot(fleet(1_000), vec![]);
    bench.step(Input::Viewport(MAP));
    assert_eq!(boxes(bench.wait(120_000.0)), Vec::<[f64; 4]>::new(), "everything is the default");

    let mut bench = Bench::at("");
    bench.snapshot(fleet(1_001), vec![]);
    bench.step(Input::Viewport(MAP));
    let mut told = Vec::new();
    for _ in 0..180 {
        told.extend(boxes(bench.wait(1_000.0)));
        bench.step(Input::Feed(Some(FleetEvent::Heartbeat(ServerTime { server_time_ms: NOW_MS }))));
    }
    let (around, near): (Vec<_>, Vec<_>) = told.iter().copied().partition(|bbox| *bbox == WORLD);
    assert!(near.len() >= 3 && near.iter().all(|bbox| bbox[0] < MAP[0] && bbox[2] > MAP[2]), "{told:?}");
    assert!((2..=3).contains(&around.len()), "{told:?}");
}

#[test]
fn the_courier_of_what_is_open_is_listened_to_wherever_the_map_is() {
    let mut bench = Bench::at("");
    let joe = courier("Joe");
    let given = order("A-1", OrderStatus::Assigned, Some(joe.id));
    bench.snapshot(vec![joe.clone()], vec![given.clone()]);
    let effects = bench.act(Intent::Open(Open::Order(given.id)));
    let follow = |courier_id| FleetMessage::Follow(Follow { courier_id });
    assert!(says(&effects).contains(&&follow(Some(joe.id))));
    let effects = bench.act(Intent::Key(Command::Leave));
    assert!(says(&effects).contains(&&follow(None)));
}

#[test]
fn the_couriers_opened_anew_stay_open_when_the_answer_to_the_last_choice_comes() {
    let mut bench = Bench::at("");
    let (joe, made) = (courier("Joe"), order("A-1", OrderStatus::Created, None));
    bench.snapshot(vec![joe.clone()], vec![made.clone()]);
    bench.act(Intent::Open(Open::Order(made.id)));
    let given = || {
        let mut given = details(&made, None);
        (given.status, given.courier_id) = (OrderStatus::Assigned, Some(joe.id));
        Ok(ApiReply::Order(Box::new(given)))
    };
    let ask = || ApiCall::Assign { order: made.id, courier: joe.id, version: None };
    bench.act(OrderIntent::Assign { order: made.id, courier: joe.id });
    bench.act(Intent::Key(Command::Assign));
    let effects = bench.step(Input::Replied(ask(), given()));
    assert!(bench.console.drawer.is_assigning, "whoever reassigns at once is not interrupted");
    assert!(!effects.contains(&Effect::Focus("drawer")));
    bench.act(OrderIntent::Assign { order: made.id, courier: courier("Sam").id });
    bench.step(Input::Replied(ask(), given()));
    assert!(!bench.console.drawer.is_assigning);
}

#[test]
fn a_refused_assignment_says_why_and_changes_nothing() {
    let mut bench = Bench::at("");
    let (joe, made) = (courier("Joe"), order("A-1", OrderStatus::Created, None));
    bench.snapshot(vec![joe.clone()], vec![made.clone()]);
    bench.act(Intent::Open(Open::Order(made.id)));
    bench.act(OrderIntent::Assign { order: made.id, courier: joe.id });
    assert!(bench.console.drawer.is_busy);
    let ask = ApiCall::Assign { order: made.id, courier: joe.id, version: None };
    bench.step(Input::Replied(ask, Err(ApiError::Unreachable)));
    assert!(!bench.console.drawer.is_busy);
    assert_eq!(bench.console.drawer.problem.as_deref(), Some("The server cannot be reached. Nothing was changed."));
    assert_eq!(bench.console.fleet.orders[&made.id].courier_id, None);
}

#[test]
fn an_order_is_made_by_two_clicks_and_a_repeat_is_the_same_order() {
    let mut bench = Bench::at("");
    bench.snapshot(vec![], vec![]);
    bench.act(Intent::Key(Command::New));
    bench.act(MapIntent::Clicked { at: [14.5, 35.9], number: None, pin: None });
    bench.act(MapIntent::Clicked { at: [14.51, 35.91], number: None, pin: None });
    for change in [
        Change::Text(Field::Reference, "A-1".into()),
        Change::Text(Field::Customer, "Eve".into()),
        Change::Address(StopKind::Pickup, "Harbour Kitchen".into()),
        Change::Address(StopKind::Dropoff, "12 Triq il-Merkanti".into()),
    ] {
        bench.act(DraftIntent::Change(change));
    }
    let effects = bench.act(DraftIntent::Save);
    let [ApiCall::Create { order, key }] = asks(&effects)[..] else { panic!("one question: {effects:?}") };
    assert_eq!((order.dropoff.lon, order.dropoff.lat), (14.51, 35.91));
    let first = ApiCall::Create { order: order.clone(), key: key.clone() };
    bench.step(Input::Replied(first.clone(), Err(ApiError::Unreachable)));
    let effects = bench.act(DraftIntent::Save);
    assert_eq!(asks(&effects), [&first], "the same key, so it cannot become two orders");
    let id = OrderId::new();
    let created: OrderCreated = serde_json::from_value(serde_json::json!({
        "id": id, "reference": "A-1", "status": "created", "tracking_token": "t", "tracking_url": "u",
        "created_at": "2026-11-21T17:42:00Z",
    }))
    .expect("a created order");
    let effects = bench.step(Input::Replied(first, Ok(ApiReply::Created(Box::new(created)))));
    assert_eq!((bench.console.route.open, bench.console.route.tab), (Open::Order(id), Tab::Unassigned));
    assert!(asks(&effects).contains(&&ApiCall::Order(id)));
}

#[test]
fn the_trail_of_who_is_open_grows_and_stays_within_bounds() {
    let mut bench = Bench::at("");
    let ana = courier("Ana");
    bench.snapshot(vec![ana.clone()], vec![]);
    let effects = bench.act(Intent::Open(Open::Courier(ana.id)));
    assert!(asks(&effects).iter().any(|ask| matches!(ask, ApiCall::Trail { .. })));
    for index in 0..3_000i64 {
        let fix = doorstep_shared::protocol::fleet::FleetFix {
            courier_id: ana.id,
            time_ms: NOW_MS + index,
            lat: 35.9,
            lon: 14.5 + index as f64 * 1e-5,
            speed_mps: None,
            heading_deg: None,
            battery: None,
        };
        let positions = FleetPositions { seq: 1 + index as u64, fixes: vec![fix] };
        bench.step(Input::Feed(Some(FleetEvent::Positions(positions))));
    }
    assert_eq!(bench.console.trail.points.len(), trail::MAX_TRAIL);
    let scene = bench.console.scene();
    assert_eq!((scene.selected, scene.behind.len()), (Some(ana.id), 1));
}

#[test]
fn a_delivered_order_leaves_the_board() {
    let mut bench = Bench::at("");
    let ana = courier("Ana");
    let carried = order("A-1", OrderStatus::PickedUp, Some(ana.id));
    bench.snapshot(vec![ana], vec![carried.clone()]);
    assert_eq!(bench.console.list.items.len(), 1);
    let delivered = FleetOrder { status: OrderStatus::Delivered, ..carried };
    bench.step(Input::Feed(Some(FleetEvent::Order(FleetOrderChange { seq: 1, order: delivered }))));
    bench.wait(2_000.0);
    assert_eq!(bench.console.list.items, []);
    assert!(bench.console.fleet.orders.is_empty());
}

#[test]
fn what_is_over_stays_when_the_feed_comes_after_it_or_anew() {
    let mut bench = Bench::at("tab=done");
    let ana = courier("Ana");
    let ended = order("A-1", OrderStatus::Delivered, Some(ana.id));
    let list = ApiCall::Orders { tab: Tab::Done, query: String::new(), span: None, cursor: None };
    let answer = ApiReply::Orders(ListPage { items: vec![details(&ended, None)], next_cursor: None });
    bench.step(Input::Replied(list.clone(), Ok(answer)));
    let effects = bench.snapshot(vec![ana.clone()], vec![]);
    assert_eq!(bench.console.list.items, [Item::Order(ended.id)]);
    assert!(!asks(&effects).contains(&&list), "it has just been asked for");
    bench.step(Input::FeedClosed(4000));
    assert!(bench.wait(1_000.0).contains(&Effect::Connect));
    let effects = bench.snapshot(vec![ana], vec![]);
    assert!(asks(&effects).contains(&&list), "more may have ended meanwhile");
    assert_eq!(bench.console.list.items, [Item::Order(ended.id)]);
}

#[test]
fn an_order_opened_by_its_address_is_brought_into_view_with_its_courier() {
    let (ana, carried) = (courier("Ana"), OrderId::new());
    let carried = doorstep_shared::protocol::fleet::FleetOrder {
        id: carried,
        ..order("A-1", OrderStatus::PickedUp, Some(ana.id))
    };
    let mut bench = Bench::at(&format!("order={}", carried.id));
    let fits = |effects: &[Effect]| {
        effects.iter().find_map(|effect| if let Effect::Fit { points } = effect { Some(points.len()) } else { None })
    };
    let answer = ApiReply::Order(Box::new(details(&carried, None)));
    assert_eq!(fits(&bench.step(Input::Replied(ApiCall::Order(carried.id), Ok(answer)))), None);
    assert_eq!(fits(&bench.snapshot(vec![ana], vec![carried])), Some(3), "pickup, door and courier");
    assert_eq!(fits(&bench.wait(1.0)), None, "once");
}

#[test]
fn a_link_counts_as_copied_only_when_the_browser_did_it() {
    let mut bench = Bench::at("");
    let made = order("A-1", OrderStatus::Created, None);
    bench.snapshot(vec![], vec![made.clone()]);
    let link = TrackingLink { tracking_token: "t".into(), tracking_url: "https://u".into(), qr_svg: String::new() };
    let effects = bench.step(Input::Replied(ApiCall::TrackingLink(made.id), Ok(ApiReply::TrackingLink(link))));
    assert!(effects.contains(&Effect::Copy("https://u".into())));
    let is_copied = |bench: &Bench| matches!(*bench.console.dialog, Some(Dialog::TrackingLink { is_copied: true, .. }));
    bench.step(Input::Copied(false));
    assert!(!is_copied(&bench));
    bench.step(Input::Copied(true));
    assert!(is_copied(&bench));
    assert_eq!(*bench.console.announcement, "Link copied");
}

#[test]
fn the_back_button_leads_to_what_was_open_before() {
    let mut bench = Bench::at("");
    let ana = courier("Ana");
    bench.snapshot(vec![ana.clone()], vec![]);
    let effects = bench.act(Intent::Open(Open::Courier(ana.id)));
    assert!(effects.contains(&Effect::Url { url: format!("/dispatch?courier={}", ana.id), is_new: true }));
    bench.step(Input::Popped(String::new()));
    assert_eq!(bench.console.route.open, Open::Nothing);
}

#[test]
fn nobody_signed_in_leads_to_the_sign_in() {
    let mut bench = Bench::at("");
    let effects = bench.step(Input::FeedClosed(1006));
    assert!(asks(&effects).contains(&&ApiCall::Session));
    let effects = bench.step(Input::Replied(ApiCall::Session, Err(ApiError::SignedOut)));
    assert!(effects.contains(&Effect::SignIn));
}

fn changed_by(bench: &mut Bench, input: Input) -> Vec<Subject> {
    let before = bench.console.revisions();
    bench.step(input);
    bench.console.revisions().changed_since(before).collect()
}

#[test]
fn a_position_changes_nothing_that_a_view_shows() {
    let mut bench = Bench::at("");
    let ana = courier("Ana");
    bench.snapshot(vec![ana.clone()], vec![]);
    bench.act(Intent::Open(Open::Courier(ana.id)));
    let fix = doorstep_shared::protocol::fleet::FleetFix {
        courier_id: ana.id,
        time_ms: NOW_MS,
        lat: 35.9,
        lon: 14.6,
        speed_mps: None,
        heading_deg: None,
        battery: None,
    };
    let positions = FleetEvent::Positions(FleetPositions { seq: 1, fixes: vec![fix] });
    assert_eq!(changed_by(&mut bench, Input::Feed(Some(positions))), []);
    assert_eq!(bench.console.trail.points.last(), Some(&[14.6, 35.9]), "only the map follows");
    let heartbeat = FleetEvent::Heartbeat(ServerTime { server_time_ms: NOW_MS });
    assert_eq!(changed_by(&mut bench, Input::Feed(Some(heartbeat))), []);
}

#[test]
fn a_view_follows_its_own_subject_alone() {
    let mut bench = Bench::at("");
    let ana = courier("Ana");
    bench.snapshot(vec![ana.clone()], vec![]);
    bench.act(Intent::Open(Open::NewOrder));
    bench.wait(1_000.0);
    for (intent, subject) in [
        (DraftIntent::Change(Change::Text(Field::Reference, "A-1".into())).into(), Subject::Form),
        (Intent::Hover(Some(Item::Courier(ana.id))), Subject::Selection),
        (ListIntent::Scrolled { top_px: 64.0, height_px: 640.0 }.into(), Subject::List),
        (DialogIntent::Help.into(), Subject::Dialog),
    ] {
        assert_eq!(changed_by(&mut bench, Input::Intent(intent)), [subject]);
    }
    let before = bench.console.revisions();
    bench.console.second_passed(2_000.0);
    assert!(bench.console.revisions().changed_since(before).eq([Subject::Clock]));
}

#[test]
fn an_order_that_an_exception_calls_late_is_late_everywhere_and_due_nowhere() {
    let mut bench = Bench::at("");
    let ana = courier("Ana");
    let made = order("A-1", OrderStatus::Assigned, Some(ana.id));
    bench.snapshot(vec![ana.clone()], vec![made.clone()]);
    let view = details(&made, Some(NOW_MS + 300_000));
    bench.step(Input::Replied(ApiCall::Order(made.id), Ok(ApiReply::Order(Box::new(view)))));
    let risk = |bench: &Bench| bench.console.fleet.risk(&bench.console.fleet.orders[&made.id], NOW_MS);
    assert_eq!(risk(&bench), Some(Risk::Tight { left_ms: 300_000 }));
    let late =
        ExceptionView { order_id: Some(made.id), late_by_s: Some(120), ..exception(ExceptionCode::Late, ana.id) };
    bench.step(Input::Replied(inbox(None), page(std::slice::from_ref(&late), None)));
    assert_eq!(risk(&bench), Some(Risk::Late { by_ms: 120_000 }));
    let over = ExceptionView { ended_at: Some(late.since), ..late };
    bench.step(Input::Replied(inbox(None), page(&[over], None)));
    assert_eq!(risk(&bench), Some(Risk::Tight { left_ms: 300_000 }));
}

#[test]
fn an_order_without_a_courier_has_pins_and_no_way() {
    let mut bench = Bench::at("");
    let made = order("A-1", OrderStatus::Created, None);
    bench.snapshot(vec![courier("Ana")], vec![made.clone()]);
    bench.act(Intent::Open(Open::Order(made.id)));
    let view = details(&made, None);
    bench.step(Input::Replied(ApiCall::Order(made.id), Ok(ApiReply::Order(Box::new(view)))));
    let scene = bench.console.scene();
    assert_eq!((scene.marks.len(), scene.ahead.len(), scene.guess.len()), (2, 0, 0));
}

#[test]
fn the_focus_goes_from_an_acknowledged_card_to_the_next() {
    let mut bench = Bench::at("");
    let marco = courier("Marco");
    bench.snapshot(vec![marco.clone()], vec![]);
    let found = [ExceptionCode::Silent, ExceptionCode::Stationary].map(|code| exception(code, marco.id));
    bench.step(Input::Replied(inbox(None), page(&found, None)));
    bench.act(InboxIntent::Acknowledge(found[0].id));
    let call = ApiCall::Acknowledge { id: found[0].id, note: None };
    let taken = ExceptionView { acknowledged_at: Some(found[0].since), ..found[0].clone() };
    let effects = bench.step(Input::Replied(call, Ok(ApiReply::Exception(Box::new(taken)))));
    assert!(effects.contains(&Effect::FocusAcknowledge(found[1].id)));
}
