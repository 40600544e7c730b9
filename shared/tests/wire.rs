//! The contract on the wire: every message survives both codecs, and the examples of the protocol document
//! mean what they say.

use std::fmt::Debug;

use doorstep_shared::{
    CourierId, OrderId, OrderStatus, Position, RawFix, Rejection, Vehicle,
    problem::{ErrorDetails, FieldError, Problem},
    protocol::{
        AreaChanged, ErrorMessage, PresenceReason, PresenceState, ServerTime,
        courier::{
            Ack, Audience, Contact, CourierEvent, CourierIdentity, CourierMessage, Fixes, OrderReport, Pace, Ping,
            PresenceReport, RejectedFix, ReportKind, Seen, StatusReport, Stop, StopArrival, StopKind, Stops, Welcome,
        },
        customer::{
            CourierCard, CustomerEvent, Ended, Eta, EtaWhy, OrderUpdate, Place, PositionUpdate, Presence, Snapshot,
            TimelineEntry, TrackedOrder,
        },
        decode_json, decode_postcard, encode_json, encode_postcard,
        fleet::{
            FleetAlert, FleetAlertRaised, FleetCourier, FleetCourierChange, FleetEvent, FleetFix, FleetMessage,
            FleetOrder, FleetOrderChange, FleetPositions, FleetSnapshot, Follow, Viewport,
        },
    },
};
use proptest::{option::of, prelude::*, sample::select};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn survives_both_codecs<M: Serialize + DeserializeOwned + PartialEq + Debug>(message: &M) {
    let text = encode_json(message);
    assert_eq!(decode_json::<M>(&text).expect("our own JSON"), *message, "{text}");
    assert!(!text.contains("null"), "absent fields are left out: {text}");
    let bytes = encode_postcard(message);
    assert_eq!(decode_postcard::<M>(&bytes).expect("our own postcard"), *message);
    for cut in 0..bytes.len() {
        // A message cut short is an error, never a panic.
        let _ = decode_postcard::<M>(&bytes[..cut]);
    }
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

fn degrees() -> impl Strategy<Value = (f64, f64)> {
    (-90.0f64..90.0, -180.0f64..180.0)
}

fn small() -> impl Strategy<Value = Option<f32>> {
    of(0.0f32..360.0)
}

fn status() -> impl Strategy<Value = OrderStatus> {
    select(OrderStatus::ALL.to_vec())
}

fn vehicle() -> impl Strategy<Value = Vehicle> {
    select(Vehicle::ALL.to_vec())
}

fn raw_fix() -> impl Strategy<Value = RawFix> {
    (any::<i64>(), degrees(), small(), small(), small(), small(), small()).prop_map(
        |(time_ms, (lat, lon), accuracy_m, speed_mps, heading_deg, altitude_m, battery)| RawFix {
            time_ms,
            lat,
            lon,
            accuracy_m,
            speed_mps,
            heading_deg,
            altitude_m,
            battery,
        },
    )
}

fn position() -> impl Strategy<Value = Position> {
    (any::<i64>(), degrees(), small(), small(), small()).prop_map(
        |(time_ms, (lat, lon), accuracy_m, speed_mps, heading_deg)| Position {
            time_ms,
            lat,
            lon,
            accuracy_m,
            speed_mps,
            heading_deg,
        },
    )
}

fn line() -> impl Strategy<Value = Vec<[f64; 2]>> {
    prop::collection::vec(degrees().prop_map(|(lat, lon)| [lon, lat]), 0..8)
}

fn presence_state() -> impl Strategy<Value = PresenceState> {
    select(PresenceState::ALL)
}

fn presence_reason() -> impl Strategy<Value = Option<PresenceReason>> {
    of(select(PresenceReason::ALL))
}

fn presence() -> impl Strategy<Value = Presence> {
    (presence_state(), presence_reason(), any::<i64>()).prop_map(|(state, reason, since_ms)| Presence {
        state,
        reason,
        since_ms,
    })
}

fn courier_id() -> impl Strategy<Value = CourierId> {
    any::<u128>().prop_map(|bits| CourierId::from_uuid(uuid::Uuid::from_u128(bits)))
}

fn order_id() -> impl Strategy<Value = OrderId> {
    any::<u128>().prop_map(|bits| OrderId::from_uuid(uuid::Uuid::from_u128(bits)))
}

fn courier_message() -> impl Strategy<Value = CourierMessage> {
    prop_oneof![
        (any::<u64>(), prop::collection::vec(raw_fix(), 0..5))
            .prop_map(|(id, fixes)| CourierMessage::Fixes(Fixes { id, fixes })),
        (any::<u64>(), order_id(), status(), any::<i64>(), of(text())).prop_map(
            |(id, order_id, status, time_ms, note)| CourierMessage::Status(StatusReport {
                id,
                order_id,
                status,
                time_ms,
                note
            })
        ),
        (presence_state(), presence_reason(), of(any::<i64>())).prop_map(|(state, reason, time_ms)| {
            CourierMessage::Presence(PresenceReport { state, reason, time_ms })
        }),
        Just(CourierMessage::Ping(Ping {})),
        any::<u64>().prop_map(|version| CourierMessage::Seen(Seen { version })),
        ((any::<u64>(), order_id(), report_kind(), any::<i64>(), of(text())), of(degrees())).prop_map(
            |((id, order_id, report, time_ms, note), at)| CourierMessage::Report(OrderReport {
                id,
                order_id,
                report,
                time_ms,
                note,
                lat: at.map(|at| at.0),
                lon: at.map(|at| at.1)
            })
        ),
    ]
}

fn report_kind() -> impl Strategy<Value = ReportKind> {
    select(vec![ReportKind::NotReady, ReportKind::GiveBack, ReportKind::DoorHere])
}

fn stop() -> impl Strategy<Value = Stop> {
    let contact = of((text(), of(text())).prop_map(|(name, phone)| Contact { name, phone }));
    let kind = select(StopKind::ALL.to_vec());
    let of_version_1 = ((order_id(), text(), kind, any::<u32>()), degrees(), text(), of(text()), contact, status());
    let arrival = (any::<i64>(), any::<i64>(), any::<i64>())
        .prop_map(|(earliest_ms, expected_ms, latest_ms)| StopArrival { earliest_ms, expected_ms, latest_ms });
    let words = || of(prop::collection::vec(text(), 0..3));
    let gained = (
        (of(any::<i64>()), of(any::<i64>()), of(arrival), words(), of(any::<bool>())),
        (of(any::<u32>()), of(any::<u32>()), words(), of(text()), of(any::<u32>())),
    );
    (of_version_1, gained).prop_map(|(of_version_1, gained)| {
        let ((order_id, reference, kind, sequence), (lat, lon), address, instructions, contact, status) = of_version_1;
        let ((promised_from_ms, promised_until_ms, arrival, changed, locked), gained) = gained;
        let (size, attempt, requires, note, usual_wait_s) = gained;
        Stop {
            order_id,
            reference,
            kind,
            sequence,
            lat,
            lon,
            address,
            instructions,
            contact,
            status,
            promised_from_ms,
            promised_until_ms,
            arrival,
            changed,
            locked,
            size,
            attempt,
            requires,
            note,
            usual_wait_s,
        }
    })
}

fn pace() -> impl Strategy<Value = Pace> {
    (any::<u64>(), any::<u32>(), of(text())).prop_map(|(interval_ms, min_distance_m, reason)| Pace {
        interval_ms,
        min_distance_m,
        reason,
    })
}

fn error() -> impl Strategy<Value = ErrorMessage> {
    (of(any::<u64>()), text(), text(), of(any::<u64>()), of(details())).prop_map(
        |(id, code, message, retry_after_ms, details)| ErrorMessage { id, code, message, retry_after_ms, details },
    )
}

fn details() -> impl Strategy<Value = ErrorDetails> {
    let fields = of(prop::collection::btree_map(text(), text(), 0..3));
    (of(status()), of(status()), of(order_id()), of(any::<u64>()), fields).prop_map(
        |(from, to, order_id, current, fields)| ErrorDetails {
            from,
            to,
            order_id,
            current,
            fields,
            ..ErrorDetails::default()
        },
    )
}

fn server_time() -> impl Strategy<Value = ServerTime> {
    any::<i64>().prop_map(|server_time_ms| ServerTime { server_time_ms })
}

fn courier_event() -> impl Strategy<Value = CourierEvent> {
    let stops = || prop::collection::vec(stop(), 0..3);
    let rejection = select(vec![
        Rejection::LatOutOfRange,
        Rejection::LonOutOfRange,
        Rejection::TimeInFuture,
        Rejection::TimeTooOld,
        Rejection::NotANumber,
        Rejection::AccuracyNegative,
        Rejection::OffDuty,
    ]);
    let rejected = (any::<u32>(), rejection).prop_map(|(index, code)| RejectedFix { index, code });
    prop_oneof![
        (
            (any::<i64>(), courier_id(), text(), any::<u32>(), pace(), stops()),
            (of(any::<u64>()), of(text()), of(any::<bool>()))
        )
            .prop_map(
                |((server_time_ms, id, name, max_fixes, pace, stops), (version, office_phone, may_reorder))| {
                    CourierEvent::Welcome(Welcome {
                        server_time_ms,
                        courier: CourierIdentity { id, name },
                        max_fixes,
                        pace,
                        stops,
                        version,
                        office_phone,
                        may_reorder,
                    })
                }
            ),
        (any::<u64>(), any::<u32>(), any::<u32>(), prop::collection::vec(rejected, 0..4))
            .prop_map(|(id, stored, duplicates, rejected)| CourierEvent::Ack(Ack { id, stored, duplicates, rejected })),
        (stops(), of(any::<u64>())).prop_map(|(stops, version)| CourierEvent::Stops(Stops { stops, version })),
        pace().prop_map(CourierEvent::Pace),
        (any::<u32>(), any::<u32>())
            .prop_map(|(customers, dispatchers)| CourierEvent::Audience(Audience { customers, dispatchers })),
        error().prop_map(CourierEvent::Error),
        server_time().prop_map(CourierEvent::Heartbeat),
        server_time().prop_map(CourierEvent::Pong),
        area_changed().prop_map(CourierEvent::Area),
    ]
}

fn eta() -> impl Strategy<Value = Eta> {
    let why = select(vec![EtaWhy::Standing, EtaWhy::Silent, EtaWhy::OffWay, EtaWhy::WaitingAtPickup]);
    let added = (of(any::<i64>()), of(0.0f64..1.0), of(why));
    (any::<i64>(), any::<i64>(), any::<i64>(), any::<u32>(), added).prop_map(
        |(earliest_ms, latest_ms, computed_at_ms, remaining_m, (expected_ms, coverage, why))| Eta {
            earliest_ms,
            latest_ms,
            computed_at_ms,
            remaining_m,
            expected_ms,
            coverage,
            why,
        },
    )
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let place = || (degrees(), text()).prop_map(|((lat, lon), label)| Place { lat, lon, label });
    let entry = (status(), any::<i64>()).prop_map(|(status, at_ms)| TimelineEntry { status, at_ms });
    let order = (text(), status(), any::<i64>(), any::<u32>(), place(), place(), prop::collection::vec(entry, 0..4))
        .prop_map(|(reference, status, status_at_ms, stops_before, pickup, dropoff, timeline)| TrackedOrder {
            reference,
            status,
            status_at_ms,
            stops_before,
            pickup,
            dropoff,
            timeline,
        });
    let courier = of((text(), vehicle()).prop_map(|(name, vehicle)| CourierCard { name, vehicle }));
    (any::<i64>(), order, courier, of(position()), line(), of(eta())).prop_map(
        |(server_time_ms, order, courier, position, trail, eta)| Snapshot {
            server_time_ms,
            order,
            courier,
            position,
            trail,
            eta,
        },
    )
}

fn area_changed() -> impl Strategy<Value = AreaChanged> {
    "[a-z]{1,9}-[0-9a-f]{8}".prop_map(|id| AreaChanged { id: id.parse().expect("an id") })
}

fn customer_event() -> impl Strategy<Value = CustomerEvent> {
    prop_oneof![
        snapshot().prop_map(CustomerEvent::Snapshot),
        (position(), line())
            .prop_map(|(position, skipped)| CustomerEvent::Position(PositionUpdate::new(&position, skipped))),
        (status(), any::<i64>(), any::<u32>()).prop_map(|(status, status_at_ms, stops_before)| {
            CustomerEvent::Order(OrderUpdate { status, status_at_ms, stops_before })
        }),
        eta().prop_map(CustomerEvent::Eta),
        presence().prop_map(CustomerEvent::Presence),
        (status(), any::<i64>()).prop_map(|(status, at_ms)| CustomerEvent::Ended(Ended { status, at_ms })),
        server_time().prop_map(CustomerEvent::Heartbeat),
        server_time().prop_map(CustomerEvent::Pong),
        area_changed().prop_map(CustomerEvent::Area),
    ]
}

fn fleet_event() -> impl Strategy<Value = FleetEvent> {
    let courier = || {
        (courier_id(), text(), vehicle(), of(position()), small(), of(presence())).prop_map(
            |(id, name, vehicle, position, battery, presence)| FleetCourier {
                id,
                name,
                vehicle,
                position,
                battery,
                presence,
            },
        )
    };
    let fix = (courier_id(), any::<i64>(), degrees(), small(), small(), small()).prop_map(
        |(courier_id, time_ms, (lat, lon), speed_mps, heading_deg, battery)| FleetFix {
            courier_id,
            time_ms,
            lat,
            lon,
            speed_mps,
            heading_deg,
            battery,
        },
    );
    let alert = (text(), any::<i64>(), of(courier_id()), of(order_id()))
        .prop_map(|(code, since_ms, courier_id, order_id)| FleetAlert { code, since_ms, courier_id, order_id });
    prop_oneof![
        (any::<i64>(), prop::collection::vec(courier(), 0..3), prop::collection::vec(fleet_order(), 0..3)).prop_map(
            |(server_time_ms, couriers, orders)| FleetEvent::Snapshot(FleetSnapshot {
                seq: 0,
                server_time_ms,
                couriers,
                orders
            })
        ),
        (any::<u64>(), prop::collection::vec(fix, 0..4))
            .prop_map(|(seq, fixes)| FleetEvent::Positions(FleetPositions { seq, fixes })),
        (any::<u64>(), courier(), of(any::<bool>())).prop_map(|(seq, courier, archived)| {
            FleetEvent::Courier(FleetCourierChange { seq, courier, archived })
        }),
        (any::<u64>(), fleet_order()).prop_map(|(seq, order)| FleetEvent::Order(FleetOrderChange { seq, order })),
        (any::<u64>(), alert).prop_map(|(seq, alert)| FleetEvent::Alert(FleetAlertRaised { seq, alert })),
        server_time().prop_map(FleetEvent::Heartbeat),
        server_time().prop_map(FleetEvent::Pong),
        error().prop_map(FleetEvent::Error),
        area_changed().prop_map(FleetEvent::Area),
    ]
}

fn fleet_order() -> impl Strategy<Value = FleetOrder> {
    let gained = (of(any::<u64>()), of(any::<u32>()), of(any::<i64>()));
    (order_id(), text(), status(), any::<i64>(), of(courier_id()), gained).prop_map(
        |(id, reference, status, status_at_ms, courier_id, (version, sequence, seen_at_ms))| FleetOrder {
            id,
            reference,
            status,
            status_at_ms,
            courier_id,
            version,
            sequence,
            seen_at_ms,
        },
    )
}

fn fleet_message() -> impl Strategy<Value = FleetMessage> {
    prop_oneof![
        prop::array::uniform4(-180.0f64..180.0).prop_map(|bbox| FleetMessage::Viewport(Viewport { bbox })),
        of(courier_id()).prop_map(|courier_id| FleetMessage::Follow(Follow { courier_id })),
        Just(FleetMessage::Ping(Ping {})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_survives_both_codecs(
        courier_message in courier_message(), courier_event in courier_event(), customer_event in customer_event(),
        fleet_event in fleet_event(), fleet_message in fleet_message(),
    ) {
        survives_both_codecs(&courier_message);
        survives_both_codecs(&courier_event);
        survives_both_codecs(&customer_event);
        survives_both_codecs(&fleet_event);
        survives_both_codecs(&fleet_message);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode_postcard::<CourierMessage>(&bytes);
        let _ = decode_postcard::<CustomerEvent>(&bytes);
        let _ = doorstep_shared::protocol::courier::decode(doorstep_shared::protocol::Codec::Json, &bytes);
        let _ = doorstep_shared::protocol::courier::decode(doorstep_shared::protocol::Codec::Postcard, &bytes);
        let _ = doorstep_shared::protocol::fleet::decode(doorstep_shared::protocol::Codec::Json, &bytes);
        let _ = doorstep_shared::protocol::fleet::decode(doorstep_shared::protocol::Codec::Postcard, &bytes);
    }
}

/// The value that `message` is on the wire.
fn wire<M: Serialize>(message: &M) -> Value {
    serde_json::to_value(message).expect("JSON")
}

#[test]
fn a_courier_message_reads_as_the_protocol_document_writes_it() {
    let sent = r#"{"type":"fixes","id":17,"fixes":[
        {"time_ms":1795219200123,"lat":35.898912,"lon":14.514553,"accuracy_m":6.0,
         "speed_mps":4.2,"heading_deg":182.0,"altitude_m":12.0,"battery":0.81}]}"#;
    let message: CourierMessage = decode_json(sent).expect("the document's own example");
    let CourierMessage::Fixes(batch) = message else { panic!("a batch of fixes") };
    assert_eq!((batch.id, batch.fixes[0].time_ms, batch.fixes[0].battery), (17, 1_795_219_200_123, Some(0.81)));
    let presence: CourierMessage =
        decode_json(r#"{"type":"presence","state":"paused","reason":"screen_locked","time_ms":5,"unknown":[1]}"#)
            .expect("unknown fields are ignored");
    let expected =
        PresenceReport { state: PresenceState::Paused, reason: Some(PresenceReason::ScreenLocked), time_ms: Some(5) };
    assert_eq!(presence, CourierMessage::Presence(expected));
}

#[test]
fn events_are_written_as_the_protocol_document_writes_them() {
    let ack = CourierEvent::Ack(Ack {
        id: 17,
        stored: 1,
        duplicates: 0,
        rejected: vec![RejectedFix { index: 0, code: Rejection::TimeInFuture }],
    });
    let expected = json!({"type":"ack","id":17,"stored":1,"duplicates":0,
        "rejected":[{"index":0,"code":"time_in_future"}]});
    assert_eq!(wire(&ack), expected);

    let position =
        Position { time_ms: 5, lat: 35.5, lon: 14.5, accuracy_m: Some(6.0), speed_mps: None, heading_deg: Some(182.0) };
    let expected = json!({"type":"position","time_ms":5,"lat":35.5,"lon":14.5,"accuracy_m":6.0,"heading_deg":182.0,
        "skipped":[[14.5,35.25]]});
    assert_eq!(wire(&CustomerEvent::Position(PositionUpdate::new(&position, vec![[14.5, 35.25]]))), expected);
    let without_skipped = wire(&CustomerEvent::Position(PositionUpdate::new(&position, vec![])));
    assert!(without_skipped.get("skipped").is_none());

    let ended = CustomerEvent::Ended(Ended { status: OrderStatus::Delivered, at_ms: 9 });
    assert_eq!(wire(&ended), json!({"type":"ended","status":"delivered","at_ms":9}));
    let heartbeat = CustomerEvent::Heartbeat(ServerTime { server_time_ms: 3 });
    assert_eq!(wire(&heartbeat), json!({"type":"heartbeat","server_time_ms":3}));
    let pace = CourierEvent::Pace(Pace { interval_ms: 1000, min_distance_m: 0, reason: Some("watched".into()) });
    assert_eq!(wire(&pace), json!({"type":"pace","interval_ms":1000,"min_distance_m":0,"reason":"watched"}));
}

#[test]
fn a_position_on_the_small_wire_is_small() {
    let position = Position {
        time_ms: 1_795_219_200_123,
        lat: 35.898912,
        lon: 14.514553,
        accuracy_m: Some(6.0),
        speed_mps: Some(4.2),
        heading_deg: Some(182.0),
    };
    let bytes = encode_postcard(&CustomerEvent::Position(PositionUpdate::new(&position, vec![])));
    assert!(bytes.len() <= 44, "{} bytes: twelve a minute must stay far below 1 KB", bytes.len());
}

#[test]
fn a_consoles_messages_read_as_the_protocol_document_writes_them() {
    use doorstep_shared::protocol::{Codec, courier::DecodeError, fleet};
    let read = |text: &str| fleet::decode(Codec::Json, text.as_bytes());
    let bbox = [14.40, 35.80, 14.58, 35.99];
    assert_eq!(
        read(r#"{"type":"viewport","bbox":[14.40,35.80,14.58,35.99]}"#),
        Ok(FleetMessage::Viewport(Viewport { bbox }))
    );
    assert_eq!(read(r#"{"type":"follow","unknown":1}"#), Ok(FleetMessage::Follow(Follow { courier_id: None })));
    assert_eq!(read(r#"{"type":"ping"}"#), Ok(FleetMessage::Ping(Ping {})));
    assert_eq!(
        read(r#"{"id":4,"type":"teleport"}"#),
        Err(DecodeError::UnknownType { kind: "teleport".into(), id: Some(4) })
    );
    assert!(matches!(read(r#"{"type":"viewport","bbox":[1,2,3]}"#), Err(DecodeError::Invalid { .. })));
    assert!(matches!(read("nonsense"), Err(DecodeError::Unreadable(_))));
    assert!(matches!(fleet::decode(Codec::Postcard, &[9]), Err(DecodeError::UnknownType { .. })));
}

#[test]
fn variants_of_the_fleet_feed_keep_their_numbers() {
    let time = ServerTime { server_time_ms: 0 };
    let seq = 7;
    let numbered = [
        (FleetEvent::Positions(FleetPositions { seq, fixes: vec![] }), 1),
        (FleetEvent::Heartbeat(time), 5),
        (FleetEvent::Pong(time), 6),
    ];
    for (event, number) in numbered {
        assert_eq!(encode_postcard(&event)[0], number, "{}", event.kind());
    }
    assert_eq!(encode_postcard(&FleetMessage::Ping(Ping {})), [2]);
}

/// What a client of version 1, from before plans, reads of a stop and of an order on the console, in postcard.
mod version_1 {
    use doorstep_shared::{CourierId, OrderId, OrderStatus};
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    pub(super) enum StopKind {
        Pickup,
        Dropoff,
    }

    #[derive(Debug, Deserialize)]
    pub(super) struct Contact {
        pub(super) name: String,
        #[expect(dead_code, reason = "only its place in the bytes matters")]
        phone: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only their places in the bytes matter")]
    pub(super) struct Stop {
        order_id: OrderId,
        pub(super) reference: String,
        pub(super) kind: StopKind,
        sequence: u32,
        lat: f64,
        lon: f64,
        address: String,
        instructions: Option<String>,
        pub(super) contact: Option<Contact>,
        status: OrderStatus,
    }

    #[derive(Debug, Deserialize)]
    pub(super) struct Stops {
        pub(super) stops: Vec<Stop>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    pub(super) struct FleetOrder {
        pub(super) id: OrderId,
        pub(super) reference: String,
        pub(super) status: OrderStatus,
        pub(super) status_at_ms: i64,
        pub(super) courier_id: Option<CourierId>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only their places in the bytes matter")]
    pub(super) struct FleetSnapshot {
        seq: u64,
        server_time_ms: i64,
        couriers: Vec<()>,
        pub(super) orders: Vec<FleetOrder>,
    }
}

proptest! {
    #[test]
    fn a_phone_of_before_plans_reads_the_stops_that_it_knows(
        stops in prop::collection::vec(stop(), 0..4), version in of(any::<u64>()),
    ) {
        let known: Vec<_> = stops.iter().filter(|stop| stop.kind != StopKind::Return).cloned().collect();
        let read: version_1::Stops = decode_postcard(&encode_postcard(&Stops { stops, version })).expect("readable");
        let names = |contact: &Option<Contact>| contact.as_ref().map(|contact| contact.name.clone());
        prop_assert_eq!(read.stops.len(), known.len());
        for (read, known) in read.stops.iter().zip(&known) {
            prop_assert_eq!(&read.reference, &known.reference);
            prop_assert_eq!(read.kind == version_1::StopKind::Pickup, known.kind == StopKind::Pickup);
            prop_assert_eq!(read.contact.as_ref().map(|contact| contact.name.clone()), names(&known.contact));
        }
    }

    #[test]
    fn a_console_of_before_plans_reads_the_orders_that_it_knows(orders in prop::collection::vec(fleet_order(), 0..4)) {
        let expected: Vec<_> = orders.iter().map(|order| version_1::FleetOrder {
            id: order.id,
            reference: order.reference.clone(),
            status: order.status,
            status_at_ms: order.status_at_ms,
            courier_id: order.courier_id,
        }).collect();
        let snapshot = FleetSnapshot { seq: 0, server_time_ms: 5, couriers: vec![], orders };
        let read: version_1::FleetSnapshot = decode_postcard(&encode_postcard(&snapshot)).expect("readable");
        prop_assert_eq!(read.orders, expected);
    }
}

#[test]
fn messages_of_before_plans_are_read_as_such() {
    let nothing: Stops = decode_postcard(&[0]).expect("an empty list and nothing after it");
    assert_eq!(nothing, Stops { stops: vec![], version: None });
    let json: Stops = decode_json(r#"{"stops":[]}"#).expect("the same in JSON");
    assert_eq!(json, nothing);
    let change = FleetOrderChange { seq: 1, order: plain_fleet_order() };
    let mut bytes = encode_postcard(&change);
    // What was added: that something follows, and three absent fields.
    bytes.truncate(bytes.len() - 4);
    assert_eq!(decode_postcard::<FleetOrderChange>(&bytes).expect("of version 1"), change);
}

fn plain_fleet_order() -> FleetOrder {
    FleetOrder {
        id: OrderId::from_uuid(uuid::Uuid::from_u128(7)),
        reference: "A-1".into(),
        status: OrderStatus::Created,
        status_at_ms: 3,
        courier_id: None,
        version: None,
        sequence: None,
        seen_at_ms: None,
    }
}

fn refused_order() -> (OrderId, ErrorMessage) {
    let order_id = OrderId::from_uuid(uuid::Uuid::from_u128(7));
    let details = ErrorDetails::invalid_transition(order_id, OrderStatus::PickedUp, OrderStatus::Assigned);
    let error = ErrorMessage::refusal(Some(18), "invalid_transition", "order A-1 is already picked up".to_owned());
    (order_id, ErrorMessage { details: Some(details), ..error })
}

#[test]
fn an_errors_details_are_an_object_of_the_keys_that_its_code_has() {
    let (order_id, error) = refused_order();
    let expected = json!({"type":"error","id":18,"code":"invalid_transition","message":"order A-1 is already picked up",
        "details":{"from":"picked_up","to":"assigned","order_id":order_id}});
    assert_eq!(wire(&CourierEvent::Error(error)), expected);
    assert_eq!(wire(&ErrorDetails::version_conflict(7)), json!({"current":7}));
    let errors = [("dropoff.lat", "out of range"), ("reference", "too long"), ("dropoff.lat", "not a number")];
    let errors = errors.map(|(field, message)| FieldError { field: field.into(), message: message.into() });
    let expected = json!({"fields":{"dropoff.lat":"out of range","reference":"too long"}});
    assert_eq!(wire(&ErrorDetails::refused_fields(&errors)), expected);
}

#[test]
fn details_may_be_absent_and_may_hold_more_than_this_version_knows() {
    let problem = |details: &str| {
        let text = format!(r#"{{"type":"about:blank","title":"t","status":412,"code":"version_conflict"{details}}}"#);
        decode_json::<Problem>(&text).expect("a problem")
    };
    assert_eq!(problem("").details, None);
    assert!(wire(&problem("")).get("details").is_none(), "absent details are left out");
    let known = Some(ErrorDetails::version_conflict(7));
    assert_eq!(problem(r#","details":{"current":7,"since":{"any":["thing"]}}"#).details, known);
    let error = r#"{"type":"error","code":"later","message":"m","details":{"unknown":1}}"#;
    let CourierEvent::Error(error) = decode_json(error).expect("an error") else { panic!("an error") };
    assert_eq!(error.details, Some(ErrorDetails::default()));
}

/// An error as the first release of version 1 encodes it.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct FirstErrorMessage {
    id: Option<u64>,
    code: String,
    message: String,
    retry_after_ms: Option<u64>,
}

#[test]
fn an_older_postcard_client_skips_details_and_an_older_servers_error_has_none() {
    let (_, error) = refused_order();
    let encoded = encode_postcard(&CourierEvent::Error(error.clone()));
    let (variant, body) = encoded.split_first().expect("a variant");
    let first: FirstErrorMessage = decode_postcard(body).expect("an older client reads it");
    let ErrorMessage { id, code, message, retry_after_ms, .. } = error.clone();
    assert_eq!(first, FirstErrorMessage { id, code, message, retry_after_ms });

    let from_older = [&[*variant], &encode_postcard(&first)[..]].concat();
    let without_details = CourierEvent::Error(ErrorMessage { details: None, ..error.clone() });
    assert_eq!(decode_postcard::<CourierEvent>(&from_older).expect("a newer client reads it"), without_details);
    // What details gained since stands at their end, eight fields that are absent here; a server of before ends there.
    let of_before_plans = &encoded[..encoded.len() - 8];
    assert_eq!(
        decode_postcard::<CourierEvent>(of_before_plans).expect("a newer client reads it"),
        CourierEvent::Error(error.clone())
    );
    let cut_short = &of_before_plans[..of_before_plans.len() - 1];
    assert!(decode_postcard::<CourierEvent>(cut_short).is_err(), "details that begin must be complete");
}
