//! The fault table: what is done to the system under load, and the code that does it and says what must be true.

mod clients;
mod commits;
mod crashes;
mod crowds;
mod database;
mod descriptors;
mod redis;

use super::setting::Setting;
use anyhow::Result;
use doorstep_simulator::Check;

/// A row of the fault table.
pub(super) struct Row {
    /// Its number.
    pub id: &'static str,
    /// What is done.
    pub fault: &'static str,
    /// How many seeds a full run takes.
    pub seeds: u32,
    /// Whether the test command runs it too: it ends soon, even with programs that are not optimised.
    pub in_short: bool,
    /// Does it, and finds out what is true then.
    pub inflict: fn(&Setting) -> Result<Outcome>,
}

/// How a run ended.
pub(super) enum Outcome {
    /// It took place.
    Judged {
        /// What this row asks for.
        facts: Vec<Check>,
        /// What every row asks for.
        checker: Vec<Check>,
    },
    /// This machine cannot do it, for this reason.
    Skipped(String),
}

/// All of them, in the order of their numbers.
pub(super) static ROWS: [Row; 19] = [
    row("F1", "kill -9 of the server", true, crashes::killed).with_seeds(20),
    row("F2", "SIGTERM of the server", true, crashes::asked_to_end),
    row("F3", "Postgres stopped without a goodbye", true, database::stopped),
    row("F4", "the writers' connections are terminated", true, database::terminated),
    row("F5", "Postgres is frozen", false, database::frozen),
    row("F6", "the connection is cut in the middle of a commit", true, commits::cut),
    row("F7", "couriers' links fall silent", false, clients::silent),
    row("F9", "customers never read", false, crowds::deaf),
    row("F11", "every fix comes one to five times, over two sockets", true, clients::repeated),
    row("F12", "fixes come shuffled, then an hour's backlog", false, clients::shuffled),
    row("F13", "devices have the wrong time", true, clients::clocks),
    row("F14", "everybody reconnects within a second", false, crowds::stampede),
    row("F15", "the disk of Postgres is full", false, database::full),
    row("F16", "no file descriptors are left", false, descriptors::exhausted),
    row("F18", "hostile frames", false, clients::hostile),
    row("F19", "a writer panics", true, commits::garbled),
    row("F20", "orders end, change hands or lose their device", true, clients::ended),
    row("F21", "Redis stops", false, redis::stopped),
    row("F22", "strangers take nothing of the map, and keep connections", false, clients::strangers),
];

const fn row(id: &'static str, fault: &'static str, in_short: bool, inflict: fn(&Setting) -> Result<Outcome>) -> Row {
    Row { id, fault, seeds: 1, in_short, inflict }
}

impl Row {
    const fn with_seeds(self, seeds: u32) -> Self {
        Self { seeds, ..self }
    }
}
