//! A customer's page comes back, resumes, and judges what it is shown.

use std::time::Duration;

use doorstep_shared::{
    OrderStatus, Position,
    protocol::{
        Codec,
        customer::{CustomerEvent, Ended, Place, PositionUpdate, Snapshot, TrackedOrder},
    },
};
use doorstep_simulator::{ViewerBot, ViewerOptions, random::generator};

use crate::stage::{PATIENCE, Stage};

fn bot(stage: &Stage, codec: Codec) -> ViewerBot {
    ViewerBot::start(ViewerOptions {
        server: stage.server(),
        tracking_token: "link".into(),
        codec,
        random: generator(1, 0),
        expected_reference: Some("A-1".into()),
        keep_events: true,
        on_event: None,
    })
}

fn at(time_ms: i64) -> Position {
    Position { time_ms, lat: 35.9, lon: 14.5, accuracy_m: Some(5.0), speed_mps: None, heading_deg: None }
}

fn position(time_ms: i64) -> CustomerEvent {
    CustomerEvent::Position(PositionUpdate::new(&at(time_ms), Vec::new()))
}

fn snapshot(reference: &str, newest_ms: i64) -> CustomerEvent {
    let place = Place { lat: 35.9, lon: 14.5, label: "a door".into() };
    CustomerEvent::Snapshot(Snapshot {
        server_time_ms: 0,
        order: TrackedOrder {
            reference: reference.into(),
            status: OrderStatus::PickedUp,
            status_at_ms: 0,
            stops_before: 0,
            pickup: place.clone(),
            dropoff: place,
            timeline: Vec::new(),
        },
        courier: None,
        position: Some(at(newest_ms)),
        trail: Vec::new(),
        eta: None,
    })
}

#[tokio::test]
async fn a_page_resumes_from_the_last_position_and_stops_when_the_order_ended() {
    for codec in Codec::ALL {
        let stage = Stage::new().await;
        let bot = bot(&stage, codec);
        let mut peer = stage.accept().await;
        assert_eq!(peer.path, "/ws/track/link");
        peer.send(&snapshot("A-1", 10)).await;
        peer.send(&position(20)).await;
        assert!(bot.wait_until(PATIENCE, |log| log.view.newest_ms == Some(20)).await);
        drop(peer);

        let mut peer = stage.accept().await;
        assert_eq!(peer.path, "/ws/track/link?since_ms=20");
        peer.send(&snapshot("A-1", 20)).await;
        peer.send(&position(30)).await;
        peer.send(&CustomerEvent::Ended(Ended { status: OrderStatus::Delivered, at_ms: 31 })).await;
        peer.close(4502).await;
        assert!(bot.wait_until(PATIENCE, |log| log.stopped_with == Some(4502)).await);
        assert!(!stage.is_called(Duration::from_millis(800)).await);

        let log = bot.stop().await;
        assert_eq!((log.connections, log.losses, log.view.positions), (2, 2, 3));
        assert_eq!((log.view.went_back, log.view.stale, log.view.other_order), (0, 0, 0));
        assert_eq!(log.view.violations, Vec::<String>::new());
        let kinds: Vec<_> = log.events.iter().map(|(_, event)| event.kind()).collect();
        assert_eq!(kinds, ["snapshot", "position", "snapshot", "position", "ended"]);
    }
}

#[tokio::test]
async fn a_page_notices_a_marker_going_back_and_an_order_that_is_not_its_own() {
    let stage = Stage::new().await;
    let bot = bot(&stage, Codec::Json);
    let mut peer = stage.accept().await;
    peer.send(&snapshot("A-2", 10)).await;
    peer.send(&position(20)).await;
    peer.send(&position(15)).await;
    assert!(bot.wait_until(PATIENCE, |log| log.events.len() == 3).await);
    let log = bot.stop().await;
    assert_eq!((log.view.went_back, log.view.other_order), (1, 1));
}

#[tokio::test]
async fn a_link_that_is_not_known_is_not_tried_again() {
    let stage = Stage::new().await;
    let bot = bot(&stage, Codec::Json);
    stage.refuse("404 Not Found").await;
    assert!(bot.wait_until(PATIENCE, |log| log.stopped_with == Some(404)).await);
}
