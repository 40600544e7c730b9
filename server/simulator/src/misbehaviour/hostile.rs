//! Clients that attack with frames: each is answered with the right code, and no other client notices.

use std::time::{Duration, Instant};

use anyhow::Result;
use doorstep_shared::protocol::CloseCode;
use futures_util::future::try_join_all;

use super::{
    raw::{CONTINUED, RawSocket, TEXT, TEXT_TO_BE_CONTINUED, frame, header_declaring},
    stage::Stage,
};
use crate::{check::Check, load::Delivery};

const TERABYTE: u64 = 1 << 40;
const PIECE: [u8; 16 * 1024] = [b'x'; 16 * 1024];
const PIECES: usize = 5;
const EMPTY_PIECES: usize = 5_000;

/// The server is busy with everybody else.
const ANSWERED_WITHIN_S: f64 = 2.0;
const PATIENCE: Duration = Duration::from_secs(10);
const DRIP_EVERY: Duration = Duration::from_secs(1);

/// Of a message too large, in one piece or many.
const TOO_LARGE: &[u16] = &[CloseCode::TooLarge.code(), 1009];

struct Attack {
    name: &'static str,
    bytes: fn() -> Vec<u8>,
    codes: &'static [u16],
}

const ATTACKS: [Attack; 5] = [
    Attack { name: "a header that declares 2^40 bytes", bytes: || header_declaring(TERABYTE), codes: TOO_LARGE },
    Attack { name: "fragments that add up to too much", bytes: large_fragments, codes: TOO_LARGE },
    Attack { name: "a flood of empty fragments", bytes: empty_fragments, codes: TOO_LARGE },
    Attack { name: "a frame without a mask", bytes: || vec![TEXT, 2, b'{', b'}'], codes: &[1002] },
    Attack { name: "a reserved opcode", bytes: || frame(0x83, b""), codes: &[1002] },
];

fn large_fragments() -> Vec<u8> {
    let rest = (1..PIECES).flat_map(|_| frame(CONTINUED, &PIECE));
    frame(TEXT_TO_BE_CONTINUED, &PIECE).into_iter().chain(rest).collect()
}

fn empty_fragments() -> Vec<u8> {
    let rest = (0..EMPTY_PIECES).flat_map(|_| frame(CONTINUED, b""));
    frame(TEXT_TO_BE_CONTINUED, b"").into_iter().chain(rest).collect()
}

/// Stands for an end without a code.
const CUT_OFF: u16 = 1006;

/// In which role a client attacks.
#[derive(Clone, Copy)]
enum As {
    Courier,
    Customer,
}

pub(super) async fn run(stage: &Stage, attackers: usize, drip: Duration) -> Result<Vec<Check>> {
    // Attackers who drip need couriers of their own: a device has one connection at a time.
    let deliveries = stage.deliveries(attackers * 2).await?;
    let (attacking, dripping) = deliveries.split_at(attackers);
    let dripped = try_join_all(dripping.iter().map(|delivery| drip_into(stage, delivery, drip)));
    let (attacked, dripped) = tokio::join!(all_attacks(stage, attacking), dripped);
    let mut checks = attacked?;
    let lasting = dripped?.into_iter().filter(|code| *code == expected_of_a_drip(drip)).count();
    let what = match expected_of_a_drip(drip) {
        Some(code) => format!("drips of a byte a second closed with {code}"),
        None => format!("drips of a byte a second borne for {} s", drip.as_secs()),
    };
    checks.push(Check::count(what, lasting as u64, attackers as u64));
    Ok(checks)
}

async fn all_attacks(stage: &Stage, attacking: &[Delivery]) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let mut slowest_s = 0.0_f64;
    for attack in &ATTACKS {
        let all = attacking.iter().flat_map(|delivery| [(delivery, As::Courier), (delivery, As::Customer)]);
        let answers = try_join_all(all.map(|(delivery, who)| one_attack(stage, delivery, who, attack))).await?;
        let right = answers.iter().filter(|(code, _)| code.is_some_and(|code| attack.codes.contains(&code))).count();
        slowest_s = answers.iter().map(|(_, took)| took.as_secs_f64()).fold(slowest_s, f64::max);
        let what = format!("{}, closed with one of {:?}", attack.name, attack.codes);
        checks.push(Check::count(what, right as u64, answers.len() as u64));
    }
    checks.push(Check::at_most("the slowest of these answers", slowest_s, ANSWERED_WITHIN_S, "s"));
    Ok(checks)
}

async fn one_attack(stage: &Stage, delivery: &Delivery, who: As, attack: &Attack) -> Result<(Option<u16>, Duration)> {
    let mut socket = connect(stage, delivery, who).await?;
    let began = Instant::now();
    // The server may hang up before it has read everything, which is right.
    let _ = socket.send(&(attack.bytes)()).await;
    let code = socket.close_code(PATIENCE).await;
    Ok((code, began.elapsed()))
}

async fn connect(stage: &Stage, delivery: &Delivery, who: As) -> Result<RawSocket> {
    let track = format!("/ws/track/{}", delivery.tracking_token);
    let (path, bearer) = match who {
        As::Courier => ("/ws/courier", Some(delivery.device_token.as_str())),
        As::Customer => (track.as_str(), None),
    };
    RawSocket::open(&stage.server, path, bearer, None).await
}

/// A message that never ends is silence: after a minute of it the server leaves.
fn expected_of_a_drip(drip: Duration) -> Option<u16> {
    (drip > Duration::from_secs(62)).then_some(CloseCode::HeartbeatTimeout.code())
}

/// Sends one byte a second of a message that is allowed but never ends. Gives the code with which that was stopped.
async fn drip_into(stage: &Stage, delivery: &Delivery, drip: Duration) -> Result<Option<u16>> {
    let mut socket = connect(stage, delivery, As::Courier).await?;
    let until = Instant::now() + drip;
    for byte in frame(TEXT, &[b'x'; 1_000]) {
        if Instant::now() >= until {
            break;
        }
        if socket.send(&[byte]).await.is_err() {
            return Ok(Some(CUT_OFF));
        }
        let next = Instant::now() + DRIP_EVERY;
        if let Some(code) = socket.close_code(DRIP_EVERY).await {
            return Ok(Some(code));
        }
        // A client that was cut off reads the close at once, or its next byte fails.
        tokio::time::sleep_until(next.into()).await;
    }
    Ok(None)
}
