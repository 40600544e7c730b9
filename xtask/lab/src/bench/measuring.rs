//! What every row needs: databases, programs under test, the load client, and how many rounds there is time for.

use super::load::Load;
use super::served::Served;
use crate::machine::{self, fsync};
use anyhow::{Context, Result};
use doorstep_simulator::load::Report;
use doorstep_simulator::load::fanout::FanoutReport;
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use xtask_support::postgres::Throwaway;
use xtask_support::{process, progress, workspace};

/// How long a quick run takes, without building.
const QUICK: Duration = Duration::from_secs(270);

/// Whether a person who says `wanted` means `row`: by its name, or by what its name begins with, as `area` begins
/// `area-import`.
pub(super) fn is_meant(row: &str, wanted: &str) -> bool {
    let begin = row.get(..wanted.len()).filter(|begin| begin.eq_ignore_ascii_case(wanted));
    begin.is_some() && matches!(row.as_bytes().get(wanted.len()), None | Some(b'-'))
}

/// What the families of rows share.
pub(super) struct Bench<'a> {
    postgres: &'a Throwaway,
    folder: PathBuf,
    quick: bool,
    rows: Vec<String>,
    databases: Cell<u32>,
    quick_until: Instant,
    family_until: Cell<Instant>,
    client_cpu: RefCell<Vec<f64>>,
    fdatasync_us: Cell<Option<f64>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(postgres: &'a Throwaway, quick: bool, rows: Vec<String>) -> Result<Self> {
        let folder = workspace::memory().join("bench");
        fs::create_dir_all(&folder).context("making a folder for the measurements")?;
        let now = Instant::now();
        Ok(Self {
            postgres,
            folder,
            quick,
            rows,
            databases: Cell::new(0),
            quick_until: now + QUICK,
            family_until: Cell::new(now),
            client_cpu: RefCell::default(),
            fdatasync_us: Cell::new(None),
        })
    }

    /// Whether a row was asked for.
    pub(super) fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| is_meant(row, wanted))
    }

    /// A size or a time: as the target asks, or for a quick run.
    pub(super) fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Seconds for which messages are due. CPU is counted in hundredths of a second, so never below five.
    pub(super) fn duration_s(&self) -> f64 {
        self.size(10.0, 5.0)
    }

    /// Shares the time that a quick run has left among the families to come, this one included.
    pub(super) fn begin_family(&self, families_left: usize) {
        let left = self.quick_until.saturating_duration_since(Instant::now());
        self.family_until.set(Instant::now() + left / families_left.max(1) as u32);
        self.client_cpu.borrow_mut().clear();
        self.fdatasync_us.set(None);
    }

    /// The rounds of a row: five, or in a quick run as many of three as fit into the family's time, and at least one.
    pub(super) fn rounds(&self) -> impl Iterator<Item = u32> + use<> {
        let (most, until) = if self.quick { (3, Some(self.family_until.get())) } else { (5, None) };
        let (mut round, mut began, mut longest) = (0, Instant::now(), Duration::ZERO);
        std::iter::from_fn(move || {
            if round > 0 {
                longest = longest.max(began.elapsed());
            }
            began = Instant::now();
            let has_time = until.is_none_or(|until| round == 0 || began + longest < until);
            round += 1;
            (round <= most && has_time).then_some(round)
        })
    }

    /// Notes what waiting for the disk costs now; told beside the family's rows.
    pub(super) fn probe_disk(&self) -> Result<()> {
        let us = progress::step("pg_test_fsync", || fsync::fdatasync_us(&self.folder))?;
        self.fdatasync_us.set(Some(us));
        Ok(())
    }

    /// What a family's figures should be read with.
    pub(super) fn circumstances(&self) -> String {
        let mut told = vec![format!("load average {}", machine::load_average())];
        if let Some(most) = self.client_cpu.borrow().iter().copied().reduce(f64::max) {
            told.push(format!("load client at most {most:.2} cores"));
        }
        if let Some(us) = self.fdatasync_us.get() {
            told.push(format!("fdatasync {us:.0} µs"));
        }
        told.join(", ")
    }

    /// Where measurements may put files.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The throwaway Postgres.
    pub(super) fn postgres(&self) -> &Throwaway {
        self.postgres
    }

    /// The name of a new, empty database.
    pub(super) fn fresh_database(&self) -> Result<String> {
        self.databases.set(self.databases.get() + 1);
        let name = format!("bench_{}", self.databases.get());
        self.postgres.create_database(&name)?;
        Ok(name)
    }

    /// A server on a database of its own.
    pub(super) fn doorstep(&self) -> Result<Served> {
        self.doorstep_on(&self.fresh_database()?, &[])
    }

    /// A server on `database`, with more settings.
    pub(super) fn doorstep_on(&self, database: &str, settings: &[(&str, &str)]) -> Result<Served> {
        Served::doorstep(&self.postgres.url(database), &self.folder.join("data"), settings)
    }

    /// The load client's report on `served`.
    pub(super) fn load(&self, load: &Load, served: &Served) -> Result<Report> {
        let report = self.folder.join("report.json");
        process::run_quietly(&mut load_client(load, served, &report, true)?)?;
        self.read(&report)
    }

    /// The same deliveries through a broker that speaks `protocol`.
    pub(super) fn fanout(&self, load: &Load, served: &Served, protocol: &str) -> Result<FanoutReport> {
        let report = self.folder.join("report.json");
        let mut client = Command::new(workspace::built("release", "simulator")?);
        client.args(["fanout", "--protocol", protocol, "--url", &served.url("ws")]);
        client.args(["--topics", &load.couriers.to_string(), "--viewers", &load.viewers.to_string()]);
        client.args(["--rate", &load.rate_hz.to_string(), "--duration", &load.duration_s.to_string()]);
        client.args(["--server-pid", &served.pid().to_string(), "--json"]).arg(&report);
        process::run_quietly(&mut client)?;
        let report: FanoutReport = parsed(&report)?;
        self.client_cpu.borrow_mut().push(report.own_cpu);
        Ok(report)
    }

    /// A report that the load client wrote.
    pub(super) fn read(&self, report: &Path) -> Result<Report> {
        let report: Report = parsed(report)?;
        self.client_cpu.borrow_mut().push(report.own_cpu);
        Ok(report)
    }
}

/// The load client, to be started. `watches` has it report what the server takes, which must then live on.
pub(super) fn load_client(load: &Load, served: &Served, report: &Path, watches: bool) -> Result<Command> {
    let mut client = Command::new(workspace::built("release", "simulator")?);
    client.args(["load", "--server", &served.url("http"), "--api-key", served.api_key()]);
    client.args(load.arguments()).arg("--json").arg(report);
    if watches {
        client.args(["--server-pid", &served.pid().to_string()]);
    }
    Ok(client)
}

fn parsed<T: DeserializeOwned>(report: &Path) -> Result<T> {
    let text = fs::read_to_string(report).context("the load client wrote no report")?;
    serde_json::from_str(&text).context("the load client's report cannot be read")
}

#[cfg(test)]
mod tests {
    use super::is_meant;

    #[test]
    fn a_row_is_meant_by_its_name_or_by_what_its_name_begins_with() {
        assert!(is_meant("T5", "t5") && is_meant("area-import", "area") && is_meant("area-import", "area-import"));
        assert!(!is_meant("T10", "T1") && !is_meant("area-import", "area-i") && !is_meant("area", "area-import"));
    }
}
