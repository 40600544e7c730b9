//! One area of the world: its streets and addresses, made from an OpenStreetMap extract, and the answers from them.
//!
//! The server asks it which street is at a point, what the quickest route is and where an address lies; the simulator
//! rides its streets. [`import`] reads an extract and writes an area's files; everything else only reads those files.
//! Nothing here knows of orders, couriers, HTTP or the database, and nothing is fetched from a network.

#![allow(clippy::disallowed_methods, reason = "those rules guard the server's clock and tasks")]

pub mod built_in;
pub mod files;
pub mod import;
pub mod library;
pub mod manifest;
pub mod places;
pub mod roads;
