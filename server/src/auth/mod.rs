//! Who is asking: tokens and keys, people's sessions, and where a browser's request comes from.

pub mod courier;
pub mod misses;
pub mod origin;
pub mod password;
pub mod principal;
pub mod sessions;
pub mod sign_in;
pub mod throttle;
pub mod token;
