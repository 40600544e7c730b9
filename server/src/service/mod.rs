//! The use cases of couriers, customers, dispatchers and programs, whatever protocol they speak.
//!
//! A use case checks the rules of [`crate::domain`], commits through [`crate::store`] and then changes the live view.
//! The edge above only decodes requests and encodes answers.

pub mod access_log;
pub mod api_keys;
pub mod areas;
pub mod arrival;
pub mod courier_day;
pub mod devices;
pub mod exceptions;
pub mod geocoder;
pub mod ingest;
pub mod orders;
pub mod pacing;
pub mod peers;
pub mod personal_data;
pub mod places;
pub mod planner;
pub mod presence;
pub mod proofs;
pub mod remote_router;
pub mod suggestions;
pub mod tour;
pub mod webhooks;
