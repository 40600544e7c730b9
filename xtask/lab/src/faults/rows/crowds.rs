//! Crowds of customers: some never read, or all come back at once.

use super::Outcome;
use crate::faults::load::{judged, kept_its_connections};
use crate::faults::misbehaving::Misbehaving;
use crate::faults::setting::{Setting, pass};
use crate::machine;
use anyhow::{Context, Result, ensure};
use doorstep_simulator::Check;
use doorstep_simulator::load::Report;
use doorstep_simulator::load::{Of, Window};
use doorstep_simulator::misbehaviour::Findings;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const DEAF: u32 = 100;
const KIB_EACH: f64 = 128.0;
const OTHERS_RATIO: f64 = 1.2;
/// The load begins and ends alone.
const MARGIN: Duration = Duration::from_secs(5);
/// Asking the kernel what a server holds keeps that server up for a moment, so it is asked before the deaf come and after
/// they have gone, too.
const ASK_EVERY: Duration = Duration::from_secs(2);

const ACK_RATIO: f64 = 2.0;
/// Before the rush, with everybody connected: a disk that is slow in this minute is slow in both.
const QUIET_MS: i64 = 8_000;

/// How much longer the misbehaviour may take than it should.
const PATIENCE: Duration = Duration::from_secs(120);

/// An open connection, as the kernel numbers its states.
const ESTABLISHED: &str = "01";

/// F9. The others' times are compared with those of the minutes before the deaf come and after they have gone, in which the
/// same couriers report: no machine keeps its pace for twenty minutes. What the server holds is compared with a run
/// without them, because couriers' trails grow.
pub(super) fn deaf(setting: &Setting) -> Result<Outcome> {
    let alone = listen(setting, 0)?;
    let beside = listen(setting, DEAF)?;
    let bytes_each = (beside.most_bytes - alone.most_bytes).max(0.0) / f64::from(DEAF);
    let [before_ms, during_ms, after_ms] =
        beside.windows_ms.map(|window| beside.report.times.steady_p99_ms(Of::Deliveries, window));
    let ratio = during_ms / f64::midpoint(before_ms, after_ms);
    let others = format!("others' p99, {during_ms:.2} ms, against {before_ms:.2} ms before and {after_ms:.2} ms after");
    let mut facts = vec![
        Check::at_most("each takes, kernel included", bytes_each / 1_024.0, KIB_EACH, "KiB"),
        Check::at_most(others, ratio, setting.limit(OTHERS_RATIO), "×"),
    ];
    facts.extend(beside.checks);
    facts.push(kept_its_connections(&beside.report));
    let checker = [judged(&alone.report), judged(&beside.report)].concat();
    Ok(Outcome::Judged { facts, checker })
}

struct Run {
    report: Report,
    checks: Vec<Check>,
    /// Before the deaf were there, while they were, and afterwards.
    windows_ms: [Window; 3],
    /// The most that the server held at a time while they were there, with what the kernel held for it.
    most_bytes: f64,
}

fn listen(setting: &Setting, deaf: u32) -> Result<Run> {
    let (seconds, edge_seconds) = (setting.or_short(600, 40), setting.or_short(60, 10));
    let (time, edge) = (Duration::from_secs(seconds), Duration::from_secs(edge_seconds));
    let scene = setting.scene()?;
    let load = setting.load(&scene, (MARGIN + edge + time + edge + MARGIN).as_secs_f64())?;
    pass(MARGIN)?;
    let words = [deaf.to_string(), seconds.to_string(), edge_seconds.to_string()];
    let deafness = ["deaf", "--viewers", &words[0], "--seconds", &words[1], "--edge", &words[2]];
    let mut clients = Misbehaving::start(setting, &scene, &deafness)?;
    let (pid, address, began) = (scene.server.pid(), scene.server.address(), Instant::now());
    let mut most_bytes = 0.0_f64;
    while !clients.is_over()? {
        let bytes = machine::resident_bytes(pid)? + unsent(address)? as f64;
        let are_deaf = (edge..edge + time).contains(&began.elapsed());
        most_bytes = if are_deaf { most_bytes.max(bytes) } else { most_bytes };
        ensure!(began.elapsed() < edge + time + edge + PATIENCE, "the deaf do not leave");
        pass(ASK_EVERY)?;
    }
    let Findings { checks, during_ms } = clients.finish()?;
    let edge_ms = i64::try_from(edge.as_millis())?;
    let windows_ms = [(during_ms.0 - edge_ms, during_ms.0), during_ms, (during_ms.1, during_ms.1 + edge_ms)];
    Ok(Run { report: load.finish()?, checks, windows_ms, most_bytes })
}

/// Bytes that the kernel keeps for peers of `address` who have not taken them.
fn unsent(address: SocketAddr) -> Result<u64> {
    let table = fs::read_to_string("/proc/net/tcp").context("asking the kernel for connections")?;
    Ok(unsent_in(&table, address.port()))
}

/// The table's columns are: number, local address, remote address, state, and the bytes to be sent and to be read, all
/// in hexadecimal.
fn unsent_in(table: &str, port: u16) -> u64 {
    let ours = format!(":{port:04X}");
    let bytes = table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let (local, _, state) = (columns.next()?, columns.next()?, columns.next()?);
        let to_be_sent = columns.next()?.split(':').next()?;
        let is_ours = local.ends_with(&ours) && state == ESTABLISHED;
        is_ours.then(|| u64::from_str_radix(to_be_sent, 16).ok())?
    });
    bytes.sum()
}

/// F14.
pub(super) fn stampede(setting: &Setting) -> Result<Outcome> {
    let scene = setting.scene()?;
    let load = setting.load(&scene, setting.or_short(150.0, 45.0))?;
    let viewers = setting.or_short("10000", "1000");
    let Findings { checks: mut facts, during_ms } =
        Misbehaving::start_humbly(setting, &scene, &["stampede", "--viewers", viewers])?.finish()?;
    let report = load.finish()?;
    let times = &report.times;
    let rush_p99_ms = times.usual_p99_ms(Of::Acks, during_ms);
    let ratio = rush_p99_ms / times.usual_p99_ms(Of::Acks, (during_ms.0 - QUIET_MS, during_ms.0));
    facts.push(Check::at_most("couriers' ack p99 against before", ratio, setting.limit(ACK_RATIO), "×"));
    facts.push(kept_its_connections(&report));
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_in_the_kernel_is_counted_for_one_port_and_open_connections() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
                     0: 0100007F:1F90 0100007F:9C40 01 00000400:00000010 00:00000000 00000000 0\n\
                     1: 0100007F:1F90 0100007F:9C41 01 00000002:00000000 00:00000000 00000000 0\n\
                     2: 0100007F:1F90 00000000:0000 0A 00000FFF:00000000 00:00000000 00000000 0\n\
                     3: 0100007F:9C40 0100007F:1F90 01 00000FFF:00000000 00:00000000 00000000 0\n";
        assert_eq!(unsent_in(table, 8080), 0x402);
        assert_eq!(unsent_in(table, 1), 0);
    }
}
