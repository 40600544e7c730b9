//! Crowds of customers: some never read, or all come back at once.

use super::Outcome;
use crate::bench::kernel;
use crate::faults::check::Check;
use crate::faults::load::Report;
use crate::faults::setting::Setting;
use crate::faults::times::{Of, Window, now_ms};
use crate::faults::trouble::{Findings, Trouble};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

const DEAF: u32 = 100;
const KIB_EACH: f64 = 128.0;
const OTHERS_RATIO: f64 = 1.2;
/// The load begins and ends alone.
const MARGIN: Duration = Duration::from_secs(5);

const ACK_RATIO: f64 = 2.0;
/// Before the rush, with everybody connected: a disk that is slow in this minute is slow in both.
const QUIET_MS: i64 = 8_000;

/// An open connection, as the kernel numbers its states.
const ESTABLISHED: &str = "01";

/// F9. Two runs of the same length, without and with the deaf: couriers' trails grow in both.
pub fn deaf(setting: &Setting) -> Result<Outcome> {
    let time = Duration::from_secs(setting.or_short(600, 60));
    let alone = listen(setting, time, None)?;
    let beside = listen(setting, time, Some(DEAF))?;
    let bytes_each = (beside.most_bytes - alone.most_bytes).max(0.0) / f64::from(DEAF);
    let p99_ms = |run: &Run| run.report.times.usual_p99_ms(Of::Deliveries, run.during_ms);
    let ratio = p99_ms(&beside) / p99_ms(&alone);
    let mut facts = vec![
        Check::at_most("each takes, kernel included", bytes_each / 1_024.0, KIB_EACH, "KiB"),
        Check::at_most("others' p99 against a run without", ratio, setting.limit(OTHERS_RATIO), "×"),
    ];
    facts.extend(beside.checks);
    facts.push(beside.report.kept_its_connections());
    let checker = [alone.report.judged(), beside.report.judged()].concat();
    Ok(Outcome::Judged { facts, checker })
}

struct Run {
    report: Report,
    checks: Vec<Check>,
    /// When the deaf were there, or would have been.
    during_ms: Window,
    /// The most that the server held at a time, with what the kernel held for it.
    most_bytes: f64,
}

fn listen(setting: &Setting, time: Duration, deaf: Option<u32>) -> Result<Run> {
    let scene = setting.scene()?;
    let load = setting.load(&scene, (time + 2 * MARGIN).as_secs_f64())?;
    setting.pass(MARGIN)?;
    let (pid, address, began_ms) = (scene.server.pid(), scene.server.address(), now_ms());
    let (deaf, seconds) = (deaf.map(|deaf| deaf.to_string()), time.as_secs().to_string());
    let mut trouble = match &deaf {
        Some(deaf) => Some(Trouble::start(setting, &scene, &["deaf", "--viewers", deaf, "--seconds", &seconds])?),
        None => None,
    };
    let until_ms = began_ms + i64::try_from(time.as_millis())?;
    let mut most_bytes = 0.0_f64;
    while now_ms() < until_ms {
        most_bytes = most_bytes.max(kernel::resident(pid)? + unsent(address)? as f64);
        if let Some(trouble) = &mut trouble {
            ensure!(now_ms() + 2_000 > until_ms || !trouble.is_over()?, "the deaf left early");
        }
        setting.pass(Duration::from_millis(250))?;
    }
    let checks = trouble.map_or_else(|| Ok(Vec::new()), |trouble| trouble.finish().map(|found| found.checks))?;
    Ok(Run { report: load.finish()?, checks, during_ms: (began_ms, until_ms), most_bytes })
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
pub fn stampede(setting: &Setting) -> Result<Outcome> {
    let scene = setting.scene()?;
    let load = setting.load(&scene, setting.or_short(150.0, 45.0))?;
    let viewers = setting.or_short("10000", "1000");
    let Findings { checks: mut facts, during_ms } =
        Trouble::start_humbly(setting, &scene, &["stampede", "--viewers", viewers])?.finish()?;
    let report = load.finish()?;
    let times = &report.times;
    let rush_p99_ms = times.usual_p99_ms(Of::Acks, during_ms);
    let ratio = rush_p99_ms / times.usual_p99_ms(Of::Acks, (during_ms.0 - QUIET_MS, during_ms.0));
    facts.push(Check::at_most("couriers' ack p99 against before", ratio, setting.limit(ACK_RATIO), "×"));
    facts.push(report.kept_its_connections());
    Ok(Outcome::Judged { facts, checker: report.judged() })
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
