//! The ground floor: clock, settings, tasks, limits, secrets and telemetry.
//!
//! Nothing here knows couriers or orders, and nothing here imports another floor.

pub mod background_thread;
pub mod clock;
pub mod config;
pub mod descriptors;
pub mod destination;
pub mod engine_url;
pub mod error_chain;
pub mod failed_attempts;
mod metric_texts;
pub mod paced_chunks;
pub mod password;
pub mod process_metrics;
mod public_url;
pub mod qr;
pub mod rate_limit;
pub mod renamed_metrics;
#[cfg(target_os = "linux")]
pub mod scheduler_slice;
pub mod security;
pub mod side_server;
pub mod tasks;
pub mod telemetry;
pub mod token;
pub mod web_url;
