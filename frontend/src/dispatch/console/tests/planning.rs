use doorstep_shared::{
    Position,
    api::plan::{PlanStop, PlanView, PlannedStop, PutPlan},
    problem::{ErrorDetails, Problem},
    protocol::{courier::StopKind as Kind, fleet::FleetOrder},
};

use super::*;

/// A courier with three doors ahead, whose drawer is open.
struct Board {
    bench: Bench,
    ana: CourierId,
    orders: Vec<FleetOrder>,
}

fn view(version: u64, orders: &[&FleetOrder]) -> PlanView {
    let stop = |(index, order): (usize, &&FleetOrder)| PlannedStop {
        order_id: order.id,
        kind: Kind::Dropoff,
        sequence: index as u32 + 1,
        locked: false,
        arrival: None,
        late: false,
    };
    PlanView {
        version,
        stops: orders.iter().enumerate().map(stop).collect(),
        shift: None,
        capacity: None,
        load: vec![],
        metres: None,
        seconds: None,
        line: None,
    }
}

impl Board {
    fn open() -> Self {
        let mut bench = Bench::at("");
        let ana = courier("Ana");
        let orders: Vec<_> =
            ["A-1", "A-2", "A-3"].map(|name| order(name, OrderStatus::PickedUp, Some(ana.id))).to_vec();
        bench.snapshot(vec![ana.clone()], orders.clone());
        let effects = bench.act(Intent::Open(Open::Courier(ana.id)));
        assert!(asks(&effects).contains(&&ApiCall::Plan(ana.id)));
        let mut board = Self { bench, ana: ana.id, orders };
        board.fetched(1, &[0, 1, 2]);
        board
    }

    fn stop(&self, index: usize) -> PlanStop {
        PlanStop { order_id: self.orders[index].id, kind: Kind::Dropoff }
    }

    fn what(&self, index: usize) -> Movable {
        Movable::Stop(self.stop(index))
    }

    fn view(&self, version: u64, order: &[usize]) -> PlanView {
        view(version, &order.iter().map(|index| &self.orders[*index]).collect::<Vec<_>>())
    }

    fn fetched(&mut self, version: u64, order: &[usize]) {
        let reply = ApiReply::Plan(Box::new(self.view(version, order)));
        self.bench.step(Input::Replied(ApiCall::Plan(self.ana), Ok(reply)));
    }

    /// The stops as they are shown, by their index.
    fn shown(&self) -> Vec<usize> {
        let plan = self.bench.console.shown_plan();
        let index = |stop: &PlanStop| self.orders.iter().position(|order| order.id == stop.order_id);
        plan.stops.iter().map(|stop| index(stop).expect("a known stop")).collect()
    }

    fn press(&mut self, index: usize, nudge: Nudge) -> Vec<PutPlan> {
        let what = self.what(index);
        puts(&self.bench.act(PlanIntent::Press(what, nudge)))
    }

    fn put(&self, version: u64, order: &[usize]) -> PutPlan {
        PutPlan { version, stops: order.iter().map(|index| self.stop(*index)).collect(), locked: Some(0) }
    }

    fn reply(&mut self, plan: PutPlan, reply: Result<PlanView, ApiError>) -> Vec<PutPlan> {
        let reply = reply.map(|view| ApiReply::Plan(Box::new(view)));
        puts(&self.bench.step(Input::Replied(ApiCall::PutPlan { courier: self.ana, plan }, reply)))
    }
}

fn puts(effects: &[Effect]) -> Vec<PutPlan> {
    let put = |ask: &&ApiCall| if let ApiCall::PutPlan { plan, .. } = ask { Some(plan.clone()) } else { None };
    asks(effects).iter().filter_map(put).collect()
}

fn refusal(status: u16, code: &str, details: ErrorDetails) -> ApiError {
    ApiError::Refused(Box::new(Problem {
        r#type: "about:blank".into(),
        title: "Refused".into(),
        status,
        code: code.into(),
        detail: None,
        errors: vec![],
        details: Some(details),
    }))
}

#[test]
fn a_moved_stop_shows_at_once_and_the_next_move_waits_for_the_servers_version() {
    let mut board = Board::open();
    let first = board.press(2, Nudge::First);
    assert_eq!(first, [board.put(1, &[2, 0, 1])]);
    assert_eq!(board.shown(), [2, 0, 1]);
    assert_eq!(*board.bench.console.announcement, "A-3, drop off: stop 1 of 3");
    assert_eq!(board.press(1, Nudge::Up), [], "one request at once");
    assert_eq!(board.shown(), [2, 1, 0]);
    let saved = board.view(2, &[2, 0, 1]);
    let next = board.reply(first[0].clone(), Ok(saved));
    assert_eq!(next, [board.put(2, &[2, 1, 0])]);
    let saved = board.view(3, &[2, 1, 0]);
    assert_eq!(board.reply(next[0].clone(), Ok(saved)), []);
    assert!(!board.bench.console.planning.is_unconfirmed());
}

#[test]
fn who_was_faster_is_named_and_the_same_can_be_done_to_their_plan() {
    let mut board = Board::open();
    let put = board.press(0, Nudge::Last).remove(0);
    let details = ErrorDetails {
        current: Some(2),
        changed_by: Some("ben@example.org".into()),
        changed_at_ms: Some(NOW_MS - 3_000),
        change: Some("reordered".into()),
        ..ErrorDetails::default()
    };
    board.reply(put, Err(refusal(409, "version_conflict", details)));
    assert_eq!(board.shown(), [0, 1, 2], "as the server has it");
    let text = &board.bench.console.planning.refusal.as_ref().expect("it was refused").text;
    assert_eq!(text, "ben@example.org changed the order of Ana's stops 3 s ago");
    let effects = board.bench.wait(1_000.0);
    assert!(asks(&effects).contains(&&ApiCall::Plan(board.ana)), "the newest plan is fetched");
    board.fetched(2, &[1, 0, 2]);
    let again = puts(&board.bench.act(PlanIntent::Again));
    assert_eq!(again, [board.put(2, &[1, 2, 0])]);
    assert_eq!(board.bench.console.planning.refusal, None);
}

#[test]
fn a_refusal_is_told_in_words_about_the_order() {
    let mut board = Board::open();
    let put = board.press(0, Nudge::Last).remove(0);
    let details = ErrorDetails { order_id: Some(board.orders[1].id), ..ErrorDetails::default() };
    board.reply(put, Err(refusal(422, "over_capacity", details)));
    assert_eq!(*board.bench.console.announcement, "A-2 does not fit there: Ana would carry too much at once");
    let put = board.press(0, Nudge::Last).remove(0);
    board.reply(put, Err(ApiError::Unreachable));
    assert_eq!(*board.bench.console.announcement, "The server cannot be reached. Nothing was changed.");
}

#[test]
fn changes_of_the_courier_have_the_plan_fetched_once_a_second_at_most() {
    let mut board = Board::open();
    board.bench.wait(5_000.0);
    let mut told = 0;
    let mut tell = |board: &mut Board, courier_id| {
        told += 1;
        let order = FleetOrder { courier_id, sequence: Some(told as u32), ..board.orders[0].clone() };
        let change = FleetOrderChange { seq: told, order };
        let effects = board.bench.step(Input::Feed(Some(FleetEvent::Order(change))));
        asks(&effects).iter().filter(|ask| matches!(ask, ApiCall::Plan(_))).count()
    };
    let ana = board.ana;
    assert_eq!(tell(&mut board, Some(ana)), 1);
    assert_eq!(tell(&mut board, Some(ana)), 0, "one request is on its way");
    board.fetched(2, &[1, 0, 2]);
    assert_eq!(tell(&mut board, Some(ana)), 0, "not yet");
    assert!(asks(&board.bench.wait(1_000.0)).contains(&&ApiCall::Plan(ana)));
    board.fetched(3, &[1, 0, 2]);
    board.bench.wait(1_500.0);
    assert_eq!(tell(&mut board, None), 1, "it was taken from the courier");
    board.fetched(4, &[1, 2]);
    board.bench.wait(1_500.0);
    assert_eq!(tell(&mut board, Some(CourierId::new())), 0, "another courier's");
}

#[test]
fn an_answer_that_was_overtaken_changes_nothing() {
    let mut board = Board::open();
    board.fetched(3, &[2, 1, 0]);
    board.fetched(2, &[0, 1, 2]);
    assert_eq!(board.shown(), [2, 1, 0]);
}

#[test]
fn a_stop_is_held_with_the_keyboard_and_every_step_is_said() {
    let mut board = Board::open();
    let what = board.what(0);
    board.bench.act(PlanIntent::Grab { what, is_pointer: false });
    let said = board.bench.console.announcement.to_string();
    assert_eq!(said, "A-1, drop off: stop 1 of 3. Arrows move it, Enter drops it, Escape puts it back.");
    board.bench.act(PlanIntent::Nudge(Nudge::Down));
    assert_eq!(*board.bench.console.announcement, "A-1, drop off: stop 2 of 3");
    assert_eq!(board.shown(), [1, 0, 2]);
    board.bench.act(PlanIntent::Cancel);
    assert_eq!(board.shown(), [0, 1, 2]);
    board.bench.act(PlanIntent::Grab { what, is_pointer: false });
    board.bench.act(PlanIntent::Nudge(Nudge::Last));
    let effects = board.bench.act(PlanIntent::Drop);
    assert_eq!(puts(&effects), [board.put(1, &[1, 2, 0])]);
    assert!(effects.contains(&Effect::FocusHandle(what)));
}

#[test]
fn a_dragged_stop_goes_where_the_pointer_is_and_the_line_too() {
    let mut board = Board::open();
    let what = board.what(2);
    board.bench.act(PlanIntent::Grab { what, is_pointer: true });
    board.bench.act(PlanIntent::Dragged { rows: -1.2, px: -110.0 });
    assert_eq!(board.shown(), [0, 2, 1]);
    board.bench.act(PlanIntent::Dragged { rows: -9.0, px: -900.0 });
    assert_eq!(board.shown(), [2, 0, 1]);
    board.fetched(2, &[0, 1]);
    assert_eq!(board.bench.console.planning.grab, None, "it is delivered");
    assert_eq!(*board.bench.console.announcement, "A-3, drop off is not in the plan any more");
    board.bench.act(PlanIntent::Grab { what: Movable::Lock, is_pointer: true });
    board.bench.act(PlanIntent::Dragged { rows: 0.8, px: 80.0 });
    let put = puts(&board.bench.act(PlanIntent::Drop)).remove(0);
    assert_eq!((put.locked, put.stops.len()), (Some(1), 2));
    assert_eq!(*board.bench.console.announcement, "The first stop is locked");
}

#[test]
fn without_the_server_whoever_is_there_first_is_ranked_first_however_much_they_carry() {
    let mut bench = Bench::at("");
    let at = |lon| Position { time_ms: NOW_MS, lat: 35.9, lon, accuracy_m: None, speed_mps: None, heading_deg: None };
    let (mut near, mut far) = (courier("Near"), courier("Far"));
    (near.position, far.position) = (Some(at(14.52)), Some(at(14.9)));
    let carried = order("A-1", OrderStatus::PickedUp, Some(near.id));
    let made = order("A-2", OrderStatus::Created, None);
    bench.snapshot(vec![far.clone(), near.clone()], vec![carried.clone(), made.clone()]);
    for order in [&carried, &made] {
        let reply = ApiReply::Order(Box::new(details(order, None)));
        bench.step(Input::Replied(ApiCall::Order(order.id), Ok(reply)));
    }
    bench.act(Intent::Open(Open::Order(made.id)));
    bench.step(Input::Replied(ApiCall::Suggestions(made.id), Err(ApiError::Unreachable)));
    let names: Vec<_> = bench.console.drawer.suggestions.iter().flatten().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["Near", "Far"]);
    let arrivals = bench.console.drawer.suggestions.iter().flatten().map(|found| found.arrives_at);
    assert!(
        arrivals.is_sorted()
            && bench.console.drawer.suggestions.iter().flatten().all(|found| found.arrives_at.is_some())
    );
}

#[test]
fn the_map_shows_numbers_at_the_stops_and_the_way_along_the_streets() {
    let mut board = Board::open();
    for order in board.orders.clone() {
        let reply = ApiReply::Order(Box::new(details(&order, None)));
        board.bench.step(Input::Replied(ApiCall::Order(order.id), Ok(reply)));
    }
    let scene = board.bench.console.scene();
    assert_eq!(scene.marks.len(), 1, "all three go to one door");
    assert_eq!((scene.marks[0].icon, scene.marks[0].label.as_str()), ("stop-dropoff", "1,2…"));
    assert!(scene.ahead.is_empty() && !scene.guess.is_empty(), "no way is known");
    let line = vec![[14.5, 35.9], [14.51, 35.9], [14.51, 35.91]];
    let known = PlanView { line: Some(line.clone()), ..board.view(2, &[0, 1, 2]) };
    board.bench.step(Input::Replied(ApiCall::Plan(board.ana), Ok(ApiReply::Plan(Box::new(known)))));
    let scene = board.bench.console.scene();
    assert_eq!((scene.ahead, scene.guess.len()), (line, 0));
    board.press(2, Nudge::First);
    assert_eq!(board.bench.console.scene().ahead.len(), 3, "it does not flicker while the server computes the new one");
}

#[test]
fn everything_is_brought_into_view_and_a_pin_opens_its_order() {
    let mut board = Board::open();
    let first = board.orders[0].clone();
    let reply = ApiReply::Order(Box::new(details(&first, None)));
    board.bench.step(Input::Replied(ApiCall::Order(first.id), Ok(reply)));
    assert!(matches!(&board.bench.act(MapIntent::ShowAll)[..], [Effect::Fit { points }] if points.len() == 2));
    assert_eq!(board.bench.console.changed_pins().len(), 6);
    board.bench.act(MapIntent::Clicked { at: [14.5, 35.9], number: None, pin: Some(0) });
    assert_eq!(board.bench.console.route.open, Open::Order(first.id));
}

#[test]
fn what_was_done_is_sent_although_another_courier_is_opened() {
    let mut board = Board::open();
    let put = board.press(2, Nudge::First).remove(0);
    board.press(1, Nudge::First);
    board.bench.act(Intent::Open(Open::Nothing));
    let saved = board.view(2, &[2, 0, 1]);
    let next = board.reply(put, Ok(saved));
    assert_eq!(next, [board.put(2, &[1, 2, 0])]);
    board.reply(next[0].clone(), Err(ApiError::Unreachable));
    let problem = board.bench.console.drawer.problem.as_deref();
    assert_eq!(problem, Some("Ana: The server cannot be reached. Nothing was changed."));
}
