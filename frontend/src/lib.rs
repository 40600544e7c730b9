//! The pages people meet, rendered by the server and hydrated in the browser.
//!
//! A page is drawn once on the server from [`data`], complete as text, and then again in the browser from the very
//! same bytes, where it follows the order's feed. What decides what a page says is pure and lives in [`track`] and
//! [`ui`]; what talks to the network is in [`live`], what draws the map in [`map`]. In both of these the thinking is
//! apart from the browser's objects, so that it is tested without one.
//!
//! Four builds exist and never mix: feature `ssr` inside the server, feature `track` for the customer's browser, feature
//! `courier` for the courier's, feature `dispatch` for the dispatcher's.

#![allow(
    unreachable_pub,
    reason = "what is reachable differs between the four builds, and components carry it into their properties"
)]

pub mod base64url;
pub mod courier;
pub mod data;
#[cfg(any(feature = "dispatch", test))]
mod dispatch;
#[cfg(feature = "ssr")]
pub mod document;
#[cfg(feature = "track")]
mod hydrate;
pub mod live;
pub mod map;
pub mod track;
pub mod ui;
