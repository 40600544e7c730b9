//! The edge's doorkeeper: who is asking, by token, key or session, and where a request comes from.

pub mod courier;
pub mod look_up;
pub mod origin;
pub mod peer;
pub mod principal;
pub mod sessions;
pub mod sign_in;
pub mod sign_in_limiter;
pub mod unknown_secrets;
