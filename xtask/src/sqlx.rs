//! Records what Postgres says about each `sqlx` query, so that building the server needs no database.
//!
//! The macros of sqlx do the recording themselves when given a live database and a folder, so `sqlx-cli` is not
//! needed. The new records replace `.sqlx` only when every query was accepted: a half-written query leaves the others'
//! records alone.

mod records;

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use xtask_support::failure::{Failure, OrRemedy};
use xtask_support::postgres::{Durability, Throwaway};
use xtask_support::setup::Tool;
use xtask_support::{process, progress, setup, workspace};

const DATABASE: &str = "doorstep";

/// Applies the migrations to an empty database and records every query of the server against it.
///
/// # Errors
/// When a migration or a query is refused.
pub(crate) fn run() -> Result<()> {
    setup::prepare(&[Tool::Postgres])?;
    let postgres = progress::step("starting a throwaway Postgres", || Throwaway::start(Durability::Skipped))?;
    progress::step("applying the migrations", || migrate(&postgres))?;
    let records = workspace::memory().join("sqlx");
    progress::step("asking Postgres about every query", || record(&postgres, &records))?;
    let count = replace(&records)?;
    progress::note(&format!("{count} queries are recorded in .sqlx; commit it with the code"));
    Ok(())
}

/// Whether `.sqlx` has exactly the records of the queries in the code. Needs no database: whether the records describe
/// the present tables is seen when they are made.
///
/// # Errors
/// With every query that has no record, and every record that no query uses.
pub(crate) fn check() -> Result<()> {
    records::check(&workspace::root())
}

fn migrate(postgres: &Throwaway) -> Result<()> {
    postgres.create_database(DATABASE)?;
    for file in migrations()? {
        postgres.run_file(DATABASE, &file).or_remedy(
            format!("{} was refused", shown(&file)),
            "correct the statement and run `cargo xtask sqlx` again",
        )?;
    }
    Ok(())
}

fn migrations() -> Result<Vec<PathBuf>> {
    let folder = workspace::root().join("migrations");
    let entries = fs::read_dir(&folder).context("migrations/ cannot be read")?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    Ok(files)
}

fn record(postgres: &Throwaway, records: &Path) -> Result<()> {
    if records.exists() {
        fs::remove_dir_all(records).context("emptying the folder of new records")?;
    }
    fs::create_dir_all(records).context("creating the folder of new records")?;
    // The macros record while they expand, so the crate must be compiled afresh.
    touch(&workspace::root().join("server/src/lib.rs"))?;
    process::run(
        Command::new("cargo")
            .args(["check", "--package", "doorstep-server", "--all-targets"])
            .current_dir(workspace::root())
            .env("DATABASE_URL", postgres.url(DATABASE))
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", records),
    )
    .or_remedy(
        "the server does not compile against this database; .sqlx is unchanged",
        "correct what the compiler names above and run `cargo xtask sqlx` again",
    )
}

fn touch(file: &Path) -> Result<()> {
    let opened = File::options().append(true).open(file);
    opened.and_then(|file| file.set_modified(SystemTime::now())).with_context(|| format!("touching {}", shown(file)))
}

fn replace(records: &Path) -> Result<usize> {
    let kept = workspace::root().join(".sqlx");
    let count = fs::read_dir(records).context("reading the new records")?.count();
    if count == 0 && kept.exists() {
        bail!(Failure::new(
            "no query was recorded, yet .sqlx is there",
            "delete .sqlx if the server truly has no `sqlx::query!` any more",
        ));
    }
    if kept.exists() {
        fs::remove_dir_all(&kept).context("removing the old .sqlx")?;
    }
    fs::create_dir(&kept).context("creating .sqlx")?;
    for entry in fs::read_dir(records).context("reading the new records")? {
        let entry = entry?;
        fs::copy(entry.path(), kept.join(entry.file_name())).context("filling .sqlx")?;
    }
    Ok(count)
}

fn shown(path: &Path) -> String {
    let inside = path.strip_prefix(workspace::root()).unwrap_or(path);
    inside.display().to_string()
}
