//! T17: the room that a stored fix takes, its key included, against the same rows loaded by `\copy`.

use super::storing::{COLUMNS, migrated_database, most, script};
use crate::bench::measuring::Bench;
use crate::bench::report::{Row, figure};
use crate::bench::target::Target;
use anyhow::{Context, Result};
use xtask_support::progress;

const T17: Target = Target::at_most("T17", "bytes per stored fix, key included, against \\copy", 1.1, 1.0);

/// What a table takes on the disk for each row, over the partitions that have any.
const BYTES_PER_FIX: &str = "select sum(pg_total_relation_size(part)) / sum(fixes) \
    from (select tableoid as part, count(*) as fixes from fixes group by tableoid) as parts";

/// The row.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let (mut ratios, mut detail) = (Vec::new(), Vec::new());
    for round in bench.rounds().take(3) {
        let database = bench.fresh_database()?;
        progress::step(&format!("T17 round {round}: storing"), || {
            bench.load(&most(bench, 20), &bench.doorstep_on(&database, &[])?)
        })?;
        let (stored, copied) = progress::step(&format!("T17 round {round}: \\copy"), || {
            Ok((bytes_per_fix(bench, &database)?, bytes_per_fix(bench, &copy_of(bench, &database)?)?))
        })?;
        ratios.push(stored / copied);
        detail.push(format!("{}/{}", figure(stored), figure(copied)));
    }
    Ok(vec![Row::new(T17, ratios, format!("bytes, stored/copied: {}", detail.join(" ")))])
}

/// A new database with the same rows, in the order of their times.
fn copy_of(bench: &Bench<'_>, database: &str) -> Result<String> {
    let rows = bench.folder().join("rows.csv");
    script(
        bench,
        database,
        &format!("\\copy (select {COLUMNS} from fixes order by fixed_at) to '{}' csv", rows.display()),
    )?;
    let copy = migrated_database(bench)?;
    script(bench, &copy, &format!("\\copy fixes ({COLUMNS}) from '{}' csv", rows.display()))?;
    Ok(copy)
}

fn bytes_per_fix(bench: &Bench<'_>, database: &str) -> Result<f64> {
    bench.postgres().ask(database, BYTES_PER_FIX)?.parse().context("the table is empty")
}
