//! A courier's device loses nothing and obeys the close codes.

use std::time::Duration;

use doorstep_shared::{
    CourierId, OrderId, OrderStatus, RawFix,
    protocol::{
        Codec, ErrorMessage,
        courier::{Ack, CourierEvent, CourierIdentity, CourierMessage, Fixes, Pace, ReportKind, Stops, Welcome},
    },
};
use doorstep_simulator::{
    CourierBot, CourierOptions,
    courier::{FixOutcome, StatusOutcome},
    random::generator,
};

use crate::stage::{PATIENCE, Peer, Stage};

fn bot(stage: &Stage, codec: Codec) -> CourierBot {
    CourierBot::start(CourierOptions {
        server: stage.server(),
        device_token: "secret".into(),
        codec,
        random: generator(1, 0),
        on_ack: None,
    })
}

fn fixes(times: impl IntoIterator<Item = i64>) -> Vec<RawFix> {
    times.into_iter().map(|time_ms| RawFix { time_ms, lat: 35.9, lon: 14.5, ..RawFix::default() }).collect()
}

async fn welcome(stage: &Stage, max_fixes: u32) -> Peer {
    welcome_to_plan(stage, max_fixes, None).await
}

async fn welcome_to_plan(stage: &Stage, max_fixes: u32, version: Option<u64>) -> Peer {
    let mut peer = stage.accept().await;
    peer.send(&CourierEvent::Welcome(Welcome {
        server_time_ms: 0,
        courier: CourierIdentity { id: CourierId::new(), name: "Ana".into() },
        max_fixes,
        pace: Pace { interval_ms: 1_000, min_distance_m: 0, reason: None },
        stops: Vec::new(),
        version,
        office_phone: None,
        may_reorder: None,
    }))
    .await;
    peer
}

async fn receive_fixes(peer: &mut Peer) -> Fixes {
    match peer.receive().await {
        CourierMessage::Fixes(fixes) => fixes,
        other => panic!("not fixes: {other:?}"),
    }
}

fn times(fixes: &Fixes) -> Vec<i64> {
    fixes.fixes.iter().map(|fix| fix.time_ms).collect()
}

async fn ack(peer: &mut Peer, fixes: &Fixes) {
    let stored = fixes.fixes.len() as u32;
    peer.send(&CourierEvent::Ack(Ack { id: fixes.id, stored, duplicates: 0, rejected: Vec::new() })).await;
}

#[tokio::test]
async fn a_device_shows_its_token_and_speaks_both_codecs() {
    for codec in Codec::ALL {
        let stage = Stage::new().await;
        let bot = bot(&stage, codec);
        let mut peer = welcome(&stage, 500).await;
        assert_eq!((peer.path.as_str(), peer.authorization.as_deref()), ("/ws/courier", Some("Bearer secret")));
        assert!(bot.wait_until(PATIENCE, |state| state.connected).await);
        bot.record(fixes([1, 2])).await;
        let sent = receive_fixes(&mut peer).await;
        assert_eq!(times(&sent), [1, 2]);
        ack(&mut peer, &sent).await;
        assert!(bot.settle(PATIENCE).await);
        assert_eq!(bot.stop().await.acked(), 2);
    }
}

#[tokio::test]
async fn after_kill_9_unacked_fixes_come_again_newest_first_and_acked_ones_do_not() {
    let stage = Stage::new().await;
    let bot = bot(&stage, Codec::Json);
    let mut peer = welcome(&stage, 2).await;
    assert!(bot.wait_until(PATIENCE, |state| state.connected).await);
    bot.record(fixes([1])).await;
    let first = receive_fixes(&mut peer).await;
    ack(&mut peer, &first).await;
    assert!(bot.settle(PATIENCE).await);
    for time_ms in 2..=6 {
        bot.record(fixes([time_ms])).await;
        receive_fixes(&mut peer).await;
    }
    drop(peer);
    assert!(bot.wait_until(PATIENCE, |state| !state.connected).await);
    bot.record(fixes([7])).await;

    let mut peer = welcome(&stage, 2).await;
    for expected in [vec![7], vec![5, 6], vec![3, 4], vec![2]] {
        let sent = receive_fixes(&mut peer).await;
        assert_eq!(times(&sent), expected);
        ack(&mut peer, &sent).await;
    }
    assert!(bot.settle(PATIENCE).await);
    let log = bot.stop().await;
    assert_eq!((log.acked(), log.unanswered(), log.connections, log.losses), (7, 0, 2, 1));
    assert_eq!(log.violations, Vec::<String>::new());
}

#[tokio::test]
async fn the_range_of_the_close_code_decides() {
    for (code, comes_back) in [(4000, true), (1001, true), (4500, false), (4503, false)] {
        let stage = Stage::new().await;
        let bot = bot(&stage, Codec::Json);
        welcome(&stage, 500).await.close(code).await;
        assert_eq!(stage.is_called(Duration::from_millis(1_500)).await, comes_back, "{code}");
        assert_eq!(bot.state().stopped, !comes_back, "{code}");
        assert_eq!(bot.log().stopped_with, (!comes_back).then_some(code));
    }
}

#[tokio::test]
async fn a_dead_zone_is_sent_newest_first_over_the_connection_that_lived_through_it() {
    let stage = Stage::new().await;
    let bot = bot(&stage, Codec::Json);
    let mut peer = welcome(&stage, 500).await;
    assert!(bot.wait_until(PATIENCE, |state| state.connected).await);
    bot.record(fixes([1])).await;
    let before = receive_fixes(&mut peer).await;
    bot.set_reachable(false).await;
    for time_ms in 2..=4 {
        bot.record(fixes([time_ms])).await;
    }
    // An ack under way when the dead zone began still counts.
    ack(&mut peer, &before).await;
    assert!(bot.wait_until(PATIENCE, |state| state.unsettled == 3).await);
    bot.set_reachable(true).await;
    for expected in [vec![4], vec![2, 3]] {
        let sent = receive_fixes(&mut peer).await;
        assert_eq!(times(&sent), expected);
        ack(&mut peer, &sent).await;
    }
    assert!(bot.settle(PATIENCE).await);
    assert_eq!(bot.stop().await.connections, 1);
}

#[tokio::test]
async fn a_status_that_got_no_answer_is_reported_again_and_a_refused_one_is_not() {
    let stage = Stage::new().await;
    let bot = bot(&stage, Codec::Json);
    let mut peer = welcome(&stage, 500).await;
    let order = OrderId::new();
    bot.report(order, OrderStatus::PickedUp, None).await;
    let CourierMessage::Status(_) = peer.receive().await else { panic!("not a status") };
    drop(peer);

    let mut peer = welcome(&stage, 500).await;
    let CourierMessage::Status(again) = peer.receive().await else { panic!("not a status") };
    assert_eq!((again.order_id, again.status), (order, OrderStatus::PickedUp));
    let error = ErrorMessage {
        id: Some(again.id),
        code: "invalid_transition".into(),
        message: "already picked up".into(),
        retry_after_ms: None,
        details: None,
    };
    peer.send(&CourierEvent::Error(error)).await;
    assert!(bot.settle(PATIENCE).await);
    let log = bot.stop().await;
    let outcomes: Vec<_> = log.statuses.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, [StatusOutcome::Refused("invalid_transition".into())]);
}

#[tokio::test]
async fn a_database_that_is_away_for_a_moment_costs_no_fix_and_no_connection() {
    let stage = Stage::new().await;
    let bot = bot(&stage, Codec::Postcard);
    let mut peer = welcome(&stage, 500).await;
    assert!(bot.wait_until(PATIENCE, |state| state.connected).await);
    bot.record(fixes([1])).await;
    let sent = receive_fixes(&mut peer).await;
    let error = ErrorMessage {
        id: Some(sent.id),
        code: "unavailable".into(),
        message: "try later".into(),
        retry_after_ms: Some(50),
        details: None,
    };
    peer.send(&CourierEvent::Error(error)).await;
    let again = receive_fixes(&mut peer).await;
    assert_eq!(times(&again), [1]);
    ack(&mut peer, &again).await;
    assert!(bot.settle(PATIENCE).await);
    let log = bot.stop().await;
    assert_eq!(log.sent[&1].outcome, Some(FixOutcome::Acked));
    assert_eq!((log.connections, log.fix_messages), (1, 2));
}

#[tokio::test]
async fn a_device_says_which_plan_it_shows_on_every_connection() {
    let stage = Stage::new().await;
    let bot = bot(&stage, Codec::Json);
    let mut peer = welcome_to_plan(&stage, 500, Some(7)).await;
    let seen = async |peer: &mut Peer| match peer.receive().await {
        CourierMessage::Seen(seen) => seen.version,
        other => panic!("not seen: {other:?}"),
    };
    assert_eq!(seen(&mut peer).await, 7);
    peer.send(&CourierEvent::Stops(Stops { stops: Vec::new(), version: Some(8) })).await;
    assert_eq!(seen(&mut peer).await, 8);
    drop(peer);
    let mut peer = welcome_to_plan(&stage, 500, Some(9)).await;
    assert_eq!(seen(&mut peer).await, 9);
    assert_eq!(bot.state().plan_version, Some(9));
}

#[tokio::test]
async fn what_holds_an_order_up_waits_for_its_answer_and_comes_again_after_an_outage() {
    let stage = Stage::new().await;
    let bot = bot(&stage, Codec::Json);
    let mut peer = welcome(&stage, 500).await;
    assert!(bot.wait_until(PATIENCE, |state| state.connected).await);
    let order = OrderId::new();
    bot.hold_up(order, ReportKind::NotReady, None).await;
    bot.report(order, OrderStatus::PickedUp, None).await;
    let report = async |peer: &mut Peer| match peer.receive().await {
        CourierMessage::Report(report) => report,
        other => panic!("not a report: {other:?}"),
    };
    assert_eq!(report(&mut peer).await.report, ReportKind::NotReady);
    drop(peer);
    let mut peer = welcome(&stage, 500).await;
    let again = report(&mut peer).await;
    assert_eq!(again.order_id, order);
    peer.send(&CourierEvent::Ack(Ack { id: again.id, stored: 1, duplicates: 0, rejected: Vec::new() })).await;
    let CourierMessage::Status(status) = peer.receive().await else { panic!("the status comes after it") };
    peer.send(&CourierEvent::Ack(Ack { id: status.id, stored: 1, duplicates: 0, rejected: Vec::new() })).await;
    assert!(bot.settle(PATIENCE).await);
    let log = bot.stop().await;
    assert_eq!((log.reports.len(), &log.reports[0].1), (1, &StatusOutcome::Acked));
    assert_eq!(log.violations, Vec::<String>::new());
}
