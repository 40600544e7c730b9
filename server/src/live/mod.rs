//! What is true right now, in memory: open connections and their waiting messages, each courier's live state, what is
//! watched by how many, and the way to other instances.
//!
//! Everything here can be lost and read again from the store. Lock order: pacing, tracker, hub or connections, outbox;
//! following, then the broker's own.

pub mod accepted;
pub mod audience;
pub mod broker;
pub mod connections;
pub mod fleet;
pub mod following;
pub mod heartbeat;
pub mod hub;
pub mod outbox;
pub mod readiness;
pub mod tracker;
pub mod watching;
