//! Who is calling, and from where: by API key, session cookie, device token or tracking link.
//!
//! [`authenticator::Authenticator`] looks credentials up. Handlers ask for what they need with an extractor whose type
//! says it: [`extract::Allowed`] for scopes, [`extract::Person`], [`extract::Admin`], [`courier::CourierDevice`]. The
//! route table reads from those types who may call what ([`access::Access`]).

pub mod access;
pub mod access_recorder;
pub mod authenticator;
pub mod cookies;
pub mod courier;
pub mod extract;
pub mod office_or_courier;
pub mod origin;
pub mod peer;
pub mod principal;
pub mod registered;
pub mod scope;
pub mod sessions;
pub mod sign_in;
pub mod sign_in_limiter;
pub mod unknown_secrets;
