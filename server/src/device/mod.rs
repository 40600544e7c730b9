//! The use cases of couriers' devices besides reporting: sign-in links, being seen, and the end of both.

pub mod revoke;
pub mod sightings;
pub mod sign_in;
pub mod tracker;
pub mod tracker_setup;
pub mod watch;
