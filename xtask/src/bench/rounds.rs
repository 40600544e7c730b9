//! One measurement: a fresh program under test, the load client against it, and its report read back.

use super::served::Served;
use crate::postgres::Throwaway;
use crate::{process, workspace};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Rows that the `\copy` baseline loads at once: some seconds' worth.
const COPIED_ROWS: u32 = 300_000;

/// What the load client is asked to do.
pub struct Load {
    pub couriers: u32,
    pub viewers: u32,
    pub rate_hz: f64,
    pub fixes_per_message: u32,
}

/// The part of the load client's report that is used.
#[derive(Deserialize)]
pub struct Report {
    pub acked_per_s: f64,
    pub delivery: Latency,
}

#[derive(Deserialize)]
pub struct Latency {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Everything that a round needs.
pub struct Rounds<'a> {
    postgres: &'a Throwaway,
    folder: PathBuf,
    rounds: u32,
    duration_s: u32,
    databases: Cell<u32>,
}

impl<'a> Rounds<'a> {
    pub fn new(postgres: &'a Throwaway, quick: bool) -> Result<Self> {
        let folder = workspace::memory().join("bench");
        fs::create_dir_all(&folder).context("making a folder for the measurements")?;
        let (rounds, duration_s) = if quick { (3, 8) } else { (5, 15) };
        Ok(Self { postgres, folder, rounds, duration_s, databases: Cell::new(0) })
    }

    pub fn all(&self) -> impl Iterator<Item = u32> + use<> {
        1..=self.rounds
    }

    /// Messages a second from each of 2 000 couriers: somewhat more than this machine can take, so that the server is
    /// the bound, and not so much more that the client drowns in what is waiting.
    pub fn offered_hz(&self, fixes_per_message: u32) -> f64 {
        if fixes_per_message == 1 { 10.0 } else { 1.0 }
    }

    /// The load client's report on a fresh server with a database of its own.
    pub fn server(&self, load: &Load) -> Result<Report> {
        let server = Served::doorstep(&self.postgres.url(&self.fresh_database()?))?;
        self.measure(load, &server)
    }

    /// The load client's report on a fresh relay.
    pub fn relay(&self, load: &Load) -> Result<Report> {
        self.measure(load, &Served::relay()?)
    }

    fn measure(&self, load: &Load, served: &Served) -> Result<Report> {
        let report = self.folder.join("report.json");
        let mut client = Command::new(workspace::built("release", "simulator")?);
        client.args(["load", "--server", served.url(), "--api-key", served.api_key(), "--seed", "1"]);
        client.args(["--couriers", &load.couriers.to_string(), "--viewers", &load.viewers.to_string()]);
        client.args(["--rate", &load.rate_hz.to_string(), "--duration", &self.duration_s.to_string()]);
        client.args(["--fixes-per-message", &load.fixes_per_message.to_string(), "--json"]).arg(&report);
        process::run_quietly(&mut client)?;
        let text = fs::read_to_string(&report).context("the load client wrote no report")?;
        serde_json::from_str(&text).context("the load client's report cannot be read")
    }

    /// Rows a second that `psql \copy` puts into the same table, with the same key, on the same disk.
    pub fn copied_per_s(&self) -> Result<f64> {
        let database = self.fresh_database()?;
        // A server of our own makes the tables, with today's partition.
        drop(Served::doorstep(&self.postgres.url(&database))?);
        let rows = self.folder.join("rows.csv");
        let make = self.script("make.sql", &format!("\\copy ({}) to '{}' csv", rows_to_copy(), rows.display()))?;
        self.postgres.run_file(&database, &make)?;
        let columns =
            "courier_id, fixed_at, received_at, lat, lon, accuracy_m, speed_mps, heading_deg, altitude_m, battery";
        let copy = self.script("copy.sql", &format!("\\copy fixes ({columns}) from '{}' csv", rows.display()))?;
        let started = Instant::now();
        self.postgres.run_file(&database, &copy)?;
        Ok(f64::from(COPIED_ROWS) / started.elapsed().as_secs_f64())
    }

    fn script(&self, name: &str, statement: &str) -> Result<PathBuf> {
        let file = self.folder.join(name);
        fs::write(&file, format!("{statement}\n")).with_context(|| format!("writing {name}"))?;
        Ok(file)
    }

    fn fresh_database(&self) -> Result<String> {
        self.databases.set(self.databases.get() + 1);
        let name = format!("bench_{}", self.databases.get());
        self.postgres.create_database(&name)?;
        Ok(name)
    }
}

/// What Postgres makes the rows from: 2 000 couriers in turn, a fix a second each, ending now.
fn rows_to_copy() -> String {
    format!(
        "select ('00000000-0000-7000-8000-' || lpad((row % 2000)::text, 12, '0'))::uuid, at, at, \
         35.9 + row * 1e-8, 14.5 + row * 1e-8, 6.5, 4.2, 182, 12, 0.81 \
         from (select row, date_trunc('second', now()) - make_interval(secs => ({COPIED_ROWS} - row) / 2000) as at \
         from generate_series(1, {COPIED_ROWS}) as row) as drive"
    )
}
