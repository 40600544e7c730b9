use std::collections::HashMap;

use doorstep_shared::{CourierId, LatLon, OrderId, OrderStatus, protocol::fleet::FleetCourier};
use proptest::{prelude::*, sample::select};

use super::*;
use crate::{
    domain::fleet::FleetChange,
    live::fleet::samples::{courier, moved, order},
};

const COURIERS: usize = 6;
const ORDERS: usize = 4;

/// What a console believes, from nothing but its messages.
#[derive(Default)]
struct Belief {
    next_seq: u64,
    positions: HashMap<CourierId, (i64, f64, f64)>,
    couriers: HashMap<CourierId, String>,
    orders: HashMap<OrderId, OrderStatus>,
}

impl Belief {
    fn take(&mut self, messages: Vec<Message>) -> Result<(), TestCaseError> {
        for Message { seq, content } in messages {
            prop_assert_eq!(seq, self.next_seq, "no gap");
            self.next_seq += 1;
            match content {
                Content::Snapshot { couriers, orders } => {
                    prop_assert_eq!(seq, 0);
                    couriers.into_iter().try_for_each(|courier| self.courier(courier))?;
                    self.orders = orders.into_iter().map(|order| (order.id, order.status)).collect();
                }
                Content::News(News::Courier(courier)) => self.courier(courier)?,
                Content::News(News::CourierLeft(courier)) => {
                    self.couriers.remove(&courier.id);
                }
                Content::News(News::Order(order)) if order.status.is_final() => {
                    self.orders.remove(&order.id);
                }
                Content::News(News::Order(order)) => {
                    self.orders.insert(order.id, order.status);
                }
                Content::News(News::Alert(_)) => {}
                Content::Positions(fixes) => self.fixes(&fixes)?,
                Content::Shared(broadcast) => self.fixes(broadcast.fixes())?,
            }
        }
        Ok(())
    }

    fn courier(&mut self, courier: FleetCourier) -> Result<(), TestCaseError> {
        if let Some(position) = courier.position {
            self.moved(courier.id, (position.time_ms, position.lat, position.lon))?;
        }
        self.couriers.insert(courier.id, courier.name);
        Ok(())
    }

    fn fixes(&mut self, fixes: &[FleetFix]) -> Result<(), TestCaseError> {
        let mut once = HashSet::new();
        for fix in fixes {
            prop_assert!(once.insert(fix.courier_id), "each courier once in a batch");
            prop_assert!(self.couriers.contains_key(&fix.courier_id), "only couriers whom the console was told of");
            self.moved(fix.courier_id, (fix.time_ms, fix.lat, fix.lon))?;
        }
        Ok(())
    }

    fn moved(&mut self, courier: CourierId, to: (i64, f64, f64)) -> Result<(), TestCaseError> {
        let before = self.positions.insert(courier, to);
        prop_assert!(before.is_none_or(|before| before.0 <= to.0), "never back in fix time");
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Move(usize, f64, f64),
    Rename(usize),
    Order(usize, OrderStatus),
    Tick,
    LookAt(Option<[f64; 4]>),
    Follow(Option<usize>),
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    let lat = || 35.0f64..36.0;
    let area = (14.0f64..15.0, lat(), 0.0f64..0.8, 0.0f64..0.8)
        .prop_map(|(west, south, width, height)| Some([west, south, west + width, south + height]));
    prop_oneof![
        6 => (0..COURIERS, lat(), 14.0f64..15.0).prop_map(|(who, lat, lon)| Step::Move(who, lat, lon)),
        1 => (0..COURIERS).prop_map(Step::Rename),
        2 => (0..ORDERS, select(OrderStatus::ALL.to_vec())).prop_map(|(which, to)| Step::Order(which, to)),
        4 => Just(Step::Tick),
        1 => prop_oneof![area, Just(None)].prop_map(Step::LookAt),
        1 => prop::option::of(0..COURIERS).prop_map(Step::Follow),
        4 => Just(Step::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// After any changes, and however slowly the console reads: when it has read everything, its belief about the
    /// couriers it looks at is the truth.
    #[test]
    fn a_console_that_has_read_everything_knows_the_truth(steps in prop::collection::vec(step(), 1..120)) {
        let mut board = Board::default();
        let mut couriers: Vec<_> = (0..COURIERS).map(|_| courier()).collect();
        let orders: Vec<_> = (0..ORDERS).map(|_| OrderId::new()).collect();
        couriers[..COURIERS / 2].iter().for_each(|known| board.apply(FleetChange::Courier(known.clone())));
        let audience = Arc::new(Audience::default());
        let (mut reader, mut belief, mut view) = (Reader::new(Arc::clone(&audience)), Belief::default(), View::default());
        let mut now = Instant::now();
        let mut read = |reader: &mut Reader, board: &Board, now| {
            let messages = reader.take(board, now).map_err(|_| TestCaseError::fail("not that far behind"))?;
            belief.take(messages)
        };
        read(&mut reader, &board, now)?;
        for (time_ms, step) in (1i64..).zip(steps) {
            match step {
                Step::Move(who, lat, lon) => board.apply(moved(couriers[who].id, time_ms, lat, lon)),
                Step::Rename(who) => {
                    couriers[who].name = format!("Ana {time_ms}");
                    board.apply(FleetChange::Courier(couriers[who].clone()));
                }
                Step::Order(which, to) => board.apply(order(orders[which], to)),
                Step::Tick => {
                    now += Duration::from_millis(250);
                    board.tick(view.area.is_none());
                }
                Step::LookAt(bbox) => view.area = bbox.and_then(|bbox| Area::from_bbox(bbox).expect("a box")),
                Step::Follow(who) => view.follow = who.map(|who| couriers[who].id),
                Step::Read => read(&mut reader, &board, now)?,
            }
            reader.look_at(view);
        }
        for _ in 0..3 {
            now += Duration::from_millis(250);
            board.tick(view.area.is_none());
            read(&mut reader, &board, now)?;
        }
        let (truth, open) = board.everything();
        let open: HashMap<_, _> = open.into_iter().map(|order| (order.id, order.status)).collect();
        prop_assert_eq!(&belief.orders, &open);
        for courier in truth {
            prop_assert_eq!(belief.couriers.get(&courier.id), Some(&courier.name));
            let place = courier.position.and_then(|position| position.point());
            let is_in = |place: LatLon| view.area.is_none_or(|area| area.contains(place));
            let is_seen = place.is_some_and(is_in) || view.follow == Some(courier.id);
            let believed = belief.positions.get(&courier.id).copied();
            let actual = courier.position.map(|position| (position.time_ms, position.lat, position.lon));
            if is_seen {
                prop_assert_eq!(believed, actual);
            } else if let Some((_, lat, lon)) = believed {
                // A marker does not stay in the picture when its courier has left it.
                let shown = LatLon::try_new(lat, lon).expect("on earth");
                prop_assert!(believed == actual || !is_in(shown), "{:?} of {:?}", believed, actual);
            }
            let counted = audience.dispatchers_of(courier.id);
            prop_assert!(counted <= 1 && (counted == 1 || !is_seen), "counted {} times", counted);
        }
    }

    #[test]
    fn batches_keep_their_distance(reads_ms in prop::collection::vec(0u64..400, 1..60)) {
        let (mut board, ana) = (Board::default(), courier());
        board.apply(FleetChange::Courier(ana.clone()));
        let mut reader = Reader::new(Arc::default());
        let (mut now, mut last) = (Instant::now(), None::<Instant>);
        for (time_ms, pause_ms) in (1i64..).zip(reads_ms) {
            now += Duration::from_millis(pause_ms);
            board.apply(moved(ana.id, time_ms, 35.9, 14.5));
            board.tick(true);
            for message in reader.take(&board, now).expect("not behind") {
                if matches!(message.content, Content::Positions(_) | Content::Shared(_)) {
                    prop_assert!(last.is_none_or(|last| now.duration_since(last) >= BATCH_DISTANCE));
                    last = Some(now);
                }
            }
        }
    }
}

#[test]
fn consoles_that_see_everything_share_their_batches() {
    let mut board = Board::default();
    let ana = courier();
    board.apply(FleetChange::Courier(ana.clone()));
    let mut readers: Vec<_> = (0..3).map(|_| Reader::new(Arc::default())).collect();
    let mut now = Instant::now();
    readers.iter_mut().for_each(|reader| drop(reader.take(&board, now)));
    for time_ms in 1..20 {
        now += Duration::from_millis(250);
        board.apply(moved(ana.id, time_ms, 35.9, 14.5));
        board.tick(true);
        for reader in &mut readers {
            let taken = reader.take(&board, now).expect("not behind");
            let [Message { content: Content::Shared(_), .. }] = taken.as_slice() else {
                panic!("one shared batch, not {taken:?}")
            };
        }
    }
}

#[test]
fn a_reader_that_is_too_far_behind_must_begin_again() {
    let mut board = Board::default();
    let mut reader = Reader::new(Arc::default());
    let now = Instant::now();
    assert!(reader.take(&board, now).is_ok());
    for _ in 0..20_000 {
        board.apply(order(OrderId::new(), OrderStatus::Cancelled));
    }
    assert_eq!(reader.take(&board, now).err(), Some(TooFarBehind));
    assert!(Reader::new(Arc::default()).take(&board, now).is_ok(), "a new one has no past");
}

/// Five thousand couriers who report every second, on a console that shows them all.
#[test]
fn a_large_fleet_costs_a_console_a_fraction_of_one_frame_for_each_fix() {
    use doorstep_shared::protocol::{
        Codec,
        fleet::{FleetEvent, FleetPositions},
    };

    use crate::live::{fleet::encode, outbox::frame};

    const SECONDS: i64 = 16;
    let couriers: Vec<_> = (0..5_000).map(|_| courier()).collect();
    for codec in Codec::ALL {
        let mut board = Board::default();
        couriers.iter().for_each(|courier| board.apply(FleetChange::Courier(courier.clone())));
        let mut reader = Reader::new(Arc::default());
        let mut now = Instant::now();
        drop(reader.take(&board, now));
        let (mut frames, mut bytes, mut fixes) = (0, 0, 0);
        for quarter in 0..SECONDS * 4 {
            now += Duration::from_millis(250);
            for courier in couriers.iter().skip((quarter % 4) as usize).step_by(4) {
                let time_ms = 1_795_219_200_000 + quarter * 250;
                let change = moved(courier.id, time_ms, 35.898_912, 14.514_553);
                let FleetChange::Moved { courier, position, .. } = change else { unreachable!("made above") };
                let position = doorstep_shared::Position { speed_mps: Some(4.2), heading_deg: Some(182.0), ..position };
                board.apply(FleetChange::Moved { courier, position, battery: Some(0.81) });
                fixes += 1;
            }
            board.tick(true);
            for Message { seq, content } in reader.take(&board, now).expect("not behind") {
                frames += 1;
                bytes += match content {
                    Content::Shared(broadcast) => broadcast.frame(codec, seq).len(),
                    Content::Positions(fixes) => encode::positions(codec, seq, &fixes).len(),
                    other => panic!("{other:?}"),
                };
            }
        }
        // All of them are equally long.
        let alone = vec![board.fix(0).expect("somewhere")];
        let alone = frame(codec, &FleetEvent::Positions(FleetPositions { seq: 12_345, fixes: alone })).len();
        let bytes_alone = alone * fixes as usize;
        let (of_frames, of_bytes) = (f64::from(frames) / f64::from(fixes), bytes as f64 / bytes_alone as f64);
        println!(
            "{codec:?}: {of_frames:.5} of the frames, {of_bytes:.3} of the bytes, {} KB/s",
            bytes / 1_000 / SECONDS as usize
        );
        assert!(of_frames <= 1.0 / 20.0, "{of_frames} of the frames");
        assert!(of_bytes <= 0.5, "{of_bytes} of the bytes in {codec:?}");
    }
}
