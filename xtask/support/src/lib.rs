//! What `cargo xtask` and the lab share: running programs and servers, a throwaway Postgres, set-up, progress, failures.
//!
//! A crate of its own and not a library of `xtask`, so that the lab does not compile the bundler, and `xtask` does not
//! compile the simulator. It has few dependencies: each one delays the first `cargo xtask` of a fresh clone.

#![allow(clippy::disallowed_methods, reason = "those rules guard the server's clock and tasks")]

pub mod failure;
pub mod hash;
pub mod http;
pub mod postgres;
pub mod process;
pub mod progress;
pub mod running;
pub mod server;
pub mod setup;
pub mod stamp;
pub mod workspace;
