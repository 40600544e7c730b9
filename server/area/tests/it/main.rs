//! Imports from the extract to the files.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "those rules guard the server's clock and errors")]

mod island;
mod support;
mod town;
