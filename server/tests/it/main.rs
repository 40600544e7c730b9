//! The server as its clients meet it: a real one on a port of its own, with a database of its own.
//!
//! Needs a Postgres to make databases in: run `cargo xtask test`, or set `DOORSTEP_TEST_DATABASE_URL` to the
//! address of one that you do not mind.

#![allow(
    clippy::disallowed_methods,
    reason = "tests are the outside world: they have the real time and spawn what they like"
)]

mod support;

mod access;
mod api_keys;
mod area;
mod area_imports;
mod arrival;
mod audit;
mod broker;
mod cli;
mod courier_app;
mod courier_devices;
mod courier_fixes;
mod courier_hostile;
mod courier_pace;
mod courier_presence;
mod courier_reports;
mod courier_session;
mod courier_sign_in;
mod courier_stops;
mod courier_tour;
mod courier_trackers;
mod courier_work;
mod customer_feed;
mod customer_streams;
mod dispatch;
mod embedded;
mod exceptions;
mod feed_hours;
mod fleet_access;
mod fleet_feed;
mod front;
mod imports;
mod ingest_clocks;
mod ingest_leniency;
mod ingest_past;
mod ingest_trackers;
mod instances;
mod link_ends;
mod metrics;
mod openapi;
mod order_attempts;
mod order_conflicts;
mod order_edits;
mod order_export;
mod order_lists;
mod outage;
mod overload;
mod people;
mod personal_data;
mod pins;
mod places;
mod plans;
mod plans_model;
mod proofs;
mod rest_access;
mod rest_bodies;
mod rest_lists;
mod rest_orders;
mod security_log;
mod socket_handshake;
mod storage;
mod two_sources;
mod webhook_keeping;
mod webhooks;
