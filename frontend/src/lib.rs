//! The pages of customers, couriers and dispatchers, rendered by the server and brought to life in the browser.
//!
//! Each page has a folder: [`track`] is the customer's, [`courier`] the courier's app, `dispatch` the dispatcher's console.
//! What several of them use stands in [`live`] (connections), [`map`] (geometry and the map library), [`ui`] (times, texts,
//! reactive helpers) and [`data`] (what the server hands a page). `document` renders their HTML on the server; the
//! tracking page is drawn again in the browser from the very same data. Every decision is apart from the browser's objects,
//! so that native tests cover it.
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
