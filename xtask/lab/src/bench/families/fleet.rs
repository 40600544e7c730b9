//! T9: what a dispatcher gets of a large fleet that moves, against one frame for each fix.
//!
//! The load client counts both on the same connection, so there is no baseline to run.

use crate::bench::load::Load;
use crate::bench::measuring::Bench;
use crate::bench::report::{Row, figure};
use crate::bench::target::Target;
use anyhow::{Context, Result};
use xtask_support::progress;

const FRAMES_PER_S: f64 = 10.0;

/// Frames and bytes.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    // A smaller fleet is passed on as it moves, so a quick run has as many for a shorter time.
    let couriers = 5_000;
    let load = Load {
        couriers,
        viewers: 1,
        dispatchers: 1,
        rate_hz: 1.0,
        fixes_per_message: 1,
        duration_s: bench.size(12.0, 8.0),
    };
    let frames = Target::at_most(
        "T9",
        "frames to a dispatcher of 5 000 couriers at 1 Hz, against one per fix",
        1.0 / 20.0,
        FRAMES_PER_S / f64::from(couriers),
    );
    let bytes = Target { stretch: None, ..Target::at_most("T9", "the same, bytes", 0.5, 0.5) };
    let (mut of_frames, mut of_bytes, mut detail) = (Vec::new(), Vec::new(), Vec::new());
    for round in bench.rounds().take(bench.size(5, 1)) {
        let report = progress::step(&format!("T9 round {round}"), || bench.load(&load, &bench.doorstep()?))?;
        let feed = report.fleet_feed.context("the dispatcher got nothing")?;
        of_frames.push(feed.frames_ratio);
        of_bytes.push(feed.bytes_ratio);
        detail.push(figure(feed.frames_per_s));
    }
    let detail = format!("{couriers} couriers; frames/s: {}", detail.join(" "));
    Ok(vec![Row::new(frames, of_frames, detail), Row::new(bytes, of_bytes, "")])
}
