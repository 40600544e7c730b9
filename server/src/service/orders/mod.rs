//! Orders: moving them on ([`status`], [`reports`]), giving them to couriers and taking them back ([`assign`]), changing
//! them ([`edit`]), trying again and correcting ([`attempts`]); couriers' plans, the customer's snapshot, links that close
//! ([`links`]), and which order is most urgent.
//!
//! [`lifecycle`] holds the means and publishes what the others have committed.

pub mod assign;
pub mod attempts;
pub mod edit;
pub mod error;
pub mod lifecycle;
pub mod links;
pub mod plans;
pub mod reports;
pub mod risk;
pub mod snapshot;
pub mod status;
mod waits;
