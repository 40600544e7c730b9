//! The cost of one fix on its way through the server, in nanoseconds: `cargo bench --bench hot_path`.
//!
//! Whole-system figures come from `cargo xtask bench`; these show which part of the way became slower.

mod codec;
mod hub;
mod outbox;
mod sample;
mod tracker;

use criterion::{criterion_group, criterion_main};

criterion_group!(hot_path, codec::measure, tracker::measure, hub::measure, outbox::measure);
criterion_main!(hot_path);
