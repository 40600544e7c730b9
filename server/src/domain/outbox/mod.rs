//! What leaves the server: events, who wants which of them, and when a message that was not taken is sent again.
//!
//! [`event`] makes an event of each change, [`retry`] judges answers. [`crate::store::outbox`] writes events in the
//! transaction of the change, and [`crate::service::webhooks`] delivers them.

pub mod event;
pub mod retry;
pub mod webhook;
