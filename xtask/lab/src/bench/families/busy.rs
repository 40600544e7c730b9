//! A database that is kept as busy as the server keeps its own, by `pgbench` through the same statement.

use super::storing::migrated_database;
use crate::bench::measuring::Bench;
use anyhow::{Context, Result};
use std::fs;
use std::process::{Child, Command, Stdio};
use xtask_support::postgres::programs;

/// Statements a second, and rows in each: 2 000 fixes a second as the server was seen to batch them.
const STATEMENTS_PER_S: u32 = 1_000;
const ROWS: u32 = 2;

/// Stores until it is dropped.
pub(super) struct Busy(Child);

impl Busy {
    pub(super) fn start(bench: &Bench<'_>) -> Result<Self> {
        let database = migrated_database(bench)?;
        let file = bench.folder().join("busy.sql");
        let insert = format!(
            "insert into fixes (courier_id, fixed_at, received_at, lat, lon) \
             select gen_random_uuid(), now(), now(), 35.9, 14.5 from unnest(array_fill(1, array[{ROWS}])) \
             on conflict do nothing returning courier_id, fixed_at;\n"
        );
        fs::write(&file, insert).context("writing busy.sql")?;
        let pgbench = Command::new(programs().context("Postgres is not installed")?.join("pgbench"))
            .args(["--no-vacuum", "--client=2", "--protocol=prepared", "--time=600"])
            .args(["--rate", &STATEMENTS_PER_S.to_string(), "--file"])
            .arg(&file)
            .arg(bench.postgres().url(&database))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Ok(Self(pgbench.context("pgbench cannot be started")?))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
