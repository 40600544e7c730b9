//! Imports an extract in a command's own process, for `doorstep area import` and `doorstep demo --area`.
//!
//! What is under way is told on standard error; Ctrl-C ends it, and then nothing stays behind. Needs no database.

use std::{
    io::{IsTerminal, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::Args;
use doorstep_area::{
    import::{self, Estimate, ImportError, Options, Progress, Stage},
    library::Library,
};
use doorstep_shared::api::area::AreaId;

use super::shutdown::termination;
use crate::{
    platform::background_thread::run_last,
    service::areas::{Area, parse_bounds},
};

/// How to import an extract.
#[derive(Args, Clone, Debug)]
pub(super) struct ImportOptions {
    /// What the area is called; otherwise what the extract suggests.
    #[arg(long)]
    name: Option<String>,
    /// West, south, east and north in degrees: what lies outside is left out.
    #[arg(long, value_parser = parse_bounds, allow_hyphen_values = true, value_name = "W,S,E,N")]
    bounds: Option<[f64; 4]>,
}

impl ImportOptions {
    fn options(self) -> Options {
        Options { name: self.name, bounds: self.bounds }
    }
}

/// Imports an extract into a data folder and makes it the area in use. What is under way is told on standard error.
/// Ctrl-C ends it, and then nothing stays behind.
///
/// # Errors
/// A sentence about what is in the way; the area in use stays.
pub(super) async fn import(data_dir: &Path, file: &Path, options: ImportOptions) -> anyhow::Result<AreaId> {
    let (library, file) = (Library::under(data_dir), file.to_owned());
    let cancelled = Arc::new(AtomicBool::new(false));
    let told = Told { cancelled: Arc::clone(&cancelled), is_terminal: std::io::stderr().is_terminal(), line: None };
    let working = tokio::task::spawn_blocking(move || {
        // A server on this machine comes first. The thread does nothing else: the program ends with the command.
        run_last();
        import_now(&library, &file, &options.options(), told)
    });
    tokio::pin!(working);
    tokio::select! {
        outcome = &mut working => outcome?,
        () = termination() => {
            cancelled.store(true, Ordering::Release);
            working.await?
        }
    }
}

fn import_now(library: &Library, file: &Path, options: &Options, mut told: Told) -> anyhow::Result<AreaId> {
    let Estimate { disk_bytes, memory_bytes, seconds } = import::estimate(file)?;
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    eprintln!(
        "importing {}: about {} MB of disk, {} MB of memory and {:.0} s",
        file.display(),
        megabytes(disk_bytes),
        megabytes(memory_bytes),
        seconds.ceil()
    );
    let staging = library.stage()?;
    let imported = import::area(file, options, &staging.area(), &mut told);
    told.end_line();
    imported?;
    let id = staging.install()?;
    // What cannot be used afterwards must not be chosen.
    Area::load(library.open(&id)?)?;
    library.choose(&id)?;
    eprintln!("{id} is in use; running servers on this data folder follow within moments");
    Ok(id)
}

/// Whether an error means that the person at the terminal ended the command.
pub(super) fn is_interruption(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ImportError::Cancelled))
}

/// Says on standard error how far the import is: a line that counts up on a terminal, one for each stage elsewhere.
struct Told {
    cancelled: Arc<AtomicBool>,
    is_terminal: bool,
    /// The stage whose line was begun, and the hundredths that it says.
    line: Option<(Stage, u32)>,
}

impl Told {
    fn end_line(&mut self) {
        if self.line.take().is_some() && self.is_terminal {
            eprintln!();
        }
    }
}

impl Progress for Told {
    fn reached(&mut self, stage: Stage, share: f64) {
        let now = (stage, (share * 100.0) as u32);
        if self.line == Some(now) {
            return;
        }
        if self.line.is_none_or(|(before, _)| before != stage) {
            self.end_line();
            if !self.is_terminal {
                eprintln!("{}", words(stage));
            }
        }
        if self.is_terminal {
            eprint!("\r{} {} %", words(stage), now.1);
            // A terminal that has gone away is no reason to fail.
            let _ = std::io::stderr().flush();
        }
        self.line = Some(now);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

const fn words(stage: Stage) -> &'static str {
    match stage {
        Stage::Positions => "reading the extract",
        Stage::Streets => "making the street graph",
        Stage::Addresses => "collecting addresses",
        Stage::Map => "drawing the map",
        Stage::Files => "writing the files",
    }
}
